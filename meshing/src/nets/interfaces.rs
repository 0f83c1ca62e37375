use super::LabelValue;
use super::cells::{EDGES, center};
use super::fans::{Cut, complex_sets, sheets};
use crate::Result;
use crate::relax::{Links, relax_cells};
use brainmesh_core::{Error, Grid, Monitor, Structure, Surface, VoxelPoint, WorldPoint};
use glam::Vec3A;
use rayon::prelude::*;
use std::collections::HashMap;

/// How far a vertex may come to the side of its cell, from the middle, in voxels: cells stay told apart.
const REACH: f32 = 0.49;
/// How far the vertices of two sheets in one cell move to the middles of their own edges.
const APART: f32 = 0.1;

/// Surfaces between the labels of a volume: one vertex a cell, one quad between each two neighbouring voxels that differ.
///
/// Made by [`SurfaceNets`](super::SurfaceNets).
#[derive(Debug, Clone)]
pub struct Interfaces<L> {
    grid: Grid,
    /// In voxels.
    vertices: Vec<[f32; 3]>,
    /// Normals lead to the higher voxel along the axis.
    quads: Vec<[u32; 4]>,
    axes: Vec<u8>,
    /// Labels of the lower and the higher voxel.
    sides: Vec<[L; 2]>,
}

/// Edge of its cell, of [`EDGES`], that a quad of an axis goes around, for each of the quad's corners.
const EDGE_AT_CORNER: [[usize; 4]; 3] = [[3, 2, 0, 1], [7, 5, 4, 6], [11, 10, 8, 9]];

impl<L: LabelValue> Interfaces<L> {
    pub(super) fn new(
        grid: Grid,
        vertices: Vec<[f32; 3]>,
        quads: Vec<[u32; 4]>,
        axes: Vec<u8>,
        sides: Vec<[L; 2]>,
    ) -> Result<Self> {
        if quads.is_empty() {
            return Err(Error::Invalid {
                field: "labels",
                expected: "voxels of a label other than background (for an isosurface: above its value)".into(),
                found: "none".into(),
            }
            .into());
        }
        Ok(Self { grid, vertices, quads, axes, sides })
    }

    /// Number of vertices.
    pub fn vertex_count(&self) -> usize {
        self.vertices.len()
    }

    /// Number of quads, each of two triangles.
    pub fn quad_count(&self) -> usize {
        self.quads.len()
    }

    /// All triangles, two a quad, with the numbers of their vertices.
    pub fn triangles(&self) -> Vec<[u32; 3]> {
        let mut triangles = vec![[0; 3]; 2 * self.quads.len()];
        let pairs = triangles.par_chunks_mut(1 << 13).zip(self.quads.par_chunks(1 << 12));
        pairs.for_each(|(triangles, quads)| {
            for (pair, &[a, b, c, d]) in triangles.chunks_exact_mut(2).zip(quads) {
                pair.copy_from_slice(&[[a, b, c], [a, c, d]]);
            }
        });
        triangles
    }

    /// Labels that have a surface, ascending; background is none.
    pub fn labels(&self) -> Vec<L> {
        let mut labels: Vec<L> = self
            .sides
            .par_chunks(1 << 16)
            .map(|sides| {
                let mut found: Vec<L> = Vec::new();
                let mut last = [L::default(); 2];
                for &pair in sides.iter().filter(|pair| **pair != std::mem::replace(&mut last, **pair)) {
                    found.extend(pair);
                    if found.len() > 1 << 12 {
                        found.sort_unstable();
                        found.dedup();
                    }
                }
                found.sort_unstable();
                found.dedup();
                found
            })
            .reduce(Vec::new, |mut a, b| {
                a.extend(b);
                a.sort_unstable();
                a.dedup();
                a
            });
        labels.retain(|&label| label != L::default());
        labels
    }

    /// Smooths all surfaces at once: every vertex goes towards the middle of its neighbours and half as far back, in turn (Taubin
    /// 1995), and stays inside its cell (Gibson 1998): nothing moves by more than a voxel, shared faces stay shared, and
    /// volumes are kept.
    ///
    /// # Errors
    /// Cancellation.
    pub fn relax(&mut self, iterations: usize, monitor: &dyn Monitor) -> Result<()> {
        let links = Links::of_polygons(self.vertices.len(), &self.quads);
        relax_cells(&mut self.vertices, &links, iterations, REACH, monitor)
    }

    /// The closed surface of a label in world RAS+ mm, wound outward. Voxels of the label that touch at an edge or a corner
    /// alone do not hang together there, so that every edge has two triangles.
    ///
    /// # Errors
    /// A label without voxels.
    pub fn surface(&self, label: L) -> Result<Surface> {
        let of_label = |&n: &usize| self.sides[n].contains(&label);
        let quads: Vec<usize> = (0..self.quads.len()).filter(of_label).collect();
        self.closed(label, &quads, &mut vec![u32::MAX; self.vertices.len()])
    }

    /// The surfaces of labels, as [`surface`](Self::surface).
    ///
    /// # Errors
    /// A label without voxels; cancellation.
    pub fn surfaces(&self, labels: &[L], monitor: &dyn Monitor) -> Result<Vec<Surface>> {
        monitor.stage("surfaces of labels", labels.len() as u64);
        let mut quads: HashMap<L, Vec<usize>> = labels.iter().map(|&label| (label, Vec::new())).collect();
        for (n, sides) in self.sides.iter().enumerate() {
            for side in sides {
                if let Some(quads) = quads.get_mut(side) {
                    quads.push(n);
                }
            }
        }
        labels
            .par_iter()
            .map_init(
                || vec![u32::MAX; self.vertices.len()],
                |numbers, &label| {
                    monitor.check()?;
                    let surface = self.closed(label, quads.get(&label).map_or(&[], Vec::as_slice), numbers);
                    monitor.advance(1);
                    surface
                },
            )
            .collect()
    }

