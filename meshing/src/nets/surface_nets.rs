use super::cells::{Planes, Rows, centers};
use super::{Interfaces, LabelValue};
use crate::Result;
use brainmesh_core::{Error, Grid, Monitor};
use rayon::prelude::*;
use std::ops::Range;

/// Planes of cells that one task works through.
const CHUNK: usize = 8;

/// Surfaces between labels (surface nets: Gibson 1998, MICCAI; several labels at once: Frisken 2022, JCGT 11).
///
/// Each cell of eight neighbouring voxels that are not all the same gets one vertex, each pair of neighbouring voxels with
/// different labels one quad between the vertices of the four cells around it. Two labels share the vertices and quads between
/// them, so that their surfaces fit without gap or overlap. Around the volume lies background: surfaces are closed.
///
/// Voxels are given a slab at a time; two planes of them are kept. The result does not depend on how they are cut into slabs, nor
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
    grid: Grid,
    /// Voxels of the last two planes, or fewer.
    kept: Vec<L>,
    /// Planes of voxels seen.
    seen: usize,
    centers: Vec<[f32; 3]>,
    /// First vertex of the last plane of cells.
    last_start: usize,
    vertices: Vec<[f32; 3]>,
    quads: Vec<[u32; 4]>,
    axes: Vec<u8>,
    sides: Vec<[L; 2]>,
}

/// Where a cell's vertex lies, in voxels from the voxels at its low side: cell, cut edges.
pub(super) trait Place: Fn([usize; 3], usize) -> [f32; 3] + Sync {}
impl<F: Fn([usize; 3], usize) -> [f32; 3] + Sync> Place for F {}

impl<L: LabelValue> SurfaceNets<L> {
    /// For a volume on `grid`.
    pub fn new(grid: Grid) -> Self {
        Self {
            grid,
            kept: Vec::new(),
            seen: 0,
            centers: centers(),
            last_start: 0,
            vertices: Vec::new(),
            quads: Vec::new(),
            axes: Vec::new(),
            sides: Vec::new(),
        }
    }

    /// The next planes along `k`, whole ones, `i` fastest.
    ///
    /// # Errors
    /// Planes that are not whole, or more of them than the grid has; more vertices than `u32` can number; cancellation.
    pub fn push(&mut self, slab: &[L], monitor: &dyn Monitor) -> Result<()> {
        let centers = std::mem::take(&mut self.centers);
        let result = self.push_placed(slab, &|_, edges| centers[edges], monitor);
        self.centers = centers;
        result
    }

    /// [`push`](Self::push) with vertices where `place` says.
    pub(super) fn push_placed(&mut self, slab: &[L], place: &impl Place, monitor: &dyn Monitor) -> Result<()> {
        let [ni, nj, nk] = self.grid.shape();
        let planes = slab.len() / (ni * nj);
        if planes * ni * nj != slab.len() || planes > nk - self.seen {
            let expected = format!("whole planes of {ni} x {nj} voxels, at most {}", nk - self.seen);
            return Err(
                Error::Invalid { field: "label slab", expected, found: format!("{} voxels", slab.len()) }.into()
            );
        }
        self.extract(self.seen..self.seen + planes, slab, place, monitor)?;
        self.seen += planes;
        let keep = 2 * ni * nj;
        if slab.len() >= keep {
            self.kept.clear();
            self.kept.extend_from_slice(&slab[slab.len() - keep..]);
        } else {
            self.kept.extend_from_slice(slab);
            self.kept.drain(..self.kept.len().saturating_sub(keep));
        }
        Ok(())
    }

    /// What lies between the labels.
    ///
    /// # Errors
    /// Planes that are missing; no label but background; more vertices than `u32` can number; cancellation.
    pub fn finish(mut self, monitor: &dyn Monitor) -> Result<Interfaces<L>> {
        let centers = std::mem::take(&mut self.centers);
        self.finish_placed(&|_, edges| centers[edges], monitor)
    }

    pub(super) fn finish_placed(mut self, place: &impl Place, monitor: &dyn Monitor) -> Result<Interfaces<L>> {
        let nk = self.grid.shape()[2];
        if self.seen != nk {
            return Err(Error::Length { field: "planes of labels", expected: nk, found: self.seen }.into());
        }
        self.extract(nk..nk + 1, &[], place, monitor)?;
        Interfaces::new(self.grid, self.vertices, self.quads, self.axes, self.sides)
    }

    /// Works through planes of cells whose last voxels are in `slab`.
    fn extract(&mut self, cells: Range<usize>, slab: &[L], place: &impl Place, monitor: &dyn Monitor) -> Result<()> {
        let shape = self.grid.shape();
        let first = self.seen - self.kept.len() / (shape[0] * shape[1]);
        let planes = Planes { shape, first, kept: &self.kept, slab };
        let counts: Vec<[usize; 2]> = cells
            .clone()
            .into_par_iter()
            .map_init(
                || Rows::new(shape[0]),
                |rows, k| if monitor.is_cancelled() { [0; 2] } else { count(rows, &planes, k) },
            )
            .collect();
        monitor.check()?;
        let [vertices, quads] = counts.iter().fold([0; 2], |sum, count| [sum[0] + count[0], sum[1] + count[1]]);
        let before = self.vertices.len();
        if before + vertices > u32::MAX as usize {
            return Err(Error::Invalid {
                field: "surface vertices",
                expected: "at most 2^32 - 1; crop the volume or mesh some of its labels".into(),
                found: format!("{} or more", before + vertices),
            }
            .into());
        }
        // Where each plane begins, and what lies before the first.
        let mut starts = vec![self.last_start];
        let mut next = before;
        for [vertices, _] in &counts {
            starts.push(next);
            next += vertices;
        }
        let mut jobs = Vec::new();
        let mut rest = Slices {
            vertices: grown(&mut self.vertices, vertices),
            quads: grown(&mut self.quads, quads),
            axes: grown(&mut self.axes, quads),
            sides: grown(&mut self.sides, quads),
        };
        for (n, counts) in counts.chunks(CHUNK).enumerate() {
            let (from, planes) = (n * CHUNK, counts.len());
            let [vertices, quads] = counts.iter().fold([0; 2], |sum, count| [sum[0] + count[0], sum[1] + count[1]]);
            let (slices, after) = rest.split(vertices, quads);
            jobs.push((cells.start + from..cells.start + from + planes, &starts[from..=from + planes], slices));
            rest = after;
        }
        jobs.into_par_iter().for_each_init(
            || Worker::new(shape),
            |worker, (cells, starts, slices)| {
                if !monitor.is_cancelled() {
                    worker.fill(&planes, cells, starts, slices, place);
                }
            },
        );
        monitor.check()?;
        self.last_start = starts.last().copied().unwrap_or(0);
        Ok(())
    }
}

