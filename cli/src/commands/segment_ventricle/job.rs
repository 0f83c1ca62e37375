use super::Failures;
use super::case::Case;
use super::finder::{POSSIBLE_MM, TRAINED_MM, Ventricle, VentricleFinder};
use super::overlay::{Overlay, Sheet};
use super::page::Source;
use super::phases::Phases;
use super::report::CaseReport;
use crate::args::SegmentVentricle;
use crate::output::Staging;
use crate::report::ModelSummary;
use crate::{Error, Progress, Result};
use brainmesh_core::Monitor;
use brainmesh_formats::{Error as FormatsError, write_contour, write_png};
use std::path::{Path, PathBuf};

/// Smaller sides of pictures without spacing for which the network's own can be taken.
const USUAL_SIDE: std::ops::RangeInclusive<usize> = 160..=384;

/// A case and where its results go, below the folder of all results.
pub(super) struct Job {
    pub case: Case,
    pub masks: Vec<PathBuf>,
    /// Of what is not one of a picture.
    pub folder: PathBuf,
}

impl Job {
    /// Refuses to replace inputs and, unless asked to, other files.
    pub fn check(&self, arguments: &SegmentVentricle) -> Result<()> {
        for (mask, picture) in self.masks.iter().zip(&self.case.pictures) {
            let mask = arguments.out.join(mask);
            let Ok(place) = mask.canonicalize() else { continue };
            if picture.path.canonicalize().is_ok_and(|input| input == place) {
                return Err(Error::Usage(format!("{}: expected another file than an input", mask.display())));
            }
            if !arguments.system.force && !arguments.system.skip_existing {
                let hint = "--force replaces it, --skip-existing leaves it";
                return Err(Error::Usage(format!("{}: exists already; {hint}", mask.display())));
            }
        }
        Ok(())
    }

    /// Finds the ventricle in all pictures of the case, and writes all or nothing.
    pub fn run(
        mut self,
        arguments: &SegmentVentricle,
        model: &ModelSummary,
        finder: &mut VentricleFinder,
        failures: &mut Failures,
        progress: &Progress,
    ) -> Result<()> {
        let staging = Staging::new(&arguments.out)?;
        // A page tells the times of its own case.
        let stages = if arguments.report { progress.finish().len() } else { 0 };
        if arguments.report {
            progress.stage("find ventricle", self.case.pictures.len() as u64);
        }
        let mut found = Vec::new();
        let mut unusable = Vec::new();
        for (n, picture) in self.case.pictures.iter().enumerate() {
            progress.check()?;
            let pixels = match picture.read() {
                Ok(pixels) => pixels,
                // One picture of a patient less would change volumes; one of a heap of pictures is one of them.
                Err(error) if picture.dicom.is_none() => {
                    failures.add(error)?;
                    unusable.push(n);
                    progress.advance(1);
                    continue;
                }
                Err(error) => return Err(error),
            };
            let [width, height] = pixels.size;
            let spacing_mm = picture.spacing_mm().or(arguments.spacing_mm.map(|mm| [mm; 2]));
            if spacing_mm.is_none() {
                warn_once(&mut self.case.warnings, without_spacing(picture.dicom.is_some(), width.min(height)));
            }
            if let Some(mm) = spacing_mm.filter(|mm| mm.iter().any(|mm| !POSSIBLE_MM.contains(mm))) {
                return Err(Error::Unusable(format!(
                    "{}: PixelSpacing: expected {} to {} mm, found {} x {}",
                    picture.path.display(),
                    POSSIBLE_MM.start(),
                    POSSIBLE_MM.end(),
                    mm[0],
                    mm[1]
                )));
            }
            let ventricle = finder.find(&pixels.values, width, spacing_mm, progress)?;
            let mask: Vec<u8> = ventricle.mask.iter().map(|&inside| if inside { 255 } else { 0 }).collect();
            let place = staged(&staging, &self.masks[n])?;
            written(&place, write_png(&place, pixels.size, &mask))?;
            if (picture.dicom.is_some() || arguments.contours) && !ventricle.contour.is_empty() {
                let place = place.with_file_name(picture.contour_name());
                written(&place, write_contour(&place, &ventricle.drawn()))?;
            }
            if arguments.overlays {
                let name = format!("{}-overlay.png", picture.stem);
                let beside = self.masks[n].parent().unwrap_or(Path::new(""));
                let place = staged(&staging, &Path::new("overlays").join(beside).join(name))?;
                let overlay = Overlay::new(&pixels, &ventricle.contour);
                written(&place, write_png(&place, overlay.size, &overlay.rgb))?;
            }
            found.push(ventricle);
            progress.advance(1);
        }
        for n in unusable.into_iter().rev() {
            self.case.pictures.remove(n);
            self.masks.remove(n);
        }
        if found.is_empty() {
            return Ok(());
        }
        let phases = self.case.headers().map(|headers| Phases::of(&headers));
        let (spacing_mm, two_phases) = (arguments.spacing_mm, arguments.two_phases);
        let mut report = CaseReport::new(&self.case, &model.name, phases.as_ref(), &found, spacing_mm, two_phases);
        let has_contours = arguments.contours || phases.is_some();
        for ((told, mask), (picture, ventricle)) in
            report.pictures.iter_mut().zip(&self.masks).zip(self.case.pictures.iter().zip(&found))
        {
            let contour = has_contours && !ventricle.contour.is_empty();
            told.contour = contour.then(|| mask.with_file_name(picture.contour_name()));
            told.mask.clone_from(mask);
        }
        let sheet =
            if arguments.overlays || arguments.report { self.sheet(phases.as_ref(), &found, progress)? } else { None };
        if let Some(sheet) = sheet.as_ref().filter(|_| arguments.overlays) {
            let place = staged(&staging, &Path::new("overlays").join(&self.folder).join("sheet.png"))?;
            written(&place, write_png(&place, sheet.size, &sheet.rgb))?;
        }
        let place = staged(&staging, &self.folder.join("volumes.json"))?;
        report.write(place.parent().unwrap_or(staging.path()))?;
        if arguments.report {
            let source = Source { report: &report, sheet: sheet.as_ref(), model, device: finder.device_note() };
            source.write(&place, stages, progress)?;
        }
        for warning in &report.warnings {
            tracing::warn!("{}: {warning}", report.input);
        }
        staging.publish()?;
        report.print(arguments.system.json, &arguments.out)
    }

