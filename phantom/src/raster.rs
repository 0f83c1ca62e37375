//! Prisms to voxels: which layer, how deep in it, and what it absorbs.

use crate::Result;
use crate::prism::tetrahedra;
use crate::sheet::Sheet;
use crate::stain::{Column, INSIDE_MM, OUTSIDE_MM, Staining};
use brainmesh_core::{BOUNDARY_COUNT, Grid, LAYER_COUNT, Monitor, WorldPoint};
use glam::{DMat3, DVec3};
use ndarray::Array2;
use rayon::prelude::*;

/// Finest step at which partial volume is worked out, mm, and the most steps a voxel is cut into along an axis.
const FINE_MM: f64 = 0.05;
const MOST_STEPS: usize = 4;
/// Most positions looked at at once in a slice (8 bytes each, for each thread): wider slices are cut less finely.
const FINE_LIMIT: usize = 1 << 27;

/// What a voxel grid shows of the cortex before anything goes wrong.
pub(crate) struct Painted {
    /// Share of light absorbed, averaged over the voxel.
    pub absorbance: Vec<f32>,
    /// Class at the voxel's centre: 0 outside, 1..=6 layers, 7 white matter.
    pub labels: Vec<u8>,
}

/// A tetrahedron in voxel coordinates.
struct Tetrahedron {
    origin: DVec3,
    /// Barycentric coordinates of corners 1..4 from a position relative to corner 0.
    weights: DMat3,
    /// Corner of the triangle, and 0 (outer) or 1 (inner).
    corners: [(usize, usize); 4],
    triangle: u32,
    slot: u8,
    low: DVec3,
    high: DVec3,
}

/// Depth code of a position: below 0 the distance outside the pia, 0..=6 layers, above 6 the distance below the
/// white surface; NaN nothing painted; infinite plain outside or plain white matter.
type Depth = f32;

/// How far a painted position lies from the cortex: the cortex itself wins over the surroundings of another bank.
fn rank(depth: Depth) -> f32 {
    if depth.is_nan() { f32::INFINITY } else { (-depth).max(depth - LAYER_COUNT as f32).max(0.0) }
}

pub(crate) struct Raster<'a> {
    grid: &'a Grid,
    sheet: &'a Sheet,
    staining: &'a Staining,
    tetrahedra: Vec<Tetrahedron>,
    /// Tetrahedra that reach into each slice of voxels.
    of_slice: Vec<Vec<u32>>,
}

impl<'a> Raster<'a> {
    /// `fractions` `[vertices, 7]` as shares of the way from pia to white surface.
    pub(crate) fn new(grid: &'a Grid, sheet: &'a Sheet, fractions: &Array2<f64>, staining: &'a Staining) -> Self {
        let levels: Vec<[DVec3; BOUNDARY_COUNT + 2]> = (0..sheet.len())
            .map(|v| {
                let (pial, white) = (sheet.pial[v], sheet.white[v]);
                let inward = (white - pial).normalize_or_zero();
                let world = |level: usize| match level {
                    0 => pial - inward * OUTSIDE_MM,
                    8 => white + inward * INSIDE_MM,
                    _ => pial.lerp(white, fractions[[v, level - 1]]),
                };
                std::array::from_fn(|level| grid.voxel_from_world(WorldPoint(world(level))).0)
            })
            .collect();
        let shape = DVec3::from_array(grid.shape().map(|n| n as f64));
        let mut raster =
            Self { grid, sheet, staining, tetrahedra: Vec::new(), of_slice: vec![Vec::new(); grid.shape()[2]] };
        for (n, &triangle) in sheet.triangles.iter().enumerate() {
            for slot in 0..=BOUNDARY_COUNT {
                for corners in tetrahedra(triangle) {
                    let points = corners.map(|(c, level)| levels[triangle[c] as usize][slot + level]);
                    raster.add(n as u32, slot as u8, corners, points, shape);
                }
            }
        }
        raster
    }

    fn add(&mut self, triangle: u32, slot: u8, corners: [(usize, usize); 4], points: [DVec3; 4], shape: DVec3) {
        let [a, b, c, d] = points;
        let low = a.min(b).min(c).min(d);
        let high = a.max(b).max(c).max(d);
        let edges = DMat3::from_cols(b - a, c - a, d - a);
        // A layer that is absent here has no volume.
        if edges.determinant().abs() < 1e-12 || low.cmpgt(shape - 0.5).any() || high.cmplt(DVec3::splat(-0.5)).any() {
            return;
        }
        let first = (low.z + 0.5).floor().max(0.0) as usize;
        let last = ((high.z + 0.5).floor() as usize).min(self.of_slice.len() - 1);
        for slice in first..=last {
            self.of_slice[slice].push(self.tetrahedra.len() as u32);
        }
        self.tetrahedra.push(Tetrahedron { origin: a, weights: edges.inverse(), corners, triangle, slot, low, high });
    }

