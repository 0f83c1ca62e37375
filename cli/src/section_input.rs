//! A section and its layers, from files to labelled rays.

use crate::args::{GreyArg, SectionInputs};
use crate::{Error, Result};
use brainmesh_core::{Channel, Grid, Monitor, Profiles, Volume};
use brainmesh_formats::VolumeOptions;
use brainmesh_meshing::{
    SectionOptions, SectionRays, SectionSampling, label_spots, part_banks, section_profiles, section_rays,
    spot_pitch_px,
};
use glam::{DAffine3, DVec2, DVec3};
use serde::Serialize;
use std::path::Path;

/// Weights of red, green and blue in the luminance of Rec. 709.
const LUMINANCE: [f32; 3] = [0.2126, 0.7152, 0.0722];
/// Rays laid to measure the depth of a section whose pixels have no known size.
const TRIAL_RAYS: f64 = 50.0;

/// Where the size of a pixel comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Scale {
    /// The user said it.
    Given,
    /// The picture's file.
    File,
    /// The distance of neighbouring spots.
    Spots,
    /// None is known: the median ray was taken as so deep.
    AssumedDepth,
}

/// A section read from files.
pub struct Section {
    pub picture: Volume<f32>,
    pub rays: SectionRays,
    pub pixel_um: f64,
    pub scale: Scale,
    /// Pieces of layers II and below that layer I joined.
    pub banks: usize,
    voxel_mm: f64,
}

/// A length in micrometres that must be above zero, in mm.
fn millimetres(option: &str, um: f64) -> Result<f64> {
    if um.is_finite() && um > 0.0 {
        Ok(um / 1000.0)
    } else {
        Err(Error::Usage(format!("--{option}: expected micrometres above 0, found {um}")))
    }
}

impl Section {
    /// Reads a section and lays rays through it.
    ///
    /// # Errors
    /// Files that cannot be read or do not fit each other, labels without a cortex, a pixel size that nothing tells.
    pub fn read(inputs: &SectionInputs, extension_mm: f64, monitor: &dyn Monitor) -> Result<Self> {
        let every_mm = millimetres("every-um", inputs.every_um)?;
        let voxel_mm = millimetres("voxel-um", inputs.voxel_um)?;
        let pitch_mm = millimetres("spot-pitch-um", inputs.spot_pitch_um)?;
        let depth_mm = millimetres("depth-mm", inputs.depth_mm * 1000.0)?;
        let (mut picture, file_mm) = read_picture(&inputs.from_section, inputs.grey)?;
        let (mut labels, spots_mm) = match (&inputs.labels, &inputs.spots) {
            (Some(path), _) => (read_labels(path, &picture)?, None),
            (None, Some(path)) => {
                let (labels, pitch_px) = spot_labels(inputs, path, picture.grid(), pitch_mm)?;
                (labels, Some(pitch_mm / pitch_px))
            }
            (None, None) => return Err(Error::Usage("--labels: expected a label image, or --spots".into())),
        };
        let banks = part_banks(&mut labels, &picture)?;
        let trace = |labels: &Volume<u8>, every_mm: f64, extension_mm: f64| {
            section_rays(labels, &SectionOptions { every_mm, extension_mm }, monitor)
        };
        let (pixel_mm, scale) = match inputs.pixel_um.as_deref() {
            Some("unknown") => {
                let area_px = labels.data().iter().filter(|l| **l > 0).count() as f64;
                let labels = scaled(labels.clone(), 1.0)?;
                let trial = trace(&labels, (area_px.sqrt() / TRIAL_RAYS).max(1.0), 0.0)?;
                (depth_mm / median_depth(&trial), Scale::AssumedDepth)
            }
            Some(word) => {
                let um = word
                    .parse::<f64>()
                    .map_err(|_| Error::Usage(format!("--pixel-um: expected micrometres or unknown, found {word}")))?;
                (millimetres("pixel-um", um)?, Scale::Given)
            }
            None => match (spots_mm, file_mm) {
                (Some(mm), _) => (mm, Scale::Spots),
                (None, Some(mm)) => (mm, Scale::File),
                (None, None) => {
                    return Err(Error::Usage(format!(
                        "--pixel-um: expected the size of a pixel or unknown, since {} does not say it",
                        inputs.from_section.display()
                    )));
                }
            },
        };
        picture = scaled(picture, pixel_mm)?;
        let rays = trace(&scaled(labels, pixel_mm)?, every_mm, extension_mm)?;
        Ok(Self { picture, rays, pixel_um: pixel_mm * 1000.0, scale, banks, voxel_mm })
    }

    /// Channels along the rays.
    ///
    /// # Errors
    /// Channels that a section cannot give.
    pub fn profiles(&self, channels: &[Channel], samples: usize) -> Result<Profiles> {
        let sampling = SectionSampling { channels, samples, voxel_mm: self.voxel_mm };
        Ok(section_profiles(&self.picture, &self.rays, &sampling)?)
    }

    /// Edge of the squares that samples are the means of.
    pub fn spacing_mm(&self) -> f64 {
        self.voxel_mm.max(self.pixel_um / 1000.0)
    }
}

/// Distance from pia to white of each ray, in mm.
pub fn depth_mm(section: &SectionRays, ray: usize) -> f64 {
    (section.rays.white_t(ray) - section.rays.pial_t(ray)) * section.rays.length_mm(ray)
}

