use super::cells::{Finder, Source, cut_edges, each_cell, runs, words};
use super::{Interfaces, LabelValue};
use crate::Result;
use brainmesh_core::{Error, Grid, Monitor};
use rayon::prelude::*;
use std::ops::Range;

/// Planes of cells that one task works through.
const RUN: usize = 8;

/// Makes vertices and quads of planes of cells, one lot of planes after another.
#[derive(Debug)]
pub(super) struct Extractor<L> {
    grid: Grid,
    /// Cells of the last plane that have a vertex, and the first of these vertices.
    last: (Vec<u64>, usize),
    vertices: Vec<[f32; 3]>,
    quads: Vec<[u32; 4]>,
    axes: Vec<u8>,
    sides: Vec<[L; 2]>,
}

impl<L: LabelValue> Extractor<L> {
    pub(super) fn new(grid: Grid) -> Self {
        let (vertices, quads, axes, sides) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        Self { grid, last: (Vec::new(), 0), vertices, quads, axes, sides }
    }

    pub(super) fn grid(&self) -> &Grid {
        &self.grid
    }

    pub(super) fn finish(self) -> Result<Interfaces<L>> {
        Interfaces::new(self.grid, self.vertices, self.quads, self.axes, self.sides)
    }

    /// The next planes of cells.
    pub(super) fn extract(
        &mut self,
        cells: Range<usize>,
        source: &impl Source<L>,
        monitor: &dyn Monitor,
    ) -> Result<()> {
        if cells.is_empty() {
            return Ok(());
        }
        let [ni, nj, _] = self.grid.shape();
        let plane_words = words(ni) * (nj + 1);
        let mut bits = vec![0u64; plane_words * cells.len()];
        let counts: Vec<[usize; 2]> = bits
            .par_chunks_mut(plane_words)
            .zip(cells.clone())
            .map_init(
                || Finder::new(ni),
                |finder, (bits, k)| {
                    if monitor.is_cancelled() { [0; 2] } else { finder.plane(source, nj, k, bits) }
                },
            )
            .collect();
        monitor.check()?;
        let total = |counts: &[[usize; 2]]| counts.iter().fold([0; 2], |sum, n| [sum[0] + n[0], sum[1] + n[1]]);
        let [vertices, quads] = total(&counts);
        let mut next = self.vertices.len();
        if next + vertices > u32::MAX as usize {
            return Err(Error::Invalid {
                field: "surface vertices",
                expected: "at most 2^32 - 1; crop the volume or mesh some of its labels".into(),
                found: format!("{} or more", next + vertices),
            }
            .into());
        }
        let mut starts = Vec::with_capacity(counts.len());
        for [vertices, _] in &counts {
            starts.push(next);
            next += vertices;
        }
        let mut rest = Slices {
            vertices: grown(&mut self.vertices, vertices),
            quads: grown(&mut self.quads, quads),
            axes: grown(&mut self.axes, quads),
            sides: grown(&mut self.sides, quads),
        };
        let mut jobs = Vec::new();
        for run in runs(&(0..counts.len()), RUN) {
            let [vertices, quads] = total(&counts[run.clone()]);
            let (slices, after) = rest.split(vertices, quads);
            jobs.push((run, slices));
            rest = after;
        }
        let (first, last) = (cells.start, &self.last);
        let plane = |n: usize| &bits[n * plane_words..(n + 1) * plane_words];
        jobs.into_par_iter().for_each_init(
            || Numbers::new(ni, nj),
            |numbers, (run, slices)| {
                if monitor.is_cancelled() {
                    return;
                }
                match run.start.checked_sub(1) {
                    Some(before) => numbers.number(plane(before), starts[before]),
                    None => numbers.number(&last.0, last.1),
                }
                let mut slices = slices.iter();
                for n in run {
                    numbers.fill(source, first + n, plane(n), starts[n], &mut slices);
                }
            },
        );
        monitor.check()?;
        let end = counts.len() - 1;
        self.last = (plane(end).to_vec(), starts[end]);
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

    fn iter(self) -> Places<impl Iterator<Item = &'a mut [f32; 3]>, impl Iterator<Item = Quad<'a, L>>> {
        Places { vertices: self.vertices.iter_mut(), quads: self.quads.iter_mut().zip(self.axes).zip(self.sides) }
    }
}

type Quad<'a, L> = ((&'a mut [u32; 4], &'a mut u8), &'a mut [L; 2]);

/// Where the next vertex and the next quad go.
struct Places<V, Q> {
    vertices: V,
    quads: Q,
}

/// Vertices of the cells of a plane and of the one before it; of cells without one, anything.
struct Numbers {
    width: usize,
    row_words: usize,
    here: Vec<u32>,
    below: Vec<u32>,
}

impl Numbers {
    fn new(ni: usize, nj: usize) -> Self {
        let plane = vec![0; (ni + 1) * (nj + 1)];
        Self { width: ni + 1, row_words: words(ni), here: plane.clone(), below: plane }
    }

    /// Numbers the vertices of a plane.
    fn number(&mut self, bits: &[u64], start: usize) {
        let mut next = start as u32;
        for (bits, here) in bits.chunks_exact(self.row_words).zip(self.here.chunks_exact_mut(self.width)) {
            each_cell(bits, |i| {
                here[i] = next;
                next += 1;
            });
        }
    }

    /// Makes the vertices of a plane, and the quads whose last cell is there.
    fn fill<'a, L: LabelValue + 'a>(
        &mut self,
        source: &impl Source<L>,
        k: usize,
        bits: &[u64],
        start: usize,
        out: &mut Places<impl Iterator<Item = &'a mut [f32; 3]>, impl Iterator<Item = Quad<'a, L>>>,
    ) {
        std::mem::swap(&mut self.here, &mut self.below);
        let (width, here, below) = (self.width, &mut self.here, &self.below);
        let quads = &mut out.quads;
        let mut add = |axis: u8, corners: [u32; 4], between: [L; 2]| {
            if let Some(((quad, at), sides)) = quads.next() {
                (*quad, *at, *sides) = (corners, axis, between);
            }
        };
        let mut next = start as u32;
        for (j, bits) in bits.chunks_exact(self.row_words).enumerate() {
            each_cell(bits, |i| {
                let cell = j * width + i;
                here[cell] = next;
                let labels = source.corners([i, j, k]);
                if let Some(vertex) = out.vertices.next() {
                    let [x, y, z] = source.place([i, j, k], cut_edges(&labels));
                    *vertex = [x + (i as f32 - 1.0), y + (j as f32 - 1.0), z + (k as f32 - 1.0)];
                }
                // Edges from the voxel at the low side of the cell: the other three cells around them came before.
                let [low, along_i, along_j, _, along_k, ..] = labels;
                if low != along_i {
                    add(0, [below[cell - width], below[cell], next, here[cell - width]], [low, along_i]);
                }
                if low != along_j {
                    add(1, [below[cell - 1], here[cell - 1], next, below[cell]], [low, along_j]);
                }
                if low != along_k {
                    add(2, [here[cell - width - 1], here[cell - width], next, here[cell - 1]], [low, along_k]);
                }
                next += 1;
            });
        }
    }
}
