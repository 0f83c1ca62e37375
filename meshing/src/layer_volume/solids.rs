use crate::{Error, Result};
use brainmesh_core::{Grid, Surface};
use glam::DVec3;
use rayon::prelude::*;
use std::collections::HashMap;
use std::ops::Range;

/// Surfaces at most: one bit a layer.
const MOST: usize = 9;

/// A triangle that bounds layers.
pub(super) struct Facet {
    pub corners: [u32; 3],
    /// Layers (one bit each) it bounds with its normal outward, and with its normal inward.
    pub outward: u8,
    pub inward: u8,
}

/// The closed solid between each two neighbouring surfaces. Where the surfaces end at a border, walls join their borders.
pub(super) struct Solids {
    /// Voxel coordinates; across the lines they are stretched, so that lines lie at integers.
    pub points: Vec<DVec3>,
    facets: Vec<Facet>,
    /// Facets of each run of planes of lines: the end of its part of `order`.
    ends: Vec<usize>,
    order: Vec<u32>,
    run: usize,
}

impl Solids {
    /// `lines`: lines a voxel along `j` and along `k`. `run`: planes of voxels that are asked for together.
    pub(super) fn new(surfaces: &[Surface], grid: &Grid, lines: usize, run: usize) -> Result<Self> {
        let [first, rest @ ..] = surfaces else { return Err(count_of(surfaces.len())) };
        if rest.is_empty() || surfaces.len() > MOST || surfaces.len() * first.vertices().len() > u32::MAX as usize {
            return Err(count_of(surfaces.len()));
        }
        for (n, other) in rest.iter().enumerate() {
            if other.triangles() != first.triangles() || other.vertices().len() != first.vertices().len() {
                let expected = format!("the {} triangles of the first surface", first.triangles().len());
                let found = format!("other triangles ({}) on surface {}", other.triangles().len(), n + 1);
                return Err(brainmesh_core::Error::Invalid { field: "layer surfaces", expected, found }.into());
            }
        }
        let stretch = |c: f64| (c + 0.5) * lines as f64 - 0.5;
        let points: Vec<DVec3> = surfaces
            .par_iter()
            .flat_map(|surface| surface.vertices())
            .map(|&v| {
                let p = grid.voxel_from_world(v).0;
                if lines == 1 { p } else { DVec3::new(p.x, stretch(p.y), stretch(p.z)) }
            })
            .collect();
        let count = first.vertices().len() as u32;
        let mut facets = Vec::with_capacity(surfaces.len() * first.triangles().len());
        for k in 0..surfaces.len() {
            let outward = if k < rest.len() { 1 << k } else { 0 };
            let inward = if k > 0 { 1 << (k - 1) } else { 0 };
            let moved = |t: &[u32; 3]| Facet { corners: t.map(|v| v + k as u32 * count), outward, inward };
            facets.extend(first.triangles().iter().map(moved));
        }
        for (a, b) in borders(first.triangles()) {
            for k in 0..rest.len() as u32 {
                let [above_a, above_b] = [a, b].map(|v| v + k * count);
                let [below_a, below_b] = [above_a + count, above_b + count];
                for corners in [[above_b, above_a, below_a], [above_b, below_a, below_b]] {
                    facets.push(Facet { corners, outward: 1 << k, inward: 0 });
                }
            }
        }
        let planes = grid.shape()[2] * lines;
        let mut solids = Self { points, facets, ends: Vec::new(), order: Vec::new(), run: run * lines };
        solids.sort(planes);
        Ok(solids)
    }

    /// Lists the facets of each run of planes.
    fn sort(&mut self, planes: usize) {
        let runs = planes.div_ceil(self.run);
        let runs_of: Vec<Range<usize>> = self
            .facets
            .par_iter()
            .map(|facet| {
                let z = facet.corners.map(|v| self.points[v as usize].z);
                let low = z[0].min(z[1]).min(z[2]).ceil().max(0.0);
                let high = z[0].max(z[1]).max(z[2]).floor().min(planes as f64 - 1.0);
                if low <= high { low as usize / self.run..high as usize / self.run + 1 } else { 0..0 }
            })
            .collect();
        let mut ends = vec![0; runs];
        runs_of.iter().flat_map(Clone::clone).for_each(|run| ends[run] += 1);
        let mut sum = 0;
        for end in &mut ends {
            sum += std::mem::replace(end, sum);
        }
        let mut order = vec![0; sum];
        for (n, runs) in runs_of.into_iter().enumerate() {
            for run in runs {
                order[ends[run]] = n as u32;
                ends[run] += 1;
            }
        }
        (self.ends, self.order) = (ends, order);
    }

    /// Facets that some plane of a run may cut, always in the same order.
    pub(super) fn facets(&self, run: usize) -> impl Iterator<Item = &Facet> {
        let start = if run == 0 { 0 } else { self.ends[run - 1] };
        self.order[start..self.ends[run]].iter().map(|&n| &self.facets[n as usize])
    }
}

fn count_of(found: usize) -> Error {
    let expected = format!("2 to {MOST} surfaces that share their triangles");
    brainmesh_core::Error::Invalid { field: "layer surfaces", expected, found: found.to_string() }.into()
}

/// Sides that one triangle alone has, in its direction.
fn borders(triangles: &[[u32; 3]]) -> Vec<(u32, u32)> {
    let mut sides: HashMap<(u32, u32), i32> = HashMap::with_capacity(3 * triangles.len() / 2);
    for &[a, b, c] in triangles {
        for (p, q) in [(a, b), (b, c), (c, a)] {
            *sides.entry((p.min(q), p.max(q))).or_default() += if p < q { 1 } else { -1 };
        }
    }
    let mut borders: Vec<(u32, u32)> = sides
        .into_iter()
        .flat_map(|((p, q), times)| {
            let side = if times > 0 { (p, q) } else { (q, p) };
            std::iter::repeat_n(side, times.unsigned_abs() as usize)
        })
        .collect();
    borders.sort_unstable();
    borders
}
