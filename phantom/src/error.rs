use brainmesh_core::Cancelled;

/// Why a phantom could not be made.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An option lies outside what it may be.
    #[error("{field}: expected {expected}, found {found}")]
    Option {
        /// Name of the option.
        field: &'static str,
        /// What would be right.
        expected: String,
        /// What was given.
        found: String,
    },
    /// The cortex still folds over itself after every attempt to straighten it.
    #[error("the cortex folds over itself: expected no inverted prism, found {inverted} of {prisms}")]
    Folded {
        /// Prisms with an inverted tetrahedron.
        inverted: usize,
        /// Prisms in all.
        prisms: usize,
    },
    /// No cortex lies in the volume.
    #[error(
        "no cortex inside the volume: expected at least one triangle with all its rays in it, found {vertices} vertices"
    )]
    NoCortex {
        /// Vertices of the sheet that were considered.
        vertices: usize,
    },
    /// Rays that do not belong to this phantom.
    #[error("rays: expected one per vertex of the given ribbon ({expected}), found {found}")]
    Rays {
        /// Vertices of the given ribbon.
        expected: usize,
        /// Rays given.
        found: usize,
    },
    /// A value that the vocabulary refuses.
    #[error(transparent)]
    Core(#[from] brainmesh_core::Error),
    /// The monitor asked to stop.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
}
