//! The page of one run of a system (`--report`): what went in and came out, pictures, figures, and the command.

mod planes;

pub(crate) use planes::{panel, planes};

use crate::output::write_text;
use crate::page::{bar_color, made_with, quoted, timings};
use crate::report::{InputFile, ModelSummary, longest_first, seconds_of_stages};
use crate::{Error, Progress, Result};
use brainmesh_formats::VolumeFormat;
use brainmesh_report::{Fact, Input, RunPage, SlicePanel, Table};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// What a run has to tell.
pub(crate) struct Run<'a> {
    /// The input, as a title has it.
    pub title: String,
    /// What was found in it.
    pub what: &'static str,
    pub inputs: Vec<(&'static str, &'a Path)>,
    pub outputs: Vec<(&'static str, &'a Path)>,
    pub model: &'a ModelSummary,
    pub device: String,
    pub facts: Vec<Fact>,
    pub warnings: &'a [String],
    pub pictures: Vec<SlicePanel>,
    pub pictures_note: &'static str,
    /// Names and colours of what is drawn over the pictures.
    pub legend: Vec<(String, [u8; 3])>,
    pub tables: Vec<(String, Table)>,
    pub timings: &'a [(&'static str, Duration)],
    /// What `--json` prints.
    pub summary: &'a serde_json::Value,
}

impl Run<'_> {
    /// Writes the page; files are hashed.
    ///
    /// # Errors
    /// Files that cannot be read, a page that cannot be written.
    pub fn write(self, path: &Path, progress: &Progress) -> Result<()> {
        use brainmesh_core::Monitor;
        progress.stage("writing the page", 1);
        let page = RunPage {
            title: self.title,
            subtitle: format!("{} by brainmesh {}", self.what, env!("CARGO_PKG_VERSION")),
            facts: self.facts,
            notes: self.warnings.to_vec(),
            pictures: self.pictures,
            pictures_note: self.pictures_note.into(),
            legend: self.legend.into_iter().map(|(name, color)| (name, bar_color(color))).collect(),
            tables: self.tables,
            inputs: hashed(self.inputs)?,
            outputs: hashed(self.outputs)?,
            made_with: made_with(env!("CARGO_PKG_VERSION"), self.model, &self.device),
            timings: timings(&longest_first(seconds_of_stages(self.timings))),
            command: std::env::args_os().map(|word| quoted(&word.to_string_lossy())).collect::<Vec<_>>().join(" "),
            json: format!("{:#}", self.summary),
        };
        write_text(path, &page.html()?)
    }
}

fn hashed(files: Vec<(&'static str, &Path)>) -> Result<Vec<Input>> {
    files
        .into_iter()
        .map(|(role, path)| {
            let file =
                InputFile::hash(role, path).map_err(|error| Error::Unusable(format!("{}: {error}", path.display())))?;
            Ok(Input { role: file.role, path: file.path, sha256: file.sha256 })
        })
        .collect()
}

/// `seg.nii.gz`: `seg_report.html`.
///
/// # Errors
/// [`Error::Usage`] for a page that exists, unless results are replaced.
pub(crate) fn page_beside(result: &Path, replaces: bool) -> Result<PathBuf> {
    let name = result.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let endings = VolumeFormat::ALL.into_iter().flat_map(VolumeFormat::extensions);
    let ending = endings.filter(|ending| name.to_ascii_lowercase().ends_with(&format!(".{ending}")));
    let length = ending.map(|ending| ending.len() + 1).max().unwrap_or(0);
    let page = result.with_file_name(format!("{}_report.html", &name[..name.len() - length]));
    if page.exists() && !replaces {
        return Err(Error::Usage(format!("{}: exists already; --force replaces it", page.display())));
    }
    Ok(page)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_lie_beside_results() {
        for (result, page) in [
            ("a/seg.nii.gz", "a/seg_report.html"),
            ("prob.TIF", "prob_report.html"),
            ("x.y.ome.zarr", "x.y_report.html"),
            ("plain", "plain_report.html"),
        ] {
            assert_eq!(page_beside(Path::new(result), false).unwrap(), Path::new(page));
        }
    }
}
