use crate::Result;
use crate::error::same_length;
use crate::pages::zeros;
use crate::zorder::{morton, rows_in_order};
use brainmesh_core::{Monitor, RayDefect, Surface};
use glam::DVec3;
use ndarray::Array2;
use rayon::prelude::*;

/// Vertices handled by one task.
const BLOCK: usize = 1024;

/// Long steps of one smoothing: so many make the kernel a Gaussian to a few percent at half its height.
const LONG_STEPS: f64 = 8.0;

/// Kernels whose time is at most this share of the longest plain step take two terms of the exponential: they stay a
/// weighted mean, and err by less than the long steps would.
const SHORT_SHARE: f64 = 0.25;

/// From so many columns on the order in which vertices are handled matters more than finding it.
const WIDE: usize = 16;

/// Full width at half maximum over standard deviation of a Gaussian, 2 sqrt(2 ln 2).
const FWHM_PER_SD: f64 = 2.354_820_045_030_949;

/// Heat flow over a triangle mesh: smoothing along the cortex with a kernel of known width.
///
/// Cotangent weights (Pinkall and Polthier 1993; negative ones clamped to zero so that no value overshoots) and lumped
/// vertex areas. After time `t` a point spreads to a Gaussian of standard deviation `sqrt(2 t)` along each axis.
pub struct Diffusion {
    offsets: Vec<usize>,
    neighbours: Vec<u32>,
    /// Flow rate along each edge over the area of the receiving vertex, in 1/mm^2.
    rates: Vec<f64>,
    areas_mm2: Vec<f64>,
    /// Vertices along a Z-order curve: the rows of neighbours are still in the cache, whatever the order of the file.
    order: Vec<u32>,
}

impl Diffusion {
    /// Heat flow on `surface`, between the vertices where `usable` is true: the others neither give nor receive.
    pub fn new(surface: &Surface, usable: impl Fn(usize) -> bool) -> Self {
        let n = surface.vertices().len();
        let mut areas_mm2 = vec![0.0; n];
        // Twice for every corner of a triangle: the edge opposite to it, seen from both ends.
        let mut starts = vec![0usize; n + 1];
        for triangle in surface.triangles() {
            triangle.iter().for_each(|&v| starts[v as usize + 1] += 2);
        }
        for v in 0..n {
            starts[v + 1] += starts[v];
        }
        let mut next = starts.clone();
        let mut edges = vec![(0u32, 0f64); starts[n]];
        for (t, triangle) in surface.triangles().iter().enumerate() {
            let corners = surface.corners(t);
            let area = surface.triangle_area_mm2(t);
            for k in 0..3 {
                areas_mm2[triangle[k] as usize] += area / 3.0;
                let (i, j) = (triangle[(k + 1) % 3], triangle[(k + 2) % 3]);
                let (u, v) = (corners[(k + 1) % 3] - corners[k], corners[(k + 2) % 3] - corners[k]);
                // Half the cotangent of the angle opposite to edge (i, j).
                let weight = if area > 0.0 { u.dot(v) / (4.0 * area) } else { 0.0 };
                for (from, to) in [(i, j), (j, i)] {
                    let place = &mut next[from as usize];
                    edges[*place] = (to, weight);
                    *place += 1;
                }
            }
        }
        let mut offsets = vec![0usize; n + 1];
        let (mut neighbours, mut rates) = (Vec::new(), Vec::new());
        for i in 0..n {
            let around = &mut edges[starts[i]..next[i]];
            // Stable: triangles stay in order within an edge, so that sums do not depend on the sort.
            around.sort_by_key(|edge| edge.0);
            for group in around.chunk_by(|a, b| a.0 == b.0).filter(|_| usable(i)) {
                let j = group[0].0;
                if usable(j as usize) {
                    let weight: f64 = group.iter().map(|e| e.1).sum::<f64>().max(0.0);
                    neighbours.push(j);
                    rates.push(weight / areas_mm2[i].max(f64::MIN_POSITIVE));
                }
            }
            offsets[i + 1] = neighbours.len();
        }
        Self { offsets, neighbours, rates, areas_mm2, order: memory_order(surface) }
    }

    /// Area belonging to each vertex: a third of its triangles.
    pub fn areas_mm2(&self) -> &[f64] {
        &self.areas_mm2
    }

