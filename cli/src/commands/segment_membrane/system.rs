use super::cells::cells;
use super::polarity::darkness_of_lines;
use super::sections::{Reading, Sections};
use crate::args::SegmentMembrane;
use crate::plan::session_options;
use crate::report::ModelSummary;
use crate::{Error, Result};
use brainmesh_core::{Grid, Monitor, Uncounted, Volume};
use brainmesh_segmentation::{AxisSize, ImageOutput, ImageTask, Model, SegmentOptions, Segmentation, Session};
use glam::{DAffine3, DVec3};
use rayon::prelude::*;

/// What was found in micrographs.
#[derive(Debug, Clone, PartialEq)]
pub struct Membranes {
    /// Probability of a cell's interior, slice by slice, on the grid of the input; 0 in blank slices.
    pub probability: Volume<f32>,
    /// Numbers of the cells, where they were asked for: no number stands in two slices, 0 is membrane.
    pub cells: Option<Cells>,
    /// What is to be known of them.
    pub warnings: Vec<String>,
}

/// Cells of all slices.
#[derive(Debug, Clone, PartialEq)]
pub struct Cells {
    /// Numbers from 1, in the order of the slices.
    pub labels: Volume<u32>,
    /// How many there are.
    pub count: u32,
}

/// A network at work on micrographs.
pub(super) struct System {
    session: Session,
    options: SegmentOptions,
    task: ImageTask,
    threshold: f32,
    keep_borders: bool,
    /// Whether cells are numbered.
    numbers: bool,
    /// The network's model.
    pub model: ModelSummary,
}

/// Beyond this factor from the network's size of a pixel it has seen nothing like it.
const FAR: f64 = 2.0;
/// Below this lines are bright: see [`darkness_of_lines`].
const BRIGHT_LINES: f64 = 0.87;
/// Slices that are looked at for it.
const SLICES: usize = 3;

impl System {
    /// Opens the network.
    ///
    /// # Errors
    /// Options out of range, a model that gives no probability, an engine that cannot be had.
    pub fn open(arguments: &SegmentMembrane, threads: usize) -> Result<Self> {
        let usage = |text: String| Err(Error::Usage(text));
        if !(arguments.threshold > 0.0 && arguments.threshold < 1.0) {
            return usage(format!("--threshold: expected more than 0 and less than 1, found {}", arguments.threshold));
        }
        if let Some(nm) = arguments.pixel_nm.filter(|nm| !(nm.is_finite() && *nm > 0.0)) {
            return usage(format!("--pixel-nm: expected a size above 0, found {nm}"));
        }
        let session = session_options(&arguments.system.engine, threads)?;
        let model = Model::find(arguments.system.model.as_deref().unwrap_or("membrane"))?;
        let mut options = SegmentOptions::default();
        if let Some(flips) = arguments.flips {
            options = options.with_flips(flips);
        }
        let task = options.apply(model.manifest().image()?).map_err(|error| Error::Usage(format!("--{error}")))?;
        if !matches!(task.output, ImageOutput::Probability { .. }) || task.channels.len() != 1 || task.axes.len() != 2 {
            let expected = "a network that makes the probability of one class of slices of one channel";
            return usage(format!("--model {}: expected {expected}", model.manifest().name));
        }
        let session = session.open(&model)?;
        tracing::info!("{}", session.device_note());
        let (threshold, keep_borders) = (arguments.threshold, arguments.keep_borders);
        let (numbers, model) = (arguments.instances.is_some(), model.manifest().into());
        Ok(Self { session, options, task, threshold, keep_borders, numbers, model })
    }

    /// What runs the network.
    pub fn device_note(&self) -> String {
        self.session.device_note()
    }

    /// Size of a pixel that the network was made for, along i and j, where it says so.
    pub fn pixel_nm(&self) -> Option<[f64; 2]> {
        let along = |n: usize| self.task.axes.iter().find(|axis| axis.axis == n)?.spacing_mm;
        Some([along(0)? * 1e6, along(1)? * 1e6])
    }

    /// # Errors
    /// Pictures that are smaller than the network takes; what the engine reports; cancelled.
    pub fn run(&mut self, sections: Sections, monitor: &dyn Monitor) -> Result<Membranes> {
        self.check_size(&sections)?;
        let mut warnings = sections.warnings.clone();
        warnings.extend(self.about_pixels(&sections));
        warnings.extend(about_lines(&sections));
        let [ni, nj, nk] = sections.grid.shape();
        let blank = sections.blank();
        // Along the rows and columns alone: a slice has no other place for the network.
        let [x, y] = sections.pixel_nm.or(self.pixel_nm()).map_or([1.0; 2], |nm| nm.map(|nm| nm / 1e6));
        let slice_grid = Grid::new([ni, nj, 1], DAffine3::from_scale(DVec3::new(x, y, 1.0)), sections.grid.world())?;
        let mut values = Vec::with_capacity(sections.volume.data().len());
        monitor.stage("segment", nk as u64);
        for (n, slice) in sections.volume.data().chunks_exact(ni * nj).enumerate() {
            monitor.check()?;
            if blank.contains(&n) {
                values.resize(values.len() + ni * nj, 0.0);
            } else {
                let slice = Volume::new(slice_grid.clone(), slice.to_vec())?;
                let segmented = self.session.segment(&[slice], &self.options, &Uncounted(monitor))?;
                let Segmentation::Probability(probability) = segmented.segmentation else {
                    return Err(Error::Unusable("expected a probability of the network, found labels".into()));
                };
                values.extend_from_slice(probability.data());
            }
            monitor.advance(1);
        }
        let grid = sections.grid;
        drop(sections.volume);
        let probability = Volume::new(grid.clone(), values)?;
        let cells = if self.numbers { Some(self.number(&grid, &probability, monitor)?) } else { None };
        Ok(Membranes { probability, cells, warnings })
    }

