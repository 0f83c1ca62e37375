//! `brainmesh info` for people: one fact a line, with units. The JSON form is the stable one.

use super::{by, print_line, short};
use serde_json::{Map, Value};
use std::path::Path;

/// Fields that are printed together with others, or only where they say something.
const JOINED: [&str; 22] = [
    "kind",
    "format",
    "shape",
    "volumes",
    "planes",
    "spacing_mm",
    "time_step_s",
    "orientation",
    "world_from_voxel",
    "world",
    "stored",
    "scaling",
    "compression",
    "lazy",
    "labels",
    "label_names",
    "extensions",
    "warnings",
    "low_mm",
    "high_mm",
    "stats",
    "arrays",
];

pub fn print_text(path: &Path, summary: &Value) {
    let Value::Object(fields) = summary else { return };
    let kind = fields.get("kind").and_then(Value::as_str).unwrap_or_default();
    let format = fields.get("format").and_then(Value::as_str).unwrap_or_default();
    let is_lazy = fields.get("lazy").and_then(Value::as_bool).unwrap_or(false);
    print_line(format!("{}: {format}{}{kind}", path.display(), if format.is_empty() { "" } else { " " }));
    if let Some(shape) = numbers(fields, "shape") {
        line("voxels", by(shape.map(short)) + &count_of_volumes(fields));
    }
    if let Some(spacing) = numbers(fields, "spacing_mm") {
        line("spacing", format!("{} mm", by(spacing.map(short))));
    }
    if let Some(orientation) = fields.get("orientation").and_then(Value::as_str) {
        let world = fields.get("world").and_then(Value::as_str).unwrap_or_default();
        line("axes lead to", format!("{orientation} ({world} space)"));
    }
    if let (Some(low), Some(high)) = (numbers(fields, "low_mm"), numbers(fields, "high_mm")) {
        let axis = |n: usize, name: &str| format!("{name} {} to {}", short(low[n]), short(high[n]));
        line("extent", format!("{}, {}, {} mm", axis(0, "x"), axis(1, "y"), axis(2, "z")));
    }
    for (n, row) in fields.get("world_from_voxel").and_then(Value::as_array).into_iter().flatten().take(3).enumerate() {
        let row: Vec<String> = row
            .as_array()
            .into_iter()
            .flatten()
            .map(|v| format!("{:>12}", short(v.as_f64().unwrap_or(f64::NAN))))
            .collect();
        line(if n == 0 { "world from voxel" } else { "" }, row.join(""));
    }
    if let Some(stored) = fields.get("stored").and_then(Value::as_str) {
        line("stored as", format!("{stored}{}", scaling(fields)));
        let packing = fields.get("compression").and_then(Value::as_str).unwrap_or_default();
        let parts = if is_lazy { "parts are read alone" } else { "a part is read by reading all" };
        line("compression", format!("{packing}; {parts}"));
    }
    match fields.get("extensions").and_then(Value::as_u64) {
        Some(0) | None => {}
        Some(count) => line("extensions", count.to_string()),
    }
    for (value, name) in fields.get("label_names").and_then(Value::as_object).into_iter().flatten() {
        line("label", format!("{value}  {}", name.as_str().unwrap_or_default()));
    }
    if let Some(stats) = fields.get("stats") {
        let of = |name: &str| stats.get(name).and_then(Value::as_f64).map_or("none".into(), short);
        line("intensities", format!("{} to {}, mean {}", of("min"), of("max"), of("mean")));
        line("not finite", format!("{} NaN, {} infinite", of("nan"), of("infinite")));
    }
    for array in fields.get("arrays").and_then(Value::as_array).into_iter().flatten() {
        let text = |name: &str| array.get(name).and_then(Value::as_str).unwrap_or_default();
        let shape: Vec<String> =
            array.get("shape").and_then(Value::as_array).into_iter().flatten().map(Value::to_string).collect();
        line(
            if text("name").is_empty() { "array" } else { text("name") },
            format!("{} {}", shape.join(" x "), text("kind")),
        );
    }
    fields.iter().filter(|(name, _)| !JOINED.contains(&name.as_str())).for_each(|(name, value)| other(name, value));
    for warning in fields.get("warnings").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str) {
        line("WARNING", warning.into());
    }
}

/// A name, its unit where the name ends with one, and a value.
fn other(name: &str, value: &Value) {
    let (name, unit) = match name {
        _ if name.ends_with("_mm2") => (name.trim_end_matches("_mm2"), " mm²"),
        _ if name.ends_with("_mm") => (name.trim_end_matches("_mm"), " mm"),
        _ => (name, ""),
    };
    let name = name.replace('_', " ");
    match value {
        Value::Null => {}
        Value::String(text) => line(&name, format!("{text}{unit}")),
        Value::Number(number) if number.is_f64() => line(&name, short(number.as_f64().unwrap_or(f64::NAN)) + unit),
        other => line(&name, format!("{other}{unit}")),
    }
}

fn count_of_volumes(fields: &Map<String, Value>) -> String {
    let count = |name: &str| fields.get(name).and_then(Value::as_u64).unwrap_or(1);
    let planes: Vec<&str> =
        fields.get("planes").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
    let volumes = count("volumes") / planes.len().max(1) as u64;
    let mut text = String::new();
    if volumes > 1 {
        text += &format!(", {volumes} volumes");
    }
    if let Some(step) = fields.get("time_step_s").and_then(Value::as_f64) {
        text += &format!(" every {} s", short(step));
    }
    if !planes.is_empty() {
        text += &format!(", each of {}", planes.join(", "));
    }
    text
}

fn scaling(fields: &Map<String, Value>) -> String {
    let Some(scaling) = fields.get("scaling") else { return String::new() };
    let number = |name: &str| scaling.get(name).and_then(Value::as_f64).unwrap_or(f64::NAN);
    match scaling.get("kind").and_then(Value::as_str) {
        Some("linear") => format!(", intensity = {} x stored + {}", number("slope"), number("intercept")),
        Some("per_slice") => ", scaled slice by slice".into(),
        _ => String::new(),
    }
}

fn numbers(fields: &Map<String, Value>, name: &str) -> Option<[f64; 3]> {
    let values: Vec<f64> = fields.get(name)?.as_array()?.iter().filter_map(Value::as_f64).collect();
    values.try_into().ok()
}

fn line(name: &str, value: String) {
    print_line(format!("  {name:<20} {value}"));
}
