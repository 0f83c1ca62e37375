use glam::DVec3;

/// Lowest corner of the box around the points, and the step of its longest side.
pub(super) fn steps(points: &[[f32; 3]]) -> (DVec3, f64) {
    let wide = points.iter().map(|p| DVec3::from(p.map(f64::from)));
    let (low, high) = wide.fold((DVec3::INFINITY, DVec3::NEG_INFINITY), |(l, h), p| (l.min(p), h.max(p)));
    let side = (high - low).max_element();
    (low, if side > 0.0 { side / f64::from(u16::MAX) } else { 1.0 })
}

pub(super) fn quantized(point: &[f32; 3], low: DVec3, step: f64) -> [u16; 3] {
    ((DVec3::from(point.map(f64::from)) - low) / step).round().to_array().map(|c| c as u16)
}

/// Three numbers, and zeros where elements are longer.
pub(super) fn padded<const B: usize, const N: usize>(numbers: [[u8; B]; 3]) -> [u8; N] {
    let mut bytes = [0; N];
    bytes[..3 * B].copy_from_slice(numbers.as_flattened());
    bytes
}
