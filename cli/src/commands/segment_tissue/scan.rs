use crate::{Error, Result};
use brainmesh_core::{Grid, Volume};
use glam::DMat3;
use rayon::prelude::*;

/// What of a scan can be told before it is segmented.
struct Scan<'a> {
    volume: &'a Volume<f32>,
    /// With a background of 0.
    seen: &'a Volume<f32>,
    name: &'a str,
}

/// Refuses what cannot be a T1-weighted scan of a head; `is_lenient` turns all but what cannot be segmented at all into
/// warnings. `seen` is the scan with a background of 0. Returns warnings.
///
/// # Errors
/// [`Error::Unusable`] with what was expected and found.
pub fn check_scan(volume: &Volume<f32>, seen: &Volume<f32>, name: &str, is_lenient: bool) -> Result<Vec<String>> {
    let scan = Scan { volume, seen, name };
    let mut warnings = scan.geometry()?;
    for doubt in [scan.size(), scan.hounsfield(), scan.labels()].into_iter().flatten() {
        if !is_lenient {
            return Err(Error::Unusable(format!("{name}: {doubt}; --any-image takes it all the same")));
        }
        warnings.push(doubt);
    }
    Ok(warnings)
}

impl Scan<'_> {
    /// What cannot be segmented, whoever says so; and what is odd of the grid.
    fn geometry(&self) -> Result<Vec<String>> {
        let grid = self.volume.grid();
        let unusable = |expected: &str, found: String| {
            Err(Error::Unusable(format!("{}: expected {expected}, found {found}", self.name)))
        };
        let shape = grid.shape();
        if shape.iter().any(|&length| length < 8) {
            return unusable("a volume of at least 8 voxels along each axis", format!("{shape:?}"));
        }
        let finite = |value: &f32| if value.is_finite() { *value } else { 0.0 };
        let (low, high) = self
            .volume
            .data()
            .par_iter()
            .map(|value| (finite(value), finite(value)))
            .reduce(|| (f32::INFINITY, f32::NEG_INFINITY), |a, b| (a.0.min(b.0), a.1.max(b.1)));
        if low == high {
            return unusable("a scan", format!("the value {low} in every voxel"));
        }
        let mut warnings = Vec::new();
        if is_without_orientation(grid) {
            warnings.push(
                "voxel axes lead to R, A, S at 1 mm from (0, 0, 0), as where a file does not say where it lies: if \
                 left and right, or up and down, are not so, the result is wrong"
                    .into(),
            );
        }
        let spacing = grid.spacing_mm();
        if spacing.iter().any(|&mm| !(0.3..=3.0).contains(&mm)) {
            warnings.push(format!(
                "voxels of {:.2} x {:.2} x {:.2} mm: the model was made for voxels near 1 mm",
                spacing[0], spacing[1], spacing[2]
            ));
        }
        Ok(warnings)
    }

    /// A head is neither a mouse's nor a room.
    fn size(&self) -> Option<String> {
        let (shape, spacing) = (self.volume.grid().shape(), self.volume.grid().spacing_mm());
        let mut extent_mm = [0, 1, 2].map(|n: usize| shape[n] as f64 * spacing[n]);
        extent_mm.sort_by(f64::total_cmp);
        let is_head = extent_mm[0] >= 20.0 && extent_mm[1] >= 90.0 && extent_mm[2] <= 600.0;
        let [a, b, c] = extent_mm;
        let found = format!("expected a head, found a volume of {a:.0} x {b:.0} x {c:.0} mm; is its spacing right?");
        (!is_head).then_some(found)
    }

    /// Air at -1000 and tissue around 0.
    fn hounsfield(&self) -> Option<String> {
        let count = |range: std::ops::RangeInclusive<f32>| {
            self.volume.data().par_iter().filter(|value| range.contains(value)).count()
        };
        let share = count(-1200.0..=-800.0) as f64 / self.volume.data().len() as f64;
        let found =
            format!("expected magnetic resonance, found {:.0} % of voxels near -1000, as air in CT", 100.0 * share);
        (share > 0.02).then_some(found)
    }

    /// Neighbours have the same number in a map of labels or a mask, and seldom in a scan.
    fn labels(&self) -> Option<String> {
        let width = self.volume.grid().shape()[0];
        let (same, pairs) = self
            .seen
            .data()
            .par_chunks(width)
            .map(|row| {
                let pairs = row.windows(2).filter(|pair| pair[0] != 0.0 && pair[1] != 0.0);
                pairs.fold((0_u64, 0_u64), |(same, all), pair| (same + u64::from(pair[0] == pair[1]), all + 1))
            })
            .reduce(|| (0, 0), |a, b| (a.0 + b.0, a.1 + b.1));
        let share = same as f64 / pairs.max(1) as f64;
        let found = format!(
            "expected a scan, found the same value in {:.0} % of neighbours, as in a mask or a map of labels",
            100.0 * share
        );
        (share > 0.6).then_some(found)
    }
}