/// The median of [`depth_mm`]; there is a ray at least.
pub fn median_depth(section: &SectionRays) -> f64 {
    let mut depths: Vec<f64> = (0..section.rays.len()).map(|ray| depth_mm(section, ray)).collect();
    let middle = depths.len() / 2;
    *depths.select_nth_unstable_by(middle, f64::total_cmp).1
}

fn scaled<T: Copy>(picture: Volume<T>, pixel_mm: f64) -> Result<Volume<T>> {
    let (grid, data) = picture.into_parts();
    let affine = DAffine3::from_scale(DVec3::new(pixel_mm, pixel_mm, 1.0));
    Ok(Volume::new(Grid::new(grid.shape(), affine, "section")?, data)?)
}

/// Grey values, and the size of a pixel where the file says it.
fn read_picture(path: &Path, grey: GreyArg) -> Result<(Volume<f32>, Option<f64>)> {
    let reader = VolumeOptions::default().open(path)?;
    let info = reader.info();
    let [_, _, planes] = info.shape;
    if planes != 1 {
        return Err(Error::Unusable(format!("{}: expected one picture, found {planes} slices", path.display())));
    }
    let is_unknown = info.warnings.iter().any(|w| w.contains("spacing along i"));
    let [x_mm, y_mm, _] = info.spacing_mm;
    let file_mm = (!is_unknown && (x_mm - y_mm).abs() <= 1e-3 * x_mm).then_some(x_mm);
    let plane = |name: &str| info.planes.iter().position(|p| p == name);
    let one = |index: usize| VolumeOptions::default().with_volume_index(index).read(path);
    let picture = match (plane("red"), plane("green"), plane("blue")) {
        (Some(r), Some(g), Some(b)) => match grey {
            GreyArg::Red => one(r)?,
            GreyArg::Green => one(g)?,
            GreyArg::Blue => one(b)?,
            GreyArg::Luminance => {
                let mut sum = one(r)?;
                sum.data_mut().iter_mut().for_each(|v| *v *= LUMINANCE[0]);
                for (weight, index) in [(LUMINANCE[1], g), (LUMINANCE[2], b)] {
                    let plane = one(index)?;
                    sum.data_mut().iter_mut().zip(plane.data()).for_each(|(s, v)| *s += weight * v);
                }
                sum
            }
        },
        _ => one(0)?,
    };
    Ok((picture, file_mm))
}

fn read_labels(path: &Path, picture: &Volume<f32>) -> Result<Volume<u8>> {
    let labels: Volume<u8> = VolumeOptions::default().read_as(path)?;
    if labels.grid().shape() != picture.grid().shape() {
        let [w, h, n] = picture.grid().shape();
        let [a, b, m] = labels.grid().shape();
        return Err(Error::Unusable(format!(
            "{}: expected {w} x {h} x {n} pixels as the picture, found {a} x {b} x {m}",
            path.display()
        )));
    }
    Ok(labels)
}

/// A label image from spots, and their distance in pixels of the picture.
fn spot_labels(inputs: &SectionInputs, path: &Path, grid: &Grid, pitch_mm: f64) -> Result<(Volume<u8>, f64)> {
    let spots = brainmesh_formats::read_layer_spots(path, inputs.spot_labels.as_deref(), inputs.section.as_deref())?;
    let scale = match &inputs.spot_scale {
        Some(word) => spot_scale(word, &inputs.from_section)?,
        None => 1.0,
    };
    let places: Vec<_> = spots.iter().map(|s| (DVec2::new(s.x_px, s.y_px) * scale, s.layer)).collect();
    let [width, height, _] = grid.shape();
    let is_inside = |p: DVec2| p.x >= -0.5 && p.y >= -0.5 && p.x < width as f64 && p.y < height as f64;
    if let Some((p, _)) = places.iter().find(|(p, _)| !is_inside(*p)) {
        return Err(Error::Unusable(format!(
            "{}: expected spots within {width} x {height} pixels, found one at {:.1}, {:.1}; see --spot-scale",
            path.display(),
            p.x,
            p.y
        )));
    }
    let pitch_px = spot_pitch_px(&places).filter(|p| *p > 0.0);
    let pitch_px =
        pitch_px.ok_or_else(|| Error::Unusable(format!("{}: expected spots apart from each other", path.display())))?;
    let reach_mm = inputs.spot_reach_um.map_or(Ok(pitch_mm), |um| millimetres("spot-reach-um", um))?;
    Ok((label_spots(&places, grid, reach_mm / pitch_mm * pitch_px)?, pitch_px))
}

/// A number, or the factor of Space Ranger's file for a picture with this name.
fn spot_scale(word: &str, picture: &Path) -> Result<f64> {
    let usable = |scale: f64| scale.is_finite() && scale > 0.0;
    if let Some(scale) = word.parse::<f64>().ok().filter(|s| usable(*s)) {
        return Ok(scale);
    }
    let bad = |found: String| {
        Error::Usage(format!("--spot-scale: expected a number above 0 or Space Ranger's scale factors, found {found}"))
    };
    let text = std::fs::read_to_string(word).map_err(|error| bad(format!("{word}: {error}")))?;
    let values: serde_json::Value = serde_json::from_str(&text).map_err(|error| bad(format!("{word}: {error}")))?;
    let name = picture.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    let key = ["hires", "lowres"].into_iter().find(|key| name.contains(key)).unwrap_or("lowres");
    let field = format!("tissue_{key}_scalef");
    values[&field].as_f64().filter(|s| usable(*s)).ok_or_else(|| bad(format!("{word}: no {field}")))
}