    /// Neighbours of a vertex that take part, ascending, with the cotangent weight of the edge to each.
    pub(crate) fn links(&self, vertex: usize) -> impl Iterator<Item = (u32, f64)> + '_ {
        let (neighbours, rates) = self.around(vertex);
        let area = self.areas_mm2[vertex].max(f64::MIN_POSITIVE);
        neighbours.iter().zip(rates).map(move |(&j, &rate)| (j, rate * area))
    }

    fn around(&self, vertex: usize) -> (&[u32], &[f64]) {
        let range = self.offsets[vertex]..self.offsets[vertex + 1];
        (&self.neighbours[range.clone()], &self.rates[range])
    }

    /// Laplace-Beltrami operator of the vertex positions at one vertex: -2 H n (Meyer et al. 2003, eq. 8), 1/mm.
    pub(crate) fn laplacian(&self, surface: &Surface, vertex: usize) -> DVec3 {
        let points = surface.vertices();
        let (neighbours, rates) = self.around(vertex);
        neighbours.iter().zip(rates).map(|(&j, &rate)| (points[j as usize].0 - points[vertex].0) * rate).sum()
    }

    /// Smooths every column of `values` `[vertices, columns]` with a kernel of this full width at half maximum.
    ///
    /// Constants stay as they are to rounding and nothing overshoots. Where triangles are much smaller than the typical
    /// one the flow is limited for stability, which only matters for kernels narrower than an edge. Such kernels are two
    /// terms of the exponential series; wide ones take steps of Runge-Kutta-Legendre (Meyer, Balsara and Aslam 2014, J.
    /// Comput. Phys. 257A, eqs. 16 to 18), whose `s` stages reach `s (s + 1) / 2` plain steps far.
    ///
    /// # Errors
    /// Another number of rows than vertices; cancellation.
    pub fn smooth(&self, values: &Array2<f32>, fwhm_mm: f64, monitor: &dyn Monitor) -> Result<Array2<f32>> {
        same_length("rows to smooth (one a vertex)", self.areas_mm2.len(), values.nrows())?;
        let time = (fwhm_mm / FWHM_PER_SD).powi(2) / 2.0;
        let stable = self.stable_step();
        let columns = values.ncols();
        if time.is_nan() || time <= 0.0 || !stable.is_finite() || columns == 0 {
            return Ok(values.clone());
        }
        let values = values.as_standard_layout();
        let given = values.as_slice().unwrap_or_default();
        let smooth = if time <= SHORT_SHARE * stable {
            self.short(given, columns, time, stable, monitor)?
        } else {
            self.long(given, columns, time, stable, monitor)?
        };
        let found = smooth.len();
        Array2::from_shape_vec(values.raw_dim(), smooth).map_err(|_| {
            brainmesh_core::Error::Length { field: "smoothed values", expected: values.len(), found }.into()
        })
    }

    /// `exp(time L)` to second order: what flows in `time`, and half of what flows of that.
    fn short(&self, given: &[f32], columns: usize, time: f64, stable: f64, monitor: &dyn Monitor) -> Result<Vec<f32>> {
        monitor.stage("smoothing along the cortex", 2);
        let mut flow = zeros(given.len());
        self.each_row(&mut flow, columns, monitor, |vertex, row| {
            self.flow_into(vertex, time, 1.0 / stable, given, row);
        })?;
        let mut smooth = zeros(given.len());
        self.each_row(&mut smooth, columns, monitor, |vertex, row| {
            let at = vertex * columns..(vertex + 1) * columns;
            for ((out, &now), &more) in row.iter_mut().zip(&given[at.clone()]).zip(&flow[at]) {
                *out = now + more;
            }
            self.flow_into(vertex, time / 2.0, 1.0 / stable, &flow, row);
        })?;
        Ok(smooth)
    }

    fn long(&self, given: &[f32], columns: usize, time: f64, stable: f64, monitor: &dyn Monitor) -> Result<Vec<f32>> {
        let step = time / LONG_STEPS;
        let stages = (((1.0 + 8.0 * step / stable).sqrt() - 1.0) / 2.0).ceil().max(1.0);
        let share = 2.0 / (stages * (stages + 1.0));
        let mut current = given.to_vec();
        let mut before = given.to_vec();
        let mut next = zeros(given.len());
        monitor.stage("smoothing along the cortex", (LONG_STEPS * stages) as u64);
        for _ in 0..LONG_STEPS as usize {
            for stage in 1..=stages as usize {
                // Legendre's recursion: go on as in the stage before by so much, and flow. The first is a plain step.
                let onward = (stage as f64 - 1.0) / stage as f64;
                let flow = (1.0 + onward) * share * step;
                self.each_row(&mut next, columns, monitor, |vertex, row| {
                    let at = vertex * columns..(vertex + 1) * columns;
                    for ((out, &now), &past) in row.iter_mut().zip(&current[at.clone()]).zip(&before[at]) {
                        *out = now + onward as f32 * (now - past);
                    }
                    self.flow_into(vertex, flow, 1.0 / stable, &current, row);
                })?;
                std::mem::swap(&mut before, &mut current);
                std::mem::swap(&mut current, &mut next);
            }
        }
        Ok(current)
    }

    /// Calls `fill` with every vertex and its row of `to`.
    fn each_row(
        &self,
        to: &mut [f32],
        columns: usize,
        monitor: &dyn Monitor,
        fill: impl Fn(usize, &mut [f32]) + Sync,
    ) -> Result<()> {
        monitor.check()?;
        if columns < WIDE {
            to.par_chunks_mut(columns * BLOCK).enumerate().for_each(|(block, rows)| {
                rows.chunks_exact_mut(columns).enumerate().for_each(|(i, row)| fill(block * BLOCK + i, row));
            });
        } else {
            rows_in_order(to, columns, &self.order).par_chunks_mut(BLOCK).for_each(|rows| {
                rows.iter_mut().for_each(|(vertex, row)| fill(*vertex, row));
            });
        }
        monitor.advance(1);
        Ok(())
    }

    /// Adds to `row` what flows into a vertex in `time`, at no more than `fastest` (1/mm^2) all edges together.
    fn flow_into(&self, vertex: usize, time: f64, fastest: f64, from: &[f32], row: &mut [f32]) {
        let columns = row.len();
        let own = &from[vertex * columns..(vertex + 1) * columns];
        let (neighbours, rates) = self.around(vertex);
        let outflow = rates.iter().sum::<f64>();
        let limit = if outflow > fastest { fastest / outflow } else { 1.0 };
        for (&j, &rate) in neighbours.iter().zip(rates) {
            let weight = (time * rate * limit) as f32;
            let other = &from[j as usize * columns..(j as usize + 1) * columns];
            for ((out, &a), &b) in row.iter_mut().zip(own).zip(other) {
                *out += weight * (b - a);
            }
        }
    }

    /// Longest plain step: one in which nine vertices in ten exchange at most five eighths of their value. Faster ones
    /// are limited to all of it.
    fn stable_step(&self) -> f64 {
        let mut outflows: Vec<f64> = (0..self.areas_mm2.len())
            .map(|v| self.around(v).1.iter().sum::<f64>())
            .filter(|&r| r > 0.0 && r.is_finite())
            .collect();
        if outflows.is_empty() {
            return f64::INFINITY;
        }
        let rank = (outflows.len() * 9 / 10).min(outflows.len() - 1);
        0.625 / *outflows.select_nth_unstable_by(rank, f64::total_cmp).1
    }
}

/// Vertices along a Z-order curve through blocks about as large as a triangle.
fn memory_order(surface: &Surface) -> Vec<u32> {
    let points = surface.vertices();
    let (low, high) = points.iter().fold((DVec3::INFINITY, DVec3::NEG_INFINITY), |(l, h), p| (l.min(p.0), h.max(p.0)));
    let scale = 1023.0 / (high - low).max_element().max(f64::MIN_POSITIVE);
    let mut keyed: Vec<(u64, u32)> =
        points.par_iter().enumerate().map(|(v, p)| (morton((p.0 - low) * scale), v as u32)).collect();
    keyed.par_sort_unstable();
    keyed.into_iter().map(|(_, v)| v).collect()
}

/// Whether a ray takes part in smoothing.
pub(crate) fn usable(defects: &[Option<RayDefect>]) -> impl Fn(usize) -> bool + '_ {
    |ray| defects[ray].is_none()
}
