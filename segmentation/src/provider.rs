//! ONNX Runtime's execution providers: one for each accelerator, and the libraries that NVIDIA's need.

use crate::{Device, Error, Precision, Result, library};
use ort::ep::{self, ExecutionProviderDispatch};
use std::path::{Path, PathBuf};

/// The provider of a device; none for the processor.
///
/// # Errors
/// [`Error::Device`] for a precision that the device does not offer, or a number that none has.
pub(crate) fn provider(device: Device, precision: Precision) -> Result<Option<ExecutionProviderDispatch>> {
    let refused = |detail: String| Error::Device { device: device.to_string(), detail };
    if precision == Precision::Tf32 && !device.is_nvidia() {
        return Err(refused("tf32 is for NVIDIA GPUs".into()));
    }
    let id = |number: u32| i32::try_from(number).map_err(|error| refused(error.to_string()));
    let provider = match device {
        Device::Auto | Device::Builtin | Device::Rten | Device::Cpu => return Ok(None),
        Device::Cuda(number) => ep::CUDA::default()
            .with_device_id(id(number)?)
            .with_tf32(precision == Precision::Tf32)
            // Tensor cores want channels last; of 1-D convolutions they want the long axis last.
            .with_prefer_nhwc(true)
            .with_conv1d_pad_to_nc1d(true)
            // Batches have one shape (`Batches::padded`), so that the search is made once.
            .with_conv_algorithm_search(ep::cuda::ConvAlgorithmSearch::Exhaustive)
            .build(),
        Device::TensorRt(number) => {
            ep::TensorRT::default().with_device_id(id(number)?).with_fp16(precision == Precision::F16).build()
        }
        Device::OpenVino => ep::OpenVINO::default().build(),
        Device::CoreMl => ep::CoreML::default().build(),
        Device::DirectMl => ep::DirectML::default().build(),
    };
    // Else ONNX Runtime would go on with the processor and not say so.
    Ok(Some(provider.error_on_failure()))
}

/// What to install for a device.
pub(crate) fn advice(device: Device) -> &'static str {
    match device {
        Device::Cuda(_) => "it needs NVIDIA's driver and `pip install onnxruntime-gpu[cuda,cudnn]`",
        Device::TensorRt(_) => "it needs NVIDIA's driver and `pip install onnxruntime-gpu[cuda,cudnn] tensorrt`",
        Device::OpenVino => "it needs `pip install onnxruntime-openvino`",
        Device::CoreMl => "it needs macOS and `pip install onnxruntime`",
        Device::DirectMl => "it needs Windows and `pip install onnxruntime-directml`",
        Device::Auto | Device::Builtin | Device::Rten | Device::Cpu => "it needs `pip install onnxruntime`",
    }
}

/// Whether the CUDA provider lies beside an ONNX Runtime library.
pub(crate) fn has_cuda(library: &Path) -> bool {
    let names = ["libonnxruntime_providers_cuda.so", "onnxruntime_providers_cuda.dll"];
    library.parent().is_some_and(|folder| names.iter().any(|name| folder.join(name).is_file()))
}

/// Beginnings of the names of NVIDIA's libraries that ONNX Runtime's providers may load.
const NVIDIA: [&str; 9] =
    ["cudart", "nvJitLink", "nvrtc", "cublas", "curand", "cufft", "cudnn", "nvinfer", "nvonnxparser"];

/// Loads the libraries of NVIDIA's pip packages that lie beside that of ONNX Runtime, which does not look there itself.
/// Those that are missing may be on the system's search path: if not, the provider's own error says so.
pub(crate) fn preload_nvidia(library: &Path) {
    let mut waiting = library::packages_of(library).map(nvidia_libraries).unwrap_or_default();
    // One may need another that comes later: again, until nothing more can be loaded.
    loop {
        let before = waiting.len();
        waiting.retain(|path| ort::util::preload_dylib(path).is_err());
        if waiting.is_empty() || waiting.len() == before {
            return;
        }
    }
}

/// NVIDIA's libraries in a folder of Python packages.
fn nvidia_libraries(packages: &Path) -> Vec<PathBuf> {
    // CUDA 13: `nvidia/cu13/lib`; cuDNN and older CUDA: `nvidia/cudnn/lib` and the like; Windows: `bin`; TensorRT.
    let wheels = packages.join("nvidia").read_dir().into_iter().flatten().flatten().map(|entry| entry.path());
    let mut folders: Vec<PathBuf> =
        wheels.flat_map(|wheel| ["lib", "bin", "bin/x86_64"].map(|name| wheel.join(name))).collect();
    folders.push(packages.join("tensorrt_libs"));
    let files = folders.iter().flat_map(|folder| folder.read_dir().into_iter().flatten().flatten());
    let mut found: Vec<PathBuf> =
        files.filter(|file| file.file_name().to_str().is_some_and(is_nvidia)).map(|file| file.path()).collect();
    found.sort();
    found
}

/// `libcudnn.so.9`, `cudnn64_9.dll`; not `libcudart_static.a`.
fn is_nvidia(file: &str) -> bool {
    let name = file.strip_prefix("lib").unwrap_or(file);
    let is_library = name.ends_with(".dll") || name.ends_with(".so") || name.contains(".so.");
    is_library && NVIDIA.iter().any(|start| name.starts_with(start))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libraries_of_every_layout_of_wheels_are_found_and_no_other_files() {
        let packages = tempfile::tempdir().unwrap();
        let wanted = [
            "nvidia/cu13/lib/libcudart.so.13",
            "nvidia/cublas/lib/libcublasLt.so.12",
            "nvidia/cudnn/lib/libcudnn_graph.so.9",
            "nvidia/cudnn/bin/cudnn64_9.dll",
            "tensorrt_libs/libnvinfer.so.10",
        ];
        let others = ["nvidia/cu13/lib/libcudart_static.a", "nvidia/cu13/lib/libnvblas.so.13", "nvidia/cu13/README.md"];
        for name in wanted.iter().chain(&others) {
            let path = packages.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, b"").unwrap();
        }
        let mut expected = wanted.map(|name| packages.path().join(name)).to_vec();
        expected.sort();
        let mut found = nvidia_libraries(packages.path());
        found.sort();
        assert_eq!(found, expected);
        // None of these files can be loaded, and that is no error.
        preload_nvidia(&packages.path().join("onnxruntime/capi/libonnxruntime.so"));
    }

    #[test]
    fn tf32_is_only_for_those_that_have_it() {
        for device in [Device::Cpu, Device::OpenVino, Device::DirectMl] {
            let error = provider(device, Precision::Tf32).err().unwrap();
            assert!(error.to_string().contains(&device.to_string()), "{error}");
        }
        assert_eq!(provider(Device::Cuda(0), Precision::Tf32).unwrap().unwrap().name(), "CUDAExecutionProvider");
        assert!(provider(Device::Cuda(u32::MAX), Precision::F32).is_err());
    }
}
