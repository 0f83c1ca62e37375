use super::SurfaceNets;
use super::cells::{EDGES, center};
use crate::Result;
use brainmesh_core::{Grid, Monitor, Surface};
use rayon::prelude::*;

/// A vertex keeps this share of an edge away from its ends, so that no triangle shrinks to a point where voxels have the value.
const EDGE: f32 = 0.01;

/// Voxels that a task compares with the isovalue.
const CHUNK: usize = 1 << 16;

/// The closed surface around the voxels above a value: surface nets whose vertices are the average of the places where the edges
/// of a cell, interpolated linearly, pass the value (Gibson 1998).
///
/// Values beyond the volume are below it; so are NaN. Voxels are given a slab at a time, as to [`SurfaceNets`].
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
    nets: SurfaceNets<u8>,
    shape: [usize; 3],
    isovalue: f32,
    /// The last plane.
    kept: Vec<f32>,
    seen: usize,
}

impl Isosurface {
    /// Inside is what is above `isovalue`.
    pub fn new(grid: Grid, isovalue: f32) -> Self {
        Self { shape: grid.shape(), nets: SurfaceNets::new(grid), isovalue, kept: Vec::new(), seen: 0 }
    }

    /// The next planes along `k`, whole ones, `i` fastest.
    ///
    /// # Errors
    /// As [`SurfaceNets::push`].
    pub fn push(&mut self, slab: &[f32], monitor: &dyn Monitor) -> Result<()> {
        let isovalue = self.isovalue;
        let mut inside = vec![0u8; slab.len()];
        inside.par_chunks_mut(CHUNK).zip(slab.par_chunks(CHUNK)).for_each(|(inside, values)| {
            for (inside, value) in inside.iter_mut().zip(values) {
                *inside = u8::from(*value > isovalue);
            }
        });
        let values = Values { shape: self.shape, first: self.seen, kept: &self.kept, slab, isovalue };
        self.nets.push_placed(&inside, &|cell, edges| values.place(cell, edges), monitor)?;
        let plane = self.shape[0] * self.shape[1];
        if slab.len() >= plane {
            self.kept.clear();
            self.kept.extend_from_slice(&slab[slab.len() - plane..]);
        }
        self.seen += slab.len() / plane;
        Ok(())
    }

    /// The surface.
    ///
    /// # Errors
    /// As [`SurfaceNets::finish`]: among others when no voxel is above the value.
    pub fn finish(self, monitor: &dyn Monitor) -> Result<Surface> {
        self.interfaces(monitor)?.surface(1)
    }

    /// What [`finish`](Self::finish) makes a surface of: label 1 is inside.
    ///
    /// # Errors
    /// As [`finish`](Self::finish).
    pub fn interfaces(self, monitor: &dyn Monitor) -> Result<super::Interfaces<u8>> {
        let values =
            Values { shape: self.shape, first: self.seen, kept: &self.kept, slab: &[], isovalue: self.isovalue };
        self.nets.finish_placed(&|cell, edges| values.place(cell, edges), monitor)
    }
}

/// The intensities at hand.
struct Values<'a> {
    shape: [usize; 3],
    /// Number of the first plane of the slab; `kept` is the one before.
    first: usize,
    kept: &'a [f32],
    slab: &'a [f32],
    isovalue: f32,
}

impl Values<'_> {
    fn place(&self, cell: [usize; 3], edges: usize) -> [f32; 3] {
        let corners: [Option<f32>; 8] = std::array::from_fn(|corner| self.corner(cell, corner));
        center(edges, |edge| {
            let (axis, low) = EDGES[edge];
            let (Some(low), Some(high)) = (corners[low], corners[low | 1 << axis]) else { return 0.5 };
            let share = (self.isovalue - low) / (high - low);
            // An infinite or missing value on one side says nothing about where between them.
            if share.is_finite() { share.clamp(EDGE, 1.0 - EDGE) } else { 0.5 }
        })
    }

    /// A voxel at the corner of a cell.
    fn corner(&self, cell: [usize; 3], corner: usize) -> Option<f32> {
        let at = |axis: usize| (cell[axis] + (corner >> axis & 1)).checked_sub(1).filter(|&p| p < self.shape[axis]);
        let (i, j, k) = (at(0)?, at(1)?, at(2)?);
        let place = i + self.shape[0] * j;
        match k.checked_sub(self.first) {
            Some(k) => self.slab.get(place + self.shape[0] * self.shape[1] * k).copied(),
            None => self.kept.get(place).copied(),
        }
    }
}
