use super::attributes::Attributes;
use super::proto::{ModelProto, NodeProto, TensorProto};
use crate::{Error, Result};
use prost::Message;
use std::collections::HashMap;

/// More than any network pads, strides, or enlarges by along an axis: it would ask for any amount of memory.
const MOST_VOXELS: i64 = 4096;
const MOST_SCALE: f32 = 64.0;

/// Refuses what `rten` finds out, if at all, only when it runs a network: convolutions and pools over three axes, which it
/// has not, and sizes that no network has.
///
/// # Errors
/// [`Error::Unsupported`] naming the node; [`Error::Onnx`] for a damaged file.
pub(crate) fn require_plain(bytes: &[u8], model: &str) -> Result<()> {
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
        let inputs: Vec<&TensorProto> = inputs.collect();
        if let Some(detail) = complaint(node, &inputs) {
            let name = Some(&node.name).filter(|name| !name.is_empty()).or(node.output.first());
            let (model, node, op) = (model.into(), name.cloned().unwrap_or_default(), node.op_type.clone());
            return Err(Error::Unsupported { model, node, op, detail });
        }
    }
    Ok(())
}

/// What is wrong with a node whose constant inputs but for the first are these.
fn complaint(node: &NodeProto, inputs: &[&TensorProto]) -> Option<String> {
    let attributes = Attributes(node);
    let windowed = matches!(node.op_type.as_str(), "Conv" | "ConvTranspose" | "MaxPool" | "AveragePool");
    if windowed {
        // Weights are [output, input, ...]; pools have none.
        let kernel = attributes.ints("kernel_shape").map(<[i64]>::len);
        let axes = kernel.or_else(|| inputs.first().map(|weights| weights.dims.len().saturating_sub(2)));
        if axes == Some(3) {
            return Some("it has three dimensions; ONNX Runtime runs it".into());
        }
    }
    let sizes = |constant: bool| {
        let attributes = node.attribute.iter().flat_map(|attribute| attribute.ints.iter().chain([&attribute.i]));
        attributes.copied().chain(inputs.iter().filter(move |_| constant).flat_map(|tensor| integers(tensor)))
    };
    let resizes = matches!(node.op_type.as_str(), "Pad" | "Resize" | "Upsample");
    if (windowed || resizes || node.op_type == "DepthToSpace")
        && let Some(size) = sizes(resizes).find(|size| !(-MOST_VOXELS..=MOST_VOXELS).contains(size))
    {
        return Some(format!("expected sizes to {MOST_VOXELS}, found {size}"));
    }
    // Of `Pad` they are what it fills with.
    let scales = matches!(node.op_type.as_str(), "Resize" | "Upsample");
    if scales && let Some(scale) = inputs.iter().flat_map(|tensor| floats(tensor)).find(|scale| *scale > MOST_SCALE) {
        return Some(format!("expected scales to {MOST_SCALE}, found {scale}"));
    }
    None
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
        require_plain(&ModelProto { graph: Some(graph), ..ModelProto::default() }.encode_to_vec(), "made")
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
            ("Pad", None, int64(vec![0, 0, 0, 5000]), "5000"),
            ("Resize", None, int64(vec![1, 1, 9000, 1]), "9000"),
            ("Resize", None, float(1e6), "1000000"),
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
