use super::attributes::Attributes;
use super::proto::{ModelProto, NodeProto, TensorProto};
use crate::{Error, Result};
use prost::Message;
use std::collections::HashMap;

/// More than any network pads, strides, or enlarges by along an axis: it would ask for any amount of memory.
const MOST_VOXELS: i64 = 4096;
const MOST_SCALE: f32 = 64.0;

/// Refuses convolutions, pools and resizings with sizes that no network has: engines divide by them or take the memory they
/// ask for, and end the program where that fails.
///
/// # Errors
/// [`Error::Unsupported`] naming the node; [`Error::Onnx`] for a damaged file.
pub(crate) fn require_sizes(bytes: &[u8], model: &str) -> Result<()> {
    find(bytes, model, wrong_size)
}

/// Refuses convolutions and pools over three axes, which `rten` has not and finds only when it runs a network.
///
/// # Errors
/// As [`require_sizes`].
pub(crate) fn require_flat(bytes: &[u8], model: &str) -> Result<()> {
    let three = || "it has three dimensions; ONNX Runtime runs it".into();
    find(bytes, model, |node, inputs| (is_windowed(node) && axes(node, inputs) == Some(3)).then(three))
}

/// Reports the first node that `complaint` has something against. Besides the node it is given those inputs but the first
/// that are constants.
fn find(bytes: &[u8], model: &str, complaint: impl Fn(&NodeProto, &[&TensorProto]) -> Option<String>) -> Result<()> {
    let damaged = |error: prost::DecodeError| Error::Onnx { model: model.into(), detail: error.to_string() };
    let graph = ModelProto::decode(bytes).map_err(damaged)?.graph.unwrap_or_default();
    let mut tensors: HashMap<&str, &TensorProto> =
        graph.initializer.iter().map(|tensor| (tensor.name.as_str(), tensor)).collect();
    for node in &graph.node {
        if let Some(tensor) = Attributes(node).find("value").and_then(|value| value.t.as_ref()) {
            tensors.extend(node.output.first().map(|output| (output.as_str(), tensor)));
        }
    }
    for node in &graph.node {
        let inputs = node.input.iter().skip(1).filter_map(|input| tensors.get(input.as_str()).copied());
        if let Some(detail) = complaint(node, &inputs.collect::<Vec<_>>()) {
            let name = Some(&node.name).filter(|name| !name.is_empty()).or(node.output.first());
            let (model, node, op) = (model.into(), name.cloned().unwrap_or_default(), node.op_type.clone());
            return Err(Error::Unsupported { model, node, op, detail });
        }
    }
    Ok(())
}

fn is_windowed(node: &NodeProto) -> bool {
    matches!(node.op_type.as_str(), "Conv" | "ConvTranspose" | "MaxPool" | "AveragePool")
}

/// Number of axes that a convolution or pool works along.
fn axes(node: &NodeProto, inputs: &[&TensorProto]) -> Option<usize> {
    let kernel = Attributes(node).ints("kernel_shape").map(<[i64]>::len);
    // Weights are [output, input, ...]; pools have none.
    kernel.or_else(|| inputs.first().map(|weights| weights.dims.len().saturating_sub(2)))
}

fn wrong_size(node: &NodeProto, inputs: &[&TensorProto]) -> Option<String> {
    let op = node.op_type.as_str();
    let resizes = matches!(op, "Pad" | "Resize" | "Upsample");
    for attribute in &node.attribute {
        let name = attribute.name.as_str();
        let (least, values) = match name {
            "group" | "blocksize" => (1, std::slice::from_ref(&attribute.i)),
            "strides" | "dilations" | "kernel_shape" => (1, attribute.ints.as_slice()),
            "pads" | "output_padding" | "output_shape" if is_windowed(node) => (0, attribute.ints.as_slice()),
            _ if resizes => (-MOST_VOXELS, attribute.ints.as_slice()),
            _ => continue,
        };
        if let Some(size) = values.iter().find(|size| !(least..=MOST_VOXELS).contains(*size)) {
            return Some(format!("expected `{name}` from {least} to {MOST_VOXELS}, found {size}"));
        }
    }
    let mut sizes = inputs.iter().filter(|_| resizes).flat_map(|tensor| integers(tensor));
    if let Some(size) = sizes.find(|size| !(-MOST_VOXELS..=MOST_VOXELS).contains(size)) {
        return Some(format!("expected sizes to {MOST_VOXELS}, found {size}"));
    }
    // Of `Pad` they are what it fills with.
    let mut scales = inputs.iter().filter(|_| matches!(op, "Resize" | "Upsample")).flat_map(|tensor| floats(tensor));
    let scale = scales.find(|scale| !(*scale > 0.0 && *scale <= MOST_SCALE));
    scale.map(|scale| format!("expected scales above 0 to {MOST_SCALE}, found {scale}"))
}

