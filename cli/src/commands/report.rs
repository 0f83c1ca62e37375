use super::print_line;
use crate::args::ReportCommand;
use crate::group::group_html;
use crate::output::write_text;
use crate::page::{PageSource, typed_command};
use crate::report::longest_first;
use crate::{Error, ExitCode, LayerResults, Progress, Report, Result};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Name of the page in the folder of a result.
pub(crate) const PAGE: &str = "report.html";
/// Where times are looked for.
const TIMINGS: &str = "timings.json";

pub fn run(arguments: &ReportCommand, progress: &Progress) -> Result<ExitCode> {
    if let [_, _, ..] = arguments.folders.as_slice() {
        for (option, given) in [
            ("--out", arguments.out.is_some()),
            ("--title", arguments.title.is_some()),
            ("--volume", arguments.volume.is_some()),
            ("--timings", arguments.timings.is_some()),
        ] {
            if given {
                return Err(Error::Usage(format!(
                    "{option}: expected one folder, found {}; with several, each gets a {PAGE} of its own",
                    arguments.folders.len()
                )));
            }
        }
    }
    for folder in &arguments.folders {
        if !folder.is_dir() {
            return Err(Error::Missing { role: "folder of a result", path: folder.clone() });
        }
    }
    if let Some(path) = arguments.volume.as_ref().filter(|path| !path.exists()) {
        return Err(Error::Missing { role: "volume", path: path.clone() });
    }
    let mut listed = Vec::new();
    for folder in &arguments.folders {
        let page = arguments.out.clone().unwrap_or_else(|| folder.join(PAGE));
        if !(arguments.skip_existing && page.exists()) {
            write_page(arguments, folder, &page, progress)?;
        }
        listed.push((folder.clone(), page));
    }
    progress.finish();
    if let Some(path) = &arguments.group {
        let html = group_html(&listed, path)?;
        write_text(path, &html)?;
        print_line(format!("written   {} ({} results)", path.display(), listed.len()));
    }
    Ok(ExitCode::Done)
}

fn write_page(arguments: &ReportCommand, folder: &Path, page: &Path, progress: &Progress) -> Result<()> {
    let results = LayerResults::read(folder)?;
    let report = Report::parse(&folder.join("report.json"), &results.report)?;
    let timings = match &arguments.timings {
        Some(path) => read_timings(path)?,
        None => Some(folder.join(TIMINGS))
            .filter(|path| path.exists())
            .map_or(Ok(Vec::new()), |path| read_timings(&path))?,
    };
    let title = arguments.title.clone().unwrap_or_else(|| name_of(folder));
    let source =
        PageSource { results: &results, report: &report, folder, title, volume: arguments.volume.as_deref(), timings };
    let html = source.html(progress)?;
    write_text(page, &html)?;
    progress.finish();
    if arguments.json {
        let command = typed_command(&report, folder).ok();
        let told = serde_json::json!({ "page": page, "bytes": html.len(), "command": command });
        print_line(told.to_string());
    } else {
        print_line(format!("written   {} ({:.1} MB)", page.display(), html.len() as f64 / 1e6));
    }
    Ok(())
}

/// Name of a folder, also of `.` and `..`.
pub(crate) fn name_of(folder: &Path) -> String {
    let whole: PathBuf = folder.canonicalize().unwrap_or_else(|_| folder.into());
    whole.file_name().map_or_else(|| folder.display().to_string(), |name| name.to_string_lossy().into_owned())
}

fn read_timings(path: &Path) -> Result<Vec<(String, f64)>> {
    let text =
        std::fs::read_to_string(path).map_err(|source| brainmesh_formats::Error::Io { path: path.into(), source })?;
    let seconds: BTreeMap<String, f64> = serde_json::from_str(&text)
        .map_err(|error| Error::Unusable(format!("{}: expected seconds of stages: {error}", path.display())))?;
    Ok(longest_first(seconds))
}
