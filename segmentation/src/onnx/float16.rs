//! Networks in 16-bit floats: weights and maps are rounded to them, softmax stays in 32 bits, and so do input and output.
//!
//! Values that are 32-bit floats in the file become 16-bit ones, with `Cast` nodes where the two meet. Types follow the
//! nodes' order, which ONNX demands to be that of execution. Values beyond 65504 and operators whose types this file does
//! not know are refused.

use super::attributes::Attributes;
use super::proto::attribute_type::INT;
use super::proto::data_type::{FLOAT, FLOAT16};
use super::proto::{AttributeProto, GraphProto, ModelProto, NodeProto, TensorProto};
use crate::{Error, Result};
use half::f16;
use prost::Message;
use std::collections::HashMap;

/// Operators that take and give 16-bit floats wherever they take and give floats.
const EITHER: &[&str] = &[
    "Add",
    "AveragePool",
    "BatchNormalization",
    "Clip",
    "Concat",
    "Conv",
    "ConvTranspose",
    "Div",
    "Dropout",
    "Elu",
    "Expand",
    "Flatten",
    "Gather",
    "Gemm",
    "GlobalAveragePool",
    "HardSigmoid",
    "HardSwish",
    "Identity",
    "LeakyRelu",
    "MatMul",
    "MaxPool",
    "Mul",
    "PRelu",
    "Pad",
    "Relu",
    "Reshape",
    "Selu",
    "Sigmoid",
    "Slice",
    "Softplus",
    "Split",
    "Sqrt",
    "Squeeze",
    "Sub",
    "Tanh",
    "Transpose",
    "Unsqueeze",
];

/// Operators that 32 bits are for: they sum over many values, or stretch what is small (an exponential, a logarithm).
const WHOLE: &[&str] = &[
    "Exp",
    "GroupNormalization",
    "InstanceNormalization",
    "LayerNormalization",
    "Log",
    "LogSoftmax",
    "ReduceMean",
    "ReduceSum",
    "Softmax",
];

/// The network with 16-bit floats inside; `model` names it in errors.
///
/// # Errors
/// [`Error::Onnx`] for a damaged file or a weight that 16 bits cannot hold; [`Error::Unsupported`] for an operator whose
/// 16-bit form is not known here.
pub(crate) fn in_float16(bytes: &[u8], model: &str) -> Result<Vec<u8>> {
    let damaged = |detail: String| Error::Onnx { model: model.into(), detail };
    let mut file = ModelProto::decode(bytes).map_err(|error| damaged(error.to_string()))?;
    let graph = file.graph.take().ok_or_else(|| damaged("it holds no graph".into()))?;
    if !file.functions.is_empty() || !graph.sparse_initializer.is_empty() {
        return Err(damaged("functions and sparse weights have no 16-bit form here".into()));
    }
    file.graph = Some(Converter::new(model, &graph).convert(graph)?);
    Ok(file.encode_to_vec())
}

struct Converter<'a> {
    model: &'a str,
    /// Data type of every value there is so far.
    types: HashMap<String, i32>,
    nodes: Vec<NodeProto>,
}

impl<'a> Converter<'a> {
    fn new(model: &'a str, graph: &GraphProto) -> Self {
        let types = graph.input.iter().map(|input| (input.name.clone(), FLOAT)).collect();
        Self { model, types, nodes: Vec::new() }
    }

    fn convert(mut self, mut graph: GraphProto) -> Result<GraphProto> {
        let constants: Vec<NodeProto> = graph.node.extract_if(.., |node| node.op_type == "Constant").collect();
        for node in constants {
            graph.initializer.push(self.constant(node)?);
        }
        // Scales of `Resize` are 32-bit floats whatever it resizes.
        let exact: Vec<String> = graph
            .node
            .iter()
            .filter(|node| node.op_type == "Resize")
            .flat_map(|node| node.input.iter().skip(1).cloned())
            .collect();
        for tensor in &mut graph.initializer {
            if tensor.data_type == FLOAT && !exact.contains(&tensor.name) {
                self.round(tensor)?;
            }
            self.types.insert(tensor.name.clone(), tensor.data_type);
        }
        let outputs: Vec<String> = graph.output.iter().map(|output| output.name.clone()).collect();
        for node in std::mem::take(&mut graph.node) {
            self.node(node)?;
        }
        for output in &outputs {
            if self.types.get(output) == Some(&FLOAT16) {
                self.rename(output);
            }
        }
        graph.node = self.nodes;
        Ok(graph)
    }