/// Room for `more` values at the end. Memory that is zero as it comes is not written twice.
fn grown<T: Copy + Default>(values: &mut Vec<T>, more: usize) -> &mut [T] {
    let before = values.len();
    if before == 0 {
        *values = vec![T::default(); more];
    } else {
        values.resize(before + more, T::default());
    }
    &mut values[before..]
}

/// Parts of the results that a task fills.
struct Slices<'a, L> {
    vertices: &'a mut [[f32; 3]],
    quads: &'a mut [[u32; 4]],
    axes: &'a mut [u8],
    sides: &'a mut [[L; 2]],
}

impl<'a, L> Slices<'a, L> {
    fn split(self, vertices: usize, quads: usize) -> (Self, Self) {
        let vertices = self.vertices.split_at_mut(vertices);
        let (corners, axes, sides) =
            (self.quads.split_at_mut(quads), self.axes.split_at_mut(quads), self.sides.split_at_mut(quads));
        (
            Self { vertices: vertices.0, quads: corners.0, axes: axes.0, sides: sides.0 },
            Self { vertices: vertices.1, quads: corners.1, axes: axes.1, sides: sides.1 },
        )
    }
}

/// Vertices and quads of a plane of cells.
fn count<L: LabelValue>(rows: &mut Rows<L>, planes: &Planes<'_, L>, k: usize) -> [usize; 2] {
    let (mut vertices, mut quads) = (0, 0);
    for j in 0..=planes.shape[1] {
        rows.load(planes, j, k);
        let (a, b, c) = (&rows.a, &rows.b, &rows.c);
        rows.each_cell(|i| {
            vertices += 1;
            let low = a[i];
            quads += usize::from(low != a[i + 1]) + usize::from(low != b[i]) + usize::from(low != c[i]);
        });
    }
    [vertices, quads]
}

/// What a thread needs for its planes of cells.
struct Worker<L> {
    rows: Rows<L>,
    /// Vertices of the cells of this plane and of the one before it; of cells without one, anything.
    here: Vec<u32>,
    below: Vec<u32>,
}

impl<L: LabelValue> Worker<L> {
    fn new([ni, nj, _]: [usize; 3]) -> Self {
        let plane = vec![0; (ni + 1) * (nj + 1)];
        Self { rows: Rows::new(ni), here: plane.clone(), below: plane }
    }

    /// `starts`: the first vertex of the plane before, and of each of `cells`.
    fn fill(
        &mut self,
        planes: &Planes<'_, L>,
        cells: Range<usize>,
        starts: &[usize],
        out: Slices<'_, L>,
        place: &impl Place,
    ) {
        let [ni, nj, _] = planes.shape;
        let width = ni + 1;
        if cells.start > 0 {
            let mut next = starts[0] as u32;
            for j in 0..=nj {
                self.rows.load(planes, j, cells.start - 1);
                let here = &mut self.here[j * width..][..width];
                self.rows.each_cell(|i| {
                    here[i] = next;
                    next += 1;
                });
            }
        }
        let mut next = starts[1] as u32;
        let mut vertices = out.vertices.iter_mut();
        let mut quads = out.quads.iter_mut().zip(out.axes).zip(out.sides);
        let mut add = |axis: u8, corners: [u32; 4], between: [L; 2]| {
            if let Some(((quad, at), sides)) = quads.next() {
                (*quad, *at, *sides) = (corners, axis, between);
            }
        };
        for k in cells {
            std::mem::swap(&mut self.here, &mut self.below);
            for j in 0..=nj {
                self.rows.load(planes, j, k);
                let rows = &self.rows;
                let (here, below) = (&mut self.here, &self.below);
                let (a, b, c) = (&rows.a, &rows.b, &rows.c);
                rows.each_cell(|i| {
                    let cell = j * width + i;
                    here[cell] = next;
                    if let Some(vertex) = vertices.next() {
                        let [x, y, z] = place([i, j, k], rows.edges(i));
                        *vertex = [x + (i as f32 - 1.0), y + (j as f32 - 1.0), z + (k as f32 - 1.0)];
                    }
                    // Edges from the voxel at the low side of the cell: the other three cells around them came before.
                    let low = a[i];
                    if low != a[i + 1] {
                        add(0, [below[cell - width], below[cell], next, here[cell - width]], [low, a[i + 1]]);
                    }
                    if low != b[i] {
                        add(1, [below[cell - 1], here[cell - 1], next, below[cell]], [low, b[i]]);
                    }
                    if low != c[i] {
                        add(2, [here[cell - width - 1], here[cell - width], next, here[cell - 1]], [low, c[i]]);
                    }
                    next += 1;
                });
            }
        }
    }
}
