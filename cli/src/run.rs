use crate::input::{Sampled, Span};
use crate::layers::Layers;
use crate::output::Staging;
use crate::plan::decode_options;
use crate::report::{GivenRaysSummary, InputFile, LayerSummary, ModelSummary, REPORT_SCHEMA, count_defects, mean_sd};
use crate::results::LayerResults;
use crate::{Error, Plan, Report, Result};
use brainmesh_core::{BOUNDARY_COUNT, Channel, LAYER_NAMES, Monitor, RayDefect, RayOutcome, RaySet, Ribbon};
use brainmesh_meshing::{Smoothed, Smoothing, decode, fill, mark_damage, smooth_boundaries};
use brainmesh_segmentation::{Polarity, normalise};
use std::path::{Path, PathBuf};

/// Layers that were found.
pub struct Solved {
    /// The given surfaces.
    pub ribbon: Ribbon,
    /// What becomes `report.json`.
    pub report: Report,
    /// What becomes the other files.
    pub results: LayerResults,
    /// More defects than `--max-defects`.
    pub too_many_defects: bool,
    /// Files that were written, sorted.
    pub files: Vec<PathBuf>,
}

impl Plan {
    /// Runs the plan and writes into the folder `out`. All files appear, or none.
    ///
    /// # Errors
    /// See [`crate::Error`]; nothing is written then.
    pub fn run(&self, out: &Path, monitor: &dyn Monitor) -> Result<Solved> {
        let staging = Staging::new(out)?;
        let mut solved = self.solve(monitor)?;
        monitor.stage("writing results", 1);
        solved.results.write(staging.path(), &self.formats)?;
        monitor.advance(1);
        monitor.check()?;
        solved.files = staging.publish()?;
        Ok(solved)
    }

    /// Reads, samples, classifies, finds boundaries, and checks the surfaces.
    ///
    /// # Errors
    /// See [`crate::Error`].
    pub fn solve(&self, monitor: &dyn Monitor) -> Result<Solved> {
        let task = &self.task;
        let inputs = self.inputs.hash(monitor)?;
        let wanted: Vec<Channel> = task.channels.iter().map(|c| c.channel).collect();
        let Sampled { ribbon, rays, attached, profiles } = self.inputs.sample(&wanted, task.samples, monitor)?;

        monitor.check()?;
        let mut session = self.open_session()?;
        monitor.check()?;
        let polarity = if self.inputs.bright_is_dense { Polarity::BrightIsDense } else { Polarity::DarkIsDense };
        let normalised = normalise(&profiles, &rays, task, polarity)?;
        monitor.check()?;
        let probabilities = session.classify(&normalised, monitor)?;
        drop(normalised);
        monitor.check()?;

        let neighbours = ribbon.neighbours();
        let decoded = decode(&probabilities, &rays, profiles.defects(), &decode_options(task), monitor)?;
        let decoded = mark_damage(&decoded, &profiles, &rays, !self.inputs.bright_is_dense)?;
        let (decoded, rays) = match &attached {
            Some(attached) => (attached.onto_own(&decoded)?, attached.own.clone()),
            None => (decoded, rays),
        };
        let filled = fill(&decoded, &rays, &neighbours)?;
        if !filled.outcomes().iter().any(|outcome| outcome.has_layers()) {
            let defects = count_defects(&filled).into_iter().map(|(kind, count)| format!("{} {kind}", count.missing));
            let defects = defects.collect::<Vec<_>>().join(", ");
            return Err(Error::Unusable(format!(
                "no layers on any of the {} rays ({defects}): are pial and white surface, or the polarity, the wrong way round?",
                rays.len()
            )));
        }
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
        let defective = layers.boundaries.outcomes().iter().filter(|o| counts_as_defect(**o)).count();
        let crossing = layers.certificate.vertices.len();
        let too_many_defects = self.max_defects.is_some_and(|limit| limit.exceeded(defective + crossing, rays.len()));
        let results = LayerResults::new(layers, &report)?;
        Ok(Solved { ribbon, report, results, too_many_defects, files: Vec::new() })
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
            schema: REPORT_SCHEMA.into(),
            brainmesh: env!("CARGO_PKG_VERSION").into(),
            inputs,
            model: ModelSummary::from(manifest),
            device: device.into(),
            parameters,
            rays: rays.len(),
            measured: layers.boundaries.outcomes().iter().filter(|o| **o == RayOutcome::Measured).count(),
            defects: count_defects(&layers.boundaries),
            layers: LAYER_NAMES
                .iter()
                .enumerate()
                .map(|(k, layer)| LayerSummary {
                    layer: (*layer).into(),
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
}

/// Defects that a user may want to bound: not the medial wall, the user's own mask, or where no ray was given.
pub(crate) fn counts_as_defect(outcome: RayOutcome) -> bool {
    !matches!(outcome.defect(), None | Some(RayDefect::NoCortex | RayDefect::Masked | RayDefect::NotSampled))
}
