use super::super::print_line;
use super::case::Case;
use super::finder::Ventricle;
use super::phases::Phases;
use super::volumes::Volumes;
use crate::Result;
use crate::output::{json_text, write_json, write_text};
use brainmesh_segmentation::NearCentre;
use serde::Serialize;
use std::path::{Path, PathBuf};

/// Below this the network is more against than for every pixel.
const DOUBTFUL: f32 = 0.5;

/// What was found in a case.
#[derive(Debug, Serialize)]
pub(super) struct CaseReport {
    pub input: String,
    pub model: String,
    pub pictures: Vec<PictureReport>,
    /// Of DICOM: slices, phases.
    #[serde(skip_serializing_if = "Option::is_none")]
    stack: Option<Stack>,
    pub volumes: Volumes,
    pub warnings: Vec<String>,
}

/// What was found in a picture; slices and phases count from 1.
#[derive(Debug, Serialize)]
pub(super) struct PictureReport {
    pub picture: PathBuf,
    pub mask: PathBuf,
    pub contour: Option<PathBuf>,
    pub slice: Option<usize>,
    pub phase: Option<usize>,
    pub mask_pixels: usize,
    /// Inside the contour.
    pub area_mm2: Option<f64>,
    pub best_probability: f32,
}

#[derive(Debug, Serialize)]
struct Stack {
    slices_mm: Vec<f64>,
    slice_distance_mm: Option<f64>,
    phases: usize,
    phases_ms: Option<Vec<f64>>,
}

impl CaseReport {
    /// `found`, masks and contours are those of the case's pictures; `spacing_mm` of those that do not tell theirs.
    pub fn new(
        case: &Case,
        model: &str,
        phases: Option<&Phases>,
        found: &[Ventricle],
        spacing_mm: Option<f64>,
        two_phases: bool,
    ) -> Self {
        let mut warnings = case.warnings.clone();
        let mut pictures = Vec::new();
        for (n, (picture, ventricle)) in case.pictures.iter().zip(found).enumerate() {
            let (name, best) = (picture.name(), ventricle.best);
            if ventricle.contour.is_empty() {
                let least = NearCentre::LEAST;
                warnings.push(format!(
                    "{name}: no ventricle found: best probability {best:.3}, below {least}; its mask is empty"
                ));
            } else if best < DOUBTFUL {
                warnings.push(format!("{name}: doubtful: the best probability is {best:.2}"));
            }
            let spacing = picture.spacing_mm().or(spacing_mm.map(|mm| [mm; 2]));
            pictures.push(PictureReport {
                picture: picture.path.clone(),
                mask: PathBuf::new(),
                contour: None,
                slice: phases.map(|phases| phases.slice[n] + 1),
                phase: phases.map(|phases| phases.phase[n] + 1),
                mask_pixels: ventricle.mask.iter().filter(|&&inside| inside).count(),
                area_mm2: spacing.map(|[dx, dy]| ventricle.area_pixels() * dx * dy),
                best_probability: best,
            });
        }
        let areas: Vec<Option<f64>> = pictures.iter().map(|picture| picture.area_mm2).collect();
        let volumes = phases.map_or_else(
            || Volumes {
                not_given: Some("no volumes: PNG does not say where pictures lie".into()),
                ..Volumes::default()
            },
            |phases| Volumes::of(phases, &areas, two_phases),
        );
        let stack = phases.map(|phases| Stack {
            slices_mm: phases.places_mm.clone(),
            slice_distance_mm: phases.step_mm.as_ref().ok().copied(),
            phases: phases.count,
            phases_ms: phases.times_ms.clone(),
        });
        Self { input: case.input.clone(), model: model.into(), pictures, stack, volumes, warnings }
    }

    /// `volumes.json` and `areas.csv`.
    pub fn write(&self, folder: &Path) -> Result<()> {
        write_json(&folder.join("volumes.json"), self)?;
        let mut csv = String::from("picture,slice,phase,mask_pixels,area_mm2,best_probability\n");
        for picture in &self.pictures {
            let number = |value: Option<usize>| value.map(|value| value.to_string()).unwrap_or_default();
            let area = picture.area_mm2.map(|area| format!("{area:.2}")).unwrap_or_default();
            let name = picture.picture.to_string_lossy().replace('"', "\"\"");
            csv += &format!(
                "\"{name}\",{},{},{},{area},{:.4}\n",
                number(picture.slice),
                number(picture.phase),
                picture.mask_pixels,
                picture.best_probability
            );
        }
        write_text(&folder.join("areas.csv"), &csv)
    }

    /// One JSON object, or a few lines.
    pub fn print(&self, json: bool, place: &Path) -> Result<()> {
        if json {
            let text: String = json_text(place, self)?.lines().map(str::trim_start).collect();
            print_line(text);
            return Ok(());
        }
        let count = self.pictures.len();
        let found = self.pictures.iter().filter(|picture| picture.mask_pixels > 0).count();
        let stack = self.stack.as_ref().map_or(String::new(), |stack| {
            let apart = stack.slice_distance_mm.map(|mm| format!(" {mm:.2} mm apart")).unwrap_or_default();
            format!(", {} slices{apart}, {} phases", stack.slices_mm.len(), stack.phases)
        });
        print_line(format!("{}: {count} pictures{stack}; a ventricle in {found}", self.input));
        let times = self.stack.as_ref().and_then(|stack| stack.phases_ms.as_ref());
        for (n, ml) in self.volumes.phases_ml.iter().enumerate() {
            let time = times.and_then(|times| times.get(n)).map(|ms| format!(" ({ms:.0} ms)")).unwrap_or_default();
            print_line(format!("  phase {}{time}: {ml:.1} ml", n + 1));
        }
        if let Some(function) = &self.volumes.function {
            print_line(format!(
                "  end-diastole {:.1} ml (phase {}), end-systole {:.1} ml (phase {}), stroke volume {:.1} ml, ejection fraction {:.1} %",
                function.end_diastole_ml,
                function.end_diastole_phase,
                function.end_systole_ml,
                function.end_systole_phase,
                function.stroke_ml,
                100.0 * function.ejection_fraction
            ));
        }
        if let Some(why) = &self.volumes.not_given {
            print_line(format!("  {why}"));
        }
        Ok(())
    }
}
