use super::proto::{
    AttributeProto, DimensionProto, GraphProto, ModelProto, NodeProto, OperatorSetIdProto, TensorProto,
    TensorShapeProto, TensorTypeProto, TypeProto, ValueInfoProto, attribute_type, data_type,
};
use super::{Conv, Form, Network, Operation, Step, ValueId};
use prost::Message;

/// Both are old enough for every ONNX Runtime that this program loads.
const IR_VERSION: i64 = 8;
const OPSET: i64 = 17;
const OUTPUT: &str = "probabilities";

/// The ONNX file of a network for rays of `samples` samples, in the form asked for.
pub(crate) fn write(network: &Network, form: Form, samples: usize) -> Vec<u8> {
    let graph = GraphProto { name: "rays".into(), ..GraphProto::default() };
    let mut writer = Writer { form, graph };
    for step in &network.steps {
        writer.step(step, network.channels[step.output]);
    }
    writer.push("Identity", vec![name(network.output)], OUTPUT, []);
    let mut graph = writer.graph;
    graph.input = vec![port(&name(0), network.channels[0], form, samples)];
    graph.output = vec![port(OUTPUT, network.channels[network.output], form, samples)];
    let opset = OperatorSetIdProto { domain: String::new(), version: OPSET };
    let file = ModelProto { ir_version: IR_VERSION, graph: Some(graph), ..ModelProto::default() };
    ModelProto { opset_import: vec![opset], ..file }.encode_to_vec()
}

fn name(value: ValueId) -> String {
    format!("value{value}")
}

/// An input or output of the graph.
fn port(name: &str, channels: usize, form: Form, samples: usize) -> ValueInfoProto {
    let size = |size: usize| DimensionProto { dim_value: size as i64, ..DimensionProto::default() };
    let rays = DimensionProto { dim_param: "rays".into(), ..DimensionProto::default() };
    let dim = match form {
        Form::OneDimensional => vec![rays, size(channels), size(samples)],
        Form::TwoDimensional => vec![rays, size(channels), size(1), size(samples)],
    };
    let tensor_type = TensorTypeProto { elem_type: data_type::FLOAT, shape: Some(TensorShapeProto { dim }) };
    ValueInfoProto { name: name.into(), r#type: Some(TypeProto { tensor_type: Some(tensor_type) }) }
}

struct Writer {
    form: Form,
    graph: GraphProto,
}

impl Writer {
    fn step(&mut self, step: &Step, channels: usize) {
        let inputs: Vec<String> = step.inputs.iter().map(|&input| name(input)).collect();
        let relu = step.relu || matches!(step.operation, Operation::Copy);
        let result = if relu { format!("{}_before_relu", name(step.output)) } else { name(step.output) };
        match &step.operation {
            Operation::Conv(conv) => self.conv(conv, inputs, &result),
            Operation::Affine { scale, shift } => self.affine(scale, shift, inputs, &result),
            Operation::Copy => self.push("Identity", inputs, &result, []),
            Operation::Add => self.push("Add", inputs, &result, []),
            Operation::Concat => self.push("Concat", inputs, &result, [integer("axis", 1)]),
            Operation::Softmax => self.push("Softmax", inputs, &result, [integer("axis", 1)]),
            Operation::OneHot => self.one_hot(inputs, &result, channels),
        }
        if relu {
            self.push("Relu", vec![result], &name(step.output), []);
        }
    }

    fn conv(&mut self, conv: &Conv, mut inputs: Vec<String>, result: &str) {
        let weight = self.constant(
            format!("{result}_weight"),
            &[&[conv.outputs(), conv.inputs], self.along(1, conv.kernel).as_slice()].concat(),
            floats(&conv.weight),
        );
        inputs.extend([weight, self.constant(format!("{result}_bias"), &[conv.outputs()], floats(&conv.bias))]);
        let pads = [self.along(0, conv.pad_before), self.along(0, conv.pad_after())].concat();
        let dilations = self.along(1, conv.dilation);
        self.push("Conv", inputs, result, [integers("pads", &pads), integers("dilations", &dilations)]);
    }

    /// A batch normalisation with a mean of 0 and a variance of 1.
    fn affine(&mut self, scale: &[f32], shift: &[f32], mut inputs: Vec<String>, result: &str) {
        let (zeros, ones) = (vec![0.0; scale.len()], vec![1.0; scale.len()]);
        for (part, values) in [("scale", scale), ("shift", shift), ("mean", &zeros), ("variance", &ones)] {
            inputs.push(self.constant(format!("{result}_{part}"), &[values.len()], floats(values)));
        }
        let r#type = attribute_type::FLOAT;
        let epsilon = AttributeProto { name: "epsilon".into(), r#type, ..AttributeProto::default() };
        self.push("BatchNormalization", inputs, result, [epsilon]);
    }

    /// Whether the number of a channel equals that of the largest.
    fn one_hot(&mut self, inputs: Vec<String>, result: &str, channels: usize) {
        let numbers = (0..channels as i64).flat_map(i64::to_le_bytes).collect();
        let sizes = [vec![channels], self.along(1, 1)].concat();
        let numbers = self.constant(format!("{result}_numbers"), &sizes, (data_type::INT64, numbers));
        let [largest, equal] = ["largest", "equal"].map(|part| format!("{result}_{part}"));
        self.push("ArgMax", inputs, &largest, [integer("axis", 1)]);
        self.push("Equal", vec![largest, numbers], &equal, []);
        self.push("Cast", vec![equal], result, [integer("to", data_type::FLOAT.into())]);
    }

    /// Sizes along a sample's row, where there is one, and along the ray.
    fn along(&self, row: usize, ray: usize) -> Vec<usize> {
        match self.form {
            Form::OneDimensional => vec![ray],
            Form::TwoDimensional => vec![row, ray],
        }
    }

    fn push<const N: usize>(&mut self, op: &str, input: Vec<String>, output: &str, attribute: [AttributeProto; N]) {
        self.graph.node.push(NodeProto {
            op_type: op.into(),
            input,
            output: vec![output.into()],
            attribute: attribute.into(),
            ..NodeProto::default()
        });
    }

    /// A tensor of the file; returns its name.
    fn constant(&mut self, name: String, sizes: &[usize], (data_type, raw_data): (i32, Vec<u8>)) -> String {
        let dims = sizes.iter().map(|&size| size as i64).collect();
        self.graph.initializer.push(TensorProto {
            name: name.clone(),
            dims,
            data_type,
            raw_data,
            ..TensorProto::default()
        });
        name
    }
}

fn floats(values: &[f32]) -> (i32, Vec<u8>) {
    (data_type::FLOAT, values.iter().flat_map(|value| value.to_le_bytes()).collect())
}

fn integer(name: &str, i: i64) -> AttributeProto {
    AttributeProto { name: name.into(), i, r#type: attribute_type::INT, ..AttributeProto::default() }
}

fn integers(name: &str, values: &[usize]) -> AttributeProto {
    let ints = values.iter().map(|&value| value as i64).collect();
    AttributeProto { name: name.into(), ints, r#type: attribute_type::INTS, ..AttributeProto::default() }
}
