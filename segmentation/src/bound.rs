use ndarray::ArrayViewD;
use ort::memory::{AllocationDevice, Allocator, AllocatorType, MemoryInfo, MemoryType};
use ort::session::{IoBinding, RunOptions, Session, SessionOutputs};
use ort::value::Tensor;

/// Input and output of a network in memory that a GPU reads and writes at full speed (pinned), kept from batch to batch.
pub(crate) struct Bound {
    binding: IoBinding,
    input: Tensor<f32>,
    name: String,
    shape: Vec<usize>,
}

impl Bound {
    /// Takes memory (of `CUDA_PINNED` for a GPU of this number) for inputs of `shape`.
    ///
    /// # Errors
    /// What ONNX Runtime says where the session has no such memory, or too little.
    pub fn new(session: &Session, of: &(AllocationDevice<'static>, i32), shape: &[usize]) -> ort::Result<Self> {
        let memory = |kind| MemoryInfo::new(of.0.clone(), of.1, AllocatorType::Device, kind);
        let allocator = Allocator::new(session, memory(MemoryType::CPUInput)?)?;
        let input = Tensor::new(&allocator, shape)?;
        let mut binding = session.create_binding()?;
        let name = session.inputs().first().map(|port| port.name().to_owned()).unwrap_or_default();
        for port in session.outputs() {
            binding.bind_output_to_device(port.name(), &memory(MemoryType::CPUOutput)?)?;
        }
        Ok(Self { binding, input, name, shape: shape.to_vec() })
    }

    /// Whether it is made for inputs of this shape.
    pub fn fits(&self, shape: &[usize]) -> bool {
        self.shape == shape
    }

    /// Runs one batch, of the shape that it was made for.
    ///
    /// # Errors
    /// What ONNX Runtime says.
    pub fn run<'a>(
        &'a mut self,
        session: &'a mut Session,
        part: &ArrayViewD<f32>,
        options: &RunOptions,
    ) -> ort::Result<SessionOutputs<'a>> {
        self.input.try_extract_array_mut::<f32>()?.assign(part);
        // Binding is what copies to the GPU.
        self.binding.bind_input(self.name.as_str(), &self.input)?;
        session.run_binding_with_options(&self.binding, options)
    }
}
