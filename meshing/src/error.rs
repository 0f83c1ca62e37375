use brainmesh_core::{Cancelled, WorldPoint};

/// What meshing cannot do.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A value broke the rule of its type.
    #[error(transparent)]
    Core(#[from] brainmesh_core::Error),
    /// Stopped by the caller.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
    /// No ray lies inside the volume.
    #[error(
        "the volume does not cover the surfaces: its voxels span {volume_low} to {volume_high} mm, the rays {rays_low} to {rays_high} mm"
    )]
    NotCovered {
        /// Lowest voxel centre.
        volume_low: WorldPoint,
        /// Highest voxel centre.
        volume_high: WorldPoint,
        /// Lowest ray end.
        rays_low: WorldPoint,
        /// Highest ray end.
        rays_high: WorldPoint,
    },
    /// No ray can be used.
    #[error("none of the {rays} rays can be used: {reasons}")]
    NoUsableRay {
        /// Number of rays.
        rays: usize,
        /// Defects by kind, in words.
        reasons: String,
    },
}

/// Refuses two lengths that must agree and do not.
pub(crate) fn same_length(field: &'static str, expected: usize, found: usize) -> Result<(), Error> {
    if expected == found { Ok(()) } else { Err(brainmesh_core::Error::Length { field, expected, found }.into()) }
}
