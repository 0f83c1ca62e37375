//! Packages of <https://bioimage.io>, and models written by hand in their form.

use super::{Files, Plan};
use crate::manifest::{self, Manifest};
use crate::source::{MAX_FILE_BYTES, MAX_MANIFEST_BYTES, sha256};
use crate::{Error, Result};
use serde_json::{Map, Value};
use std::path::{Component, Path};

/// Where a manifest names a file that this program needs.
const FILES: [&str; 4] =
    ["/weights/onnx", "/inputs/0/test_tensor", "/outputs/0/test_tensor", "/config/brainmesh/locator/onnx"];

/// The manifest as it is where it can stay so: hashes that are missing are filled in, and what names files that this
/// program does not use is left out.
pub(super) fn plan(files: &mut Files, name: &str) -> Result<Plan> {
    let path = files.path().join(name);
    let bytes = files.read(name, MAX_MANIFEST_BYTES)?;
    let original = manifest::read(&bytes, &path)?;
    let mut document = original.clone();
    let mut notes = Vec::new();
    for pointer in FILES {
        if let Some(Value::Object(reference)) = document.pointer_mut(pointer) {
            fill_hash(files, reference, pointer)?;
        }
    }
    leave_out(files, &mut document, &mut notes);
    let text = if document == original { bytes } else { super::json(&document) };
    let manifest = Manifest::parse(&text, &path)?;
    let mut sources: Vec<(String, String)> =
        manifest.files().map(|file| (file.source.clone(), file.source.clone())).collect();
    if let Some(card) = document.get("documentation").and_then(file_name) {
        sources.push((card.into(), card.into()));
    }
    Ok(Plan { manifest, text, sources, notes })
}

fn is_inside(source: &str) -> bool {
    !source.is_empty() && Path::new(source).components().all(|part| matches!(part, Component::Normal(_)))
}

/// The file that a plain name or an object with a `source` refers to.
fn file_name(value: &Value) -> Option<&str> {
    value.as_str().or_else(|| value.get("source")?.as_str())
}

fn fill_hash(files: &mut Files, reference: &mut Map<String, Value>, pointer: &str) -> Result<()> {
    let field = || pointer.trim_start_matches('/').replace('/', ".");
    if let Some(external) = reference.get("external_data").filter(|external| !external.is_null()) {
        let expected = "all weights in one ONNX file".into();
        return Err(Error::Package {
            path: files.path().into(),
            field: field(),
            expected,
            found: external.to_string(),
        });
    }
    if reference.get("sha256").is_some_and(|hash| !hash.is_null()) {
        return Ok(());
    }
    let source = reference.get("source").and_then(Value::as_str).unwrap_or_default().to_owned();
    if !is_inside(&source) {
        let expected = "a file name inside the package".into();
        return Err(Error::Package { path: files.path().into(), field: field(), expected, found: source });
    }
    let hash = sha256(&files.read(&source, MAX_FILE_BYTES)?);
    reference.insert("sha256".into(), hash.into());
    Ok(())
}

/// Weights in other formats, pictures and attachments: copies of them would only fill the disk, and a manifest that names
/// files that are not there is none.
fn leave_out(files: &Files, document: &mut Value, notes: &mut Vec<String>) {
    let Value::Object(document) = document else { return };
    for field in ["covers", "attachments"] {
        if document.remove(field).is_some_and(|value| value.as_array().is_none_or(|files| !files.is_empty())) {
            notes.push(format!("{field} left out"));
        }
    }
    if document.get("icon").and_then(file_name).is_some_and(|name| name.contains('.')) {
        document.remove("icon");
    }
    let text = document.get("documentation").and_then(file_name);
    if text.is_some_and(|text| !is_inside(text) || !files.has(text)) {
        document.remove("documentation");
    }
    for field in ["inputs", "outputs"] {
        for tensor in document.get_mut(field).and_then(Value::as_array_mut).into_iter().flatten() {
            if let Value::Object(tensor) = tensor {
                tensor.remove("sample_tensor");
            }
        }
    }
    if let Some(Value::Object(weights)) = document.get_mut("weights")
        && let Some(Value::Object(onnx)) = weights.get_mut("onnx")
    {
        onnx.remove("parent");
        let others: Vec<String> = weights.keys().filter(|key| *key != "onnx").cloned().collect();
        for key in others {
            weights.remove(&key);
            notes.push(format!("weights {key} left out"));
        }
    }
}
