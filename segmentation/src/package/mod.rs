//! What is brought in as a model: a folder or ZIP archive in the form of bioimage.io 0.5, or a MONAI bundle.

mod bioimage;
mod config;
mod files;
mod monai;
mod transforms;
mod translation;

use crate::source::{MANIFEST, MAX_FILE_BYTES};
use crate::{Error, Manifest, Result};
use files::Files;
use std::path::Path;

/// A model that is to be added to a [`Store`](crate::Store): its manifest in the form of this program, and where its files
/// come from.
pub struct Package {
    files: Files,
    plan: Plan,
}

/// What becomes of the files of a package.
struct Plan {
    manifest: Manifest,
    /// As it is written.
    text: Vec<u8>,
    /// Names in the model's folder and in the package.
    sources: Vec<(String, String)>,
    notes: Vec<String>,
}

/// Names of manifests in packages, ours first.
const MANIFESTS: [&str; 2] = [MANIFEST, "bioimageio.yaml"];

impl Package {
    /// Opens a folder or a ZIP archive and makes a manifest of what it says; see `docs/models.md` for what is known. A step
    /// of a MONAI bundle that changes values and is not known is an error, unless it is to be left out.
    ///
    /// # Errors
    /// [`Error::Package`] for something else or what cannot be translated; what [`Manifest::parse`](crate::Manifest::parse)
    /// reports; files that cannot be read.
    pub fn open(path: impl AsRef<Path>, ignore_unknown: bool) -> Result<Self> {
        let path = path.as_ref();
        let markers = [MANIFESTS, monai::METADATA].concat();
        let mut files = Files::open(path, &markers)?;
        let plan = match MANIFESTS.into_iter().find(|name| files.has(name)) {
            Some(name) => bioimage::plan(&mut files, name)?,
            None if monai::METADATA.iter().any(|name| files.has(name)) => monai::plan(&mut files, ignore_unknown)?,
            None => {
                return Err(Error::Package {
                    path: path.into(),
                    field: "contents".into(),
                    expected: markers.join(" or "),
                    found: files.within("").join(", "),
                });
            }
        };
        Ok(Self { files, plan })
    }

    /// Folder or archive.
    pub fn path(&self) -> &Path {
        self.files.path()
    }

    /// A name for [`Store::add`](crate::Store::add) made from the manifest's: lower case letters, digits and hyphens.
    pub fn short_name(&self) -> String {
        let words = self.plan.manifest.name.to_ascii_lowercase();
        let words: Vec<&str> = words.split(|letter: char| !letter.is_ascii_alphanumeric()).collect();
        let mut name = words.into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>().join("-");
        name.truncate(crate::store::MAX_NAME);
        name.trim_end_matches('-').into()
    }

    /// What the model takes, gives and was made from.
    pub fn manifest(&self) -> &Manifest {
        &self.plan.manifest
    }

    /// What was left out or taken for granted.
    pub fn notes(&self) -> &[String] {
        &self.plan.notes
    }

    /// Writes manifest and files into a folder.
    pub(crate) fn write_to(&mut self, folder: &Path) -> Result<()> {
        let write = |name: &str, bytes: &[u8]| {
            let path = folder.join(name);
            let made = path.parent().map_or(Ok(()), std::fs::create_dir_all);
            made.and_then(|()| std::fs::write(&path, bytes)).map_err(|source| Error::Io { path, source })
        };
        for (name, source) in &self.plan.sources {
            write(name, &self.files.read(source, MAX_FILE_BYTES)?)?;
        }
        write(MANIFEST, &self.plan.text)
    }
}

fn json(document: &serde_json::Value) -> Vec<u8> {
    format!("{document:#}\n").into_bytes()
}
