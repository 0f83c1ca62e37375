//! The page of a result: what its files hold, put into words and pictures. Drawing itself is in brainmesh-report.

mod methods;
mod places;
mod scene;
mod slice_plan;
mod slices;
mod thickness;
mod typed;
mod volume_slice;
mod words;

pub(crate) use scene::color_of;
pub(crate) use slice_plan::{SlicePlan, outlines};
pub(crate) use typed::{quoted, typed_command};
pub(crate) use volume_slice::{Frame, SliceVolume};
pub(crate) use words::{bar_color, bytes, made_with, surface_names, timings};

use crate::{Error, LayerResults, Report, Result};
use brainmesh_core::{Monitor, layer_color};
use brainmesh_report::{Input, Page, View};
use std::path::{Path, PathBuf};

/// What a page is made of.
pub(crate) struct PageSource<'a> {
    pub results: &'a LayerResults,
    pub report: &'a Report,
    /// The folder of the result.
    pub folder: &'a Path,
    /// What the page is called.
    pub title: String,
    /// Volume to show in place of the one of the run.
    pub volume: Option<&'a Path>,
    /// Wall time of every stage in seconds; empty where it is not known.
    pub timings: Vec<(String, f64)>,
}

impl PageSource<'_> {
    /// The file.
    ///
    /// # Errors
    /// A volume that was asked for and cannot be shown; cancellation.
    pub fn html(&self, monitor: &dyn Monitor) -> Result<String> {
        let (results, report) = (self.results, self.report);
        let structure = results.surfaces[0].structure();
        monitor.stage("packing surfaces", 1);
        let (scene, scene_note) = scene::scene(results)?;
        let still = scene::still(results)?;
        monitor.check()?;
        let slices = slices::slices(self, monitor)?;
        monitor.check()?;
        let (histograms, thickness) = thickness::thickness(results, report);
        let (places, places_left_out) = places::places(results);
        let command = typed_command(report, self.folder);
        let views = View::ALL.map(|view| {
            let [azimuth, elevation] = view.azimuth_elevation(structure);
            (view.name().to_string(), azimuth, elevation)
        });
        let page = Page {
            title: self.title.clone(),
            subtitle: words::subtitle(report),
            facts: words::facts(report),
            notes: report.notes.clone(),
            still,
            scene: Page::pack(&scene)?,
            views: views.to_vec(),
            scene_note,
            slices: slices.whole,
            details: slices.details,
            slices_note: slices.note,
            legend: surface_names()
                .into_iter()
                .enumerate()
                .map(|(k, name)| (name, bar_color(bytes(layer_color(k)))))
                .collect(),
            histograms,
            thickness,
            published_source: thickness::SOURCE.into(),
            defects: words::defects(report),
            places,
            places_left_out,
            certificate: words::certificate(report),
            methods: methods::methods(report),
            citations: methods::CITATIONS.map(String::from).to_vec(),
            inputs: report
                .inputs
                .iter()
                .map(|i| Input { role: i.role.clone(), path: i.path.clone(), sha256: i.sha256.clone() })
                .collect(),
            made_with: words::made_with(&report.brainmesh, &report.model, &report.device),
            timings: words::timings(&self.timings),
            command_is_whole: command.is_ok(),
            command: command.unwrap_or_else(|why| why),
            json: results.report.clone(),
        };
        Ok(page.html()?)
    }
}

/// A file that `report.json` names: as it is written there, or else beside the folder of the result.
pub(crate) fn find_input(report: &Report, role: &str, folder: &Path) -> Option<PathBuf> {
    let named = report.inputs.iter().find(|input| input.role == role)?;
    let path = PathBuf::from(&named.path);
    let beside = || Some(folder.parent()?.join(path.file_name()?));
    if path.exists() { Some(path) } else { beside().filter(|path| path.exists()) }
}

/// Whether a file is the one of the run.
///
/// # Errors
/// A file that cannot be read.
pub(crate) fn is_input(report: &Report, role: &'static str, path: &Path) -> Result<bool> {
    let found = crate::report::InputFile::hash(role, path)
        .map_err(|error| Error::Unusable(format!("{}: {error}", path.display())))?;
    Ok(report.inputs.iter().any(|input| input.role == role && input.sha256 == found.sha256))
}
