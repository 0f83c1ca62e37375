use super::{System, Tissue};
use crate::batch::Job;
use crate::commands::name_of;
use crate::page::bytes;
use crate::run_page::{Run, planes};
use crate::{Progress, Result};
use brainmesh_core::Volume;
use brainmesh_report::{Fact, SlicePanel, Table};
use std::path::Path;

/// Where planes lie: shares of the extent of the labels.
const SHARES: [f64; 3] = [0.3, 0.5, 0.7];

/// What the page of a scan is made of.
pub(super) struct Source<'a> {
    pub job: &'a Job,
    pub scan: &'a Volume<f32>,
    pub found: &'a Tissue,
    pub system: &'a System,
    pub summary: &'a serde_json::Value,
    pub warnings: &'a [String],
}

impl Source<'_> {
    /// Writes the page; `stages` of the run before belong to other scans.
    ///
    /// # Errors
    /// Files that cannot be read again, a page that cannot be written.
    pub fn write(&self, page: &Path, stages: usize, progress: &Progress) -> Result<()> {
        let Self { job, found, .. } = *self;
        let timings = progress.finish();
        let classes = || found.table.0.iter().zip(found.volumes.ml.iter().zip(found.volumes.medians));
        let rows = classes()
            .map(|((value, label), (ml, median))| {
                vec![label.name.clone(), value.to_string(), format!("{ml:.1}"), format!("{median:.4}")]
            })
            .collect();
        let head = ["Class", "Label", "Volume (ml)", "Median intensity"].map(Into::into).to_vec();
        let fact = |((_, label), (ml, _)): ((&i32, &brainmesh_core::Label), (&f64, f32))| Fact {
            name: label.name.clone(),
            value: format!("{ml:.1} ml"),
            ..Fact::default()
        };
        let run = Run {
            title: name_of(&job.input),
            what: "Fluid, grey and white matter",
            inputs: vec![("scan", &job.input)],
            outputs: vec![("labels", &job.output)],
            model: &self.system.model,
            device: self.system.device_note(),
            facts: classes().map(fact).collect(),
            warnings: self.warnings,
            pictures: self.pictures()?,
            pictures_note: "Planes of voxels of the scan as it is stored, from three sides, with the classes found. Left is left (L) where the file says so.",
            legend: found.table.0.values().map(|label| (label.name.clone(), color(label.rgba))).collect(),
            tables: vec![("Classes".into(), Table { head, rows })],
            timings: timings.get(stages..).unwrap_or_default(),
            summary: self.summary,
        };
        run.write(page, progress)
    }

    /// Three planes across each axis, where there are labels.
    fn pictures(&self) -> Result<Vec<SlicePanel>> {
        let labels = self.found.labels.data();
        let shape = self.scan.grid().shape();
        let tint = |n: usize| {
            let label = self.found.table.0.get(&i32::from(*labels.get(n)?))?;
            Some(color(label.rgba))
        };
        let mut low = shape;
        let mut high = [0; 3];
        for (n, _) in labels.iter().enumerate().filter(|(_, label)| **label != 0) {
            let place = [n % shape[0], n / shape[0] % shape[1], n / (shape[0] * shape[1])];
            low = std::array::from_fn(|axis| low[axis].min(place[axis]));
            high = std::array::from_fn(|axis| high[axis].max(place[axis]));
        }
        let mut panels = Vec::new();
        for across in [2, 1, 0] {
            let first = low[across].min(high[across]);
            let places = SHARES.map(|share| first + ((high[across] - first) as f64 * share).round() as usize);
            let name = |n: usize| format!("Across axis {}, voxel {n}", ["i", "j", "k"][across]);
            panels.extend(planes(self.scan, across, &places, false, &tint, &name)?);
        }
        Ok(panels)
    }
}

fn color([r, g, b, _]: [f32; 4]) -> [u8; 3] {
    bytes([r, g, b])
}
