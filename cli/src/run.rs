use crate::input::{Sampled, Span};
use crate::layers::Layers;
use crate::output::{Staging, write_json};
use crate::plan::decode_options;
use crate::report::{GivenRaysSummary, InputFile, LayerSummary, ModelSummary, count_defects, mean_sd};
use crate::{Error, Plan, Report, Result};
use brainmesh_core::{
    BOUNDARY_COUNT, Channel, LAYER_NAMES, LabelTable, Monitor, RayDefect, RayOutcome, RaySet, Ribbon, layer_color,
};
use brainmesh_formats::{SceneSurface, SurfaceFormat, VertexMaps};
use brainmesh_meshing::{Smoothed, Smoothing, decode, fill, mark_damage, smooth_boundaries};
use brainmesh_segmentation::{Polarity, normalise};
use ndarray::Array2;
use std::path::{Path, PathBuf};

/// What a run gives: the report, the files, and whether there are more defects than allowed.
pub struct Outcome {
    /// Also written as `report.json`.
    pub report: Report,
    /// Files written, sorted.
    pub files: Vec<PathBuf>,
    /// More defects than `--max-defects`.
    pub too_many_defects: bool,
}

impl Plan {
    /// Runs the plan: reads, samples, classifies, finds boundaries, checks, writes. All files appear, or none.
    ///
    /// # Errors
    /// See [`crate::Error`]; nothing is written then.
    pub fn run(&self, monitor: &dyn Monitor) -> Result<Outcome> {
        let staging = Staging::new(&self.out)?;
        let task = &self.task;
        let inputs = self.inputs.hash()?;
        let wanted: Vec<Channel> = task.channels.iter().map(|c| c.channel).collect();
        let Sampled { ribbon, rays, attached, profiles } = self.inputs.sample(&wanted, task.samples, monitor)?;

        let mut session = self.open_session()?;
        let polarity = if self.inputs.bright_is_dense { Polarity::BrightIsDense } else { Polarity::DarkIsDense };
        let probabilities = session.classify(&normalise(&profiles, &rays, task, polarity)?, monitor)?;

        let neighbours = ribbon.neighbours();
        let decoded = decode(&probabilities, &rays, profiles.defects(), &decode_options(task), monitor)?;
        let decoded = mark_damage(&decoded, &profiles, &rays, !self.inputs.bright_is_dense)?;
        let (decoded, rays) = match &attached {
            Some(attached) => (attached.onto_own(&decoded)?, attached.own.clone()),
            None => (decoded, rays),
        };
        let filled = fill(&decoded, &rays, &neighbours)?;
        let Smoothed { boundaries, lengths_mm } =
            smooth_boundaries(&filled, &ribbon, &rays, &self.smooth_options(), monitor)?;
        if attached.is_some() && lengths_mm == [0.0; BOUNDARY_COUNT] {
            return Err(Error::Unusable(
                "--rays: too few measured rays to interpolate between them; give more rays, or a --smoothing length"
                    .into(),
            ));
        }
        let layers = Layers::new(&ribbon, &rays, boundaries, self.keep_crossings, monitor)?;

        monitor.check()?;
        let mut report = self.report(inputs, &session.device_note(), lengths_mm, &rays, &layers);
        report.given_rays = attached.as_ref().map(GivenRaysSummary::new);
        monitor.stage("writing results", 1);
        self.write(staging.path(), &ribbon, &layers, &report)?;
        monitor.advance(1);
        monitor.check()?;
        let defective = layers.boundaries.outcomes().iter().filter(|o| counts_as_defect(**o)).count();
        let crossing = layers.certificate.vertices.len();
        let too_many_defects = self.max_defects.is_some_and(|limit| limit.exceeded(defective + crossing, rays.len()));
        Ok(Outcome { report, files: staging.publish()?, too_many_defects })
    }

