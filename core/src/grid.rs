use crate::orientation::{Direction, ORDERS};
use crate::{AxisSwap, Error, Orientation, Result, VoxelPoint, WorldPoint};
use glam::{DAffine3, DMat3, DVec3};
use std::ops::Range;

/// Where the voxels of a volume lie: shape, `world_from_voxel` and the name of the world it leads to.
///
/// Sheared matrices are kept as they are (a tilted gantry, an oblique registration).
///
/// ```
/// use brainmesh_core::{Grid, VoxelPoint, WorldPoint};
/// use glam::{DAffine3, DMat3, DVec3};
/// // 2 mm voxels whose first axis runs to the left (radiological storage): i grows towards -x.
/// let world_from_voxel = DAffine3::from_mat3_translation(
///     DMat3::from_diagonal(DVec3::new(-2.0, 2.0, 2.0)), DVec3::new(90.0, -126.0, -72.0));
/// let grid = Grid::new([91, 109, 91], world_from_voxel, "scanner")?;
/// assert_eq!(grid.world_from_voxel(VoxelPoint::new(1.0, 0.0, 0.0)), WorldPoint::new(88.0, -126.0, -72.0));
/// assert_eq!(grid.spacing_mm(), [2.0, 2.0, 2.0]);
/// # Ok::<(), brainmesh_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Grid {
    shape: [usize; 3],
    world_from_voxel: DAffine3,
    voxel_from_world: DAffine3,
    world: String,
}

impl Grid {
    /// `shape` is in voxels along `(i, j, k)`; every axis holds at least one voxel and the product fits memory addressing.
    ///
    /// # Errors
    /// A singular or non-finite matrix, an empty axis, a voxel count that overflows.
    pub fn new(shape: [usize; 3], world_from_voxel: DAffine3, world: impl Into<String>) -> Result<Self> {
        if shape.contains(&0) || shape.iter().try_fold(1usize, |n, &s| n.checked_mul(s)).is_none() {
            return Err(Error::Invalid {
                field: "grid shape",
                expected: "at least one voxel along every axis, and a countable number in all".into(),
                found: format!("{shape:?}"),
            });
        }
        let determinant = world_from_voxel.matrix3.determinant();
        let voxel_from_world = world_from_voxel.inverse();
        if !world_from_voxel.is_finite() || determinant == 0.0 || !voxel_from_world.is_finite() {
            return Err(Error::SingularAffine { determinant });
        }
        Ok(Self { shape, world_from_voxel, voxel_from_world, world: world.into() })
    }

    /// Voxels along `(i, j, k)`.
    pub fn shape(&self) -> [usize; 3] {
        self.shape
    }

    /// Number of voxels.
    pub fn voxel_count(&self) -> usize {
        self.shape.iter().product()
    }

    /// The matrix itself, world (RAS+ mm) from voxel.
    pub fn affine(&self) -> DAffine3 {
        self.world_from_voxel
    }

    /// Name of the world the matrix leads to, for example `scanner`, `aligned` or `MNI152`.
    pub fn world(&self) -> &str {
        &self.world
    }

    /// World position of a voxel position.
    pub fn world_from_voxel(&self, p_voxel: VoxelPoint) -> WorldPoint {
        WorldPoint(self.world_from_voxel.transform_point3(p_voxel.0))
    }

    /// Voxel position of a world position; it may lie outside the grid.
    pub fn voxel_from_world(&self, p_world: WorldPoint) -> VoxelPoint {
        VoxelPoint(self.voxel_from_world.transform_point3(p_world.0))
    }

    /// Distance between neighbouring voxel centres along `(i, j, k)`.
    pub fn spacing_mm(&self) -> [f64; 3] {
        let m = self.world_from_voxel.matrix3;
        [m.x_axis.length(), m.y_axis.length(), m.z_axis.length()]
    }

