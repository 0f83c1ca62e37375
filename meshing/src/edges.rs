use rayon::prelude::*;

/// Every edge of some triangles once, ascending, with the triangles on it.
pub(crate) struct Edges {
    /// Smaller and larger vertex, triangle, whether the triangle runs from the larger to the smaller.
    sides: Vec<Side>,
}

/// An edge as one triangle sees it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Side {
    /// Smaller vertex first.
    pub(crate) ends: (u32, u32),
    pub(crate) triangle: u32,
    /// The triangle runs from the larger to the smaller vertex.
    pub(crate) backwards: bool,
}

impl Edges {
    pub(crate) fn new(triangles: &[[u32; 3]]) -> Self {
        let side =
            |t: usize, (a, b): (u32, u32)| Side { ends: (a.min(b), a.max(b)), triangle: t as u32, backwards: a > b };
        let of_triangle = |(t, &[a, b, c]): (usize, &[u32; 3])| [(a, b), (b, c), (c, a)].map(|ends| side(t, ends));
        let mut sides: Vec<Side> = triangles.par_iter().enumerate().flat_map_iter(of_triangle).collect();
        sides.par_sort_unstable();
        Self { sides }
    }

    /// The sides of one edge after the other.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &[Side]> {
        self.sides.chunk_by(|a, b| a.ends == b.ends)
    }
}

/// Sides of triangles that are not shared with exactly one other triangle that runs along them the other way; none on a closed
/// surface whose triangles agree about outside.
pub fn unpaired_sides(triangles: &[[u32; 3]]) -> usize {
    let is_paired = |sides: &&[Side]| matches!(sides, [one, other] if one.backwards != other.backwards);
    Edges::new(triangles).iter().filter(|sides| !is_paired(sides)).map(<[_]>::len).sum()
}
