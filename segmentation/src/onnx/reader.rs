use super::attributes::Attributes;
use super::proto::{GraphProto, ModelProto, NodeProto, TensorProto, data_type};
use super::simplify::simplify;
use super::{Conv, Form, Network, Operation, Step, ValueId};
use crate::{Error, Result};
use prost::Message;
use std::collections::HashMap;

/// From opset 13 on `Softmax` works along one axis; before, it flattened.
const OLDEST_OPSET: i64 = 13;
/// A wider map is no ray network; it bounds what a graph of repeated concatenations can ask for.
const MAX_CHANNELS: usize = 4096;
const MAX_NODES: usize = 10_000;

/// Reads a network; `model` names it in errors.
///
/// # Errors
/// [`Error::Onnx`] for a damaged file, [`Error::Unsupported`] for an operator that the engine does not run.
pub(crate) fn read(bytes: &[u8], model: &str) -> Result<Network> {
    let damaged = |detail: String| Error::Onnx { model: model.into(), detail };
    let file = ModelProto::decode(bytes).map_err(|error| damaged(error.to_string()))?;
    let opset = file.opset_import.iter().filter(|set| is_standard(&set.domain)).map(|set| set.version).max();
    match opset {
        Some(version) if version >= OLDEST_OPSET => {}
        Some(version) => return Err(damaged(format!("opset {version}, expected {OLDEST_OPSET} or later"))),
        None => return Err(damaged("it names no opset".into())),
    }
    let graph = file.graph.as_ref().ok_or_else(|| damaged("it holds no graph".into()))?;
    if graph.node.len() > MAX_NODES {
        return Err(damaged(format!("{} nodes, expected at most {MAX_NODES}", graph.node.len())));
    }
    let mut reader = Reader::new(graph, model)?;
    for node in &graph.node {
        reader.node(node)?;
    }
    reader.finish(graph).map(simplify)
}

fn is_standard(domain: &str) -> bool {
    matches!(domain, "" | "ai.onnx")
}

struct Reader<'a> {
    model: &'a str,
    tensors: HashMap<&'a str, &'a TensorProto>,
    values: HashMap<&'a str, ValueId>,
    channels: Vec<usize>,
    steps: Vec<Step>,
    rank: usize,
    /// The result of an `ArgMax`, which only the graph's output may be, and the probabilities that stand for it.
    classes: Option<(&'a str, ValueId)>,
}

/// One node, for errors that name it.
#[derive(Clone, Copy)]
struct Node<'a> {
    model: &'a str,
    proto: &'a NodeProto,
}

impl<'a> Node<'a> {
    fn unsupported(self, detail: impl Into<String>) -> Error {
        let name = Some(&self.proto.name).filter(|name| !name.is_empty()).or(self.proto.output.first());
        Error::Unsupported {
            model: self.model.into(),
            node: name.cloned().unwrap_or_default(),
            op: self.proto.op_type.clone(),
            detail: detail.into(),
        }
    }

    fn require(self, holds: bool, detail: impl FnOnce() -> String) -> Result<()> {
        if holds { Ok(()) } else { Err(self.unsupported(detail())) }
    }

    /// Name of an input; `None` where it is left out.
    fn input(self, index: usize) -> Option<&'a str> {
        self.proto.input.get(index).map(String::as_str).filter(|name| !name.is_empty())
    }
}

impl<'a> Reader<'a> {
    fn new(graph: &'a GraphProto, model: &'a str) -> Result<Self> {
        let damaged = |detail: String| Error::Onnx { model: model.into(), detail };
        let tensors: HashMap<_, _> = graph.initializer.iter().map(|tensor| (tensor.name.as_str(), tensor)).collect();
        let inputs: Vec<_> = graph.input.iter().filter(|input| !tensors.contains_key(input.name.as_str())).collect();
        let [input] = inputs.as_slice() else {
            return Err(damaged(format!("expected one input, found {}", inputs.len())));
        };
        let shape = input.r#type.as_ref().and_then(|kind| kind.tensor_type.as_ref()).and_then(|t| t.shape.as_ref());
        let sizes: Vec<i64> =
            shape.map(|shape| shape.dim.iter().map(|dim| dim.dim_value).collect()).unwrap_or_default();
        let channels = match sizes.as_slice() {
            [_, channels, _] | [_, channels, 1, _] => usize::try_from(*channels).unwrap_or(0),
            _ => 0,
        };
        if !(1..=MAX_CHANNELS).contains(&channels) {
            return Err(damaged(format!(
                "expected an input [batch, channels, samples] or [.., 1, samples], found {sizes:?}"
            )));
        }
        let values = HashMap::from([(input.name.as_str(), 0)]);
        Ok(Self {
            model,
            tensors,
            values,
            channels: vec![channels],
            steps: Vec::new(),
            rank: sizes.len(),
            classes: None,
        })
    }