/// The numbers of a tensor of INT64.
fn integers(tensor: &TensorProto) -> Vec<i64> {
    let raw = tensor.raw_data.as_chunks::<8>().0.iter().map(|&bytes| i64::from_le_bytes(bytes));
    if tensor.data_type == 7 { tensor.int64_data.iter().copied().chain(raw).collect() } else { Vec::new() }
}

/// The numbers of a tensor of FLOAT.
fn floats(tensor: &TensorProto) -> Vec<f32> {
    let raw = tensor.raw_data.as_chunks::<4>().0.iter().map(|&bytes| f32::from_le_bytes(bytes));
    if tensor.data_type == 1 { tensor.float_data.iter().copied().chain(raw).collect() } else { Vec::new() }
}

#[cfg(test)]
mod tests {
    use super::super::proto::{AttributeProto, GraphProto};
    use super::*;

    fn node(op: &str, attribute: Option<(&str, Vec<i64>)>) -> NodeProto {
        let attribute = attribute.map(|(name, ints)| AttributeProto { name: name.into(), ints, ..Default::default() });
        NodeProto {
            op_type: op.into(),
            name: "large".into(),
            input: vec!["x".into(), "constant".into()],
            attribute: attribute.into_iter().collect(),
            ..NodeProto::default()
        }
    }

    fn check(node: NodeProto, constant: TensorProto) -> Result<()> {
        let constant = TensorProto { name: "constant".into(), ..constant };
        let graph = GraphProto { node: vec![node], initializer: vec![constant], ..GraphProto::default() };
        let file = ModelProto { graph: Some(graph), ..ModelProto::default() }.encode_to_vec();
        require_sizes(&file, "made").and_then(|()| require_flat(&file, "made"))
    }

    #[test]
    fn sizes_that_no_network_has_are_refused_and_others_are_not() {
        let weights = |axes: usize| TensorProto { dims: vec![2; axes + 2], data_type: 1, ..TensorProto::default() };
        let int64 = |values: Vec<i64>| TensorProto { data_type: 7, int64_data: values, ..TensorProto::default() };
        let float =
            |value: f32| TensorProto { data_type: 1, raw_data: value.to_le_bytes().to_vec(), ..TensorProto::default() };
        for (op, attribute, constant, says) in [
            ("Conv", Some(("pads", vec![1_000_000; 4])), weights(2), "1000000"),
            ("ConvTranspose", Some(("strides", vec![1 << 40; 2])), weights(2), "1099511627776"),
            ("MaxPool", Some(("kernel_shape", vec![2; 3])), weights(2), "three dimensions"),
            ("Conv", None, weights(3), "three dimensions"),
            ("Conv", Some(("strides", vec![0, 1])), weights(2), "`strides` from 1"),
            ("Pad", None, int64(vec![0, 0, 0, 5000]), "5000"),
            ("Resize", None, int64(vec![1, 1, 9000, 1]), "9000"),
            ("Resize", None, float(1e6), "1000000"),
            ("Resize", None, float(f32::NAN), "NaN"),
        ] {
            let error = check(node(op, attribute), constant).unwrap_err();
            assert!(matches!(&error, Error::Unsupported { op: found, .. } if found == op), "{error}");
            assert!(error.to_string().contains(says) && error.to_string().contains("large"), "{error}");
        }
        for (op, attribute, constant) in [
            ("Conv", Some(("pads", vec![1; 4])), weights(2)),
            ("Pad", None, float(-1e9)),
            ("Pad", None, float(1e9)),
            ("Resize", None, float(2.0)),
            ("Slice", None, int64(vec![i64::MAX])),
            ("Reshape", None, int64(vec![0, -1])),
        ] {
            check(node(op, attribute), constant).unwrap();
        }
    }
}
