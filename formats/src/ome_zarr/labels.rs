use super::metadata::ImageLabel;
use brainmesh_core::LabelTable;
use serde_json::{Value, json};

/// Names and colours of `image-label`; values that are no `i32` are left out.
pub(super) fn table(label: Option<&ImageLabel>) -> LabelTable {
    let mut table = LabelTable::default();
    let Some(label) = label else { return table };
    let integer = |value: f64| (value == f64::from(value as i32)).then_some(value as i32);
    for property in label.properties.iter().flatten() {
        if let (Some(value), Some(name)) = (integer(property.value), &property.name) {
            table.insert(value, name.as_str(), [1.0; 4]);
        }
    }
    for color in label.colors.iter().flatten() {
        if let (Some(value), Some(rgba)) = (integer(color.value), color.rgba) {
            let name = table.get(value).map_or(String::new(), |label| label.name.clone());
            table.insert(value, name, rgba.map(|c| f32::from(c) / 255.0));
        }
    }
    table
}

/// The `image-label` of a table; none where it is empty. Its label values are never negative.
pub(super) fn image_label(table: &LabelTable) -> Option<Value> {
    let labels: Vec<_> = table.0.iter().filter(|(value, _)| **value >= 0).collect();
    if labels.is_empty() {
        return None;
    }
    let colors: Vec<_> = labels
        .iter()
        .map(|(value, label)| json!({"label-value": value, "rgba": label.rgba.map(|c| (c.clamp(0.0, 1.0) * 255.0).round() as u8)}))
        .collect();
    let properties: Vec<_> =
        labels.iter().map(|(value, label)| json!({"label-value": value, "name": label.name})).collect();
    Some(json!({"colors": colors, "properties": properties}))
}
