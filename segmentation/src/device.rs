use crate::Error;
use std::{fmt, str::FromStr};

/// Where a network runs.
///
/// ```
/// use brainmesh_segmentation::Device;
/// assert_eq!("cuda:1".parse::<Device>()?, Device::Cuda(1));
/// assert_eq!(Device::Builtin.to_string(), "builtin");
/// # Ok::<(), brainmesh_segmentation::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Device {
    /// The built-in engine where it supports the network, else ONNX Runtime on the processor where it is installed.
    #[default]
    Auto,
    /// The built-in engine (pure Rust, nothing to install).
    Builtin,
    /// ONNX Runtime on the processor.
    Cpu,
    /// ONNX Runtime on the NVIDIA GPU of this number; an error, never a fall back, where that fails.
    Cuda(u32),
}

impl FromStr for Device {
    type Err = Error;

    fn from_str(word: &str) -> Result<Self, Error> {
        match word {
            "auto" => Ok(Self::Auto),
            "builtin" => Ok(Self::Builtin),
            "cpu" => Ok(Self::Cpu),
            "cuda" => Ok(Self::Cuda(0)),
            _ => word
                .strip_prefix("cuda:")
                .and_then(|number| number.parse().ok())
                .map(Self::Cuda)
                .ok_or_else(|| Error::UnknownDevice(word.into())),
        }
    }
}

impl fmt::Display for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.write_str("auto"),
            Self::Builtin => f.write_str("builtin"),
            Self::Cpu => f.write_str("cpu"),
            Self::Cuda(number) => write!(f, "cuda:{number}"),
        }
    }
}
