/// Why a page or a picture could not be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A picture that cannot be encoded or drawn.
    #[error("picture of {} x {} pixels: {reason}", size[0], size[1])]
    Picture {
        /// Width and height.
        size: [usize; 2],
        /// What is wrong.
        reason: String,
    },
    /// Values that do not fit each other.
    #[error("{field}: expected {expected}, found {found}")]
    Length {
        /// What the values are.
        field: &'static str,
        /// How many there should be.
        expected: usize,
        /// How many there are.
        found: usize,
    },
    /// A page that could not be filled in.
    #[error("page: {0}")]
    Page(String),
}