    /// Paints every voxel.
    pub(crate) fn paint(&self, monitor: &dyn Monitor) -> Result<Painted> {
        let [ni, nj, nk] = self.grid.shape();
        let mut steps = ((self.grid.spacing_mm()[0] / FINE_MM).ceil() as usize).clamp(1, MOST_STEPS);
        while steps > 1 && ni * nj * steps.pow(3) > FINE_LIMIT {
            steps -= 1;
        }
        monitor.stage("painting cortex", 2 * nk as u64);
        let mut depth = vec![Depth::NAN; ni * nj * nk];
        let mut absorbance = vec![0f32; ni * nj * nk];
        depth.par_chunks_mut(ni * nj).zip(absorbance.par_chunks_mut(ni * nj)).enumerate().try_for_each(
            |(slice, (depth, absorbance))| {
                monitor.check()?;
                self.slice(slice, 1, depth, absorbance);
                monitor.advance(1);
                Ok::<_, crate::Error>(())
            },
        )?;
        fill(&mut depth, [ni, nj, nk]);
        let around = &self.staining.surroundings;
        let plain = |depth: Depth| if depth < 3.0 { around.outside as f32 } else { around.white as f32 };
        depth.par_chunks(ni * nj).zip(absorbance.par_chunks_mut(ni * nj)).enumerate().try_for_each(
            |(slice, (depth, absorbance))| {
                monitor.check()?;
                if steps == 1 {
                    for (value, &d) in absorbance.iter_mut().zip(depth) {
                        if d.is_infinite() {
                            *value = plain(d);
                        }
                    }
                } else {
                    self.average(slice, steps, |voxel| plain(depth[voxel]), absorbance);
                }
                monitor.advance(1);
                Ok::<_, crate::Error>(())
            },
        )?;
        let class = |d: &Depth| match *d {
            d if d < 0.0 => 0,
            d if d > LAYER_COUNT as f32 => 7,
            d => (d.floor() as u8 + 1).min(LAYER_COUNT as u8),
        };
        Ok(Painted { labels: depth.par_iter().map(class).collect(), absorbance })
    }

    /// The mean of `steps`^3 positions in every voxel of a slice; `plain` tells what an unpainted one absorbs.
    fn average(&self, slice: usize, steps: usize, plain: impl Fn(usize) -> f32, mean: &mut [f32]) {
        let [ni, nj, _] = self.grid.shape();
        let fine = ni * nj * steps.pow(3);
        let (mut depth, mut absorbance) = (vec![Depth::NAN; fine], vec![0f32; fine]);
        self.slice(slice, steps, &mut depth, &mut absorbance);
        let row = ni * steps;
        for (voxel, value) in mean.iter_mut().enumerate() {
            let (i, j) = (voxel % ni, voxel / ni);
            let mut sum = 0.0;
            for k in 0..steps {
                for jj in 0..steps {
                    let start = (k * nj * steps + j * steps + jj) * row + i * steps;
                    for at in start..start + steps {
                        sum += if depth[at].is_nan() { plain(voxel) } else { absorbance[at] };
                    }
                }
            }
            *value = sum / steps.pow(3) as f32;
        }
    }

    /// Paints one slice of voxels, each cut into `steps` along every axis.
    fn slice(&self, slice: usize, steps: usize, depth: &mut [Depth], absorbance: &mut [f32]) {
        let [ni, nj, _] = self.grid.shape();
        let (row, rows) = (ni * steps, nj * steps);
        let scale = steps as f64;
        let coarse = |fine: f64| (fine + 0.5) / scale - 0.5;
        // Fine index of the first position at or after, and of the last at or before, a coarse coordinate.
        let first = |p: f64| ((p + 0.5) * scale - 0.5).ceil().max(0.0) as usize;
        let last = |p: f64, n: usize| (((p + 0.5) * scale - 0.5).floor().min(n as f64 - 1.0) + 1.0).max(0.0) as usize;
        for &index in &self.of_slice[slice] {
            let tetrahedron = &self.tetrahedra[index as usize];
            let columns = self.columns(tetrahedron);
            let dx = tetrahedron.weights.x_axis / scale;
            let k_range = first(tetrahedron.low.z).max(slice * steps)..last(tetrahedron.high.z, (slice + 1) * steps);
            for k in k_range {
                for j in first(tetrahedron.low.y)..last(tetrahedron.high.y, rows) {
                    let start = DVec3::new(coarse(0.0), coarse(j as f64), coarse(k as f64)) - tetrahedron.origin;
                    let at_zero = tetrahedron.weights * start;
                    let Some((from, to)) = inside(at_zero, dx, row) else { continue };
                    let line = ((k - slice * steps) * rows + j) * row;
                    for i in from..to {
                        let found = self.look(tetrahedron, &columns, at_zero + dx * i as f64);
                        if depth[line + i].is_nan() || rank(found.0) < rank(depth[line + i]) {
                            (depth[line + i], absorbance[line + i]) = found;
                        }
                    }
                }
            }
        }
    }