    /// Where `i`, `j`, `k` lead to. Oblique axes are named after the world axes that they lie nearest to together, so that
    /// every world axis is named once.
    pub fn orientation(&self) -> Orientation {
        let m = self.world_from_voxel.matrix3;
        let axes = [m.x_axis, m.y_axis, m.z_axis].map(DVec3::normalize);
        let agreement = |order: &[usize; 3]| (0..3).map(|n| axes[n][order[n]].powi(2)).sum::<f64>();
        let best = ORDERS.into_iter().max_by(|a, b| agreement(a).total_cmp(&agreement(b))).unwrap_or(ORDERS[0]);
        Orientation::of([0, 1, 2].map(|n: usize| Direction { axis: best[n], positive: axes[n][best[n]] > 0.0 }))
    }

    /// The same voxels with their axes in another order or direction; every voxel stays where it is in the world.
    ///
    /// # Errors
    /// None for a grid that exists; the new one is checked like any other.
    pub fn swapped(&self, swap: AxisSwap) -> Result<Self> {
        let columns = [
            self.world_from_voxel.matrix3.x_axis,
            self.world_from_voxel.matrix3.y_axis,
            self.world_from_voxel.matrix3.z_axis,
        ];
        let mut first = [0.0; 3];
        for (&axis, &flipped) in swap.from.iter().zip(&swap.flipped) {
            first[axis] = if flipped { (self.shape[axis] - 1) as f64 } else { 0.0 };
        }
        let column = |n: usize| if swap.flipped[n] { -columns[swap.from[n]] } else { columns[swap.from[n]] };
        let world_from_voxel = DAffine3 {
            matrix3: DMat3::from_cols(column(0), column(1), column(2)),
            translation: self.world_from_voxel(VoxelPoint(DVec3::from_array(first))).0,
        };
        Self::new(swap.from.map(|axis| self.shape[axis]), world_from_voxel, self.world.as_str())
    }

    /// Whether the axes stand at right angles to one another, to a millionth.
    pub fn is_orthogonal(&self) -> bool {
        let m = self.world_from_voxel.matrix3;
        let [x, y, z] = [m.x_axis, m.y_axis, m.z_axis].map(DVec3::normalize);
        [x.dot(y), x.dot(z), y.dot(z)].iter().all(|cosine| cosine.abs() <= 1e-6)
    }

    /// The grid of the voxels `region[0]` along `i`, `region[1]` along `j`, `region[2]` along `k`.
    ///
    /// # Errors
    /// An empty region, or one that reaches beyond the grid.
    pub fn cropped(&self, region: &[Range<usize>; 3]) -> Result<Self> {
        if region.iter().zip(self.shape).any(|(r, n)| r.is_empty() || r.end > n) {
            return Err(Error::Invalid {
                field: "region",
                expected: format!("voxels within {:?}", self.shape),
                found: format!("{region:?}"),
            });
        }
        let [i, j, k] = region.each_ref().map(|r| r.start as f64);
        let origin = self.world_from_voxel(VoxelPoint::new(i, j, k)).0;
        let world_from_voxel = DAffine3 { translation: origin, ..self.world_from_voxel };
        Self::new(region.each_ref().map(ExactSizeIterator::len), world_from_voxel, self.world.as_str())
    }

