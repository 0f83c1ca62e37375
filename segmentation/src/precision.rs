use crate::Error;
use std::{fmt, str::FromStr};

/// Arithmetic of a network on an accelerator.
///
/// ```
/// use brainmesh_segmentation::Precision;
/// assert_eq!("f16".parse::<Precision>()?, Precision::F16);
/// # Ok::<(), brainmesh_segmentation::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Precision {
    /// As the network was trained: 32-bit floats throughout.
    #[default]
    F32,
    /// TensorFloat-32: products of 10-bit mantissas, sums of 32-bit floats. NVIDIA GPUs since Ampere.
    Tf32,
    /// Weights and maps as 16-bit floats, softmax in 32 bits.
    F16,
}

impl Precision {
    /// Largest difference of a probability that is owed to the arithmetic alone. With the shipped models f16 changes
    /// probabilities by at most 0.0044; deeper networks lose more.
    pub(crate) fn tolerance(self) -> f64 {
        match self {
            Self::F32 => 0.0,
            Self::Tf32 => 1e-2,
            Self::F16 => 2e-2,
        }
    }
}

impl FromStr for Precision {
    type Err = Error;

    fn from_str(word: &str) -> Result<Self, Error> {
        match word {
            "f32" => Ok(Self::F32),
            "tf32" => Ok(Self::Tf32),
            "f16" => Ok(Self::F16),
            _ => Err(Error::UnknownPrecision(word.into())),
        }
    }
}

impl fmt::Display for Precision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::F32 => "f32",
            Self::Tf32 => "tf32",
            Self::F16 => "f16",
        })
    }
}
