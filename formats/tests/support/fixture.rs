//! Committed files.

use std::path::{Path, PathBuf};

/// A file of data/surfaces.
pub fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/surfaces").join(name)
}
