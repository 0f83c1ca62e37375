use super::{Membranes, Sections, System, Work};
use crate::commands::name_of;
use crate::run_page::{Run, planes};
use crate::{Progress, Result};
use brainmesh_core::{Grid, Volume};
use brainmesh_report::{Fact, SlicePanel, Table};
use glam::{DAffine3, DVec3};
use std::path::Path;

/// Slices that a page shows.
const SHOWN: usize = 3;
/// Cells beside one another are told apart by these, light enough for dark pictures.
const COLORS: [[u8; 3]; 7] =
    [[230, 159, 0], [86, 180, 233], [0, 158, 115], [240, 228, 66], [0, 114, 178], [213, 94, 0], [204, 121, 167]];

/// Slices to show, kept from before the network ran.
pub(super) struct Seen {
    volume: Volume<f32>,
    /// Their numbers.
    slices: Vec<usize>,
}

impl Seen {
    /// The first, the middle and the last slice.
    ///
    /// # Errors
    /// None that sections can have.
    pub fn of(sections: &Sections) -> Result<Self> {
        let [ni, nj, nk] = sections.grid.shape();
        let mut slices: Vec<usize> = (0..SHOWN).map(|n| n * nk.saturating_sub(1) / (SHOWN - 1)).collect();
        slices.dedup();
        let size = ni * nj;
        let values = slices.iter().flat_map(|&n| &sections.volume.data()[n * size..(n + 1) * size]).copied().collect();
        let [x, y, _] = sections.grid.spacing_mm();
        let affine = DAffine3::from_scale(DVec3::new(x, y, 1.0));
        let grid = Grid::new([ni, nj, slices.len()], affine, sections.grid.world())?;
        Ok(Self { volume: Volume::new(grid, values)?, slices })
    }
}

/// What the page of a stack is made of.
pub(super) struct Source<'a> {
    pub work: &'a Work,
    pub seen: &'a Seen,
    pub found: &'a Membranes,
    pub system: &'a System,
    /// Share of the pixels inside cells.
    pub inside: f64,
    pub threshold: f32,
    pub summary: &'a serde_json::Value,
}

impl Source<'_> {
    /// Writes the page; `stages` of the run before belong to other stacks.
    ///
    /// # Errors
    /// Files that cannot be read again, a page that cannot be written.
    pub fn write(&self, page: &Path, stages: usize, progress: &Progress) -> Result<()> {
        let timings = progress.finish();
        let [ni, nj, nk] = self.found.probability.grid().shape();
        let fact = |name: &str, value: String| Fact { name: name.into(), value, ..Fact::default() };
        let mut facts =
            vec![fact("Slices", format!("{nk}")), fact("Inside cells", format!("{:.1} %", 100.0 * self.inside))];
        let mut outputs = vec![("probability", self.work.probability.as_path())];
        if let (Some(cells), Some(path)) = (&self.found.cells, &self.work.cells) {
            facts.push(fact("Cells, each in one slice", cells.count.to_string()));
            outputs.push(("cells", path));
        }
        let row = |name: &str, value: String| vec![name.to_string(), value];
        let nm = |nm: Option<[f64; 2]>| nm.map_or_else(|| "not known".into(), |[x, y]| format!("{x:.3} x {y:.3}"));
        let told = self.summary["pixel_nm"].as_array().map(Vec::as_slice).unwrap_or_default();
        let told = if let [x, y] = told { x.as_f64().zip(y.as_f64()).map(|(x, y)| [x, y]) } else { None };
        let rows = vec![
            row("Pixels of a slice", format!("{ni} x {nj}")),
            row("Size of a pixel (nm)", nm(told)),
            row("Size of a pixel of the network (nm)", nm(self.system.pixel_nm())),
            row("Probability above which a pixel is inside", self.threshold.to_string()),
        ];
        let run = Run {
            title: name_of(&self.work.input),
            what: "Cell interiors",
            inputs: vec![("micrographs", &self.work.input)],
            outputs,
            model: &self.system.model,
            device: self.system.device_note(),
            facts,
            warnings: &self.found.warnings,
            pictures: self.pictures()?,
            pictures_note: "The first, the middle and the last slice. Cells have colours of their own where they were numbered; a colour comes again.",
            legend: if self.found.cells.is_some() { Vec::new() } else { vec![("inside a cell".into(), COLORS[0])] },
            tables: vec![("Pictures".into(), Table { head: Vec::new(), rows })],
            timings: timings.get(stages..).unwrap_or_default(),
            summary: self.summary,
        };
        run.write(page, progress)
    }

    fn pictures(&self) -> Result<Vec<SlicePanel>> {
        let [ni, nj, _] = self.seen.volume.grid().shape();
        let size = ni * nj;
        let whole = |n: usize| self.seen.slices.get(n / size).map(|slice| slice * size + n % size);
        let tint = |n: usize| {
            let at = whole(n)?;
            match &self.found.cells {
                Some(cells) => {
                    let number = *cells.labels.data().get(at)? as usize;
                    (number != 0).then(|| COLORS[number % COLORS.len()])
                }
                None => (*self.found.probability.data().get(at)? > self.threshold).then_some(COLORS[0]),
            }
        };
        let all: Vec<usize> = (0..self.seen.slices.len()).collect();
        planes(&self.seen.volume, 2, &all, true, &tint, &|n| format!("Slice {}", self.seen.slices[n]))
    }
}
