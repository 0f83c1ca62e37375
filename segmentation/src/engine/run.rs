use super::buffer::Buffer;
use super::plan::{GROUPS, Kernel, Plan, PlannedStep, Rows};
use super::pointwise::{affine, one_hot, relu, softmax};
use super::spectral::SpectralScratch;
use pulp::{Arch, Simd, WithSimd};

/// Working memory of one thread.
pub(super) struct Scratch {
    slots: Vec<Buffer>,
    /// One sample of every channel, for what looks at all of them.
    column: Buffer,
    spectral: SpectralScratch,
}

impl Scratch {
    pub fn new(plan: &Plan) -> Self {
        let slots = plan.slots.iter().map(|&channels| Buffer::zeroed(plan.floats(channels))).collect();
        let widest = plan.slots.iter().copied().max().unwrap_or(0);
        let spectral = SpectralScratch::zeroed(plan.spectral_floats);
        Self { slots, column: Buffer::zeroed(widest * plan.lanes), spectral }
    }
}

impl Plan {
    /// The whole network over one bundle: at most `lanes` rays, `[ray, channel, sample]` in and out.
    pub fn run(&self, arch: Arch, scratch: &mut Scratch, input: &[f32], output: &mut [f32]) {
        self.gather(input, &mut scratch.slots[0]);
        for step in &self.steps {
            let mut written = std::mem::take(&mut scratch.slots[step.output]);
            arch.dispatch(RunStep {
                rows: self.rows,
                step,
                slots: &scratch.slots,
                column: &mut scratch.column,
                spectral: &mut scratch.spectral,
                output: &mut written,
            });
            scratch.slots[step.output] = written;
        }
        self.scatter(&scratch.slots[self.output_slot], output);
    }

    /// Rays to lanes. Lanes without a ray hold zeros.
    fn gather(&self, input: &[f32], slot: &mut Buffer) {
        let (samples, width) = (self.samples(), self.lanes / GROUPS);
        for channel in 0..self.input_channels {
            let vectors = self.rows.range(channel);
            let row = &mut slot.floats_mut()[vectors.start * width..vectors.end * width];
            row.fill(0.0);
            for (lane, ray) in input.chunks_exact(self.input_length()).enumerate() {
                let profile = &ray[channel * samples..(channel + 1) * samples];
                for (target, &value) in row[lane..].iter_mut().step_by(self.lanes).zip(profile) {
                    *target = value;
                }
            }
        }
    }

    /// Lanes to rays.
    fn scatter(&self, slot: &Buffer, output: &mut [f32]) {
        let width = self.lanes / GROUPS;
        for (lane, ray) in output.chunks_exact_mut(self.output_length()).enumerate() {
            for (channel, profile) in ray.chunks_exact_mut(self.samples()).enumerate() {
                let row = &slot.floats()[self.rows.range(channel).start * width + lane..];
                for (target, &value) in profile.iter_mut().zip(row.iter().step_by(self.lanes)) {
                    *target = value;
                }
            }
        }
    }
}

/// One step over one bundle.
struct RunStep<'a> {
    rows: Rows,
    step: &'a PlannedStep,
    slots: &'a [Buffer],
    column: &'a mut Buffer,
    spectral: &'a mut SpectralScratch,
    output: &'a mut Buffer,
}

impl WithSimd for RunStep<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { rows, step, slots, column, spectral, output } = self;
        let output = output.vectors_mut::<S>();
        let (slot, channels) = step.inputs[0];
        let input = slots[slot].vectors::<S>();
        match &step.kernel {
            Kernel::Spectral(chain) => chain.run(simd, spectral, input, output),
            Kernel::Direct(conv) => conv.run(simd, input, output, step.relu),
            Kernel::Affine { scale, shift } => {
                for (channel, (&scale, &shift)) in scale.iter().zip(shift).enumerate() {
                    affine(
                        simd,
                        &input[rows.range(channel)],
                        &mut output[rows.range(channel)],
                        scale,
                        shift,
                        step.relu,
                    );
                }
            }
            Kernel::Copy | Kernel::Concat => {
                let sources = step.inputs.iter().flat_map(|&(slot, channels)| (0..channels).map(move |c| (slot, c)));
                for (channel, (slot, source)) in sources.enumerate() {
                    let input = &slots[slot].vectors::<S>()[rows.range(source)];
                    affine(simd, input, &mut output[rows.range(channel)], 1.0, 0.0, step.relu);
                }
            }
            Kernel::Add => {
                let other = slots[step.inputs[1].0].vectors::<S>();
                for channel in 0..channels {
                    let range = rows.range(channel);
                    for ((output, &a), &b) in
                        output[range.clone()].iter_mut().zip(&input[range.clone()]).zip(&other[range])
                    {
                        *output = relu(simd, simd.add_f32s(a, b), step.relu);
                    }
                }
            }
            Kernel::Softmax | Kernel::OneHot => {
                let column = &mut column.vectors_mut::<S>()[..channels];
                for sample in 0..rows.samples {
                    for (channel, value) in column.iter_mut().enumerate() {
                        *value = input[rows.range(channel).start + sample];
                    }
                    match step.kernel {
                        Kernel::OneHot => one_hot(simd, column),
                        _ => softmax(simd, column),
                    }
                    for (channel, &value) in column.iter().enumerate() {
                        output[rows.range(channel).start + sample] = value;
                    }
                }
            }
        }
    }
}
