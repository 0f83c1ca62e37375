/// What is wrong with a value: which field, what was expected, what was found.
///
/// No variant names a file: the crate that opened the file adds its path.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A matrix that cannot be inverted cannot place voxels in the world.
    #[error("world_from_voxel is not invertible: expected a finite, non-zero determinant, found {determinant}")]
    SingularAffine {
        /// Determinant of the 3x3 part.
        determinant: f64,
    },
    /// Two lengths that must agree do not.
    #[error("{field}: expected {expected}, found {found}")]
    Length {
        /// What was counted.
        field: &'static str,
        /// The count it must have.
        expected: usize,
        /// The count it has.
        found: usize,
    },
    /// A triangle names a vertex that does not exist.
    #[error("triangle {triangle}: vertex index {index} is out of range, expected below {vertices}")]
    IndexOutOfRange {
        /// Position of the triangle.
        triangle: usize,
        /// The index found.
        index: u32,
        /// Number of vertices.
        vertices: usize,
    },
    /// A triangle uses one vertex twice.
    #[error("triangle {triangle}: vertex {vertex} is used twice, expected three different vertices")]
    DegenerateTriangle {
        /// Position of the triangle.
        triangle: usize,
        /// The repeated vertex.
        vertex: u32,
    },
    /// A coordinate or value is NaN or infinite.
    #[error("{field} {index}: expected finite values, found {found}")]
    NotFinite {
        /// What it belongs to.
        field: &'static str,
        /// Its position.
        index: usize,
        /// The value, as text.
        found: String,
    },
    /// Pial and white surfaces do not share their triangles.
    #[error(
        "pial and white surfaces do not correspond: triangle {triangle} is {pial:?} on the pial surface and {white:?} on the white one"
    )]
    NoCorrespondence {
        /// First triangle that differs.
        triangle: usize,
        /// Its vertices on the pial surface.
        pial: [u32; 3],
        /// Its vertices on the white surface.
        white: [u32; 3],
    },
    /// A value lies outside what its definition allows.
    #[error("{field}: expected {expected}, found {found}")]
    Invalid {
        /// What it is.
        field: &'static str,
        /// What would be right.
        expected: String,
        /// What was found.
        found: String,
    },
}
