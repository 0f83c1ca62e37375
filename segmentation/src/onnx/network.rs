use super::Form;

/// Position of a value among the values of a [`Network`]; 0 is the input.
pub(crate) type ValueId = usize;

/// A feed-forward network over `[channels, samples]` maps that all have as many samples as the input.
///
/// Steps stand in an order in which each reads only values written before it. Every value is written once.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Network {
    /// Channels of every value.
    pub channels: Vec<usize>,
    pub steps: Vec<Step>,
    /// The class probabilities.
    pub output: ValueId,
    /// Whether the file's tensors are `[batch, channels, 1, samples]`, else `[batch, channels, samples]`.
    pub form: Form,
    /// Whether the file's output is the number of the class, from which the probabilities are made here.
    pub gives_classes: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Step {
    pub operation: Operation,
    pub inputs: Vec<ValueId>,
    pub output: ValueId,
    /// Negative results become zero.
    pub relu: bool,
}

impl Network {
    pub fn convolutions(&self) -> impl Iterator<Item = &Conv> {
        self.steps.iter().filter_map(Step::convolution)
    }
}

impl Step {
    pub fn convolution(&self) -> Option<&Conv> {
        match &self.operation {
            Operation::Conv(conv) => Some(conv),
            _ => None,
        }
    }
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Operation {
    Conv(Conv),
    /// `scale[c] * x + shift[c]`, an inference-time batch normalisation.
    Affine {
        scale: Vec<f32>,
        shift: Vec<f32>,
    },
    /// Nothing but the step's own `relu`.
    Copy,
    /// Sum of two values of equal channels.
    Add,
    /// Channels of all inputs, one after the other.
    Concat,
    /// Over channels, at every sample.
    Softmax,
    /// 1 in the channel of the largest value, the first of equals, at every sample; 0 in the others.
    OneHot,
}

/// Cross-correlation (ONNX `Conv`) of stride 1 and one group that keeps the number of samples:
/// `y[o, s] = bias[o] + sum over i, k of weight[o, i, k] * x[i, s + k * dilation - pad_before]`, x being 0 outside.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Conv {
    /// `[outputs, inputs, kernel]`.
    pub weight: Vec<f32>,
    pub bias: Vec<f32>,
    pub inputs: usize,
    pub kernel: usize,
    pub dilation: usize,
    pub pad_before: usize,
}

impl Conv {
    pub fn outputs(&self) -> usize {
        self.bias.len()
    }

    /// Samples beyond the last that the kernel reads.
    pub fn pad_after(&self) -> usize {
        (self.kernel - 1) * self.dilation - self.pad_before
    }
}