    fn columns(&self, tetrahedron: &Tetrahedron) -> [&Column; 3] {
        self.sheet.triangles[tetrahedron.triangle as usize].map(|v| &self.staining.columns[v as usize])
    }

    fn look(&self, tetrahedron: &Tetrahedron, columns: &[&Column; 3], weights: DVec3) -> (Depth, f32) {
        let all = [1.0 - weights.element_sum(), weights.x, weights.y, weights.z];
        let mut tau = 0.0;
        let mut share = [0.0; 3];
        for ((corner, level), weight) in tetrahedron.corners.iter().zip(all) {
            share[*corner] += weight;
            tau += weight * *level as f64;
        }
        let tau = tau.clamp(0.0, 1.0);
        let slot = tetrahedron.slot as usize;
        let depth = match slot {
            0 => -(1.0 - tau) * OUTSIDE_MM - 1e-6,
            7 => LAYER_COUNT as f64 + tau * INSIDE_MM + 1e-6,
            _ => (slot - 1) as f64 + tau,
        };
        let mix = |property: &dyn Fn(&Column) -> f64| (0..3).map(|c| share[c] * property(columns[c])).sum::<f64>();
        let torn = slot == 1 && tau < mix(&|c| c.torn);
        let value =
            if torn { self.staining.surroundings.outside } else { mix(&|c| self.staining.absorbance(c, slot, tau)) };
        (depth as f32, value as f32)
    }
}

/// Steps `from..to` of a row on which all four barycentric coordinates are at least (almost) zero.
fn inside(at_zero: DVec3, dx: DVec3, steps: usize) -> Option<(usize, usize)> {
    let (mut low, mut high) = (0.0f64, steps as f64 - 1.0);
    let lines =
        [(1.0 - at_zero.element_sum(), -dx.element_sum()), (at_zero.x, dx.x), (at_zero.y, dx.y), (at_zero.z, dx.z)];
    for (value, slope) in lines {
        // Shared faces belong to both sides: a gap would be worse than being painted twice.
        let value = value + 1e-9;
        if slope > 0.0 {
            low = low.max(-value / slope);
        } else if slope < 0.0 {
            high = high.min(-value / slope);
        } else if value < 0.0 {
            return None;
        }
    }
    let (from, to) = (low.ceil(), high.floor());
    (from <= to).then_some((from as usize, to as usize + 1))
}

/// Gives every unpainted voxel plain outside or plain white matter, whichever it reaches first through unpainted
/// voxels (6-neighbours, breadth first).
fn fill(depth: &mut [Depth], [ni, nj, nk]: [usize; 3]) {
    let mut front: Vec<usize> = (0..depth.len()).filter(|&n| depth[n] < 0.0 || depth[n] > LAYER_COUNT as f32).collect();
    let mut next = Vec::new();
    while !front.is_empty() {
        for &n in &front {
            let (i, j, k) = (n % ni, n / ni % nj, n / (ni * nj));
            let plain = if depth[n] < 0.0 { Depth::NEG_INFINITY } else { Depth::INFINITY };
            let around = [
                (i > 0, n.wrapping_sub(1)),
                (i + 1 < ni, n + 1),
                (j > 0, n.wrapping_sub(ni)),
                (j + 1 < nj, n + ni),
                (k > 0, n.wrapping_sub(ni * nj)),
                (k + 1 < nk, n + ni * nj),
            ];
            for (exists, neighbour) in around {
                if exists && depth[neighbour].is_nan() {
                    depth[neighbour] = plain;
                    next.push(neighbour);
                }
            }
        }
        std::mem::swap(&mut front, &mut next);
        next.clear();
    }
    for d in depth.iter_mut().filter(|d| d.is_nan()) {
        *d = Depth::NEG_INFINITY;
    }
}
