use rayon::prelude::*;

/// Sides of triangles that are not shared with exactly one other triangle that runs along them the other way; none on a closed
/// surface whose triangles agree about outside.
pub fn unpaired_sides(triangles: &[[u32; 3]]) -> usize {
    let mut sides: Vec<(u32, u32, bool)> = triangles
        .par_iter()
        .flat_map_iter(|&[a, b, c]| [(a, b), (b, c), (c, a)].map(|(p, q)| (p.min(q), p.max(q), p < q)))
        .collect();
    sides.par_sort_unstable();
    sides
        .chunk_by(|a, b| (a.0, a.1) == (b.0, b.1))
        .filter(|run| !matches!(run, [(.., false), (.., true)]))
        .map(<[_]>::len)
        .sum()
}
