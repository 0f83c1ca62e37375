use super::proto::data_type::FLOAT;
use super::proto::{ModelProto, ValueInfoProto};
use crate::{Error, Result};
use prost::Message;

/// What goes into a network and comes out of it, as its file declares.
#[derive(Debug, Clone)]
pub(crate) struct Interface {
    pub input: Port,
    /// At least one.
    pub outputs: Vec<Port>,
    /// Version of the operators, where it is said.
    pub opset: Option<i64>,
}

/// One tensor of a network's interface.
#[derive(Debug, Clone)]
pub(crate) struct Port {
    pub name: String,
    /// Sizes, `None` where any will do; no shape where the file declares none.
    pub shape: Option<Vec<Option<usize>>>,
}

impl Interface {
    /// Reads the declarations of an ONNX file; `model` names it in errors.
    ///
    /// # Errors
    /// [`Error::Onnx`] for a damaged file, and for one without exactly one input, or not all of 32-bit floats.
    pub fn read(bytes: &[u8], model: &str) -> Result<Self> {
        let damaged = |detail: String| Error::Onnx { model: model.into(), detail };
        let file = ModelProto::decode(bytes).map_err(|error| damaged(error.to_string()))?;
        let graph = file.graph.ok_or_else(|| damaged("it holds no graph".into()))?;
        // Old exporters list weights as inputs too.
        let weights: std::collections::HashSet<_> = graph.initializer.iter().map(|tensor| &tensor.name).collect();
        let inputs: Vec<_> = graph.input.iter().filter(|input| !weights.contains(&input.name)).collect();
        let one = |what: &str, found: usize| damaged(format!("expected one {what}, found {found}"));
        let [input] = inputs.as_slice() else { return Err(one("input", inputs.len())) };
        if graph.output.is_empty() {
            return Err(one("output", 0));
        }
        let port = |value: &ValueInfoProto| {
            let tensor = value.r#type.as_ref().and_then(|kind| kind.tensor_type.as_ref());
            match tensor.map_or(FLOAT, |tensor| tensor.elem_type) {
                FLOAT => {
                    let shape = tensor.and_then(|tensor| tensor.shape.as_ref());
                    let sizes = shape.map(|shape| shape.dim.iter().map(|dim| dim.dim_value).collect::<Vec<_>>());
                    // Some write -1 for a size that is free.
                    if let Some(size) = sizes.iter().flatten().find(|size| **size < -1) {
                        return Err(damaged(format!("`{}`: expected sizes of 1 or more, found {size}", value.name)));
                    }
                    let size = |size: i64| usize::try_from(size).ok().filter(|&size| size > 0);
                    let shape = sizes.map(|sizes| sizes.into_iter().map(size).collect());
                    Ok(Port { name: value.name.clone(), shape })
                }
                other => {
                    let detail = format!("`{}` is of ONNX data type {other}, expected {FLOAT} (float32)", value.name);
                    Err(damaged(detail))
                }
            }
        };
        let standard = file.opset_import.iter().filter(|set| matches!(set.domain.as_str(), "" | "ai.onnx"));
        let opset = standard.map(|set| set.version).max();
        let outputs = graph.output.iter().map(port).collect::<Result<_>>()?;
        Ok(Self { input: port(input)?, outputs, opset })
    }
}

impl Port {
    /// Whether items of this shape fit, however many along the first axis.
    pub fn accepts(&self, shape: &[usize]) -> bool {
        let fits = |(declared, found): (&Option<usize>, &usize)| declared.is_none_or(|size| size == *found);
        self.shape.as_ref().is_none_or(|declared| {
            declared.len() == shape.len() && !shape.is_empty() && declared.iter().zip(shape).skip(1).all(fits)
        })
    }

    /// The declared size of an axis, where there is one.
    pub fn size(&self, axis: usize) -> Option<usize> {
        self.shape.as_ref().and_then(|shape| shape.get(axis).copied().flatten())
    }

    /// Number of axes, where declared.
    pub fn rank(&self) -> Option<usize> {
        self.shape.as_ref().map(Vec::len)
    }

    /// The shape in words, with `?` for sizes that are free.
    pub fn describe(&self) -> String {
        let Some(shape) = &self.shape else { return "any shape".into() };
        let sizes: Vec<_> = shape.iter().map(|size| size.map_or("?".into(), |size| size.to_string())).collect();
        format!("[{}]", sizes.join(", "))
    }
}