    fn node(&mut self, proto: &'a NodeProto) -> Result<()> {
        let node = Node { model: self.model, proto };
        node.require(is_standard(&proto.domain), || format!("operators of `{}` are not supported", proto.domain))?;
        let attributes = Attributes(proto);
        match proto.op_type.as_str() {
            "Constant" => {
                let tensor = attributes.find("value").and_then(|attribute| attribute.t.as_ref());
                let tensor = tensor.ok_or_else(|| node.unsupported("only tensor constants are supported"))?;
                if let Some(output) = proto.output.first() {
                    self.tensors.insert(output, tensor);
                }
                return Ok(());
            }
            "Identity" | "Dropout" => return self.alias(node),
            "ArgMax" => return self.arg_max(node, attributes),
            _ => {}
        }
        let (operation, inputs, channels, relu) = match proto.op_type.as_str() {
            "Conv" => {
                let input = self.value(node, 0)?;
                let conv = self.conv(node, attributes, self.channels[input])?;
                let outputs = conv.outputs();
                (Operation::Conv(conv), vec![input], outputs, false)
            }
            "BatchNormalization" => {
                let input = self.value(node, 0)?;
                let channels = self.channels[input];
                (self.batch_normalisation(node, attributes, channels)?, vec![input], channels, false)
            }
            "Relu" => {
                let input = self.value(node, 0)?;
                (Operation::Copy, vec![input], self.channels[input], true)
            }
            "Add" => {
                let inputs = vec![self.value(node, 0)?, self.value(node, 1)?];
                let [a, b] = [self.channels[inputs[0]], self.channels[inputs[1]]];
                node.require(a == b, || format!("its inputs have {a} and {b} channels"))?;
                (Operation::Add, inputs, a, false)
            }
            "Concat" => {
                self.channel_axis(node, attributes.int("axis", 0))?;
                let inputs = (0..proto.input.len()).map(|index| self.value(node, index)).collect::<Result<Vec<_>>>()?;
                let channels = inputs.iter().map(|&input| self.channels[input]).sum();
                (Operation::Concat, inputs, channels, false)
            }
            "Softmax" => {
                self.channel_axis(node, attributes.int("axis", -1))?;
                let input = self.value(node, 0)?;
                (Operation::Softmax, vec![input], self.channels[input], false)
            }
            _ => return Err(node.unsupported("the operator is not supported")),
        };
        node.require((1..=MAX_CHANNELS).contains(&channels), || {
            format!("expected 1 to {MAX_CHANNELS} channels, found {channels}")
        })?;
        let output = self.channels.len();
        self.channels.push(channels);
        self.define(node, output)?;
        self.steps.push(Step { operation, inputs, output, relu });
        Ok(())
    }

    /// Gives the node's (first) output a value.
    fn define(&mut self, node: Node<'a>, value: ValueId) -> Result<()> {
        let name = node.proto.output.first().ok_or_else(|| node.unsupported("it has no output"))?;
        let known = self.values.insert(name, value);
        node.require(known.is_none() && !self.tensors.contains_key(name.as_str()), || {
            format!("its output `{name}` is written twice")
        })
    }

    fn alias(&mut self, node: Node<'a>) -> Result<()> {
        if let (Some(name), Some(output)) = (node.input(0), node.proto.output.first())
            && let Some(tensor) = self.tensors.get(name).copied()
        {
            self.tensors.insert(output, tensor);
            return Ok(());
        }
        let value = self.value(node, 0)?;
        self.define(node, value)
    }

