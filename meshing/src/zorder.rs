//! The Z-order curve (Morton 1966): what lies close together in space comes close together in order.

use glam::DVec3;

/// Place on the curve through blocks of one unit; what lies below 0 counts as 0.
pub(crate) fn morton(p: DVec3) -> u64 {
    let block = p.to_array().map(|p| p as u64);
    (0..21).fold(0, |key, bit| (0..3).fold(key, |key, axis| key | (block[axis] >> bit & 1) << (3 * bit + axis)))
}

/// The rows of a matrix to change in place, each with its number, in another order; every row stands in `order` once.
pub(crate) fn rows_in_order<'a>(values: &'a mut [f32], columns: usize, order: &[u32]) -> Vec<(usize, &'a mut [f32])> {
    let mut rows: Vec<Option<&mut [f32]>> = values.chunks_exact_mut(columns).map(Some).collect();
    order.iter().filter_map(|&row| Some((row as usize, rows.get_mut(row as usize)?.take()?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_are_interleaved() {
        assert_eq!(morton(DVec3::new(1.5, 0.0, -3.0)), 0b001);
        assert_eq!(morton(DVec3::new(2.0, 3.9, 1.0)), 0b011_110);
    }
}
