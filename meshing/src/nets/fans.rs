//! Vertices that the surface of one label passes more than once.
//!
//! Where voxels of a label touch at an edge or a corner alone, a cell's one vertex belongs to several sheets. Here each sheet
//! gets a vertex of its own, so that every edge has two triangles. Sheets follow the voxels of the label across an ambiguous face
//! of a cell (label and others on its two diagonals): voxels that touch at an edge stay apart. Only where both cells at
//! such a face would run through it twice in one sheet, they are joined there (Wenger 2013, Isosurfaces, section 5.4).

use super::cells::EDGES;
use std::collections::{HashMap, HashSet};

/// A cut edge of a cell of the surface of a label.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cut {
    /// Which of [`EDGES`].
    pub edge: usize,
    /// Whether the low end has the label.
    pub low: bool,
}

/// The four edges of each face of a cell: along `axis`, at its low or high side.
fn faces() -> impl Iterator<Item = (usize, bool, Vec<usize>)> {
    (0..6).map(|n| {
        let (axis, high) = (n / 2, n % 2 == 1);
        let on_face =
            |&(_, &(along, corner)): &(usize, &(usize, usize))| along != axis && (corner >> axis & 1 == 1) == high;
        (axis, high, EDGES.iter().enumerate().filter(on_face).map(|(edge, _)| edge).collect())
    })
}

/// Sets of cut edges that need more than one vertex, perhaps: an ambiguous face, or edges that are not connected.
pub(super) fn complex_sets() -> Vec<bool> {
    let faces: Vec<_> = faces().map(|(.., edges)| edges).collect();
    let is_complex = |set: usize| {
        let of_face = |face: &Vec<usize>| face.iter().copied().filter(|edge| set >> edge & 1 == 1).collect::<Vec<_>>();
        let mut sheets = Sheets::new();
        for face in &faces {
            match of_face(face)[..] {
                [a, b] => sheets.join(a, b),
                [_, _, _, _] => return true,
                _ => {}
            }
        }
        let mut roots: Vec<_> = (0..EDGES.len()).filter(|edge| set >> edge & 1 == 1).map(|e| sheets.of(e)).collect();
        roots.dedup();
        roots.iter().any(|root| *root != roots[0])
    };
    (0..1 << EDGES.len()).map(is_complex).collect()
}

/// Sheets of the surface through each of the given cells: to which sheet, from 0, each of its twelve edges belongs.
pub(super) fn sheets(cells: &HashMap<[i32; 3], Vec<Cut>>) -> HashMap<[i32; 3], [usize; 12]> {
    let faces: Vec<_> = faces().collect();
    // Faces at the high side of a cell, named by it.
    let name = |cell: [i32; 3], axis: usize, high: bool| {
        let mut cell = cell;
        cell[axis] -= i32::from(!high);
        (cell, axis)
    };
    let connect = |cell: [i32; 3], cuts: &[Cut], joined: &HashSet<([i32; 3], usize)>| {
        let mut sheets = Sheets::new();
        let mut ambiguous = Vec::new();
        for (axis, high, edges) in &faces {
            let cuts: Vec<&Cut> = cuts.iter().filter(|cut| edges.contains(&cut.edge)).collect();
            if let [a, b] = cuts[..] {
                sheets.join(a.edge, b.edge);
            }
            if cuts.len() == 4 {
                let face = name(cell, *axis, *high);
                let inside = !joined.contains(&face);
                let corner = |cut: &Cut| {
                    let (axis, low) = EDGES[cut.edge];
                    if cut.low == inside { low } else { low | 1 << axis }
                };
                for (n, a) in cuts.iter().enumerate() {
                    for b in cuts[..n].iter().filter(|b| corner(a) == corner(b)) {
                        sheets.join(a.edge, b.edge);
                    }
                }
                ambiguous.push((face, cuts.iter().map(|cut| cut.edge).collect::<Vec<_>>()));
            }
        }
        (sheets, ambiguous)
    };
    let mut twice: HashMap<([i32; 3], usize), u8> = HashMap::new();
    for (&cell, cuts) in cells {
        let (sheets, ambiguous) = connect(cell, cuts, &HashSet::new());
        for (face, edges) in ambiguous {
            if edges.iter().all(|&edge| sheets.of(edge) == sheets.of(edges[0])) {
                *twice.entry(face).or_default() += 1;
            }
        }
    }
    let joined: HashSet<_> = twice.into_iter().filter(|(_, times)| *times == 2).map(|(face, _)| face).collect();
    let number = |(&cell, cuts): (&[i32; 3], &Vec<Cut>)| {
        let (sheets, _) = connect(cell, cuts, &joined);
        let mut numbers = [0; 12];
        let mut roots: Vec<usize> = Vec::new();
        for edge in (0..12).filter(|&edge| cuts.iter().any(|cut| cut.edge == edge)) {
            let root = sheets.of(edge);
            numbers[edge] = roots.iter().position(|&r| r == root).unwrap_or_else(|| {
                roots.push(root);
                roots.len() - 1
            });
        }
        (cell, numbers)
    };
    cells.iter().map(number).collect()
}

/// Edges of a cell that belong together.
struct Sheets([usize; 12]);

impl Sheets {
    fn new() -> Self {
        Self(std::array::from_fn(|edge| edge))
    }

    fn of(&self, edge: usize) -> usize {
        self.0[edge]
    }

    fn join(&mut self, a: usize, b: usize) {
        let (from, to) = (self.0[a], self.0[b]);
        self.0.iter_mut().filter(|root| **root == from).for_each(|root| *root = to);
    }
}
