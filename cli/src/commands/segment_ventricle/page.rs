use super::overlay::Overlay;
use super::report::CaseReport;
use crate::report::ModelSummary;
use crate::run_page::{Run, panel};
use crate::{Error, Progress, Result};
use brainmesh_report::{Fact, Picture, SlicePanel, Table};
use std::path::Path;

/// Name of the page in the folder of a case.
const PAGE: &str = "report.html";

/// What the page of a case is made of.
pub(super) struct Source<'a> {
    pub report: &'a CaseReport,
    pub sheet: Option<&'a Overlay>,
    pub model: &'a ModelSummary,
    pub device: String,
}

impl Source<'_> {
    /// Writes the page beside `volumes`, the figures of the case, which are not yet where they will be; `stages` of the run before belong
    /// to other cases.
    ///
    /// # Errors
    /// Files that cannot be read again, a page that cannot be written.
    pub fn write(self, volumes: &Path, stages: usize, progress: &Progress) -> Result<()> {
        let timings = progress.finish();
        let report = self.report;
        let summary = serde_json::to_value(report).map_err(|error| Error::Unusable(error.to_string()))?;
        // Frames of one file are pictures of their own.
        let mut pictures: Vec<&Path> = report.pictures.iter().map(|picture| picture.picture.as_path()).collect();
        pictures.dedup();
        let run = Run {
            title: report.input.clone(),
            what: "Left ventricle",
            inputs: pictures.into_iter().map(|path| ("picture", path)).collect(),
            outputs: Vec::new(),
            model: self.model,
            device: self.device,
            facts: facts(report),
            warnings: &report.warnings,
            pictures: self.sheet.map(of_sheet).transpose()?.into_iter().collect(),
            pictures_note: "Every picture around the place of the ventricle, with the contour that was found.",
            legend: Vec::new(),
            tables: tables(report),
            timings: timings.get(stages..).unwrap_or_default(),
            summary: &summary,
        };
        run.write(&volumes.with_file_name(PAGE), progress)
    }
}

fn of_sheet(sheet: &Overlay) -> Result<SlicePanel> {
    let rgba = sheet.rgb.chunks_exact(3).flat_map(|rgb| [rgb[0], rgb[1], rgb[2], 255]).collect();
    panel("All pictures with their contours".into(), &Picture::new(sheet.size, rgba)?, [' '; 4])
}

fn facts(report: &CaseReport) -> Vec<Fact> {
    let fact = |name: &str, value: String, note: String| Fact { name: name.into(), value, note, warns: false };
    let empty = report.pictures.iter().filter(|picture| picture.mask_pixels == 0).count();
    let mut facts = vec![fact("Pictures", report.pictures.len().to_string(), format!("{empty} without a ventricle"))];
    if let Some(function) = &report.volumes.function {
        let phase = |n: usize| format!("phase {n}");
        facts.extend([
            fact("End-diastole", format!("{:.1} ml", function.end_diastole_ml), phase(function.end_diastole_phase)),
            fact("End-systole", format!("{:.1} ml", function.end_systole_ml), phase(function.end_systole_phase)),
            fact("Stroke volume", format!("{:.1} ml", function.stroke_ml), String::new()),
            fact("Ejection fraction", format!("{:.1} %", 100.0 * function.ejection_fraction), String::new()),
        ]);
    } else if let Some(why) = &report.volumes.not_given {
        facts.push(fact("Volumes", "-".into(), why.clone()));
    }
    facts
}

fn tables(report: &CaseReport) -> Vec<(String, Table)> {
    let mut tables = Vec::new();
    if !report.volumes.phases_ml.is_empty() {
        let head = ["Phase", "Volume (ml)"].map(Into::into).to_vec();
        let volumes = report.volumes.phases_ml.iter().enumerate();
        let rows = volumes.map(|(n, ml)| vec![(n + 1).to_string(), format!("{ml:.1}")]).collect();
        tables.push(("Volumes".into(), Table { head, rows }));
    }
    let number = |n: Option<usize>| n.map_or_else(|| "-".into(), |n| n.to_string());
    let head = ["Picture", "Slice", "Phase", "Pixels of the mask", "Area (mm2)", "Best probability"];
    let rows = report
        .pictures
        .iter()
        .map(|picture| {
            vec![
                picture.picture.display().to_string(),
                number(picture.slice),
                number(picture.phase),
                picture.mask_pixels.to_string(),
                picture.area_mm2.map_or_else(|| "-".into(), |area| format!("{area:.1}")),
                format!("{:.3}", picture.best_probability),
            ]
        })
        .collect();
    tables.push(("Pictures".into(), Table { head: head.map(Into::into).to_vec(), rows }));
    tables
}
