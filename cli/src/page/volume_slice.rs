use crate::{Error, Result};
use brainmesh_core::{Monitor, Volume, WorldPoint};
use brainmesh_formats::VolumeReader;
use brainmesh_meshing::{Plane, sample_plane};
use brainmesh_report::Picture;
use glam::DVec3;
use std::path::Path;

/// Part of a plane: lowest and highest corner, mm to the right and up.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Frame {
    pub low: [f64; 2],
    pub high: [f64; 2],
}

impl Frame {
    /// Around points with a margin, a share of the longer side; `None` without points.
    pub fn around(points: impl Iterator<Item = [f64; 2]>, margin: f64) -> Option<Self> {
        let mut frame = Self { low: [f64::INFINITY; 2], high: [f64::NEG_INFINITY; 2] };
        for p in points {
            frame.low = [frame.low[0].min(p[0]), frame.low[1].min(p[1])];
            frame.high = [frame.high[0].max(p[0]), frame.high[1].max(p[1])];
        }
        let [width, height] = frame.size();
        let margin = (width.max(height) * margin).max(1e-3);
        (width >= 0.0).then(|| Self { low: frame.low.map(|v| v - margin), high: frame.high.map(|v| v + margin) })
    }

    /// A square around a point.
    pub fn square(center: [f64; 2], side: f64) -> Self {
        Self { low: center.map(|v| v - side / 2.0), high: center.map(|v| v + side / 2.0) }
    }

    pub fn size(&self) -> [f64; 2] {
        [self.high[0] - self.low[0], self.high[1] - self.low[1]]
    }
}

/// A volume that slices are taken from; only the part that a slice passes is read.
pub(crate) struct SliceVolume<'a> {
    pub file: &'a VolumeReader,
    /// One of several volumes.
    pub index: usize,
}

/// Values of a slice, rows from the top.
pub(crate) struct SliceValues {
    pub size: [usize; 2],
    pub values: Vec<f32>,
}

impl SliceValues {
    /// Grey picture between two values.
    ///
    /// # Errors
    /// None that a slice can have.
    pub fn picture(&self, window: [f32; 2]) -> Result<Picture> {
        Ok(Picture::grey(self.size, &self.values, window)?)
    }
}

impl SliceVolume<'_> {
    fn path(&self) -> &Path {
        self.file.path()
    }

    /// Values of the part of a plane within `frame`, with at most `most` pixels along a side; each pixel is the mean of several samples
    /// where it is larger than a voxel. `None` where the volume does not reach it.
    ///
    /// # Errors
    /// An unreadable file, cancellation.
    pub fn values(
        &self,
        plane: &Plane,
        frame: &Frame,
        most: f64,
        monitor: &dyn Monitor,
    ) -> Result<Option<SliceValues>> {
        let grid = self.file.grid();
        let finest = grid.spacing_mm().into_iter().fold(f64::INFINITY, f64::min);
        let [width_mm, height_mm] = frame.size();
        let pixel_mm = finest.max(width_mm.max(height_mm) / most);
        let fold = (pixel_mm / finest).round().clamp(1.0, 4.0) as usize;
        let size = [width_mm, height_mm].map(|mm| (mm / pixel_mm).ceil().max(1.0) as usize);
        let fine = size.map(|n| n * fold);
        // Pixels that fill the frame exactly.
        let step = [width_mm / fine[0] as f64, height_mm / fine[1] as f64];
        let [right, up] = plane.axes();
        let origin = plane.normal() * plane.point().0.dot(plane.normal());
        let corner = origin + right * (frame.low[0] + step[0] / 2.0) + up * (frame.high[1] - step[1] / 2.0);
        let (across, down) = (right * step[0], up * -step[1]);
        let Some(volume) = self.around(corner, across, down, fine, monitor)? else { return Ok(None) };
        let values = sample_plane(&volume, WorldPoint(corner), across, down, fine, monitor)?;
        if !values.iter().any(|v| v.is_finite()) {
            return Ok(None);
        }
        let mean = |x: usize, y: usize| {
            let inside = (0..fold).flat_map(|dy| (0..fold).map(move |dx| (x * fold + dx) + fine[0] * (y * fold + dy)));
            let (sum, n) =
                inside.map(|at| values[at]).filter(|v| v.is_finite()).fold((0.0, 0.0), |(s, n), v| (s + v, n + 1.0));
            if n > 0.0 { sum / n } else { f32::NAN }
        };
        let values = (0..size[1]).flat_map(|y| (0..size[0]).map(move |x| (x, y))).map(|(x, y)| mean(x, y)).collect();
        Ok(Some(SliceValues { size, values }))
    }

    /// That part of the volume which a slice passes.
    fn around(
        &self,
        corner: DVec3,
        across: DVec3,
        down: DVec3,
        size: [usize; 2],
        monitor: &dyn Monitor,
    ) -> Result<Option<Volume<f32>>> {
        let grid = self.file.grid();
        let corners = [(0, 0), (1, 0), (0, 1), (1, 1)]
            .map(|(x, y)| corner + across * (x * (size[0] - 1)) as f64 + down * (y * (size[1] - 1)) as f64)
            .map(|p| grid.voxel_from_world(WorldPoint(p)).0.to_array());
        let region: [_; 3] = std::array::from_fn(|axis| {
            let along = corners.map(|p| p[axis]);
            let low = along.into_iter().fold(f64::INFINITY, f64::min).floor().max(0.0) as usize;
            let high = along.into_iter().fold(f64::NEG_INFINITY, f64::max).ceil().max(0.0) as usize;
            low.saturating_sub(1)..high.saturating_add(2).min(grid.shape()[axis])
        });
        if region.iter().any(std::ops::Range::is_empty) {
            return Ok(None);
        }
        match self.file.read_region::<f32>(self.index, &region, monitor) {
            Ok(volume) => Ok(Some(volume)),
            Err(brainmesh_formats::Error::Cancelled(_)) => Err(Error::Cancelled),
            Err(error) => Err(Error::Unusable(format!("{}: {error}", self.path().display()))),
        }
    }
}
