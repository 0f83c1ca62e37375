use super::direct::DirectConv;
use super::spectral::SpectralChain;
use crate::onnx::{Conv, Network, Operation, Step, ValueId};
use crate::{Error, Result};

/// Registers of rays that are worked on together. Two halve the reading of weights, which are larger than any cache.
///
/// Groups lie interleaved, sample by sample: a row then is one signal of `samples * GROUPS` vectors, in which a
/// convolution has `GROUPS` times its dilation and padding.
pub(super) const GROUPS: usize = 2;

/// Whether a convolution of rays of so many samples is computed in the frequency domain.
pub(super) type Pays = fn(&Conv, usize) -> bool;

/// The vector registers of a processor: floats in each, and how many there are.
#[derive(Debug, Clone, Copy)]
pub(super) struct Registers {
    pub width: usize,
    pub count: usize,
}

/// A network laid out for bundles of rays: weights packed, values assigned to buffers that are used again.
pub(super) struct Plan {
    pub steps: Vec<PlannedStep>,
    pub rows: Rows,
    /// Channels of each buffer.
    pub slots: Vec<usize>,
    /// Sizes of the working memory of [`SpectralChain`]s, the largest of each.
    pub spectral_floats: [usize; 3],
    pub input_channels: usize,
    pub output_channels: usize,
    pub output_slot: usize,
    /// Rays a bundle.
    pub lanes: usize,
}

/// Where the vectors of one channel lie: zeros before and after them stand for the padding of convolutions.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rows {
    pub samples: usize,
    pub before: usize,
    pub length: usize,
}

impl Rows {
    /// The vectors of a channel that hold samples.
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
    Spectral(SpectralChain),
    Direct(DirectConv),
    Affine { scale: Vec<f32>, shift: Vec<f32> },
    Copy,
    Add,
    Concat,
    Softmax,
    OneHot,
}

/// Working memory of one thread; the widest published ray networks need a few MiB.
const MAX_SCRATCH_BYTES: usize = 1 << 28;

impl Plan {
    /// # Errors
    /// [`Error::Memory`] where a bundle would need more than any ray network; it names `model`.
    pub fn new(network: &Network, model: &str, samples: usize, registers: Registers, pays: Pays) -> Result<Self> {
        let before = network.convolutions().map(|conv| conv.pad_before).max().unwrap_or(0) * GROUPS;
        let after = network.convolutions().map(Conv::pad_after).max().unwrap_or(0) * GROUPS;
        let rows = Rows { samples: samples * GROUPS, before, length: before + samples * GROUPS + after };

        let mut slots = Slots::new(network);
        let mut steps = Vec::with_capacity(network.steps.len());
        let mut spectral_floats = [0; 3];
        let mut position = 0;
        while let Some(first) = network.steps.get(position) {
            let last_read = |ahead, value: ValueId| slots.last_use[value] == position + ahead;
            let chain = chain(&network.steps[position..], |conv| pays(conv, samples), last_read);
            let kernel = match &first.operation {
                Operation::Conv(_) if !chain.is_empty() => {
                    let chain = SpectralChain::new(&chain, samples, rows, registers.count);
                    for (most, floats) in spectral_floats.iter_mut().zip(chain.scratch_floats(registers.width)) {
                        *most = floats.max(*most);
                    }
                    Kernel::Spectral(chain)
                }
                Operation::Conv(conv) => Kernel::Direct(DirectConv::new(conv, rows)),
                Operation::Affine { scale, shift } => Kernel::Affine { scale: scale.clone(), shift: shift.clone() },
                Operation::Copy => Kernel::Copy,
                Operation::Add => Kernel::Add,
                Operation::Concat => Kernel::Concat,
                Operation::Softmax => Kernel::Softmax,
                Operation::OneHot => Kernel::OneHot,
            };
            let last = &network.steps[position + chain.len().max(1) - 1];
            let output = slots.take(last.output);
            let inputs = first.inputs.iter().map(|&input| (slots.of[input], network.channels[input])).collect();
            slots.release(position);
            steps.push(PlannedStep { kernel, inputs, output, relu: last.relu });
            position += chain.len().max(1);
        }
        let plan = Self {
            steps,
            rows,
            output_slot: slots.of[network.output],
            slots: slots.channels,
            spectral_floats,
            input_channels: network.channels[0],
            output_channels: network.channels[network.output],
            lanes: registers.width * GROUPS,
        };
        let floats = plan.slots.iter().map(|&channels| plan.floats(channels)).chain(spectral_floats).sum::<usize>();
        let found_bytes = floats * size_of::<f32>();
        if found_bytes > MAX_SCRATCH_BYTES {
            return Err(Error::Memory { model: model.into(), limit_bytes: MAX_SCRATCH_BYTES, found_bytes });
        }
        Ok(plan)
    }

    /// Samples a ray.
    pub fn samples(&self) -> usize {
        self.rows.samples / GROUPS
    }

    /// Numbers a ray that go in.
    pub fn input_length(&self) -> usize {
        self.input_channels * self.samples()
    }

    /// Numbers a ray that come out.
    pub fn output_length(&self) -> usize {
        self.output_channels * self.samples()
    }

    /// Floats of a buffer for a bundle of values of `channels` channels.
    pub fn floats(&self, channels: usize) -> usize {
        channels * self.rows.length * (self.lanes / GROUPS)
    }
}

/// The convolutions at the start of `steps` for which the frequency domain pays, each reading what the one before it
/// wrote and nobody else reads (`last_read(n, value)`: no step after the n-th reads it).
fn chain(
    steps: &[Step],
    pays: impl Fn(&Conv) -> bool,
    last_read: impl Fn(usize, ValueId) -> bool,
) -> Vec<(&Conv, bool)> {
    let mut chain = Vec::new();
    for (ahead, step) in steps.iter().enumerate() {
        let follows = ahead == 0 || (step.inputs[0] == steps[ahead - 1].output && last_read(ahead, step.inputs[0]));
        match step.convolution() {
            Some(conv) if follows && pays(conv) => chain.push((conv, step.relu)),
            _ => break,
        }
    }
    chain
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