    /// Smallest and largest world coordinates of the voxel centres.
    pub fn world_bounds(&self) -> (WorldPoint, WorldPoint) {
        let mut low = DVec3::INFINITY;
        let mut high = DVec3::NEG_INFINITY;
        for corner in 0..8usize {
            let at = |axis: usize| if corner >> axis & 1 == 1 { (self.shape[axis] - 1) as f64 } else { 0.0 };
            let p = self.world_from_voxel(VoxelPoint::new(at(0), at(1), at(2))).0;
            low = low.min(p);
            high = high.max(p);
        }
        (WorldPoint(low), WorldPoint(high))
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Oblique and sheared by 20 degrees between the second and third axis, as a tilted gantry leaves it.
    pub(crate) fn tilted() -> Grid {
        let turn = glam::DQuat::from_euler(glam::EulerRot::XYZ, 0.2, -0.3, 0.4);
        let (sin, cos) = 20f64.to_radians().sin_cos();
        let m = DMat3::from_cols(
            turn * DVec3::X * 0.5,
            turn * DVec3::Y * 0.6,
            turn * DVec3::new(0.0, 2.0 * sin, 2.0 * cos),
        );
        Grid::new([20, 30, 10], DAffine3::from_mat3_translation(m, DVec3::new(-4.0, 7.0, 9.0)), "scanner").unwrap()
    }

    #[test]
    fn a_sheared_grid_goes_to_the_world_and_back() {
        let shear = DMat3::from_cols(DVec3::new(0.5, 0.0, 0.0), DVec3::new(0.1, 0.5, 0.0), DVec3::new(0.0, 0.2, 2.0));
        let grid =
            Grid::new([10, 20, 30], DAffine3::from_mat3_translation(shear, DVec3::new(1.0, 2.0, 3.0)), "scanner")
                .unwrap();
        let voxel = VoxelPoint::new(3.0, 5.0, 7.0);
        let back = grid.voxel_from_world(grid.world_from_voxel(voxel));
        assert!((back.0 - voxel.0).length() < 1e-12);
    }

    #[test]
    fn orientation_names_where_axes_lead() {
        let of = |x: DVec3, y: DVec3, z: DVec3| {
            Grid::new([2; 3], DAffine3::from_mat3(DMat3::from_cols(x, y, z)), "scanner")
                .unwrap()
                .orientation()
                .to_string()
        };
        assert_eq!(of(DVec3::X, DVec3::Y, DVec3::Z), "RAS");
        assert_eq!(of(-DVec3::Y, DVec3::Z * 3.0, -DVec3::X), "PSL");
        // The second axis alone lies nearest to x as well; together they name each world axis once.
        assert_eq!(of(DVec3::new(1.0, 0.1, 0.0), DVec3::new(0.8, 0.6, 0.0), -DVec3::Z), "RAI");
    }

    #[test]
    fn a_part_of_a_grid_lies_where_it_lay() {
        let affine = DAffine3::from_scale_rotation_translation(
            DVec3::new(0.5, 2.0, 1.5),
            glam::DQuat::from_rotation_x(0.3),
            DVec3::new(4.0, 5.0, 6.0),
        );
        let grid = Grid::new([10, 20, 30], affine, "scanner").unwrap();
        let part = grid.cropped(&[2..5, 0..1, 7..30]).unwrap();
        assert_eq!(part.shape(), [3, 1, 23]);
        let (a, b) = (VoxelPoint::new(1.0, 0.0, 3.0), VoxelPoint::new(3.0, 0.0, 10.0));
        assert!((part.world_from_voxel(a).0 - grid.world_from_voxel(b).0).length() < 1e-12);
        assert!(grid.cropped(&[2..11, 0..1, 0..1]).is_err());
    }

    #[test]
    fn swapped_axes_keep_every_voxel_where_it_is() {
        let grid = tilted();
        for to in Orientation::all() {
            let swap = grid.orientation().swap_to(to);
            let new = grid.swapped(swap).unwrap();
            assert_eq!(new.orientation(), to);
            let p_new = [3.0, 4.0, 5.0];
            let mut p_old = [0.0; 3];
            for n in 0..3 {
                let last = (new.shape()[n] - 1) as f64;
                p_old[swap.from[n]] = if swap.flipped[n] { last - p_new[n] } else { p_new[n] };
            }
            let world = |grid: &Grid, p: [f64; 3]| grid.world_from_voxel(VoxelPoint(DVec3::from_array(p))).0;
            assert!(world(&new, p_new).distance(world(&grid, p_old)) < 1e-12, "{to}");
        }
    }

    #[test]
    fn a_flat_matrix_is_refused() {
        let flat = DAffine3::from_mat3(DMat3::from_diagonal(DVec3::new(1.0, 1.0, 0.0)));
        assert!(matches!(Grid::new([1, 1, 1], flat, "scanner"), Err(Error::SingularAffine { .. })));
        assert!(Grid::new([usize::MAX, 2, 1], DAffine3::IDENTITY, "scanner").is_err());
    }
}
