/// How the tensors of a ray network are written in its ONNX file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Form {
    /// `[rays, channels, samples]`.
    OneDimensional,
    /// `[rays, channels, 1, samples]`: the form for which libraries for images have their fastest code.
    TwoDimensional,
}
