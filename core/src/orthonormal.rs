use crate::{Error, Grid, Result, VoxelPoint};
use glam::{DAffine3, DMat3, DVec3};

impl Grid {
    /// The smallest grid with axes at right angles that covers all of this one's voxels, to their faces, and lies about its
    /// centre.
    ///
    /// Of three axes, the two nearest to a right angle keep their plane and the first of them its direction; the third becomes
    /// their normal. Slices of a tilted gantry so stay slices. Without `spacing_mm` the grid keeps, along each new axis, the part
    /// of the old step that leads along it, so that a voxel keeps its size and a grid that is orthogonal already is unchanged.
    ///
    /// # Errors
    /// A spacing that is not positive and finite; a grid too large to count.
    pub fn orthonormal(&self, spacing_mm: Option<[f64; 3]>) -> Result<Self> {
        if let Some(spacing) = spacing_mm.filter(|s| s.iter().any(|&s| s <= 0.0 || !s.is_finite())) {
            return Err(Error::Invalid {
                field: "spacing",
                expected: "millimetres above 0".into(),
                found: format!("{spacing:?}"),
            });
        }
        if self.is_orthogonal() && spacing_mm.is_none_or(|spacing| spacing == self.spacing_mm()) {
            return Ok(self.clone());
        }
        let m = self.affine().matrix3;
        let axes = [m.x_axis, m.y_axis, m.z_axis];
        let cosine = |[a, b, _]: [usize; 3]| axes[a].normalize().dot(axes[b].normalize()).abs();
        let orders = [[0, 1, 2], [0, 2, 1], [1, 2, 0]];
        let least = orders.into_iter().map(cosine).fold(f64::INFINITY, f64::min);
        // Of pairs that differ by rounding alone the first: i and j, the plane of a slice.
        let [a, b, c] = orders.into_iter().find(|&order| cosine(order) < least + 1e-6).unwrap_or(orders[0]);
        let mut unit = [DVec3::ZERO; 3];
        unit[a] = axes[a].normalize();
        unit[b] = axes[b].reject_from(axes[a]).normalize();
        unit[c] = unit[a].cross(unit[b]) * unit[a].cross(unit[b]).dot(axes[c]).signum();
        let spacing = spacing_mm.unwrap_or([0, 1, 2].map(|n: usize| unit[n].dot(axes[n])));
        let size = self.shape().map(|n| n as f64);
        let centre = self.world_from_voxel(VoxelPoint((DVec3::from_array(size) - 1.0) / 2.0)).0;
        let shape = [0, 1, 2].map(|n: usize| {
            let extent: f64 = (0..3).map(|old| unit[n].dot(axes[old]).abs() * size[old]).sum();
            // Rounding must not cost a voxel.
            (extent / spacing[n] - 1e-6).ceil().max(1.0) as usize
        });
        let columns = [0, 1, 2].map(|n: usize| unit[n] * spacing[n]);
        let half = (0..3).map(|n| columns[n] * ((shape[n] as f64 - 1.0) / 2.0)).sum::<DVec3>();
        let matrix3 = DMat3::from_cols(columns[0], columns[1], columns[2]);
        Self::new(shape, DAffine3 { matrix3, translation: centre - half }, self.world())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::AxisSwap;
    use crate::grid::tests::tilted;

    #[test]
    fn a_tilted_stack_keeps_its_slices() {
        let grid = tilted();
        let straight = grid.orthonormal(None).unwrap();
        assert!(straight.is_orthogonal() && !grid.is_orthogonal());
        assert_eq!(straight.shape()[0], 20);
        assert_eq!(straight.shape()[2], 10);
        let [x, y, z] = straight.spacing_mm();
        assert!(
            (x - 0.5).abs() < 1e-12 && (y - 0.6).abs() < 1e-12 && (z - 2.0 * 20f64.to_radians().cos()).abs() < 1e-12
        );
        // Slice k lies in the plane of slice k.
        for k in 0..10 {
            let centre = grid.world_from_voxel(VoxelPoint::new(9.5, 14.5, f64::from(k)));
            assert!((straight.voxel_from_world(centre).0.z - f64::from(k)).abs() < 1e-9);
        }
        // Every corner of every corner voxel is covered, and no row is left over.
        for axes in [[0, 1, 2], [2, 1, 0], [1, 2, 0]] {
            let grid = grid.swapped(AxisSwap { from: axes, flipped: [true, false, false] }).unwrap();
            for spacing in [None, Some([0.7; 3])] {
                let straight = grid.orthonormal(spacing).unwrap();
                let (mut low, mut high) = (DVec3::INFINITY, DVec3::NEG_INFINITY);
                for corner in 0..8 {
                    let at = |n: usize| if corner >> n & 1 == 1 { grid.shape()[n] as f64 - 0.5 } else { -0.5 };
                    let p = straight.voxel_from_world(grid.world_from_voxel(VoxelPoint::new(at(0), at(1), at(2)))).0;
                    (low, high) = (low.min(p), high.max(p));
                }
                for n in 0..3 {
                    let (below, above) = (low[n] + 0.5, straight.shape()[n] as f64 - 0.5 - high[n]);
                    assert!((-1e-5..0.5).contains(&below) && (-1e-5..0.5).contains(&above), "{below} {above}");
                    assert!((below - above).abs() < 1e-9);
                }
            }
        }
        assert_eq!(straight.orthonormal(None).unwrap(), straight);
    }
}