    fn unsupported(&self, node: &NodeProto, detail: &str) -> Error {
        Error::Unsupported {
            model: self.model.into(),
            node: if node.name.is_empty() { node.output.concat() } else { node.name.clone() },
            op: node.op_type.clone(),
            detail: detail.into(),
        }
    }

    /// A constant as the tensor it holds.
    fn constant(&self, mut node: NodeProto) -> Result<TensorProto> {
        let value =
            node.attribute.iter_mut().find(|attribute| attribute.name == "value").and_then(|value| value.t.take());
        let Some((mut tensor, name)) = value.zip(node.output.first().cloned()) else {
            return Err(self.unsupported(&node, "only tensor constants have a 16-bit form here"));
        };
        tensor.name = name;
        Ok(tensor)
    }

    /// Rounds the numbers of a tensor to 16 bits.
    fn round(&self, tensor: &mut TensorProto) -> Result<()> {
        let damaged = |detail: String| Error::Onnx {
            model: self.model.into(),
            detail: format!("tensor `{}`: {detail}", tensor.name),
        };
        if tensor.data_location != 0 {
            return Err(damaged("its data lie in another file".into()));
        }
        let mut numbers = std::mem::take(&mut tensor.float_data);
        let (chunks, _) = tensor.raw_data.as_chunks::<4>();
        numbers.extend(chunks.iter().map(|&bytes| f32::from_le_bytes(bytes)));
        if let Some(number) = numbers.iter().find(|number| number.abs() > f16::MAX.to_f32()) {
            return Err(damaged(format!("{number} is beyond what 16 bits hold, {}", f16::MAX)));
        }
        tensor.raw_data = numbers.iter().flat_map(|&number| f16::from_f32(number).to_le_bytes()).collect();
        tensor.data_type = FLOAT16;
        Ok(())
    }

    fn node(&mut self, mut node: NodeProto) -> Result<()> {
        let op = node.op_type.as_str();
        let (wanted, first) = match op {
            // Types of their own, whatever goes in. What is cast to 32 bits is cast again where 16 are wanted.
            "Shape" | "Size" | "Cast" => {
                let to = if op == "Cast" { Attributes(&node).int("to", 0) } else { 0 };
                self.define(&node, i32::try_from(to).unwrap_or(0));
                self.nodes.push(node);
                return Ok(());
            }
            "Resize" => (FLOAT16, 1),
            _ if !matches!(node.domain.as_str(), "" | "ai.onnx") => (0, 0),
            _ if EITHER.contains(&op) => (FLOAT16, usize::MAX),
            _ if WHOLE.contains(&op) => (FLOAT, usize::MAX),
            _ => (0, 0),
        };
        if wanted == 0 {
            return Err(self.unsupported(&node, "its 16-bit form is not known"));
        }
        let mut floats = false;
        for input in node.input.iter_mut().take(first) {
            let found = self.types.get(input.as_str()).copied().unwrap_or(0);
            if matches!(found, FLOAT | FLOAT16) {
                floats = true;
                *input = self.cast(input, found, wanted);
            }
        }
        self.define(&node, if floats { wanted } else { 0 });
        self.nodes.push(node);
        Ok(())
    }

    fn define(&mut self, node: &NodeProto, kind: i32) {
        self.types.extend(node.output.iter().map(|output| (output.clone(), kind)));
    }

    /// The name of a value in the wanted type, which a new node gives it where it has another.
    fn cast(&mut self, name: &str, found: i32, wanted: i32) -> String {
        if found == wanted {
            return name.into();
        }
        let new = format!("{name}/{}", if wanted == FLOAT16 { "float16" } else { "float32" });
        if !self.types.contains_key(&new) {
            self.nodes.push(cast_node(name, &new, wanted));
            self.types.insert(new.clone(), wanted);
        }
        new
    }

    /// Gives an output of the network back its type: what made it now makes a value that is cast to it.
    fn rename(&mut self, output: &str) {
        let inner = format!("{output}/float16");
        for node in &mut self.nodes {
            for name in node.input.iter_mut().chain(&mut node.output).filter(|name| *name == output) {
                name.clone_from(&inner);
            }
        }
        self.nodes.push(cast_node(&inner, output, FLOAT));
    }
}

fn cast_node(input: &str, output: &str, kind: i32) -> NodeProto {
    NodeProto {
        input: vec![input.into()],
        output: vec![output.into()],
        name: format!("cast {output}"),
        op_type: "Cast".into(),
        attribute: vec![AttributeProto { name: "to".into(), i: kind.into(), r#type: INT, ..AttributeProto::default() }],
        ..NodeProto::default()
    }
}
