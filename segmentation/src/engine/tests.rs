use super::plan::Pays;
use super::*;
use crate::onnx::{Conv, Form, Operation, Step};
use brainmesh_core::Silent;
use ndarray::{Array2, Array3, Axis};

/// Every instruction set that the engine is compiled for and this machine has, the portable code first. Those it lacks
/// are named on standard error.
fn instruction_sets() -> Vec<(&'static str, Arch)> {
    let mut sets = vec![("portable", Some(Arch::Scalar))];
    #[cfg(target_arch = "x86_64")]
    sets.extend([
        ("AVX2 with FMA", pulp::x86::V3::try_new().map(Arch::V3)),
        ("AVX-512", pulp::x86::V4::try_new().map(Arch::V4)),
    ]);
    #[cfg(not(target_arch = "x86_64"))]
    sets.push(("the one chosen", Some(Arch::new())));
    for (name, arch) in &sets {
        if arch.is_none() {
            eprintln!("skipped: this machine has no {name}");
        }
    }
    sets.into_iter().filter_map(|(name, arch)| Some((name, arch?))).collect()
}

fn run(network: &Network, rays: &Array3<f32>, arch: Arch, pays: Pays) -> Array3<f32> {
    let engine = Engine::with_arch(network, "made", rays.dim().2, 1, arch, pays).unwrap();
    let mut output = Array3::zeros((rays.dim().0, network.channels[network.output], rays.dim().2));
    engine.run(rays.view(), output.view_mut(), &Silent).unwrap();
    output
}

fn largest_difference(a: &Array3<f32>, b: &Array3<f32>) -> f32 {
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
}

fn classes(values: &Array3<f32>) -> Array2<usize> {
    values.map_axis(Axis(1), |column| (0..column.len()).rev().max_by(|&a, &b| column[a].total_cmp(&column[b])).unwrap())
}

/// Steele and Vigna's SplitMix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn within(&mut self, range: std::ops::RangeInclusive<usize>) -> usize {
        range.start() + (self.next() % (range.end() - range.start() + 1) as u64) as usize
    }

    /// Between -1 and 1.
    fn real(&mut self) -> f32 {
        (self.next() >> 40) as f32 / (1_u32 << 23) as f32 - 1.0
    }

    fn reals(&mut self, count: usize, scale: f32) -> Vec<f32> {
        (0..count).map(|_| scale * self.real()).collect()
    }

    /// Kernels whose results are about as large as what they read.
    fn conv(&mut self, inputs: usize, outputs: usize, kernel: usize, dilation: usize) -> Conv {
        let reach = (kernel - 1) * dilation;
        // Half the reach, as in every published network, or any part of it.
        let pad_before = if self.within(0..=2) > 0 { reach / 2 } else { self.within(0..=reach) };
        let weight = self.reals(outputs * inputs * kernel, (4.0 / (inputs * kernel) as f32).sqrt());
        Conv { weight, bias: self.reals(outputs, 0.5), inputs, kernel, dilation, pad_before }
    }

    /// Convolutions with sums, concatenations and normalisations among them, and a softmax.
    fn network(&mut self, channels: usize) -> Network {
        let mut network = Network::of_inputs(channels);
        let width = [3, 8, 17, 40][self.within(0..=3)];
        for _ in 0..self.within(1..=4) {
            let (last, kernel) = (network.channels.len() - 1, [1, 4, 9, 25, 49][self.within(0..=4)]);
            let (inputs, dilation) = (network.channels[last], self.within(1..=3));
            let outputs = if self.within(0..=3) > 0 { width } else { self.within(1..=width) };
            let conv = self.conv(inputs, outputs, kernel, dilation);
            network.push(Operation::Conv(conv), vec![last], outputs, self.within(0..=3) > 0);
            let new = last + 1;
            match self.within(0..=5) {
                0 if inputs == outputs => network.push(Operation::Add, vec![last, new], outputs, true),
                1 => network.push(Operation::Concat, vec![new, last], inputs + outputs, false),
                2 => {
                    let (scale, shift) = (self.reals(outputs, 1.5), self.reals(outputs, 0.5));
                    network.push(Operation::Affine { scale, shift }, vec![new], outputs, true);
                }
                _ => {}
            }
        }
        let (last, classes) = (network.channels.len() - 1, self.within(7..=8));
        let conv = self.conv(network.channels[last], classes, 1, 1);
        network.push(Operation::Conv(conv), vec![last], classes, false);
        network.push(Operation::Softmax, vec![last + 1], classes, false);
        network
    }
}

impl Network {
    fn of_inputs(channels: usize) -> Self {
        let form = Form::OneDimensional;
        Self { channels: vec![channels], steps: vec![], output: 0, form, gives_classes: false }
    }

    fn push(&mut self, operation: Operation, inputs: Vec<usize>, channels: usize, relu: bool) {
        self.output = self.channels.len();
        self.channels.push(channels);
        self.steps.push(Step { operation, inputs, output: self.output, relu });
    }

