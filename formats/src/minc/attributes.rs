use crate::{Result, fault};
use std::path::Path;

/// The attributes of one variable; names are those of the format reference. None where there is no such attribute; one
/// that is there but of another type, or cannot be read, is an error and never replaced by a default.
pub(super) trait Attributes {
    /// Numbers of any type.
    fn numbers(&self, path: &Path, name: &str) -> Result<Option<Vec<f64>>>;
    /// Text without the padding of C strings.
    fn text(&self, path: &Path, name: &str) -> Result<Option<String>>;
}

/// One finite number.
pub(super) fn number(path: &Path, of: &impl Attributes, variable: &str, name: &str) -> Result<Option<f64>> {
    let Some(found) = of.numbers(path, name)? else { return Ok(None) };
    match found[..] {
        [value] if value.is_finite() => Ok(Some(value)),
        _ => Err(fault::invalid(path, format!("{variable}:{name}"), "one finite number", format!("{found:?}"))),
    }
}

/// A known number of finite numbers.
pub(super) fn numbers<const N: usize>(
    path: &Path,
    of: &impl Attributes,
    variable: &str,
    name: &str,
) -> Result<Option<[f64; N]>> {
    let Some(found) = of.numbers(path, name)? else { return Ok(None) };
    match <[f64; N]>::try_from(found.as_slice()) {
        Ok(values) if values.iter().all(|v| v.is_finite()) => Ok(Some(values)),
        _ => {
            Err(fault::invalid(path, format!("{variable}:{name}"), format!("{N} finite numbers"), format!("{found:?}")))
        }
    }
}

/// Cuts the padding of a C string.
pub(super) fn unpadded(text: &str) -> String {
    text.trim_end_matches(['\0', ' ']).into()
}
