use super::cells::{Planes, Source, centers};
use super::extractor::Extractor;
use super::{Interfaces, LabelValue};
use crate::Result;
use brainmesh_core::{Error, Grid, Monitor};

/// Surfaces between labels (surface nets: Gibson 1998, MICCAI; several labels at once: Frisken 2022, JCGT 11).
///
/// Each cell of eight neighbouring voxels that are not all the same gets one vertex, each pair of neighbouring voxels with
/// different labels one quad between the vertices of the four cells around it. Two labels share the vertices and quads between
/// them, so that their surfaces fit without gap or overlap. Around the volume lies background: surfaces are closed.
///
/// Voxels are given a slab at a time; one plane of them is kept. The result does not depend on how they are cut into slabs, nor
/// on the number of threads.
///
/// ```
/// use brainmesh_core::{Grid, Silent};
/// use brainmesh_meshing::SurfaceNets;
/// let grid = Grid::new([3, 1, 1], glam::DAffine3::IDENTITY, "scanner")?;
/// let mut nets = SurfaceNets::<u8>::new(grid);
/// nets.push(&[1, 2, 0], &Silent)?;
/// let interfaces = nets.finish(&Silent)?;
/// assert_eq!(interfaces.quad_count(), 6 + 6 - 1); // two cubes that share a face
/// assert!(interfaces.surface(2)?.signed_volume_mm3() > 0.0); // outward winding
/// # Ok::<(), brainmesh_meshing::Error>(())
/// ```
#[derive(Debug)]
pub struct SurfaceNets<L> {
    extractor: Extractor<L>,
    centers: Vec<[f32; 3]>,
    /// The last plane of voxels.
    kept: Vec<L>,
    seen: usize,
}

impl<L: LabelValue> SurfaceNets<L> {
    /// For a volume on `grid`.
    pub fn new(grid: Grid) -> Self {
        Self { extractor: Extractor::new(grid), centers: centers(), kept: Vec::new(), seen: 0 }
    }

    /// The next planes along `k`, whole ones, `i` fastest.
    ///
    /// # Errors
    /// Planes that are not whole, or more of them than the grid has; more vertices than `u32` can number; cancellation.
    pub fn push(&mut self, slab: &[L], monitor: &dyn Monitor) -> Result<()> {
        let shape = self.extractor.grid().shape();
        let planes = whole_planes(shape, self.seen, slab.len())?;
        let labels =
            Labels { planes: Planes { shape, first: self.seen, kept: &self.kept, slab }, centers: &self.centers };
        self.extractor.extract(self.seen..self.seen + planes, &labels, monitor)?;
        keep_last(&mut self.kept, slab, shape);
        self.seen += planes;
        Ok(())
    }

    /// What lies between the labels.
    ///
    /// # Errors
    /// Planes that are missing; no label but background; more vertices than `u32` can number; cancellation.
    pub fn finish(mut self, monitor: &dyn Monitor) -> Result<Interfaces<L>> {
        let shape = self.extractor.grid().shape();
        let planes = Planes { shape, first: self.seen, kept: &self.kept, slab: &[] };
        let last = no_more_planes(shape, self.seen)?;
        self.extractor.extract(last..last + 1, &Labels { planes, centers: &self.centers }, monitor)?;
        self.extractor.finish()
    }
}

/// Whole planes in a slab that comes after `seen` ones.
pub(super) fn whole_planes([ni, nj, nk]: [usize; 3], seen: usize, voxels: usize) -> Result<usize> {
    let planes = voxels / (ni * nj);
    if planes * ni * nj == voxels && planes <= nk - seen {
        return Ok(planes);
    }
    let expected = format!("whole planes of {ni} x {nj} voxels, at most {}", nk - seen);
    Err(Error::Invalid { field: "slab of voxels", expected, found: format!("{voxels} voxels") }.into())
}

/// Refuses a volume of which planes are missing; the plane of cells behind its last voxels.
pub(super) fn no_more_planes([.., nk]: [usize; 3], seen: usize) -> Result<usize> {
    if seen == nk { Ok(nk) } else { Err(Error::Length { field: "planes of voxels", expected: nk, found: seen }.into()) }
}

/// Keeps the last plane of a slab.
pub(super) fn keep_last<V: Copy>(kept: &mut Vec<V>, slab: &[V], [ni, nj, _]: [usize; 3]) {
    if let Some(start) = slab.len().checked_sub(ni * nj) {
        kept.clear();
        kept.extend_from_slice(&slab[start..]);
    }
}

/// Labels as they are given, with vertices in the middle of the cut edges.
struct Labels<'a, L> {
    planes: Planes<'a, L>,
    centers: &'a [[f32; 3]],
}

impl<L: LabelValue> Source<L> for Labels<'_, L> {
    #[inline(always)]
    fn load(&self, j: usize, k: usize, out: &mut [L]) -> bool {
        let row = self.planes.row(j, k);
        if let Some(row) = row {
            out.copy_from_slice(row);
        }
        row.is_some()
    }

    #[inline]
    fn corners(&self, cell: [usize; 3]) -> [L; 8] {
        self.planes.corners(cell).map(Option::unwrap_or_default)
    }

    #[inline]
    fn place(&self, _: [usize; 3], edges: usize) -> [f32; 3] {
        self.centers[edges]
    }
}
