use crate::{Result, StoredType, fault};
use std::path::Path;

/// Slope and intercept, both exact in single precision, that spread intensities from `low` to `high` over all values of an
/// integer type, so that rounding moves none by more than half a slope.
pub(super) fn spread(path: &Path, stored: StoredType, low: f64, high: f64) -> Result<(f64, f64)> {
    let range = stored.integer_range().filter(|_| stored.size_bytes() <= 4);
    let Some((lowest, highest)) = range else {
        let supported = "int8, uint8, int16, uint16, int32, uint32";
        return Err(fault::unsupported(path, "scaling to a type", stored, supported));
    };
    let mut intercept = (low - (high - low) / (highest - lowest) * lowest) as f32;
    // Types without negative values cannot reach below the intercept.
    if f64::from(intercept) > low && lowest == 0.0 {
        intercept = intercept.next_down();
    }
    let intercept_f64 = f64::from(intercept);
    let up = (high - intercept_f64) / highest;
    let down = if lowest < 0.0 { (low - intercept_f64) / lowest } else { 0.0 };
    let needed = up.max(down);
    let nearest = needed as f32;
    let slope = if f64::from(nearest) < needed { nearest.next_up() } else { nearest };
    if !intercept.is_finite() || !slope.is_finite() {
        let found = format!("{low} to {high}");
        return Err(fault::unsupported(path, "scaling of intensities", found, "what a float32 slope can span"));
    }
    // One value throughout: any slope will do.
    Ok((if slope > 0.0 { slope.into() } else { 1.0 }, intercept_f64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_intensity_moves_by_more_than_half_a_step() {
        let types = [
            StoredType::Int8,
            StoredType::Uint8,
            StoredType::Int16,
            StoredType::Uint16,
            StoredType::Int32,
            StoredType::Uint32,
        ];
        let ranges = [
            (0.0, 1.0),
            (-3.7, 12.9),
            (1e6 + 0.1, 1e6 + 0.3),
            (-1e-20, 5e-21),
            (-2e30, -1e30),
            (0.1, 0.1),
            (0.0, 0.0),
            (-1024.0, 3071.0),
        ];
        for stored in types {
            let (lowest, highest) = stored.integer_range().unwrap();
            for (low, high) in ranges {
                let (slope, intercept) = spread(Path::new("x"), stored, low, high).unwrap();
                for n in 0..=1000 {
                    let value: f64 = low + (high - low) * f64::from(n) / 1000.0;
                    let step = ((value - intercept) / slope).round();
                    let error = (slope * step.clamp(lowest, highest) + intercept - value).abs();
                    let rounding = 4.0 * f64::EPSILON * value.abs().max(intercept.abs());
                    assert!(
                        error <= slope / 2.0 + rounding,
                        "{stored} {low}..{high}: {value} moves by {error} of {slope}"
                    );
                }
            }
        }
        assert!(spread(Path::new("x"), StoredType::Int64, 0.0, 1.0).is_err());
        assert!(spread(Path::new("x"), StoredType::Int16, -1e300, 1e300).is_err());
    }
}
