use crate::{Result, fault};
use serde::de::DeserializeOwned;
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// Attributes beyond this are no metadata of an image.
const MOST_BYTES: u64 = 16 << 20;

/// Reads a JSON file.
pub(super) fn read<T: DeserializeOwned>(path: &Path) -> Result<T> {
    check_size(path)?;
    let mut text = Vec::new();
    File::open(path).and_then(|file| file.take(MOST_BYTES).read_to_end(&mut text)).map_err(fault::io(path))?;
    serde_json::from_slice(&text).map_err(|error| fault::invalid(path, "JSON", "OME-Zarr metadata", error))
}

/// Takes a part of a JSON file apart.
pub(super) fn parse<T: DeserializeOwned>(path: &Path, value: serde_json::Value) -> Result<T> {
    serde_json::from_value(value).map_err(|error| fault::invalid(path, "JSON", "OME-Zarr metadata", error))
}

/// Whether a metadata file is one, and short enough to be read whole; a pipe would be waited for without end.
pub(super) fn check_size(path: &Path) -> Result<()> {
    let metadata = path.metadata().map_err(fault::io(path))?;
    if !metadata.is_file() || metadata.len() > MOST_BYTES {
        let expected = format!("a file of at most {MOST_BYTES} bytes");
        return Err(fault::invalid(path, "metadata", expected, format!("{} bytes", metadata.len())));
    }
    Ok(())
}