    /// The classes themselves instead of their probabilities: these are given all the same where the file has them, else
    /// 1 for the class and 0 for the others.
    fn arg_max(&mut self, node: Node<'a>, attributes: Attributes) -> Result<()> {
        self.channel_axis(node, attributes.int("axis", 0))?;
        node.require(attributes.int("select_last_index", 0) == 0, || "the last of equals is not supported".into())?;
        node.require(self.classes.is_none(), || "a second one is not supported".into())?;
        let input = self.value(node, 0)?;
        let is_softmax = |step: &Step| step.output == input && matches!(step.operation, Operation::Softmax);
        let probabilities = if self.steps.iter().any(is_softmax) {
            input
        } else {
            let output = self.channels.len();
            self.channels.push(self.channels[input]);
            self.steps.push(Step { operation: Operation::OneHot, inputs: vec![input], output, relu: false });
            output
        };
        let name = node.proto.output.first().ok_or_else(|| node.unsupported("it has no output"))?;
        self.classes = Some((name, probabilities));
        Ok(())
    }

    fn value(&self, node: Node, index: usize) -> Result<ValueId> {
        let name = node.input(index).unwrap_or_default();
        let value = self.values.get(name).copied();
        value.ok_or_else(|| {
            node.unsupported(format!("its input {index} `{name}` is not the result of a node before it"))
        })
    }

    fn channel_axis(&self, node: Node, axis: i64) -> Result<()> {
        let rank = self.rank as i64;
        node.require(axis == 1 || axis == 1 - rank, || format!("expected axis 1 (channels), found {axis}"))
    }

    /// Numbers and sizes of a constant input.
    fn tensor(&self, node: Node, index: usize) -> Result<(Vec<f32>, Vec<usize>)> {
        let name = node.input(index).unwrap_or_default();
        let tensor = self.tensors.get(name).copied();
        let tensor = tensor.ok_or_else(|| node.unsupported(format!("its input {index} `{name}` is not a constant")))?;
        let damaged =
            |detail: String| Error::Onnx { model: self.model.into(), detail: format!("tensor `{name}`: {detail}") };
        if tensor.data_location != 0 {
            return Err(damaged("its data lie in another file".into()));
        }
        if tensor.data_type != data_type::FLOAT {
            return Err(damaged(format!(
                "expected float32 (data type {}), found data type {}",
                data_type::FLOAT,
                tensor.data_type
            )));
        }
        let sizes: Vec<usize> = tensor.dims.iter().map(|&size| usize::try_from(size).unwrap_or(0)).collect();
        let expected = sizes.iter().try_fold(1_usize, |product, &size| product.checked_mul(size)).unwrap_or(usize::MAX);
        let numbers = if tensor.float_data.is_empty() {
            let (chunks, rest) = tensor.raw_data.as_chunks::<4>();
            if !rest.is_empty() {
                return Err(damaged(format!("{} bytes are no whole number of float32", tensor.raw_data.len())));
            }
            chunks.iter().map(|&bytes| f32::from_le_bytes(bytes)).collect()
        } else {
            tensor.float_data.clone()
        };
        if numbers.len() != expected || numbers.is_empty() {
            return Err(damaged(format!(
                "sizes {:?} ask for {expected} numbers, found {}",
                tensor.dims,
                numbers.len()
            )));
        }
        if let Some(number) = numbers.iter().find(|number| !number.is_finite()) {
            return Err(damaged(format!("expected finite numbers, found {number}")));
        }
        Ok((numbers, sizes))
    }

