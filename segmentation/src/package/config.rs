use super::Files;
use crate::manifest;
use crate::source::MAX_MANIFEST_BYTES;
use crate::{Error, Result};
use serde_json::{Map, Value};
use std::path::PathBuf;

/// A configuration file of a MONAI bundle. Values may refer to others (`@key`, `@key#inner` or `@key::inner`); what only
/// Python can evaluate (`$...`) is no value.
pub(super) struct Config {
    pub path: PathBuf,
    pub root: Value,
}

/// References that refer to references.
const MOST_STEPS: usize = 16;

impl Config {
    /// Reads the first of these files that there is.
    pub fn read(files: &mut Files, names: &[&str]) -> Result<Self> {
        let name = names.iter().find(|name| files.has(name)).unwrap_or(&names[0]);
        let path = files.path().join(name);
        let root = manifest::yaml_value(&files.read(name, MAX_MANIFEST_BYTES)?, &path)?;
        Ok(Self { path, root })
    }

    pub fn wrong(&self, field: impl Into<String>, expected: impl Into<String>, found: impl Into<String>) -> Error {
        Error::Package { path: self.path.clone(), field: field.into(), expected: expected.into(), found: found.into() }
    }

    /// A value with references followed. `field` is named in errors.
    pub fn resolve<'v>(&'v self, value: &'v Value, field: &str) -> Result<&'v Value> {
        let mut value = value;
        for _ in 0..MOST_STEPS {
            let Some(text) = value.as_str() else { return Ok(value) };
            let reference = text.strip_prefix('$').unwrap_or(text).strip_prefix('@');
            let path = reference.map(|path| path.replace("::", "#"));
            let target = path.as_ref().and_then(|path| self.root.pointer(&format!("/{}", path.replace('#', "/"))));
            match target {
                Some(target) => value = target,
                None if text.starts_with('$') || text.starts_with('@') => break,
                None => return Ok(value),
            }
        }
        Err(self.wrong(field, "a value, or a reference to one", format!("`{value}`, which only Python can evaluate")))
    }

    /// A value of an object; nothing for null.
    pub fn get<'v>(&'v self, object: &'v Map<String, Value>, key: &str, field: &str) -> Result<Option<&'v Value>> {
        let value = object.get(key).map(|value| self.resolve(value, &format!("{field}.{key}"))).transpose()?;
        Ok(value.filter(|value| !value.is_null()))
    }

    pub fn number(&self, object: &Map<String, Value>, key: &str, field: &str) -> Result<Option<f64>> {
        let Some(value) = self.get(object, key, field)? else { return Ok(None) };
        let number = value.as_f64().filter(|number| number.is_finite());
        number.map(Some).ok_or_else(|| self.wrong(format!("{field}.{key}"), "a number", value.to_string()))
    }

    /// Numbers of a list, or one number for all.
    pub fn numbers(
        &self,
        object: &Map<String, Value>,
        key: &str,
        field: &str,
        count: usize,
    ) -> Result<Option<Vec<f64>>> {
        let Some(value) = self.get(object, key, field)? else { return Ok(None) };
        let numbers = match value {
            Value::Array(items) if items.len() == count => items
                .iter()
                .map(|item| Ok(self.resolve(item, field)?.as_f64()))
                .collect::<Result<Option<Vec<f64>>>>()?,
            value => value.as_f64().map(|number| vec![number; count]),
        };
        let numbers = numbers.filter(|numbers| numbers.iter().all(|number| number.is_finite()));
        let expected = format!("a number, or {count} of them");
        numbers.map(Some).ok_or_else(|| self.wrong(format!("{field}.{key}"), expected, value.to_string()))
    }

    /// Some bundles write `"True"`. The first, of a list with one for each key.
    pub fn flag(&self, object: &Map<String, Value>, key: &str, field: &str) -> Result<bool> {
        let value = self.get(object, key, field)?;
        let value = value.and_then(|value| value.as_array().map_or(Some(value), |values| values.first()));
        match value {
            None => Ok(false),
            Some(Value::Bool(flag)) => Ok(*flag),
            Some(Value::String(text)) if text.eq_ignore_ascii_case("true") => Ok(true),
            Some(Value::String(text)) if text.eq_ignore_ascii_case("false") => Ok(false),
            Some(other) => Err(self.wrong(format!("{field}.{key}"), "true or false", other.to_string())),
        }
    }

    /// The transforms of a `Compose`, or of a list, with their names (without `monai.transforms.`).
    pub fn transforms(&self, key: &str) -> Result<Vec<(String, &Map<String, Value>)>> {
        let expected = "a Compose of transforms";
        let value = self.root.get(key).ok_or_else(|| self.wrong(key, expected, "nothing"))?;
        let mut value = self.resolve(value, key)?;
        if let Some(transforms) = value.get("transforms") {
            value = self.resolve(transforms, key)?;
        }
        let Value::Array(items) = value else { return Err(self.wrong(key, expected, "another value")) };
        let mut transforms = Vec::new();
        for item in items {
            let item = self.resolve(item, key)?;
            let name = item.get("_target_").and_then(Value::as_str);
            let (Some(name), Value::Object(item)) = (name, item) else {
                return Err(self.wrong(key, "transforms with `_target_`", item.to_string()));
            };
            if !self.flag(item, "_disabled_", key)? {
                let name = name.rsplit('.').next().unwrap_or(name);
                // Spelt in three ways.
                let stem = name.strip_suffix("Dict").or_else(|| name.strip_suffix('D'));
                transforms.push((stem.map_or_else(|| name.into(), |stem| format!("{stem}d")), item));
            }
        }
        Ok(transforms)
    }
}
