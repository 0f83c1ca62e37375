use super::preview::Preview;
use super::tables::csv;
use super::wafer::WaferSections;
use crate::args::SegmentSections;
use crate::output::{Staging, write_json, write_text};
use crate::{Error, Result};
use brainmesh_formats::{Error as FormatsError, write_magc};
use std::path::{Path, PathBuf};

/// Files to write: they may be, and none is another or an input.
pub(super) struct Outputs {
    magc: PathBuf,
    geojson: Option<PathBuf>,
    csv: Option<PathBuf>,
    preview: Option<PathBuf>,
}

impl Outputs {
    /// # Errors
    /// [`Error::Usage`] for files that cannot be written, that exist already, that are the same or an input.
    pub fn plan(arguments: &SegmentSections) -> Result<Self> {
        let outputs = Self {
            magc: arguments.out.clone(),
            geojson: arguments.geojson.clone(),
            csv: arguments.csv.clone(),
            preview: arguments.preview.clone(),
        };
        let inputs: Vec<PathBuf> = [Some(&arguments.image), arguments.fluorescence.as_ref()]
            .into_iter()
            .flatten()
            .filter_map(|path| path.canonicalize().ok())
            .collect();
        let mut seen: Vec<&Path> = Vec::new();
        for (option, path, endings) in outputs.named() {
            let wrong = |text: String| Err(Error::Usage(format!("--{option} {}: {text}", path.display())));
            let ending = path.extension().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
            if !endings.contains(&ending.as_str()) {
                return wrong(format!("expected a name that ends in .{}", endings.join(" or .")));
            }
            let folder = folder_of(path);
            if !folder.is_dir() {
                return wrong(format!("the folder {} does not exist", folder.display()));
            }
            if path.is_dir() {
                return wrong("expected a file, found a folder".into());
            }
            if seen.contains(&path) {
                return wrong("expected another file than of the other options".into());
            }
            seen.push(path);
            if path.canonicalize().is_ok_and(|path| inputs.contains(&path)) {
                return wrong("expected another file than an input".into());
            }
            if path.exists() && !arguments.force {
                return wrong("exists already; --force replaces it".into());
            }
        }
        Ok(outputs)
    }

    fn named(&self) -> impl Iterator<Item = (&'static str, &Path, &'static [&'static str])> {
        let all: [(_, _, &'static [&'static str]); 4] = [
            ("out", Some(&self.magc), &["magc"]),
            ("geojson", self.geojson.as_ref(), &["geojson", "json"]),
            ("csv", self.csv.as_ref(), &["csv"]),
            ("preview", self.preview.as_ref(), &["png"]),
        ];
        all.into_iter().filter_map(|(option, path, endings)| Some((option, path?.as_path(), endings)))
    }

    /// Where hidden files may be.
    pub fn folder(&self) -> &Path {
        folder_of(&self.magc)
    }

    /// What keeps finished tiles.
    pub fn journal(&self) -> PathBuf {
        let mut name = self.magc.clone().into_os_string();
        name.push(".part");
        name.into()
    }

    /// All or none.
    ///
    /// # Errors
    /// [`Error::Write`].
    pub fn write(&self, wafer: &WaferSections, preview: Option<&Preview>) -> Result<()> {
        let mut stagings = Vec::new();
        for (option, path, _) in self.named() {
            let staging = Staging::new(folder_of(path))?;
            let hidden = staging.path().join(path.file_name().unwrap_or_default());
            match (option, preview) {
                ("out", _) => write_magc(&hidden, &wafer.marks()).map_err(|error| match error {
                    FormatsError::Io { source, .. } => Error::Write { path: path.into(), source },
                    error => error.into(),
                })?,
                ("geojson", _) => write_json(&hidden, &wafer.geojson())?,
                ("csv", _) => write_text(&hidden, &csv(wafer))?,
                (_, Some(preview)) => preview.write(&hidden)?,
                _ => {}
            }
            stagings.push(staging);
        }
        stagings.into_iter().try_for_each(|staging| staging.publish().map(drop))
    }
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}