    fn conv(&self, node: Node, attributes: Attributes, channels: usize) -> Result<Conv> {
        let (weight, sizes) = self.tensor(node, 1)?;
        let (outputs, inputs, kernel) = match (sizes.as_slice(), self.rank) {
            (&[outputs, inputs, kernel], 3) | (&[outputs, inputs, 1, kernel], 4) => (outputs, inputs, kernel),
            _ => {
                return Err(
                    node.unsupported(format!("weights of sizes {sizes:?} do not fit an input of rank {}", self.rank))
                );
            }
        };
        node.require(inputs == channels, || format!("weights for {inputs} channels, input has {channels}"))?;
        node.require(attributes.int("group", 1) == 1, || "groups are not supported".into())?;
        // Rank 4 keeps sizes for the axis of one row first.
        let axes = self.rank - 2;
        let along_ray = |name: &str, default: i64| -> Result<i64> {
            match attributes.ints(name) {
                None => Ok(default),
                Some(sizes) if sizes.len() == axes => Ok(sizes[axes - 1]),
                Some(sizes) => Err(node.unsupported(format!("{name} {sizes:?} for {axes} axes"))),
            }
        };
        let stride = along_ray("strides", 1)?;
        node.require(stride == 1, || format!("stride {stride} is not supported"))?;
        let dilation = usize::try_from(along_ray("dilations", 1)?).unwrap_or(0);
        let reach = dilation.checked_mul(kernel - 1).filter(|&reach| dilation > 0 && reach <= usize::from(u16::MAX));
        let reach = reach.ok_or_else(|| node.unsupported(format!("kernel {kernel}, dilation {dilation}")))?;
        let pads: (i64, i64) = match attributes.text("auto_pad").unwrap_or(b"NOTSET") {
            b"SAME_UPPER" => ((reach / 2) as i64, reach.div_ceil(2) as i64),
            b"SAME_LOWER" => (reach.div_ceil(2) as i64, (reach / 2) as i64),
            b"VALID" => (0, 0),
            _ => match (attributes.ints("pads"), axes) {
                (None, _) => (0, 0),
                (Some(&[before, after]), 1) | (Some(&[0, before, 0, after]), 2) => (before, after),
                (Some(pads), _) => return Err(node.unsupported(format!("pads {pads:?}"))),
            },
        };
        let keeps_length = pads.0 >= 0 && pads.1 >= 0 && pads.0.checked_add(pads.1) == Some(reach as i64);
        node.require(keeps_length, || format!("pads {pads:?} do not keep the length, expected {reach} in all"))?;
        let bias = match node.input(2) {
            Some(_) => self.tensor(node, 2)?.0,
            None => vec![0.0; outputs],
        };
        node.require(bias.len() == outputs, || format!("{} biases for {outputs} outputs", bias.len()))?;
        Ok(Conv { weight, bias, inputs, kernel, dilation, pad_before: pads.0 as usize })
    }

    /// `y = (x - mean) / sqrt(var + epsilon) * scale + bias`, as a scale and a shift.
    fn batch_normalisation(&self, node: Node, attributes: Attributes, channels: usize) -> Result<Operation> {
        node.require(attributes.int("training_mode", 0) == 0, || "training mode is not supported".into())?;
        let epsilon = f64::from(attributes.float("epsilon", 1e-5));
        let part = |index| {
            let (numbers, _) = self.tensor(node, index)?;
            node.require(numbers.len() == channels, || {
                format!("input {index} holds {} numbers for {channels} channels", numbers.len())
            })?;
            Ok::<_, Error>(numbers.into_iter().map(f64::from))
        };
        let (gammas, betas, means, variances) = (part(1)?, part(2)?, part(3)?, part(4)?);
        let mut scale = Vec::with_capacity(channels);
        let mut shift = Vec::with_capacity(channels);
        for (((gamma, beta), mean), variance) in gammas.zip(betas).zip(means).zip(variances) {
            let factor = gamma / (variance + epsilon).sqrt();
            node.require(factor.is_finite(), || format!("a variance of {variance}"))?;
            scale.push(factor as f32);
            shift.push((beta - mean * factor) as f32);
        }
        Ok(Operation::Affine { scale, shift })
    }

    fn finish(self, graph: &GraphProto) -> Result<Network> {
        let damaged = |detail: String| Error::Onnx { model: self.model.into(), detail };
        let [output] = graph.output.as_slice() else {
            return Err(damaged(format!("expected one output, found {}", graph.output.len())));
        };
        let classes = self.classes.filter(|(name, _)| *name == output.name).map(|(_, value)| value);
        let Some(output) = classes.or_else(|| self.values.get(output.name.as_str()).copied()) else {
            return Err(damaged(format!("its output `{}` is not the result of a node", output.name)));
        };
        let form = if self.rank == 4 { Form::TwoDimensional } else { Form::OneDimensional };
        Ok(Network { channels: self.channels, steps: self.steps, output, form, gives_classes: classes.is_some() })
    }
}
