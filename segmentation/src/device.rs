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
    /// Rays: the built-in engine where it takes the network. Else ONNX Runtime where it is installed, on an NVIDIA GPU
    /// where that works and on the processor where not; else rten, which is built in.
    #[default]
    Auto,
    /// What is built in (pure Rust, nothing to install): the engine for rays, else rten.
    Builtin,
    /// The built-in engine for plain networks, even where the one for rays would do.
    Rten,
    /// ONNX Runtime on the processor.
    Cpu,
    /// ONNX Runtime on the NVIDIA GPU of this number. This and all below: an error, never a fall back, where it fails.
    Cuda(u32),
    /// ONNX Runtime with TensorRT on the NVIDIA GPU of this number.
    TensorRt(u32),
    /// ONNX Runtime with OpenVINO, which chooses among Intel's devices.
    OpenVino,
    /// ONNX Runtime with Apple's Core ML.
    CoreMl,
    /// ONNX Runtime with DirectML, on the first GPU of Windows.
    DirectMl,
}

impl Device {
    /// What users may call devices, numbers left out.
    pub(crate) const WORDS: [&str; 8] =
        ["auto", "builtin", "cpu", "cuda", "tensorrt", "openvino", "coreml", "directml"];

    /// Whether it is a GPU of NVIDIA's.
    pub(crate) fn is_nvidia(self) -> bool {
        matches!(self, Self::Cuda(_) | Self::TensorRt(_))
    }
}

impl FromStr for Device {
    type Err = Error;

    fn from_str(word: &str) -> Result<Self, Error> {
        let unknown = || Error::UnknownDevice(word.into());
        let (name, number) = match word.split_once(':') {
            // Digits alone: `parse` would take a sign as well.
            Some((name, digits)) if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
                (name, Some(digits.parse().map_err(|_| unknown())?))
            }
            Some(_) => return Err(unknown()),
            None => (word, None),
        };
        match (name, number) {
            ("cuda", number) => Ok(Self::Cuda(number.unwrap_or(0))),
            ("tensorrt", number) => Ok(Self::TensorRt(number.unwrap_or(0))),
            ("auto", None) => Ok(Self::Auto),
            ("builtin", None) => Ok(Self::Builtin),
            ("rten", None) => Ok(Self::Rten),
            ("cpu", None) => Ok(Self::Cpu),
            ("openvino", None) => Ok(Self::OpenVino),
            ("coreml", None) => Ok(Self::CoreMl),
            ("directml", None) => Ok(Self::DirectMl),
            _ => Err(unknown()),
        }
    }
}

impl fmt::Display for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.write_str("auto"),
            Self::Builtin => f.write_str("builtin"),
            Self::Rten => f.write_str("rten"),
            Self::Cpu => f.write_str("cpu"),
            Self::Cuda(number) => write!(f, "cuda:{number}"),
            Self::TensorRt(number) => write!(f, "tensorrt:{number}"),
            Self::OpenVino => f.write_str("openvino"),
            Self::CoreMl => f.write_str("coreml"),
            Self::DirectMl => f.write_str("directml"),
        }
    }
}