    fn report(
        &self,
        inputs: Vec<InputFile>,
        device: &str,
        lengths_mm: [f64; BOUNDARY_COUNT],
        rays: &RaySet,
        layers: &Layers,
    ) -> Report {
        let manifest = self.model.manifest();
        let mut parameters = self.parameters();
        parameters["smoothing_lengths_mm"] = serde_json::json!(lengths_mm);
        let column = |k: usize| layers.thickness_mm.column(k).into_iter().copied();
        let mut notes = Vec::new();
        if self.inputs.span == Span::PialWhite {
            notes.push(
                "Profiles cover the ribbon alone: boundaries 0 and 6 are the given surfaces, but where vertices were moved."
                    .into(),
            );
        }
        if matches!(self.smoothing, Smoothing::Auto { .. }) && lengths_mm == [0.0; BOUNDARY_COUNT] {
            notes.push(
                "Too few measured rays to choose the smoothing from the data: boundaries are not smoothed.".into(),
            );
        }
        Report {
            schema: "brainmesh-report-1",
            brainmesh: env!("CARGO_PKG_VERSION"),
            inputs,
            model: ModelSummary {
                name: manifest.name.clone(),
                version: manifest.version.clone(),
                license: manifest.license.clone(),
                sha256: manifest.onnx.sha256.clone(),
            },
            device: device.into(),
            parameters,
            rays: rays.len(),
            measured: layers.boundaries.outcomes().iter().filter(|o| **o == RayOutcome::Measured).count(),
            defects: count_defects(&layers.boundaries),
            layers: LAYER_NAMES
                .iter()
                .enumerate()
                .map(|(k, layer)| LayerSummary {
                    layer,
                    thickness_mean_mm: mean_sd(column(k + 1)).map(|m| m.0),
                    thickness_sd_mm: mean_sd(column(k + 1)).map(|m| m.1),
                    uncertainty_mean_mm: mean_sd(layers.boundaries.sd_mm().column(k + 1).into_iter().copied())
                        .map(|m| m.0),
                })
                .collect(),
            thickness_mean_mm: mean_sd(column(0)).map(|m| m.0),
            ray_field: layers.ray_field.clone(),
            certificate: layers.certificate.clone(),
            given_rays: None,
            notes,
        }
    }

    fn write(&self, folder: &Path, ribbon: &Ribbon, layers: &Layers, report: &Report) -> Result<()> {
        let structure = ribbon.pial().structure();
        let floats =
            |columns: &Array2<f64>, k: usize| columns.column(k).iter().map(|&v| v as f32).collect::<Vec<f32>>();

        let names: Vec<&str> = std::iter::once("total").chain(LAYER_NAMES).collect();
        let thickness: Vec<Vec<f32>> = (0..BOUNDARY_COUNT).map(|k| floats(&layers.thickness_mm, k)).collect();
        let maps: Vec<(&str, &[f32])> = names.iter().copied().zip(thickness.iter().map(Vec::as_slice)).collect();
        brainmesh_formats::write_shape_gifti(&folder.join("thickness.shape.gii"), &maps, structure)?;

        // Where there are no layers there is no position to be sure of: NaN in the file, as for thickness.
        let uncertainty: Vec<Vec<f32>> = (0..BOUNDARY_COUNT)
            .map(|k| {
                let sd = floats(layers.boundaries.sd_mm(), k);
                sd.into_iter().map(|v| if v.is_finite() { v } else { f32::NAN }).collect()
            })
            .collect();
        let names: Vec<String> = (0..BOUNDARY_COUNT).map(|k| format!("layer{k}")).collect();
        let maps: Vec<(&str, &[f32])> =
            names.iter().map(String::as_str).zip(uncertainty.iter().map(Vec::as_slice)).collect();
        brainmesh_formats::write_shape_gifti(&folder.join("uncertainty.shape.gii"), &maps, structure)?;

        let (labels, table) = defect_labels(layers);
        brainmesh_formats::write_label_gifti(&folder.join("defects.label.gii"), "defects", &labels, &table, structure)?;

        let named = |(k, surface)| (folder.join(format!("layer{k}.{}", file_extension(SurfaceFormat::Gifti))), surface);
        let files: Vec<_> = layers.surfaces.surfaces().iter().enumerate().map(named).collect();
        brainmesh_formats::write_surfaces_gifti(&files)?;
        for format in self.formats.iter().filter(|f| **f != SurfaceFormat::Gifti) {
            for (k, surface) in layers.surfaces.surfaces().iter().enumerate() {
                let path = folder.join(format!("layer{k}.{}", file_extension(*format)));
                let mut maps = VertexMaps::default();
                if format.carries_maps() {
                    if k > 0 {
                        maps.push("thickness_mm", thickness[k].clone())?;
                    }
                    maps.push("uncertainty_mm", uncertainty[k].clone())?;
                }
                if *format == SurfaceFormat::Glb {
                    let color = layer_color(k);
                    let scene = SceneSurface { color, ..SceneSurface::plain(format!("layer{k}"), surface) };
                    brainmesh_formats::write_scene(&path, &[scene])?;
                } else {
                    brainmesh_formats::write_surface(&path, surface, *format, (!maps.is_empty()).then_some(&maps))?;
                }
            }
            if *format == SurfaceFormat::Glb {
                brainmesh_formats::write_scene(&folder.join("layers.glb"), &SceneSurface::layers(&layers.surfaces))?;
            }
        }
        write_json(&folder.join("report.json"), report)
    }
}

