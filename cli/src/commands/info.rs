use super::print_line;
use crate::args::InfoCommand;
use crate::{Error, ExitCode, Result};
use serde_json::Value;
use std::path::Path;

pub fn run(arguments: &InfoCommand) -> Result<ExitCode> {
    let summary = describe(&arguments.file)?;
    if arguments.json {
        print_line(format!("{summary:#}"));
    } else {
        print_fields(&summary, 0);
    }
    Ok(ExitCode::Done)
}

/// What a file is: tried as model folder, surface, array or map, and volume; the error of the likeliest kind is kept.
fn describe(path: &Path) -> Result<Value> {
    if !path.exists() {
        return Err(Error::Unusable(format!("{}: no such file or folder", path.display())));
    }
    if path.join("model.json").is_file() {
        return describe_model(path);
    }
    if path.is_dir() {
        return value("volume", brainmesh_formats::volume_info(path));
    }
    let not_recognised =
        |error: &brainmesh_formats::Error| matches!(error, brainmesh_formats::Error::NotRecognised { .. });
    match brainmesh_formats::surface_info(path) {
        Ok(surface) => return value("surface", Ok(surface)),
        Err(error) if !not_recognised(&error) && !is_map(path) => return Err(error.into()),
        Err(_) => {}
    }
    match brainmesh_formats::volume_info(path) {
        Ok(volume) => return value("volume", Ok(volume)),
        Err(error) if !not_recognised(&error) => return Err(error.into()),
        Err(_) => {}
    }
    value("arrays", brainmesh_formats::array_info(path))
}

/// GIFTI files without a surface hold maps.
fn is_map(path: &Path) -> bool {
    path.extension().is_some_and(|e| e == "gii")
}

fn describe_model(folder: &Path) -> Result<Value> {
    let model = brainmesh_segmentation::Model::open(folder)?;
    let manifest = model.manifest();
    Ok(serde_json::json!({
        "kind": "model",
        "name": manifest.name,
        "version": manifest.version,
        "description": manifest.description,
        "license": manifest.license,
        "samples": manifest.samples,
        "channels": manifest.channels.iter().map(|c| &c.channel).collect::<Vec<_>>(),
        "classes": manifest.classes(),
        "sha256": manifest.onnx.sha256,
    }))
}

fn value(kind: &str, info: brainmesh_formats::Result<impl serde::Serialize>) -> Result<Value> {
    let mut value = serde_json::to_value(info?).map_err(|error| Error::Unusable(error.to_string()))?;
    if let Value::Object(fields) = &mut value {
        fields.insert("kind".into(), kind.into());
    }
    Ok(value)
}

fn print_fields(value: &Value, indent: usize) {
    let pad = " ".repeat(indent);
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                match value {
                    Value::Object(_) => {
                        print_line(format!("{pad}{name}:"));
                        print_fields(value, indent + 2);
                    }
                    Value::String(text) => print_line(format!("{pad}{name}: {text}")),
                    other => print_line(format!("{pad}{name}: {other}")),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| {
            print_fields(item, indent);
            print_line("");
        }),
        other => print_line(format!("{pad}{other}")),
    }
}
