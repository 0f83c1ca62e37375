use super::direct::DirectConv;
use crate::onnx::{Network, Operation, ValueId};
use crate::{Error, Result};

/// A network laid out for bundles of rays: weights packed, values assigned to buffers that are used again.
pub(super) struct Plan {
    pub steps: Vec<PlannedStep>,
    pub rows: Rows,
    /// Channels of each buffer.
    pub slots: Vec<usize>,
    pub input_channels: usize,
    pub output_channels: usize,
    pub output_slot: usize,
    /// Rays a bundle.
    pub lanes: usize,
}

/// Where the samples of one channel lie: zeros before and after them stand for the padding of convolutions.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rows {
    pub samples: usize,
    pub before: usize,
    pub length: usize,
}

impl Rows {
    /// The vectors of channel `channel` that hold samples.
    pub fn range(self, channel: usize) -> std::ops::Range<usize> {
        let start = channel * self.length + self.before;
        start..start + self.samples
    }
}

pub(super) struct PlannedStep {
    pub kernel: Kernel,
    /// Buffers read, with the channels of the values in them.
    pub inputs: Vec<(usize, usize)>,
    pub output: usize,
    pub relu: bool,
}

pub(super) enum Kernel {
    Direct(DirectConv),
    Affine { scale: Vec<f32>, shift: Vec<f32> },
    Copy,
    Add,
    Concat,
    Softmax,
}

/// Working memory of one thread; the widest published ray networks need a few MiB.
const MAX_SCRATCH_FLOATS: usize = 1 << 28;

impl Plan {
    pub fn new(network: &Network, samples: usize, lanes: usize) -> Result<Self> {
        let convolutions = || {
            network.steps.iter().filter_map(|step| match &step.operation {
                Operation::Conv(conv) => Some(conv),
                _ => None,
            })
        };
        let before = convolutions().map(|conv| conv.pad_before).max().unwrap_or(0);
        let after = convolutions().map(crate::onnx::Conv::pad_after).max().unwrap_or(0);
        let rows = Rows { samples, before, length: before + samples + after };

        let mut slots = Slots::new(network);
        let mut steps = Vec::with_capacity(network.steps.len());
        for (position, step) in network.steps.iter().enumerate() {
            let kernel = match &step.operation {
                Operation::Conv(conv) => Kernel::Direct(DirectConv::new(conv, rows)),
                Operation::Affine { scale, shift } => Kernel::Affine { scale: scale.clone(), shift: shift.clone() },
                Operation::Copy => Kernel::Copy,
                Operation::Add => Kernel::Add,
                Operation::Concat => Kernel::Concat,
                Operation::Softmax => Kernel::Softmax,
            };
            let output = slots.take(step.output);
            let inputs = step.inputs.iter().map(|&input| (slots.of[input], network.channels[input])).collect();
            slots.release(position);
            steps.push(PlannedStep { kernel, inputs, output, relu: step.relu });
        }
        let plan = Self {
            steps,
            rows,
            output_slot: slots.of[network.output],
            slots: slots.channels,
            input_channels: network.channels[0],
            output_channels: network.channels[network.output],
            lanes,
        };
        let floats = plan.slots.iter().map(|&channels| plan.floats(channels)).sum::<usize>();
        if floats > MAX_SCRATCH_FLOATS {
            return Err(Error::Unsupported {
                model: "network".into(),
                node: "all".into(),
                op: "all".into(),
                detail: format!("it needs {floats} floats of working memory a thread, more than {MAX_SCRATCH_FLOATS}"),
            });
        }
        Ok(plan)
    }

    /// Numbers a ray that go in.
    pub fn input_length(&self) -> usize {
        self.input_channels * self.rows.samples
    }

    /// Numbers a ray that come out.
    pub fn output_length(&self) -> usize {
        self.output_channels * self.rows.samples
    }

    /// Floats of a buffer for a bundle of values of `channels` channels.
    pub fn floats(&self, channels: usize) -> usize {
        channels * self.rows.length * self.lanes
    }
}

/// Which buffer holds which value, while steps are walked in order.
struct Slots<'a> {
    network: &'a Network,
    /// Buffer of each value.
    of: Vec<usize>,
    /// Last step that reads each value.
    last_use: Vec<usize>,
    channels: Vec<usize>,
    free: Vec<usize>,
}

impl<'a> Slots<'a> {
    fn new(network: &'a Network) -> Self {
        let values = network.channels.len();
        let mut last_use = vec![0; values];
        for (position, step) in network.steps.iter().enumerate() {
            for &input in &step.inputs {
                last_use[input] = position;
            }
        }
        last_use[network.output] = usize::MAX;
        let mut slots = Self { network, of: vec![0; values], last_use, channels: Vec::new(), free: Vec::new() };
        slots.take(0);
        slots
    }

    fn take(&mut self, value: ValueId) -> usize {
        let slot = self.free.pop().unwrap_or_else(|| {
            self.channels.push(0);
            self.channels.len() - 1
        });
        self.channels[slot] = self.channels[slot].max(self.network.channels[value]);
        self.of[value] = slot;
        slot
    }

    /// Frees the buffers of values that nobody reads after step `position`.
    fn release(&mut self, position: usize) {
        let mut done: Vec<ValueId> = self.network.steps[position].inputs.clone();
        done.sort_unstable();
        done.dedup();
        done.retain(|&input| self.last_use[input] == position);
        self.free.extend(done.iter().map(|&input| self.of[input]));
    }
}
