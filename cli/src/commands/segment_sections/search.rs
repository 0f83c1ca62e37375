use super::journal::{Identity, Journal};
use super::picture::{Picture, Which};
use super::reduction::Reduction;
use super::wafer::WaferSections;
use crate::args::SegmentSections;
use crate::plan::session_options;
use crate::{Error, Result};
use brainmesh_core::{Monitor, Uncounted};
use brainmesh_segmentation::{Levels, Model, Part, Section, SectionFinder, Session, Tile};
use ndarray::Array3;
use serde_json::json;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// More parts than any wafer has: the network sees them everywhere.
const MOST_PARTS: usize = 200_000;

/// Both channels of a wafer and the network.
pub(super) struct Search {
    pub intensity: Picture,
    pub fluorescence: Option<Picture>,
    levels: [Levels; 2],
    session: Session,
    finder: SectionFinder,
    model_sha256: String,
    scale: f64,
    tile: usize,
    least: f64,
}

/// What came of it.
pub(super) struct Searched {
    pub wafer: WaferSections,
    pub warnings: Vec<String>,
    pub device: String,
    pub tiles: usize,
    /// Tiles that another run had done.
    pub kept: usize,
    /// Of the network, and the pixels (of the reduced picture) that it saw in cores of tiles.
    pub time: Duration,
    pub pixels: u64,
}

impl Search {
    /// Opens the network, then the pictures, which go to hidden files in `folder`.
    ///
    /// # Errors
    /// Options out of range, a model of something else, an engine that cannot be had, pictures that cannot be used or differ in size.
    pub fn open(arguments: &SegmentSections, folder: &Path, threads: usize, monitor: &dyn Monitor) -> Result<Self> {
        let usage = |text: String| Err(Error::Usage(text));
        let scale = arguments.scale;
        if !(1.0..=1000.0).contains(&scale) {
            return usage(format!("--scale: expected 1 to 1000, found {scale}"));
        }
        let least = arguments.min_confidence;
        if !(0.0..=1.0).contains(&least) {
            return usage(format!("--min-confidence: expected 0 to 1, found {least}"));
        }
        for path in [Some(&arguments.image), arguments.fluorescence.as_ref()].into_iter().flatten() {
            if !path.exists() {
                return Err(Error::Missing { role: "picture of a wafer", path: path.clone() });
            }
        }
        let options = session_options(&arguments.engine, threads)?;
        let model = Model::find(&arguments.model)?;
        let finder = SectionFinder::of(model.manifest())?;
        let session = options.open(&model)?;
        tracing::info!("{}", session.device_note());

        let which = Which { channel: arguments.channel, slice: arguments.slice };
        let intensity = Picture::read(&arguments.image, which, scale, folder, "read picture", monitor)?;
        intensity.check_values()?;
        let other = match (&arguments.fluorescence, arguments.fluorescence_channel) {
            (Some(path), channel) => Some((path, channel)),
            (None, Some(channel)) => Some((&arguments.image, Some(channel))),
            (None, None) => None,
        };
        let read = |(path, channel): (&PathBuf, Option<usize>)| {
            Picture::read(path, Which { channel, ..which }, scale, folder, "read fluorescence", monitor)
        };
        let fluorescence = other.map(read).transpose()?;
        if let Some(other) = fluorescence.as_ref().filter(|other| other.full != intensity.full) {
            let [[width, height], [w, h]] = [intensity.full, other.full];
            return Err(Error::Unusable(format!(
                "fluorescence: expected {width} x {height} pixels, as the picture has, found {w} x {h}"
            )));
        }
        let empty = Levels { low: 0.0, high: 1.0 };
        let levels =
            [intensity.levels(0, &finder), fluorescence.as_ref().map_or(empty, |picture| picture.levels(1, &finder))];
        let tile = arguments.tile as usize;
        let model_sha256 = model.manifest().files().map(|file| file.sha256.as_str()).collect::<Vec<_>>().join(" ");
        Ok(Self { intensity, fluorescence, levels, session, finder, model_sha256, scale, tile, least })
    }

    /// What a run must share with one that it goes on with.
    pub fn identity(&self) -> Identity {
        let fluorescence = self.fluorescence.as_ref().map(|picture| &picture.sha256);
        vec![
            ("brainmesh", env!("CARGO_PKG_VERSION").into()),
            ("model", self.model_sha256.as_str().into()),
            ("device", self.session.device_note().into()),
            ("scale", self.scale.into()),
            ("tile", self.tile.into()),
            ("size", json!(self.intensity.full)),
            // As they are reduced.
            ("picture", self.intensity.sha256.as_str().into()),
            ("fluorescence", json!(fluorescence)),
        ]
    }

