//! Brain sections on wafers: place, outline and angle of tissue and magnet parts in pictures of any size.

mod journal;
mod outputs;
mod picture;
mod preview;
mod reduction;
mod route;
mod search;
mod tables;
mod wafer;

pub use wafer::WaferSections;

use super::print_line;
use crate::args::SegmentSections;
use crate::{ExitCode, Progress, Result};
use brainmesh_core::Monitor;
use journal::Journal;
use outputs::Outputs;
use preview::Preview;
use search::{Search, Searched};
use serde_json::json;

pub fn run(arguments: &SegmentSections, threads: usize, progress: &Progress) -> Result<ExitCode> {
    let outputs = Outputs::plan(arguments)?;
    let mut search = Search::open(arguments, outputs.folder(), threads, progress)?;
    let mut journal = Journal::open(outputs.journal(), &search.identity(), arguments.resume)?;
    let searched = match search.run(Some(&mut journal), progress) {
        Ok(searched) => searched,
        Err(error) => {
            if journal.done.is_empty() {
                journal.remove();
            } else {
                let (count, path) = (journal.done.len(), journal.path().display());
                tracing::warn!("{path} keeps what {count} tiles held: --resume goes on from there");
            }
            return Err(error);
        }
    };
    progress.check()?;
    let preview = arguments.preview.as_ref().map(|_| {
        let [intensity, glow] = search.levels();
        let fluorescence = search.fluorescence.as_ref().map(|picture| (picture, glow));
        Preview::new((&search.intensity, intensity), fluorescence, &searched.wafer, arguments.scale)
    });
    outputs.write(&searched.wafer, preview.transpose()?.as_ref())?;
    journal.remove();
    progress.finish();
    searched.warnings.iter().for_each(|warning| tracing::warn!("{}: {warning}", arguments.image.display()));
    report(arguments, &searched);
    Ok(ExitCode::Done)
}

fn report(arguments: &SegmentSections, searched: &Searched) {
    let Searched { wafer, warnings, device, tiles, kept, time, pixels } = searched;
    let tissue = wafer.with_tissue;
    let pairs = wafer.sections.iter().filter(|section| section.tissue.is_some() && section.magnet.is_some()).count();
    let magnet = pairs + wafer.sections.len() - tissue;
    let [width, height] = wafer.size;
    let seconds = time.as_secs_f64();
    let megapixels = *pixels as f64 / 1e6;
    let pace = (megapixels > 0.0).then(|| seconds / megapixels);
    if arguments.json {
        let summary = json!({
            "input": arguments.image, "fluorescence": arguments.fluorescence, "output": arguments.out,
            "geojson": arguments.geojson, "csv": arguments.csv, "preview": arguments.preview,
            "size": [width, height], "scale": arguments.scale, "min_confidence": arguments.min_confidence,
            "tissue": tissue, "magnet": magnet, "pairs": pairs, "median_length_px": wafer.median_length_px(),
            "tiles": tiles, "tiles_kept": kept, "device": device,
            "network_seconds": seconds, "network_megapixels": megapixels, "seconds_per_megapixel": pace,
            "warnings": warnings,
        });
        print_line(summary.to_string());
        return;
    }
    print_line(arguments.out.display().to_string());
    print_line(format!(
        "  {tissue} tissue and {magnet} magnet parts, {pairs} of each belong together, on {width} x {height} pixels"
    ));
    if let Some(pace) = pace {
        print_line(format!("  the network took {seconds:.1} s, {pace:.2} s a million pixels"));
    }
    for path in [&arguments.geojson, &arguments.csv, &arguments.preview].into_iter().flatten() {
        print_line(path.display().to_string());
    }
}

/// What a network finds on a wafer, with what is to be known of it; nothing is written but hidden files in the system's folder for
/// these, which vanish.
///
/// # Errors
/// As the command.
pub fn segment_sections(
    arguments: &SegmentSections,
    threads: usize,
    monitor: &dyn Monitor,
) -> Result<(WaferSections, Vec<String>)> {
    let mut search = Search::open(arguments, &std::env::temp_dir(), threads, monitor)?;
    let searched = search.run(None, monitor)?;
    Ok((searched.wafer, searched.warnings))
}
