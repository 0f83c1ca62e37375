use crate::source::read_file;
use crate::{Error, Result};
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use zip::ZipArchive;

/// The files of a package: a folder, or a ZIP archive that is never unpacked as a whole. Only files that are asked for by
/// name are read, so that what else an archive holds, and where it would go, does not matter.
pub(super) enum Files {
    Folder(PathBuf),
    Zip { path: PathBuf, archive: Box<ZipArchive<File>>, prefix: String },
}

/// Weights and images shrink to a half or a tenth; beyond this an archive is made to fill a disk.
const MOST_SHRUNK: u64 = 200;

impl Files {
    /// Opens a folder or an archive. In an archive all files may lie in one folder, as in most downloads: the one that
    /// holds one of `markers`.
    pub fn open(path: &Path, markers: &[&str]) -> Result<Self> {
        if path.is_dir() {
            return Ok(Self::Folder(path.into()));
        }
        let file = File::open(path).map_err(|source| Error::Io { path: path.into(), source })?;
        let archive = ZipArchive::new(file).map_err(|error| Error::Package {
            path: path.into(),
            field: "file".into(),
            expected: "a folder or a ZIP archive".into(),
            found: error.to_string(),
        })?;
        let prefix = names(&archive)
            .filter_map(|name| markers.iter().find_map(|marker| Some(name.strip_suffix(marker)?.to_owned())))
            .filter(|prefix| prefix.is_empty() || prefix.find('/') == Some(prefix.len() - 1))
            .min_by_key(String::len);
        let prefix = prefix.unwrap_or_default();
        Ok(Self::Zip { path: path.into(), archive: Box::new(archive), prefix })
    }

    pub fn path(&self) -> &Path {
        match self {
            Self::Folder(path) | Self::Zip { path, .. } => path,
        }
    }

    pub fn has(&self, name: &str) -> bool {
        match self {
            Self::Folder(folder) => folder.join(name).is_file(),
            Self::Zip { archive, prefix, .. } => archive.index_for_name(&format!("{prefix}{name}")).is_some(),
        }
    }

    /// Names of the files in a folder of the package, for messages.
    pub fn within(&self, folder: &str) -> Vec<String> {
        let mut names: Vec<String> = match self {
            Self::Folder(path) => {
                let entries = std::fs::read_dir(path.join(folder)).into_iter().flatten().flatten();
                entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
            }
            Self::Zip { archive, prefix, .. } => {
                let prefix = if folder.is_empty() { prefix.clone() } else { format!("{prefix}{folder}/") };
                let names = names(archive).filter_map(|name| Some(name.strip_prefix(&prefix)?.to_owned()));
                names.filter(|name| !name.is_empty() && !name.contains('/')).collect()
            }
        };
        names.sort();
        // Enough to see what it is.
        names.truncate(20);
        names
    }

    pub fn read(&mut self, name: &str, limit_bytes: u64) -> Result<Vec<u8>> {
        match self {
            Self::Folder(folder) => read_file(&folder.join(name), limit_bytes),
            Self::Zip { path, archive, prefix } => {
                let shown = path.join(name);
                let damaged = |found: String| Error::Package {
                    path: shown.clone(),
                    field: "archive".into(),
                    expected: "a file that can be unpacked".into(),
                    found,
                };
                let entry = archive.by_name(&format!("{prefix}{name}"));
                let entry = entry.map_err(|error| damaged(error.to_string()))?;
                let (found_bytes, packed_bytes) = (entry.size(), entry.compressed_size());
                if found_bytes > limit_bytes {
                    return Err(Error::TooLarge { path: shown, limit_bytes, found_bytes });
                }
                if found_bytes / MOST_SHRUNK > packed_bytes + (1 << 20) {
                    return Err(damaged(format!("{found_bytes} bytes packed into {packed_bytes}")));
                }
                let mut bytes = Vec::new();
                // What the archive says of its size is not believed; its checksum is compared at the end.
                let read = entry.take(found_bytes + 1).read_to_end(&mut bytes);
                read.map_err(|error| damaged(error.to_string()))?;
                if bytes.len() as u64 != found_bytes {
                    return Err(damaged(format!("{} bytes, {found_bytes} in its directory", bytes.len())));
                }
                Ok(bytes)
            }
        }
    }
}

/// Names that can be read; others name no file of ours.
fn names(archive: &ZipArchive<File>) -> impl Iterator<Item = String> {
    archive.file_names().flatten().map(|name| name.into_owned())
}
