//! Plain CNNs without ONNX Runtime, by the crate `rten`. It has no three-dimensional convolutions or pools.

use crate::batches::{Batches, Sink, unpadded};
use crate::onnx::{self, Port};
use crate::{Error, Result};
use brainmesh_core::Monitor;
use ndarray::{ArrayD, ArrayViewD, Axis, IxDyn};
use rten::{Model, ModelOptions, OpRegistry, RunOptions, ThreadPool, Value, ValueView};
use rten_tensor::Layout;
use std::sync::Arc;

/// A network in rten.
pub(crate) struct Rten {
    model: Model,
    name: String,
    input: Port,
    pool: Arc<ThreadPool>,
    batches: Batches,
}

impl Rten {
    /// Loads a network; `name` names it in errors.
    ///
    /// # Errors
    /// [`Error::Unsupported`] for three dimensions, [`Error::Rten`] for what rten does not take.
    pub fn open(onnx: &[u8], name: &str, input: &Port, batches: Batches, threads: usize) -> Result<Self> {
        onnx::require_flat(onnx, name)?;
        let refused = |error: rten::LoadError| Error::Rten { model: name.into(), detail: error.to_string() };
        let model = ModelOptions::with_ops(operators()).load(onnx.to_vec()).map_err(refused)?;
        let pool = Arc::new(ThreadPool::with_num_threads(threads));
        Ok(Self { model, name: name.into(), input: input.clone(), pool, batches })
    }

    /// What the network takes.
    pub fn input(&self) -> &Port {
        &self.input
    }

    /// Runs `input` in batches along its first axis; `sink` takes each result.
    ///
    /// # Errors
    /// [`Error::Rten`] where rten fails, what `sink` reports, [`Error::Cancelled`] between batches.
    pub fn run(&mut self, input: ArrayViewD<f32>, monitor: &dyn Monitor, sink: &mut Sink) -> Result<()> {
        let Self { model, name, pool, batches, .. } = self;
        batches.run(input, monitor, &mut |start, count, part| {
            let failed = |detail: String| Error::Rten { model: name.clone(), detail };
            let part = part.as_standard_layout();
            let values = part.as_slice().unwrap_or_default();
            let view = ValueView::from_shape(part.shape(), values).map_err(|error| failed(error.to_string()))?;
            let options = RunOptions::default().with_thread_pool(Some(pool.clone()));
            let Some(&input) = model.input_ids().first() else { return Err(failed("it takes nothing".into())) };
            let outputs = model.run(vec![(input, view.into())], model.output_ids(), Some(options));
            for (number, output) in outputs.map_err(|error| failed(error.to_string()))?.into_iter().enumerate() {
                let Value::FloatTensor(output) = output else {
                    return Err(failed("its output is not of 32-bit floats".into()));
                };
                let shape = IxDyn(output.shape());
                let output =
                    ArrayD::from_shape_vec(shape, output.into_data()).map_err(|error| failed(error.to_string()))?;
                sink(number, start, unpadded(output.view(), part.len_of(Axis(0)), count)?)?;
            }
            Ok(())
        })
    }
}

/// What convolutional networks are made of. No others: they would only make the program larger, and some can ask for any
/// amount of memory.
fn operators() -> OpRegistry {
    rten::op_registry!(
        Abs,
        Add,
        ArgMax,
        AveragePool,
        BatchNormalization,
        Cast,
        Ceil,
        Clip,
        Concat,
        Conv,
        ConvTranspose,
        DepthToSpace,
        Div,
        Elu,
        Erf,
        Exp,
        Flatten,
        Floor,
        Gather,
        Gelu,
        Gemm,
        GlobalAveragePool,
        HardSigmoid,
        HardSwish,
        Identity,
        InstanceNormalization,
        LayerNormalization,
        LeakyRelu,
        Log,
        LogSoftmax,
        MatMul,
        Max,
        MaxPool,
        Min,
        Mul,
        Neg,
        PRelu,
        Pad,
        Pow,
        Reciprocal,
        ReduceMax,
        ReduceMean,
        ReduceSum,
        Relu,
        Reshape,
        Resize,
        Shape,
        Sigmoid,
        Slice,
        Softmax,
        Softplus,
        Softsign,
        Split,
        Sqrt,
        Squeeze,
        Sub,
        Sum,
        Tanh,
        Transpose,
        Unsqueeze,
        Upsample
    )
}