fn is_without_orientation(grid: &Grid) -> bool {
    let affine = grid.affine();
    affine.matrix3.abs_diff_eq(DMat3::IDENTITY, 1e-6) && affine.translation.abs_diff_eq(glam::DVec3::ZERO, 1e-6)
}

#[cfg(test)]
mod tests {
    use super::*;
    use glam::{DAffine3, DVec3};

    /// 160 x 192 x 160 mm at 4 mm, from (-80, -100, -70).
    fn made(spacing_mm: f64, value: impl Fn(usize) -> f32) -> Volume<f32> {
        let matrix = DMat3::from_diagonal(DVec3::splat(spacing_mm));
        let affine = DAffine3::from_mat3_translation(matrix, DVec3::new(-80.0, -100.0, -70.0));
        let grid = Grid::new([40, 48, 40], affine, "scanner").unwrap();
        Volume::new(grid, (0..40 * 48 * 40).map(value).collect()).unwrap()
    }

    fn check(volume: &Volume<f32>, is_lenient: bool) -> Result<Vec<String>> {
        check_scan(volume, volume, "scan", is_lenient)
    }

    fn texture(n: usize) -> f32 {
        ((n * 7919) % 1013) as f32
    }

    fn refusal(volume: &Volume<f32>) -> String {
        check(volume, false).unwrap_err().to_string()
    }

    #[test]
    fn a_scan_passes_with_a_warning_of_its_thick_voxels() {
        assert_eq!(check(&made(2.5, texture), false).unwrap(), Vec::<String>::new());
        let [warning] = check(&made(4.0, texture), false).unwrap().try_into().unwrap();
        assert!(warning.contains("4.00 x 4.00 x 4.00 mm"), "{warning}");
    }

    #[test]
    fn what_is_no_scan_of_a_head_is_refused_unless_asked_for() {
        // Air around a body of water, as in CT.
        let ct = made(4.0, |n| if n % 3 == 0 { -1000.0 + (n % 7) as f32 } else { texture(n) / 10.0 });
        // Labels in runs of 10 voxels, and a mask.
        let labels = made(4.0, |n| (n / 10 % 7) as f32);
        let mask = made(4.0, |n| f32::from(u8::from(n > 5000)));
        let mouse = made(0.3, texture);
        let room = made(40.0, texture);
        for (volume, expected) in
            [(&ct, "CT"), (&labels, "labels"), (&mask, "mask"), (&mouse, "12 x 12 x 14 mm"), (&room, "1920 mm")]
        {
            let error = refusal(volume);
            assert!(error.starts_with("scan: ") && error.contains(expected), "{error}");
            assert!(check(volume, true).unwrap().iter().any(|warning| warning.contains(expected)));
        }
    }

    #[test]
    fn an_empty_volume_is_refused_whatever_is_asked_for() {
        for value in [0.0, 7.5, f32::NAN] {
            assert!(check(&made(4.0, |_| value), true).is_err());
        }
        let flat =
            Volume::new(Grid::new([64, 64, 1], DAffine3::IDENTITY, "scanner").unwrap(), vec![1.0; 4096]).unwrap();
        assert!(refusal(&flat).contains("[64, 64, 1]"));
    }

    #[test]
    fn a_file_without_orientation_is_warned_about() {
        let grid = Grid::new([160, 96, 96], DAffine3::IDENTITY, "unknown").unwrap();
        let volume = Volume::new(grid, (0..160 * 96 * 96).map(texture).collect()).unwrap();
        let [warning] = check(&volume, false).unwrap().try_into().unwrap();
        assert!(warning.contains("does not say where it lies"), "{warning}");
    }
}
