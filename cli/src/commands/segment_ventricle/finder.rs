use crate::contour::{DRAWN, area, contour};
use crate::{Error, Result};
use brainmesh_core::{Grid, Monitor, Uncounted, Volume};
use brainmesh_segmentation::{Manifest, NearCentre, SegmentOptions, Segmentation, Session};
use glam::{DAffine3, DMat3, DVec3};

/// What the network was trained on: 350 mm in 256 pixels.
pub(super) const TRAINED_MM: f64 = 350.0 / 256.0;
/// Pixels of this size are given to the network as they are; others are resampled. Measured on pictures made larger and
/// smaller: within, resampling brings nothing, beyond it does.
const AS_THEY_ARE_MM: std::ops::RangeInclusive<f64> = 1.0..=1.6;
/// Pixels of short-axis pictures; others are wrong headers (and would ask for pictures of any size).
pub(super) const POSSIBLE_MM: std::ops::RangeInclusive<f64> = 0.3..=4.0;
/// Of a model whose manifest names none; docs/systems.md.
const NEAR: NearCentre = NearCentre { sd: 30.0 / 256.0 };

/// The ventricle in one picture.
#[derive(Debug, Clone, PartialEq)]
pub struct Ventricle {
    /// Whether each pixel belongs to the cavity, along rows.
    pub mask: Vec<bool>,
    /// Points `[x, y]` in pixels, 0 the centre of the first, clockwise; empty where nothing was found. It runs inside the mask's
    /// edge, as those run that masks are drawn from.
    pub contour: Vec<[f64; 2]>,
    /// The largest probability of the picture.
    pub best: f32,
    /// Edge of the network's pixels, in pixels of the picture.
    network_pixel: f64,
}

impl Ventricle {
    /// Area inside the contour, in pixels.
    pub fn area_pixels(&self) -> f64 {
        area(&self.contour).max(0.0)
    }

    /// The contour as experts' files have it, which masks round down to whole pixels.
    pub(super) fn drawn(&self) -> Vec<[f64; 2]> {
        self.contour.iter().map(|point| point.map(|value| value + DRAWN * self.network_pixel)).collect()
    }
}

/// A network that finds the ventricle in pictures.
pub struct VentricleFinder {
    session: Session,
    options: SegmentOptions,
    near: NearCentre,
    threshold: f32,
}

impl VentricleFinder {
    /// With a session of a model.
    ///
    /// # Errors
    /// [`Error::Usage`] for a model that is not one of pictures, with one channel and one class.
    pub fn new(session: Session, manifest: &Manifest) -> Result<Self> {
        let task = manifest.image()?;
        let (axes, channels, classes) = (task.axes.len(), task.channels.len(), task.classes.len());
        if (axes, channels, classes) != (2, 1, 1) || !task.axes.iter().all(|axis| axis.axis < 2) {
            let found = format!("{axes} axes, {channels} channels, {classes} classes");
            let expected = "a network of pictures (x, y) with one channel and one class";
            return Err(Error::Usage(format!("--model {}: expected {expected}, found {found}", manifest.name)));
        }
        let threshold = match task.output {
            brainmesh_segmentation::ImageOutput::Labels { threshold } => threshold.unwrap_or(0.5),
            brainmesh_segmentation::ImageOutput::Probability { .. } => 0.5,
        };
        let options = SegmentOptions::default().with_output(format!("probability:{}", task.classes[0]));
        Ok(Self { session, options, near: task.near_centre.unwrap_or(NEAR), threshold })
    }

    /// What runs the network.
    pub fn device_note(&self) -> String {
        self.session.device_note()
    }

    /// Finds the ventricle in a picture: intensities along rows of `width` pixels, and their distances along rows and columns in
    /// mm, where they are known.
    ///
    /// # Errors
    /// Values that do not fill the rows; what the network's engine reports; cancelled.
    pub fn find(
        &mut self,
        intensities: &[f32],
        width: usize,
        spacing_mm: Option<[f64; 2]>,
        monitor: &dyn Monitor,
    ) -> Result<Ventricle> {
        let resampled = spacing_mm.filter(|mm| mm.iter().any(|mm| !AS_THEY_ARE_MM.contains(mm)));
        let [dx, dy] = resampled.unwrap_or([TRAINED_MM; 2]);
        let scale = DAffine3::from_mat3(DMat3::from_diagonal(DVec3::new(dx, dy, TRAINED_MM)));
        let grid = Grid::new([width, intensities.len() / width.max(1), 1], scale, "picture")?;
        let volume = Volume::new(grid, intensities.to_vec())?;
        let options = self.options.clone().with_spacing_mm(TRAINED_MM);
        let found = self.session.segment(&[volume], &options, &Uncounted(monitor))?.segmentation;
        let Segmentation::Probability(probability) = found else {
            return Err(Error::Unusable("model: expected a probability, found labels".into()));
        };
        let probability = probability.data();
        let mask = self.near.part(probability, width, self.threshold);
        // The network draws as its masks were drawn, on pixels of its own size.
        let network_pixel = resampled.map_or(1.0, |[dx, dy]| TRAINED_MM / (dx * dy).sqrt());
        let contour = contour(&mask, width, network_pixel);
        Ok(Ventricle { mask, contour, best: probability.iter().copied().fold(0.0, f32::max), network_pixel })
    }
}
