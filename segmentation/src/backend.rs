use crate::batches::{Sink, copy};
use crate::engine::Engine;
use crate::onnx::Port;
use crate::onnxruntime::Runtime;
use crate::rten::Rten;
use crate::{Error, Result};
use brainmesh_core::Monitor;
use ndarray::{Array, ArrayD, ArrayView3, ArrayViewD, ArrayViewMut3, Axis, IxDyn, s};

/// A network that is ready to run.
pub(crate) enum Backend {
    /// The built-in engine for rays.
    Rays(Engine),
    /// Other plain networks, without anything to install.
    Rten(Box<Rten>),
    /// ONNX Runtime.
    Runtime(Box<Runtime>),
}

impl Backend {
    /// Runs rays through a network opened for them: `[rays, channels, samples]` in, `[rays, classes, samples]` out, both
    /// in standard layout. The monitor advances by one a ray.
    ///
    /// # Errors
    /// What the engine reports; [`Error::Shape`] for an output that is not one distribution a sample.
    pub fn run_rays(
        &mut self,
        rays: ArrayView3<f32>,
        mut output: ArrayViewMut3<f32>,
        monitor: &dyn Monitor,
    ) -> Result<()> {
        if let Self::Rays(engine) = self {
            return engine.run(rays, output, monitor);
        }
        let mut sink = |_: usize, start: usize, part: ArrayViewD<f32>| {
            let end = start + part.len_of(Axis(0));
            let flat = part.ndim() == 4 && part.len_of(Axis(2)) == 1;
            let part = if flat { part.index_axis_move(Axis(2), 0) } else { part };
            copy(part, output.slice_mut(s![start..end, .., ..]).into_dyn())
        };
        let input = match self.input().and_then(Port::rank) {
            Some(4) => rays.insert_axis(Axis(2)).into_dyn(),
            _ => rays.into_dyn(),
        };
        self.run_into(input, monitor, &mut sink)
    }

    /// One tensor in, one out, in batches along the first axis. The monitor advances by one an item of that axis.
    ///
    /// # Errors
    /// [`Error::Input`] for a shape that the network does not take, and what the engine reports.
    pub fn run(&mut self, input: ArrayViewD<f32>, monitor: &dyn Monitor) -> Result<ArrayD<f32>> {
        let outputs = self.run_all(input, monitor)?;
        Ok(outputs.into_iter().next().unwrap_or_else(|| ArrayD::zeros(IxDyn(&[0]))))
    }

    /// As [`run`](Self::run), for all outputs in the order of the network's file; none where there are no items.
    ///
    /// # Errors
    /// As [`run`](Self::run).
    pub fn run_all(&mut self, input: ArrayViewD<f32>, monitor: &dyn Monitor) -> Result<Vec<ArrayD<f32>>> {
        let items = input.len_of(Axis(0));
        let mut outputs = Vec::new();
        self.run_into(input, monitor, &mut |number, start, part| {
            if number == outputs.len() {
                let mut shape = part.shape().to_vec();
                shape[0] = items;
                outputs.push(Array::zeros(shape));
            }
            let end = start + part.len_of(Axis(0));
            copy(part, outputs[number].slice_axis_mut(Axis(0), (start..end).into()))
        })?;
        Ok(outputs)
    }
}

impl Backend {
    /// What the device's memory did not allow, once that has shown.
    pub fn memory_note(&self) -> Option<String> {
        match self {
            Self::Rays(_) | Self::Rten(_) => None,
            Self::Runtime(runtime) => runtime.memory_note(),
        }
    }

    /// The network's input as its file declares it; nothing for the engine for rays.
    fn input(&self) -> Option<&Port> {
        match self {
            Self::Rays(_) => None,
            Self::Rten(rten) => Some(rten.input()),
            Self::Runtime(runtime) => Some(runtime.input()),
        }
    }

    fn run_into(&mut self, input: ArrayViewD<f32>, monitor: &dyn Monitor, sink: &mut Sink) -> Result<()> {
        let refused =
            |expected: String| Error::Input { field: "input shape", expected, found: format!("{:?}", input.shape()) };
        match self.input() {
            None => return Err(refused("rays".into())),
            Some(port) if !port.accepts(input.shape()) => return Err(refused(port.describe())),
            Some(_) => {}
        }
        match self {
            Self::Rays(_) => Ok(()),
            Self::Rten(rten) => rten.run(input, monitor, sink),
            Self::Runtime(runtime) => runtime.run(input, monitor, sink),
        }
    }
}
