use super::background::without_background;
use super::contrast::{TissueVolumes, check_found};
use super::scan::check_scan;
use crate::args::SegmentTissue;
use crate::plan::session_options;
use crate::report::ModelSummary;
use crate::{Error, Result};
use brainmesh_core::{LabelTable, Monitor, Volume};
use brainmesh_segmentation::{ImageTask, Model, SegmentOptions, Segmentation, Session};

/// Labels of the result.
pub(super) const CSF: u8 = 1;
pub(super) const GREY: u8 = 2;
pub(super) const WHITE: u8 = 3;
/// Fluid outside the brain, where a model tells it from that of the ventricles.
const OUTER: &str = "outer_csf";

/// Tissue of a head.
#[derive(Debug, Clone, PartialEq)]
pub struct Tissue {
    /// 1 fluid (CSF), 2 grey matter, 3 white matter, on the grid of the scan.
    pub labels: Volume<u8>,
    /// Their names and colours.
    pub table: LabelTable,
    /// Of each class of the model, where they were asked for.
    pub probabilities: Vec<Volume<f32>>,
    /// Names of the classes.
    pub classes: Vec<String>,
    /// Millilitres and median intensity of each.
    pub volumes: TissueVolumes,
    /// What is to be known of them.
    pub warnings: Vec<String>,
}

/// A network at work on scans.
pub(super) struct System {
    session: Session,
    options: SegmentOptions,
    task: ImageTask,
    is_lenient: bool,
    /// The network's model.
    pub model: ModelSummary,
}

impl System {
    /// Opens the network.
    ///
    /// # Errors
    /// A model that does not give labels 1, 2, 3 of one channel; an engine that cannot be had.
    pub fn open(arguments: &SegmentTissue, threads: usize) -> Result<Self> {
        let session = session_options(&arguments.system.engine, threads)?;
        let model = Model::find(arguments.system.model.as_deref().unwrap_or("tissue"))?;
        let mut options = SegmentOptions::default().with_probabilities(arguments.probabilities).with_output("labels");
        if arguments.outer_csf {
            options = options.with_label(OUTER, CSF);
        }
        let task = options.apply(model.manifest().image()?).map_err(|error| Error::Usage(format!("--{error}")))?;
        let is_tissue = task.labels.0.keys().copied().eq([CSF, GREY, WHITE].map(i32::from)) && task.channels.len() == 1;
        if !is_tissue {
            let name = &model.manifest().name;
            return Err(Error::Usage(format!("--model {name}: expected labels 1, 2 and 3 of scans of one channel")));
        }
        let session = session.open(&model)?;
        tracing::info!("{}", session.device_note());
        let summary = model.manifest().into();
        Ok(Self { session, options, task, is_lenient: arguments.any_image, model: summary })
    }

    /// What runs the network.
    pub fn device_note(&self) -> String {
        self.session.device_note()
    }

    /// Segments a scan; `name` stands in errors.
    ///
    /// # Errors
    /// [`Error::Unusable`] for what is no T1-weighted scan of a head; the engine; cancelled.
    pub fn run(&mut self, scan: &Volume<f32>, name: &str, monitor: &dyn Monitor) -> Result<Tissue> {
        let cleaned = without_background(scan);
        let seen = cleaned.as_ref().unwrap_or(scan);
        let mut warnings = check_scan(scan, seen, name, self.is_lenient)?;
        let found = self.session.segment(std::slice::from_ref(seen), &self.options, monitor)?;
        let Segmentation::Labels(labels) = found.segmentation else {
            return Err(Error::Unusable(format!("{name}: expected labels of 1 to 3 from the model")));
        };
        warnings.extend(found.notes);
        let volumes = TissueVolumes::measure(&labels, scan, seen);
        warnings.extend(check_found(&volumes, name, self.is_lenient)?);
        let (table, classes) = (self.task.labels.clone(), self.task.classes.clone());
        Ok(Tissue { labels, table, probabilities: found.probabilities, classes, volumes, warnings })
    }
}

/// Segments a scan in memory as `brainmesh segment tissue` does one in a file.
///
/// # Errors
/// As the command; nothing is written.
pub fn segment_tissue(
    arguments: &SegmentTissue,
    scan: &Volume<f32>,
    threads: usize,
    monitor: &dyn Monitor,
) -> Result<Tissue> {
    System::open(arguments, threads)?.run(scan, "scan", monitor)
}
