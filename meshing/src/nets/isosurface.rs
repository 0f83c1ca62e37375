use super::Interfaces;
use super::cells::{EDGES, Planes, Source, center};
use super::extractor::Extractor;
use super::surface_nets::{keep_last, no_more_planes, whole_planes};
use crate::Result;
use brainmesh_core::{Grid, Monitor, Surface};

/// A vertex keeps this share of an edge away from its ends, so that no triangle shrinks to a point where voxels have the value.
const EDGE: f32 = 0.01;

/// The closed surface around the voxels above a value: surface nets whose vertices are the average of the places where the edges
/// of a cell, interpolated linearly, pass the value (Gibson 1998).
///
/// Values beyond the volume are below it; so are NaN. Voxels are given a slab at a time, as to [`SurfaceNets`](crate::SurfaceNets).
///
/// ```
/// use brainmesh_core::{Grid, Silent};
/// use brainmesh_meshing::Isosurface;
/// let mut isosurface = Isosurface::new(Grid::new([1, 1, 1], glam::DAffine3::IDENTITY, "scanner")?, 0.5);
/// isosurface.push(&[1.0], &Silent)?;
/// assert_eq!(isosurface.finish(&Silent)?.euler_characteristic(), 2);
/// # Ok::<(), brainmesh_meshing::Error>(())
/// ```
#[derive(Debug)]
pub struct Isosurface {
    extractor: Extractor<u8>,
    isovalue: f32,
    /// The last plane of voxels.
    kept: Vec<f32>,
    seen: usize,
}

impl Isosurface {
    /// Inside is what is above `isovalue`.
    pub fn new(grid: Grid, isovalue: f32) -> Self {
        Self { extractor: Extractor::new(grid), isovalue, kept: Vec::new(), seen: 0 }
    }

    /// The next planes along `k`, whole ones, `i` fastest.
    ///
    /// # Errors
    /// As [`SurfaceNets::push`](super::SurfaceNets::push).
    pub fn push(&mut self, slab: &[f32], monitor: &dyn Monitor) -> Result<()> {
        let shape = self.extractor.grid().shape();
        let count = whole_planes(shape, self.seen, slab.len())?;
        let planes = Planes { shape, first: self.seen, kept: &self.kept, slab };
        let values = Values { planes, isovalue: self.isovalue };
        self.extractor.extract(self.seen..self.seen + count, &values, monitor)?;
        keep_last(&mut self.kept, slab, shape);
        self.seen += count;
        Ok(())
    }

    /// The surface.
    ///
    /// # Errors
    /// As [`SurfaceNets::finish`](super::SurfaceNets::finish): among others when no voxel is above the value.
    pub fn finish(self, monitor: &dyn Monitor) -> Result<Surface> {
        self.interfaces(monitor)?.surface(1)
    }

    /// What [`finish`](Self::finish) makes a surface of: label 1 is inside.
    ///
    /// # Errors
    /// As [`finish`](Self::finish).
    pub fn interfaces(mut self, monitor: &dyn Monitor) -> Result<Interfaces<u8>> {
        let shape = self.extractor.grid().shape();
        let last = no_more_planes(shape, self.seen)?;
        let planes = Planes { shape, first: self.seen, kept: &self.kept, slab: &[] };
        self.extractor.extract(last..last + 1, &Values { planes, isovalue: self.isovalue }, monitor)?;
        self.extractor.finish()
    }
}

/// The intensities at hand; label 1 is above the isovalue.
struct Values<'a> {
    planes: Planes<'a, f32>,
    isovalue: f32,
}

impl Source<u8> for Values<'_> {
    #[inline(always)]
    fn load(&self, j: usize, k: usize, out: &mut [u8]) -> bool {
        let row = self.planes.row(j, k);
        for (inside, value) in out.iter_mut().zip(row.unwrap_or_default()) {
            *inside = u8::from(*value > self.isovalue);
        }
        row.is_some()
    }

    #[inline]
    fn corners(&self, cell: [usize; 3]) -> [u8; 8] {
        self.planes.corners(cell).map(|value| u8::from(value.is_some_and(|value| value > self.isovalue)))
    }

    fn place(&self, cell: [usize; 3], edges: usize) -> [f32; 3] {
        let corners = self.planes.corners(cell);
        center(edges, |edge| {
            let (axis, low) = EDGES[edge];
            let (Some(low), Some(high)) = (corners[low], corners[low | 1 << axis]) else { return 0.5 };
            let share = (self.isovalue - low) / (high - low);
            // An infinite or missing value on one side says nothing about where between them.
            if share.is_finite() { share.clamp(EDGE, 1.0 - EDGE) } else { 0.5 }
        })
    }
}