    fn check_size(&self, sections: &Sections) -> Result<()> {
        let shape = sections.grid.shape();
        for axis in &self.task.axes {
            let least = match axis.size {
                AxisSize::Fixed(size) => size,
                AxisSize::Steps { min, .. } => min,
            };
            if shape[axis.axis] < least {
                let [ni, nj, _] = shape;
                let expected = format!("pictures of at least {least} pixels along an axis");
                return Err(Error::Unusable(format!("expected {expected}, found {ni} x {nj}")));
            }
        }
        Ok(())
    }

    fn about_pixels(&self, sections: &Sections) -> Option<String> {
        let wanted = self.pixel_nm()?;
        let Some(found) = sections.pixel_nm else {
            let nm = wanted[0];
            return Some(format!("the size of a pixel is not known: taken as {nm:.3} nm; --pixel-nm states it"));
        };
        let is_far = |(found, wanted): (f64, f64)| found / wanted > FAR || wanted / found > FAR;
        found.into_iter().zip(wanted).any(is_far).then(|| {
            let ([x, y], nm) = (found, wanted[0]);
            format!("pixels of {x:.3} x {y:.3} nm are far from the {nm:.3} nm of the network: look at the result")
        })
    }

    fn number(&self, grid: &Grid, probability: &Volume<f32>, monitor: &dyn Monitor) -> Result<Cells> {
        let [ni, nj, nk] = grid.shape();
        monitor.stage("number cells", nk as u64);
        let slices: Vec<_> = probability.data().par_chunks_exact(ni * nj).collect();
        let numbered = slices.into_par_iter().map(|slice| {
            monitor.check()?;
            let found = cells(slice, [ni, nj], self.threshold, self.keep_borders);
            monitor.advance(1);
            Ok(found)
        });
        let mut count = 0_u32;
        let mut labels = Vec::with_capacity(grid.voxel_count());
        for (slice, found) in numbered.collect::<Result<Vec<_>>>()? {
            labels.extend(slice.into_iter().map(|label| if label == 0 { 0 } else { label + count }));
            count += found;
        }
        Ok(Cells { labels: Volume::new(grid.clone(), labels)?, count })
    }
}

/// Whether lines seem to be bright, which membranes are not for the network.
fn about_lines(sections: &Sections) -> Option<String> {
    let [ni, nj, nk] = sections.grid.shape();
    let blank = sections.blank();
    let seen: Vec<usize> = (0..nk).filter(|slice| !blank.contains(slice)).collect();
    let step = seen.len().div_ceil(SLICES).max(1);
    let slice = |n: usize| &sections.volume.data()[n * ni * nj..(n + 1) * ni * nj];
    let mut found: Vec<f64> = seen.iter().step_by(step).map(|&n| darkness_of_lines(slice(n), ni)).collect();
    found.sort_by(f64::total_cmp);
    let median = found.get(found.len() / 2)?;
    (*median < BRIGHT_LINES).then(|| {
        "lines seem to be bright; the network takes membranes for dark: invert the picture if they are not".into()
    })
}

/// Probability, and cells where the arguments ask for them, of micrographs in memory; with none the first input of the
/// arguments is read.
///
/// # Errors
/// As the command; nothing is written.
pub fn segment_membrane(
    arguments: &SegmentMembrane,
    volume: Option<Volume<f32>>,
    threads: usize,
    monitor: &dyn Monitor,
) -> Result<Membranes> {
    let mut system = System::open(arguments, threads)?;
    let reading = Reading { pixel_nm: arguments.pixel_nm, channel: arguments.channel };
    let sections = match (volume, arguments.inputs.first()) {
        (Some(volume), _) => {
            let is_unknown = volume.grid().world() == "unregistered" && volume.grid().spacing_mm()[..2] == [1.0, 1.0];
            Sections::new(volume, is_unknown, reading.pixel_nm)?
        }
        (None, Some(input)) => Sections::read(input, reading, monitor)?,
        (None, None) => return Err(Error::Usage("expected an input, found none".into())),
    };
    system.run(sections, monitor)
}
