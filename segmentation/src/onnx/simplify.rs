use super::{Conv, Network, Operation, Step};

/// Removes steps whose result is not used, folds an affine step into the convolution before it, and a ReLU into the
/// step before it. Both are exact but for rounding: nothing but the folded step reads the value between them.
pub(super) fn simplify(mut network: Network) -> Network {
    remove_unused(&mut network);
    let mut uses = vec![0_usize; network.channels.len()];
    uses[network.output] += 1;
    for &input in network.steps.iter().flat_map(|step| &step.inputs) {
        uses[input] += 1;
    }
    let mut steps: Vec<Step> = Vec::with_capacity(network.steps.len());
    for step in network.steps {
        // Only steps with one input can be folded; their input's writer need not stand directly before them.
        let folded = match steps.iter_mut().rfind(|writer| writer.output == step.inputs[0]) {
            Some(writer) if step.inputs.len() == 1 && uses[writer.output] == 1 => fold(writer, &step),
            _ => false,
        };
        if !folded {
            steps.push(step);
        }
    }
    Network { steps, ..network }
}

fn remove_unused(network: &mut Network) {
    let mut used = vec![false; network.channels.len()];
    used[network.output] = true;
    for step in network.steps.iter().rev() {
        if used[step.output] {
            for &input in &step.inputs {
                used[input] = true;
            }
        }
    }
    network.steps.retain(|step| used[step.output]);
}

/// Lets `writer` do what `step` does to its result, where it can.
fn fold(writer: &mut Step, step: &Step) -> bool {
    match (&mut writer.operation, &step.operation) {
        (operation, Operation::Copy) if !matches!(operation, Operation::Softmax | Operation::OneHot) => {
            writer.relu |= step.relu
        }
        (Operation::Conv(conv), Operation::Affine { scale, shift }) if !writer.relu => {
            scale_outputs(conv, scale, shift);
            writer.relu = step.relu;
        }
        _ => return false,
    }
    writer.output = step.output;
    true
}

fn scale_outputs(conv: &mut Conv, scale: &[f32], shift: &[f32]) {
    let length = conv.inputs * conv.kernel;
    for (output, weights) in conv.weight.chunks_exact_mut(length).enumerate() {
        weights.iter_mut().for_each(|weight| *weight *= scale[output]);
        conv.bias[output] = (f64::from(conv.bias[output]) * f64::from(scale[output]) + f64::from(shift[output])) as f32;
    }
}