/// MNI and Wavefront share `.obj`: the MNI file says so, so that both can stand side by side.
pub(crate) fn file_extension(format: SurfaceFormat) -> String {
    match format {
        SurfaceFormat::MniObj => "mni.obj".into(),
        other => other.extension().into(),
    }
}

/// Defects that a user may want to bound: not the medial wall, the user's own mask, or where no ray was given.
pub(crate) fn counts_as_defect(outcome: RayOutcome) -> bool {
    !matches!(outcome.defect(), None | Some(RayDefect::NoCortex | RayDefect::Masked | RayDefect::NotSampled))
}

/// Label of vertices on triangles that cross, beyond every [`RayDefect`] code.
const CROSSING: i32 = 20;
/// Label of vertices that left their rays so that surfaces do not cross.
const MOVED: i32 = 21;
/// Added to the code of a defect where the ray was filled from its neighbours.
const FILLED: i32 = 10;

/// 0 none; the code of the defect where there are no layers; plus 10 where filled; 20 where surfaces cross; 21 where
/// they would have.
fn defect_labels(layers: &Layers) -> (Vec<i32>, LabelTable) {
    let mut table = LabelTable::default();
    table.insert(0, "none", [0.0, 0.0, 0.0, 0.0]);
    for (i, defect) in RayDefect::ALL.into_iter().enumerate() {
        let shade = 0.3 + 0.08 * i as f32;
        table.insert(defect.code(), format!("{} (missing)", defect.name()), [shade, 0.1, 0.1, 1.0]);
        table.insert(defect.code() + FILLED, format!("{} (filled)", defect.name()), [shade, shade, 0.1, 1.0]);
    }
    table.insert(CROSSING, "surfaces cross", [0.6, 0.0, 0.8, 1.0]);
    table.insert(MOVED, "moved off its ray", [0.2, 0.4, 0.8, 1.0]);
    let mut labels: Vec<i32> = layers
        .boundaries
        .outcomes()
        .iter()
        .map(|outcome| match outcome {
            RayOutcome::Measured => 0,
            RayOutcome::Filled(defect) => defect.code() + FILLED,
            RayOutcome::Missing(defect) => defect.code(),
        })
        .collect();
    let crossing = layers.certificate.vertices.iter().map(|&v| (v as usize, CROSSING));
    let moved = (0..labels.len()).filter(|&v| layers.moved[v]).map(|v| (v, MOVED));
    for (v, label) in crossing.chain(moved) {
        if labels[v] == 0 {
            labels[v] = label;
        }
    }
    (labels, table)
}

/// The defect that a label of `defects.label.gii` stands for, filled or missing.
pub(crate) fn defect_of(label: i32) -> Option<RayDefect> {
    RayDefect::ALL.into_iter().find(|defect| [defect.code(), defect.code() + FILLED].contains(&label))
}