    /// Grey values between which the network and people see.
    pub fn levels(&self) -> [Levels; 2] {
        self.levels
    }

    /// Looks at all tiles that the journal does not know.
    ///
    /// # Errors
    /// What the engine reports; a network that sees parts everywhere; cancelled.
    pub fn run(&mut self, mut journal: Option<&mut Journal>, monitor: &dyn Monitor) -> Result<Searched> {
        let size = self.intensity.size;
        let tiles = self.finder.tiles(size, self.tile);
        monitor.stage("find sections", tiles.len() as u64);
        let mut parts: [Vec<Part>; 2] = Default::default();
        let (mut kept, mut time, mut pixels) = (0, Duration::ZERO, 0);
        for (n, tile) in tiles.iter().enumerate() {
            monitor.check()?;
            let found = match journal.as_ref().and_then(|journal| journal.done.get(&n)) {
                Some(found) => {
                    kept += 1;
                    found.clone()
                }
                None => {
                    let values = self.values(tile)?;
                    let start = Instant::now();
                    let found = self.session.section_parts(tile, values.view(), &Uncounted(monitor))?;
                    time += start.elapsed();
                    // The last cores reach beyond the picture.
                    pixels += tile.inside_core(size).iter().map(|range| range.len() as u64).product::<u64>();
                    if let Some(journal) = &mut journal {
                        journal.keep(n, found.clone())?;
                    }
                    found
                }
            };
            parts.iter_mut().zip(found).for_each(|(all, found)| all.extend(found));
            if parts.iter().any(|parts| parts.len() > MOST_PARTS) {
                let found = format!("more than {MOST_PARTS}, some at every place");
                return Err(Error::Unusable(format!("parts: expected sections of a wafer, found {found}")));
            }
            monitor.advance(1);
        }
        let [tissue, magnet] = parts;
        let reduction = Reduction::new(self.intensity.full, self.scale);
        let wafer =
            WaferSections::new(Section::from_parts(tissue, magnet), &reduction, self.intensity.full, self.least);
        let warnings = self.warnings(&wafer);
        let device = self.session.device_note();
        Ok(Searched { wafer, warnings, device, tiles: tiles.len(), kept, time, pixels })
    }

    /// Both channels of what a tile covers of the picture.
    fn values(&self, tile: &Tile) -> Result<Array3<f32>> {
        let inside = tile.inside(self.intensity.size);
        let mut values = Array3::from_elem((2, inside[1].len(), inside[0].len()), -0.5);
        let pictures = [Some(&self.intensity), self.fluorescence.as_ref()];
        for ((picture, levels), mut channel) in pictures.into_iter().zip(self.levels).zip(values.outer_iter_mut()) {
            if let Some(picture) = picture {
                picture.region(inside.clone(), |x, y, value| channel[[y, x]] = levels.apply(value))?;
            }
        }
        Ok(values)
    }

    fn warnings(&self, wafer: &WaferSections) -> Vec<String> {
        let both = [Some(&self.intensity), self.fluorescence.as_ref()].into_iter().flatten();
        let mut warnings: Vec<String> = both.flat_map(|picture| picture.warnings.clone()).collect();
        let [short, long] = self.finder.tissue_length_px();
        let Some(length) = wafer.median_length_px().map(|length| length / self.scale) else {
            let seen = format!("the network knows tissue of {short} to {long} pixels length");
            warnings.push(format!("no tissue was found; {seen}: --scale F reduces a picture F times"));
            return warnings;
        };
        if !(short..=long).contains(&length) {
            let wanted = self.scale * length / (short * long).sqrt();
            let hint = if wanted >= 1.0 { format!("--scale {wanted:.1}") } else { "a picture of more pixels".into() };
            warnings.push(format!(
                "tissue is about {length:.0} pixels long for the network, which knows {short} to {long}; {hint} would suit it"
            ));
        }
        let alone = |n: usize| wafer.sections[..n].iter().filter(|section| section.magnet.is_none()).count();
        let (alone, lost) = (alone(wafer.with_tissue), wafer.sections.len() - wafer.with_tissue);
        if alone + lost > 0 {
            warnings.push(format!(
                "without a partner: {alone} of {} tissue parts, and {lost} magnet parts",
                wafer.with_tissue
            ));
        }
        warnings
    }
}
