//! A section with its rays and boundaries, as a picture.

use crate::{Error, Result};
use brainmesh_core::{BOUNDARY_COUNT, RaySet, Volume, layer_color};
use brainmesh_meshing::SectionRays;
use glam::DVec2;
use ndarray::Array2;
use std::path::Path;

/// A picture is enlarged by whole numbers until its longer side has about this many pixels.
const SIDE: usize = 900;
/// Larger pictures would not be looked at.
const MOST_PIXELS: usize = 100_000_000;
const RAY: [u8; 3] = [255, 255, 255];

/// Drawn on: grey picture first, then rays, then boundaries.
pub struct Preview<'a> {
    picture: &'a Volume<f32>,
    enlarged: usize,
    size: [usize; 2],
    rgb: Vec<u8>,
}

impl<'a> Preview<'a> {
    /// The picture, from its darkest to its brightest value.
    pub fn new(picture: &'a Volume<f32>) -> Self {
        let [width, height, _] = picture.grid().shape();
        let enlarged = (SIDE / width.max(height)).clamp(1, 4);
        let size = [width * enlarged, height * enlarged];
        let finite = || picture.data().iter().copied().filter(|v| v.is_finite());
        let (low, high) = (finite().fold(f32::INFINITY, f32::min), finite().fold(f32::NEG_INFINITY, f32::max));
        let grey = |v: f32| ((v - low) / (high - low).max(f32::MIN_POSITIVE) * 255.0).clamp(0.0, 255.0) as u8;
        let mut rgb = Vec::new();
        if size[0].saturating_mul(size[1]) <= MOST_PIXELS {
            for y in 0..size[1] {
                for x in 0..size[0] {
                    rgb.extend([grey(picture.data()[x / enlarged + width * (y / enlarged)]); 3]);
                }
            }
        }
        Self { picture, enlarged, size, rgb }
    }

    /// Draws every ray from one end of the labelled cortex to the other.
    #[must_use]
    pub fn rays(mut self, section: &SectionRays) -> Self {
        for ray in 0..section.rays.len() {
            let [a, b] =
                [section.rays.pial_t(ray), section.rays.white_t(ray)].map(|t| self.pixel(&section.rays, ray, t));
            let steps = a.distance(b).ceil().max(1.0) as usize;
            for i in 0..=steps {
                self.blend(a.lerp(b, i as f64 / steps as f64), RAY, 0.35);
            }
        }
        self
    }

    /// Draws a dot where each known boundary crosses each ray, in the colours of the layer surfaces.
    #[must_use]
    pub fn boundaries(mut self, rays: &RaySet, boundaries_t: &Array2<f64>) -> Self {
        for ray in 0..rays.len() {
            for k in (0..BOUNDARY_COUNT).filter(|&k| boundaries_t[[ray, k]].is_finite()) {
                let p = self.pixel(rays, ray, boundaries_t[[ray, k]]);
                let color = layer_color(k).map(|c| (c * 255.0) as u8);
                for (dx, dy) in (-1..=1).flat_map(|dy| (-1..=1).map(move |dx| (f64::from(dx), f64::from(dy)))) {
                    self.blend(p + DVec2::new(dx, dy), color, 1.0);
                }
            }
        }
        self
    }

    /// Puts another drawing of the same section to the right.
    #[must_use]
    pub fn beside(mut self, other: &Self) -> Self {
        let row = |side: &Self| side.size[0] * 3;
        let (mine, theirs) = (row(&self), row(other));
        let rows = self.rgb.chunks(mine.max(1)).zip(other.rgb.chunks(theirs.max(1)));
        self.rgb = rows.flat_map(|(a, b)| a.iter().chain(b).copied()).collect();
        self.size[0] += other.size[0];
        self
    }

    /// Writes a PNG.
    ///
    /// # Errors
    /// A picture that is too large, or a folder that cannot be written.
    pub fn write(&self, path: &Path) -> Result<()> {
        if self.rgb.is_empty() {
            return Err(Error::Unusable(format!(
                "{}: expected a picture of at most {MOST_PIXELS} pixels",
                path.display()
            )));
        }
        Ok(brainmesh_formats::write_png(path, self.size, &self.rgb)?)
    }

    fn pixel(&self, rays: &RaySet, ray: usize, t: f64) -> DVec2 {
        let p = self.picture.grid().voxel_from_world(rays.point(ray, t)).0.truncate();
        (p + 0.5) * self.enlarged as f64 - 0.5
    }

    fn blend(&mut self, p: DVec2, color: [u8; 3], share: f64) {
        let (x, y) = (p.x.round(), p.y.round());
        if !(x >= 0.0 && y >= 0.0 && x < self.size[0] as f64 && y < self.size[1] as f64) {
            return;
        }
        let at = 3 * (x as usize + self.size[0] * y as usize);
        for (to, from) in self.rgb.iter_mut().skip(at).zip(color) {
            *to = (f64::from(*to) * (1.0 - share) + f64::from(from) * share) as u8;
        }
    }
}