    /// The network by the definitions of its operators, in double precision; one ray `[channel, sample]`.
    fn by_definition(&self, ray: Array2<f64>) -> Array2<f64> {
        let mut values = vec![ray];
        for step in &self.steps {
            let input = &values[step.inputs[0]];
            let mut output = match &step.operation {
                Operation::Conv(conv) => Array2::from_shape_fn((conv.outputs(), input.ncols()), |(output, sample)| {
                    let mut sum = f64::from(conv.bias[output]);
                    for (channel, kernel) in
                        conv.weight.chunks(conv.kernel).skip(output * conv.inputs).take(conv.inputs).enumerate()
                    {
                        for (tap, &weight) in kernel.iter().enumerate() {
                            let place = (sample + tap * conv.dilation).checked_sub(conv.pad_before);
                            let value = place.and_then(|place| input.get([channel, place]));
                            sum += f64::from(weight) * value.copied().unwrap_or(0.0);
                        }
                    }
                    sum
                }),
                Operation::Affine { scale, shift } => Array2::from_shape_fn(input.dim(), |(channel, sample)| {
                    f64::from(scale[channel]) * input[[channel, sample]] + f64::from(shift[channel])
                }),
                Operation::Add => input + &values[step.inputs[1]],
                Operation::Concat => {
                    let parts: Vec<_> = step.inputs.iter().map(|&input| values[input].view()).collect();
                    ndarray::concatenate(Axis(0), &parts).unwrap()
                }
                Operation::Softmax => {
                    let powers = input.mapv(f64::exp);
                    let sums = powers.sum_axis(Axis(0));
                    powers / sums
                }
                Operation::Copy | Operation::OneHot => input.clone(),
            };
            if step.relu {
                output.mapv_inplace(|value| value.max(0.0));
            }
            values.push(output);
        }
        values.swap_remove(self.output)
    }
}

#[test]
fn every_instruction_set_gives_the_same_to_rounding() {
    for name in
        ["before-1d", "dilated-2d", "residual-2d", "dense-1d", "long-2d", "classes-1d", "classes-2d", "made-layers"]
    {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name);
        let network = crate::onnx::read(&std::fs::read(folder.join("model.onnx")).unwrap(), name).unwrap();
        let samples = crate::Model::open(folder).unwrap().manifest().rays().unwrap().samples;
        let mut random = Random(3);
        let rays = Array3::from_shape_simple_fn((45, network.channels[0], samples), || 2.0 * random.real());
        let mut sets = instruction_sets().into_iter();
        let (_, portable) = sets.next().unwrap();
        let expected = run(&network, &rays, portable, spectral::pays);
        for (set, arch) in sets {
            let found = run(&network, &rays, arch, spectral::pays);
            assert_eq!(classes(&expected), classes(&found), "{name}, {set}");
            let largest = largest_difference(&expected, &found);
            assert!(largest <= 1e-5, "{name}, {set}: {largest}");
        }
    }
}

#[test]
fn random_networks_give_what_the_definitions_of_their_operators_give() {
    let mut random = Random(20);
    for case in 0..40 {
        let channels = random.within(1..=4);
        let network = random.network(channels);
        let samples = [18, 41, 200, 361, 700, 2000][case % 6] + random.within(0..=7) * usize::from(case % 6 < 5);
        let rays = random.within(1..=3);
        let rays = Array3::from_shape_simple_fn((rays, channels, samples), || 2.0 * random.real());
        let mut expected = Array3::zeros((rays.dim().0, network.channels[network.output], samples));
        for (ray, mut expected) in rays.outer_iter().zip(expected.outer_iter_mut()) {
            expected.assign(&network.by_definition(ray.mapv(f64::from)).mapv(|value| value as f32));
        }
        let paths: [(&str, Pays); 2] = [("direct", |_, _| false), ("spectral", |_, _| true)];
        for ((set, arch), (path, pays)) in instruction_sets().into_iter().flat_map(|set| paths.map(|path| (set, path)))
        {
            let largest = largest_difference(&expected, &run(&network, &rays, arch, pays));
            assert!(largest <= 1e-5, "case {case}, {samples} samples, {set}, {path}: {largest}");
        }
    }
}

#[test]
fn of_equal_scores_the_first_is_the_class() {
    let mut network = Network::of_inputs(3);
    network.push(Operation::OneHot, vec![0], 3, false);
    let rays = Array3::from_shape_vec((1, 3, 4), vec![1., -1., 0., 5., 2., -1., 0., 6., 2., -3., 0., 4.]).unwrap();
    for (set, arch) in instruction_sets() {
        let found = run(&network, &rays, arch, spectral::pays);
        assert_eq!(found.as_slice().unwrap(), [0., 1., 1., 0., 1., 0., 0., 1., 0., 0., 0., 0.], "{set}");
    }
}

/// Regression: a chain of convolutions ran over the rows of a longer chain's spectrum, which were not its own.
#[test]
fn chains_of_different_lengths_do_not_read_one_another() {
    let mut random = Random(5);
    let mut network = Network::of_inputs(16);
    for (value, dilation) in [(0, 3), (2, 1)] {
        let conv = random.conv(16, 16, 25, dilation);
        network.push(Operation::Conv(conv), vec![value], 16, true);
        network.push(Operation::Add, vec![value, value + 1], 16, false);
    }
    network.push(Operation::Softmax, vec![4], 16, false);
    assert!(network.convolutions().all(|conv| spectral::pays(conv, 200)));
    let ray = Array2::from_shape_simple_fn((16, 200), || random.real());
    let expected = network.by_definition(ray.mapv(f64::from)).mapv(|value| value as f32).insert_axis(Axis(0));
    for (set, arch) in instruction_sets() {
        let largest =
            largest_difference(&expected, &run(&network, &ray.clone().insert_axis(Axis(0)), arch, spectral::pays));
        assert!(largest <= 1e-5, "{set}: {largest}");
    }
}