    /// `numbers` is `u32::MAX` everywhere, before and after.
    fn closed(&self, label: L, quads: &[usize], numbers: &mut [u32]) -> Result<Surface> {
        let mut used: Vec<u32> = Vec::with_capacity(quads.len() + quads.len() / 8);
        for &v in quads.iter().flat_map(|&n| &self.quads[n]) {
            if std::mem::replace(&mut numbers[v as usize], 0) == u32::MAX {
                used.push(v);
            }
        }
        used.sort_unstable();
        used.iter().zip(0..).for_each(|(&v, n)| numbers[v as usize] = n);
        let mut corners: Vec<[u32; 4]> = quads.iter().map(|&n| self.quads[n].map(|v| numbers[v as usize])).collect();
        used.iter().for_each(|&v| numbers[v as usize] = u32::MAX);
        let mut points: Vec<[f32; 3]> = used.iter().map(|&v| self.vertices[v as usize]).collect();
        self.part_sheets(label, quads, &mut corners, &mut points);

        let world = |&[i, j, k]: &[f32; 3]| self.grid.world_from_voxel(VoxelPoint::new(i.into(), j.into(), k.into()));
        let vertices: Vec<WorldPoint> = points.iter().map(world).collect();
        let mirrored = self.grid.affine().matrix3.determinant() < 0.0;
        let mut triangles = Vec::with_capacity(2 * corners.len());
        for (&n, &[a, b, c, d]) in quads.iter().zip(&corners) {
            let at = |v: u32| Vec3A::from_array(points[v as usize]);
            let apart = |p: u32, q: u32| at(p).distance_squared(at(q));
            // The diagonal that is shorter in voxels: the same for both labels, whatever the grid.
            let mut pair = if apart(a, c) <= apart(b, d) { [[a, b, c], [a, c, d]] } else { [[b, c, d], [b, d, a]] };
            if (self.sides[n][0] == label) == mirrored {
                pair.iter_mut().for_each(|[_, b, c]| std::mem::swap(b, c));
            }
            triangles.extend(pair);
        }
        Ok(Surface::new(vertices, triangles, Structure::Unknown)?)
    }

    /// Gives each sheet through a cell a vertex of its own.
    fn part_sheets(&self, label: L, quads: &[usize], corners: &mut [[u32; 4]], points: &mut Vec<[f32; 3]>) {
        let mut sets = vec![0u16; points.len()];
        for (&n, corners) in quads.iter().zip(corners.iter()) {
            for (&v, edge) in corners.iter().zip(EDGE_AT_CORNER[usize::from(self.axes[n])]) {
                sets[v as usize] |= 1 << edge;
            }
        }
        let complex = complex_sets();
        let is_complex = |v: u32| complex[usize::from(sets[v as usize])];
        let mut cells: HashMap<[i32; 3], Vec<Cut>> = HashMap::new();
        let cell_of = |point: [f32; 3]| point.map(|c| c.floor() as i32);
        for (&n, corners) in quads.iter().zip(corners.iter()) {
            for (&v, edge) in corners.iter().zip(EDGE_AT_CORNER[usize::from(self.axes[n])]) {
                if is_complex(v) {
                    let cut = Cut { edge, low: self.sides[n][0] == label };
                    cells.entry(cell_of(points[v as usize])).or_default().push(cut);
                }
            }
        }
        if cells.is_empty() {
            return;
        }
        let sheets = sheets(&cells);
        let count = points.len() as u32;
        let mut copies: HashMap<(u32, usize), u32> = HashMap::new();
        for (&n, corners) in quads.iter().zip(corners.iter_mut()) {
            for (v, edge) in corners.iter_mut().zip(EDGE_AT_CORNER[usize::from(self.axes[n])]) {
                if *v >= count || !is_complex(*v) {
                    continue;
                }
                let Some(numbers) = sheets.get(&cell_of(points[*v as usize])) else { continue };
                let sheet = numbers[edge];
                if sheet > 0 {
                    let old = *v;
                    *v = *copies.entry((old, sheet)).or_insert_with(|| {
                        points.push(points[old as usize]);
                        points.len() as u32 - 1
                    });
                }
            }
        }
        let mut parted: Vec<_> = copies.into_iter().collect();
        parted.sort_unstable();
        let olds: Vec<[f32; 3]> = points[..count as usize].to_vec();
        let mut first = u32::MAX;
        for ((old, sheet), new) in parted {
            let from = olds[old as usize];
            let Some(numbers) = sheets.get(&cell_of(from)) else { continue };
            let set = usize::from(sets[old as usize]);
            let of_sheet = |sheet: usize| {
                (0..EDGES.len()).filter(|&e| set >> e & 1 == 1 && numbers[e] == sheet).fold(0, |s, e| s | 1 << e)
            };
            let mut shift = |vertex: u32, sheet: usize| {
                let (all, own) = (center(set, |_| 0.5), center(of_sheet(sheet), |_| 0.5));
                points[vertex as usize] = std::array::from_fn(|axis| from[axis] + APART * (own[axis] - all[axis]));
            };
            shift(new, sheet);
            if first != old {
                shift(old, 0);
                first = old;
            }
        }
    }
}
