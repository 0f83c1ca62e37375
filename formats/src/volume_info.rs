use glam::DAffine3;
use serde::Serialize;

/// What a volume file declares, for people; its voxels are not read.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct VolumeInfo {
    /// Name of the format, such as `NIfTI-1` or `MINC2`.
    pub format: &'static str,
    /// Voxels along `i`, `j`, `k`, as [`read_volume`](crate::read_volume) gives them.
    pub shape: [usize; 3],
    /// Number of volumes: time points, echoes, directions.
    pub volumes: usize,
    /// Distance between neighbouring voxel centres along `i`, `j`, `k`.
    pub spacing_mm: [f64; 3],
    /// Rows of the matrix that leads from `(i, j, k, 1)` to RAS+ mm.
    pub world_from_voxel: [[f64; 4]; 4],
    /// Name of the world that matrix leads to.
    pub world: String,
    /// How a value is stored: `uint8`, `int16`, `float32`, ...
    pub stored: &'static str,
    /// How stored values become intensities.
    pub scaling: Scaling,
    /// What is unusual about the file, and what was repaired.
    pub warnings: Vec<String>,
}

/// How stored values become intensities.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
#[non_exhaustive]
pub enum Scaling {
    /// Stored values are the intensities.
    None,
    /// `intensity = slope * stored + intercept` everywhere.
    Linear {
        /// Intensity per stored unit.
        slope: f64,
        /// Intensity of stored 0.
        intercept: f64,
    },
    /// Linear, with numbers of its own for every slice.
    PerSlice,
}

/// Rows of the 4x4 matrix of an affine map.
pub(crate) fn rows(affine: DAffine3) -> [[f64; 4]; 4] {
    let (m, t) = (affine.matrix3, affine.translation);
    // Adding 0 turns -0 into 0.
    let row = |r: usize| [m.x_axis[r] + 0.0, m.y_axis[r] + 0.0, m.z_axis[r] + 0.0, t[r] + 0.0];
    [row(0), row(1), row(2), [0.0, 0.0, 0.0, 1.0]]
}
