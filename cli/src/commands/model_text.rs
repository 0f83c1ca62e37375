//! Models for people; the JSON of `models` in, text out.

use super::print_line;
use serde_json::Value;

/// One line a model.
pub fn print_list(models: &Value) {
    let models = models.as_array().map(Vec::as_slice).unwrap_or_default();
    let width = models.iter().map(|model| text(&model["name"]).len()).max().unwrap_or(0);
    for model in models {
        let name = text(&model["name"]);
        match model.get("error") {
            Some(error) => print_line(format!("{name:width$}  damaged: {}", text(error))),
            None => {
                let origin = if model.get("folder").is_some() { "added" } else { "shipped" };
                let (task, version) = (text(&model["task"]), text(&model["version"]));
                let description = text(&model["description"]);
                print_line(format!("{name:width$}  {task:12}  {version:8}  {origin:7}  {description}"));
            }
        }
    }
}

/// What `models show` and `info` say.
pub fn print_model(model: &Value) {
    print_line(format!("{} {}", text(&model["name"]), text(&model["version"])));
    if let Some(description) = model["description"].as_str().filter(|text| !text.is_empty()) {
        print_line(description);
    }
    let fields = [
        "task",
        "channels",
        "classes",
        "values",
        "samples",
        "extension_mm",
        "axes",
        "sizes",
        "spacing_mm",
        "orientation",
        "preprocessing",
        "activation",
        "window",
        "overlap",
        "output",
        "license",
        "authors",
        "citations",
        "sha256",
        "onnx_bytes",
        "folder",
    ];
    for field in fields {
        match &model[field] {
            Value::Null => {}
            Value::Array(items) if items.is_empty() || items.iter().all(Value::is_null) => {}
            Value::Array(items) => {
                // Sentences do not go on one line.
                let separator = if matches!(field, "citations" | "preprocessing") { "\n               " } else { ", " };
                let items: Vec<String> = items.iter().map(text).collect();
                print_line(format!("{field:13}  {}", items.join(separator)));
            }
            value if text(value).is_empty() => {}
            value => print_line(format!("{field:13}  {}", text(value))),
        }
    }
    let tested = if model["tested"] == true {
        format!("test tensors, to be met within {}", model["tolerance"])
    } else {
        "no test tensors: devices cannot be compared".into()
    };
    print_line(format!("{:13}  {tested}", "tested"));
}

/// One line for one model.
pub fn print_verification(result: &Value) {
    let name = text(&result["name"]);
    if let Some(error) = result.get("error") {
        print_line(format!("{name}: failed: {}", text(error)));
        return;
    }
    let difference = match &result["agrees"] {
        Value::Null => None,
        _ => Some(result["difference"].as_f64().unwrap_or(f64::INFINITY)),
    };
    let line =
        verification_line(difference, result["tolerance"].as_f64().unwrap_or_default(), &text(&result["device"]));
    print_line(format!("{name}: {line}"));
}

/// What the test tensors showed.
pub fn verification_line(difference: Option<f64>, tolerance: f64, device: &str) -> String {
    match difference {
        None => format!("runs on {device}; it has no test tensors to compare with"),
        Some(difference) if difference <= tolerance => {
            format!("agrees on {device}: largest difference {difference:.2e}, allowed {tolerance:.0e}")
        }
        Some(difference) => {
            format!("DIFFERS on {device}: largest difference {difference:.2e}, allowed {tolerance:.0e}")
        }
    }
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), String::from)
}
