use crate::StoredType;
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
    /// Number of volumes: time points, echoes, directions, and planes of each.
    pub volumes: usize,
    /// Names of the values that every voxel holds, where these are several: colours, parts of a complex number. Volume
    /// `t * planes + p` is plane `p` of time point `t`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub planes: Vec<String>,
    /// Distance between neighbouring voxel centres along `i`, `j`, `k`.
    pub spacing_mm: [f64; 3],
    /// Time between volumes in seconds, where the file says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time_step_s: Option<f64>,
    /// Where `i`, `j`, `k` lead to: `RAS` is right, anterior, superior; the nearest of L/R, P/A, I/S for each.
    pub orientation: String,
    /// Rows of the matrix that leads from `(i, j, k, 1)` to RAS+ mm.
    pub world_from_voxel: [[f64; 4]; 4],
    /// Name of the world that matrix leads to.
    pub world: String,
    /// How a value is stored.
    pub stored: StoredType,
    /// How stored values become intensities.
    pub scaling: Scaling,
    /// How voxels are packed: `none`, `gzip`, `gzip (blocks)`, ...
    pub compression: String,
    /// Whether a part of the volume is read without reading all of it.
    pub lazy: bool,
    /// Number of resolutions it is stored at.
    #[serde(skip_serializing_if = "is_single")]
    pub levels: usize,
    /// Number of labels with a name.
    pub labels: usize,
    /// Number of NIfTI header extensions.
    pub extensions: usize,
    /// What is odd about the file, and what was done about it.
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

impl Scaling {
    /// Of a slope and an intercept, where there are any.
    pub(crate) fn of(scale: Option<(f64, f64)>) -> Self {
        scale.map_or(Self::None, |(slope, intercept)| Self::Linear { slope, intercept })
    }
}

fn is_single(levels: &usize) -> bool {
    *levels == 1
}

/// Rows of the 4x4 matrix of an affine map.
pub(crate) fn rows(affine: DAffine3) -> [[f64; 4]; 4] {
    let (m, t) = (affine.matrix3, affine.translation);
    // Adding 0 turns -0 into 0.
    let row = |r: usize| [m.x_axis[r] + 0.0, m.y_axis[r] + 0.0, m.z_axis[r] + 0.0, t[r] + 0.0];
    [row(0), row(1), row(2), [0.0, 0.0, 0.0, 1.0]]
}
