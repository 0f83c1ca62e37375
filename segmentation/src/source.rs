use crate::embedded::Embedded;
use crate::{Error, FileReference, Result};
use sha2::{Digest, Sha256};
use std::borrow::Cow;
use std::fmt::Write as _;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

/// Larger than any network this program can hold, and its test tensors.
pub(crate) const MAX_FILE_BYTES: u64 = 1 << 30;
pub(crate) const MAX_MANIFEST_BYTES: u64 = 1 << 20;
/// Name of a manifest.
pub(crate) const MANIFEST: &str = "rdf.yaml";

/// Where the files of a model lie.
#[derive(Clone)]
pub(crate) enum Source {
    /// `shown` stands for `folder` in messages.
    Folder {
        folder: PathBuf,
        shown: PathBuf,
    },
    Embedded(&'static Embedded),
}

impl Source {
    pub fn path(&self, file: &str) -> PathBuf {
        match self {
            Self::Folder { shown, .. } => shown.join(file),
            Self::Embedded(embedded) => Path::new(embedded.name).join(file),
        }
    }

    /// Reads a file and compares its hash with the manifest's.
    pub fn read(&self, file: &FileReference) -> Result<Cow<'static, [u8]>> {
        let path = self.path(&file.source);
        let bytes = match self {
            Self::Folder { folder, .. } => Cow::Owned(read_file(&folder.join(&file.source), MAX_FILE_BYTES)?),
            Self::Embedded(embedded) => {
                let found = embedded.files.iter().find(|(name, _)| *name == file.source);
                let (_, bytes) = found
                    .ok_or_else(|| Error::Io { path: path.clone(), source: std::io::ErrorKind::NotFound.into() })?;
                Cow::Borrowed(*bytes)
            }
        };
        let found = sha256(&bytes);
        if !found.eq_ignore_ascii_case(&file.sha256) {
            return Err(Error::Checksum { path, expected: file.sha256.clone(), found });
        }
        Ok(bytes)
    }
}

pub(crate) fn read_file(path: &Path, limit_bytes: u64) -> Result<Vec<u8>> {
    let io = |source| Error::Io { path: path.into(), source };
    let file = File::open(path).map_err(io)?;
    let found_bytes = file.metadata().map_err(io)?.len();
    if found_bytes > limit_bytes {
        return Err(Error::TooLarge { path: path.into(), limit_bytes, found_bytes });
    }
    let mut bytes = Vec::new();
    // A special file has no length: the limit holds for what is read.
    file.take(limit_bytes).read_to_end(&mut bytes).map_err(io)?;
    Ok(bytes)
}

/// As 64 hexadecimal digits.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
