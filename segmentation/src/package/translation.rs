use super::config::Config;
use super::monai::{Format, Windows};
use super::transforms::Steps;
use serde_json::{Map, Value, json};
use std::path::Path;

/// Everything that a bundle says, on its way into a manifest.
pub(super) struct Translation<'a> {
    pub metadata: &'a Config,
    /// Folder or archive, which may name the model.
    pub folder: &'a Path,
    pub input: &'a Format,
    pub output: &'a Format,
    /// Names of the space axes, and their sizes as a manifest has them.
    pub axes: &'a [&'static str],
    pub sizes: &'a [Value],
    pub windows: &'a Windows,
    pub steps: &'a Steps,
    pub weights: Value,
}

impl Translation<'_> {
    pub fn document(&self) -> Value {
        let mut document = json!({
            "format_version": "0.5.4",
            "type": "model",
            "name": self.name(),
            "description": self.text("description").chars().take(1024).collect::<String>(),
            "authors": [{ "name": self.author() }],
            "cite": self.citations(),
            "inputs": [self.image()],
            "outputs": [self.prediction()],
            "weights": { "onnx": self.weights },
            "config": { "brainmesh": self.settings(), "monai": self.provenance() },
        });
        for key in ["version", "license"] {
            if !self.text(key).is_empty() {
                document[key] = self.text(key).into();
            }
        }
        document
    }

    fn text(&self, key: &str) -> &str {
        self.metadata.root.get(key).and_then(Value::as_str).unwrap_or_default()
    }

    fn tensor(&self, id: &str, channels: &[String], size_of: impl Fn(usize) -> Value) -> Value {
        let mut axes = vec![json!({ "type": "batch" }), json!({ "type": "channel", "channel_names": channels })];
        for (number, axis) in self.axes.iter().enumerate() {
            let mut axis = json!({ "type": "space", "id": axis, "size": size_of(number) });
            if let Some(spacing) = &self.steps.spacing_mm {
                axis["scale"] = json!(spacing[number]);
                axis["unit"] = "millimeter".into();
            }
            axes.push(axis);
        }
        json!({ "id": id, "axes": axes, "data": { "type": "float32" } })
    }

    fn image(&self) -> Value {
        let mut image = self.tensor("image", &self.input.channels, |axis| self.sizes[axis].clone());
        image["preprocessing"] = json!(self.steps.preprocessing);
        image
    }

    fn prediction(&self) -> Value {
        let mut prediction = self.tensor("pred", &self.output.channels, |axis| match &self.sizes[axis] {
            Value::Object(_) => json!({ "tensor_id": "image", "axis_id": self.axes[axis], "offset": 0 }),
            size => size.clone(),
        });
        // The likeliest class is the same before and after a softmax.
        match self.steps.activation.or(self.steps.argmax.then_some("softmax")) {
            Some("softmax") => {
                prediction["postprocessing"] = json!([{ "id": "softmax", "kwargs": { "axis": "channel" } }]);
            }
            Some(other) => prediction["postprocessing"] = json!([{ "id": other }]),
            None => {}
        }
        prediction
    }

    fn settings(&self) -> Value {
        let (steps, windows) = (self.steps, self.windows);
        let window: Option<Vec<u64>> = windows.roi.as_ref().and_then(|roi| roi.iter().copied().collect());
        let mut settings = json!({ "task": "segmentation", "overlap": windows.overlap });
        for (key, value) in [
            ("orientation", json!(steps.orientation)),
            ("interpolation", json!(steps.nearest.then_some("nearest"))),
            ("window", json!(window)),
            ("threshold", json!(steps.threshold)),
            ("nonzero", json!(steps.nonzero.then_some(true))),
            ("largest_component", json!(steps.largest_component.then_some(true))),
            ("fill_holes", json!(steps.fill_holes.then_some(true))),
        ] {
            if !value.is_null() {
                settings[key] = value;
            }
        }
        settings
    }

    /// The bundle's name in the letters of bioimage.io, else that of its folder.
    fn name(&self) -> String {
        let folder = self.folder.file_stem().unwrap_or_default().to_string_lossy();
        let said = Some(self.text("name")).filter(|name| !name.is_empty()).unwrap_or(&folder);
        let is_usual = |letter: char| letter.is_ascii_alphanumeric() || "_- ()".contains(letter);
        let name: String = said.chars().map(|letter| if is_usual(letter) { letter } else { ' ' }).take(128).collect();
        let name = name.trim();
        // The format wants five letters.
        if name.len() < 5 { format!("MONAI bundle {name}").trim_end().into() } else { name.into() }
    }

    /// Names have no slashes there.
    fn author(&self) -> String {
        let authors = self.text("authors").replace(['/', '\\'], " ");
        if authors.is_empty() { "unknown".into() } else { authors }
    }

    /// References with an address, which the format wants; the others stay in what the bundle says of itself.
    fn citations(&self) -> Vec<Value> {
        let references = self.metadata.root.get("references").and_then(Value::as_array);
        let cite = |reference: &Value| {
            let text = reference.as_str()?;
            let url = text.split_whitespace().rev().find(|word| word.starts_with("http"))?;
            Some(json!({ "text": text, "url": url.trim_end_matches(['.', ',', ';', ')']) }))
        };
        references.into_iter().flatten().filter_map(cite).collect()
    }

    /// What else the bundle says of itself, for people.
    fn provenance(&self) -> Value {
        let keys = ["copyright", "data_source", "intended_use", "references", "monai_version"];
        let said = keys.iter().filter_map(|key| Some((String::from(*key), self.metadata.root.get(*key)?.clone())));
        Value::Object(said.collect::<Map<_, _>>())
    }
}