    fn sheet(&self, phases: Option<&Phases>, found: &[Ventricle], progress: &Progress) -> Result<Option<Overlay>> {
        let count = found.len();
        // A row a slice; a column a slice where there are more slices than phases.
        let table = phases.map(|phases| (phases, phases.places_mm.len(), phases.count));
        let (columns, rows) = match table {
            Some((_, slices, count)) => (slices.max(count), slices.min(count)),
            None => (Sheet::columns(count), count.div_ceil(Sheet::columns(count))),
        };
        let Some(mut sheet) = Sheet::new(columns, rows) else {
            tracing::warn!("{}: no sheet of {count} pictures: too many", self.case.input);
            return Ok(None);
        };
        let points: Vec<[f64; 2]> = found.iter().flat_map(|ventricle| ventricle.contour.iter().copied()).collect();
        for (n, (picture, ventricle)) in self.case.pictures.iter().zip(found).enumerate() {
            progress.check()?;
            let pixels = picture.read()?;
            let middle = pixels.size.map(|length| length as f64 / 2.0);
            let mean = |axis: usize| points.iter().map(|point| point[axis]).sum::<f64>() / points.len() as f64;
            let centre = if points.is_empty() { middle } else { [mean(0), mean(1)] };
            let place = match table {
                Some((phases, slices, count)) if slices > count => [phases.slice[n], phases.phase[n]],
                Some((phases, ..)) => [phases.phase[n], phases.slice[n]],
                None => [n % columns, n / columns],
            };
            sheet.put(place, &pixels, &ventricle.contour, centre);
        }
        Ok(Some(sheet.into_overlay()))
    }
}

fn warn_once(warnings: &mut Vec<String>, warning: Option<String>) {
    if let Some(warning) = warning
        && !warnings.contains(&warning)
    {
        warnings.push(warning);
    }
}

/// What people should know of pictures that do not tell the distance of their pixels.
fn without_spacing(is_dicom: bool, side: usize) -> Option<String> {
    if is_dicom {
        let taken = format!("pixels taken as {TRAINED_MM:.2} mm for the network; areas are not known");
        return Some(format!("PixelSpacing: expected a value, found none: {taken}; --spacing-mm says what they are"));
    }
    (!USUAL_SIDE.contains(&side)).then(|| {
        format!(
            "pictures of {side} pixels: the network expects pixels of {TRAINED_MM:.2} mm, as of 350 mm in 256; --spacing-mm says \
             what they are"
        )
    })
}

/// Where a result is written for now; its folder is made.
fn staged(staging: &Staging, place: &Path) -> Result<PathBuf> {
    let path = staging.path().join(place);
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(|source| Error::Write { path: folder.into(), source })?;
    }
    Ok(path)
}

fn written(path: &Path, result: std::result::Result<(), FormatsError>) -> Result<()> {
    result.map_err(|error| match error {
        FormatsError::Io { source, .. } => Error::Write { path: path.into(), source },
        error => error.into(),
    })
}
