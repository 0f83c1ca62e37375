use glam::DVec3;
use rayon::prelude::*;

/// Rounding of a triple product of coordinates, as a share of the product of their sizes; generous.
pub(crate) const ROUNDING: f64 = 1e-14;

/// The triangles around every vertex, in one allocation.
pub(crate) struct Fans {
    offsets: Vec<u32>,
    /// Indices into the triangles the fans were made from.
    triangles: Vec<u32>,
    /// Whether the triangles around a vertex close a ring (or several).
    closed: Vec<bool>,
}

impl Fans {
    pub(crate) fn new(vertices: usize, triangles: &[[u32; 3]]) -> Self {
        let mut offsets = vec![0u32; vertices + 1];
        for v in triangles.iter().flatten() {
            offsets[*v as usize + 1] += 1;
        }
        for v in 0..vertices {
            offsets[v + 1] += offsets[v];
        }
        let mut next = offsets.clone();
        let mut around = vec![0u32; triangles.len() * 3];
        for (t, triangle) in triangles.iter().enumerate() {
            for &v in triangle {
                around[next[v as usize] as usize] = t as u32;
                next[v as usize] += 1;
            }
        }
        let mut fans = Self { offsets, triangles: around, closed: Vec::new() };
        // Every edge that leaves the vertex must come back once: the next corners are the corners before.
        let closed = |v: usize, from: &mut Vec<u32>, to: &mut Vec<u32>| {
            from.clear();
            to.clear();
            for &t in fans.of(v) {
                let (next, before) = rim_of(triangles[t as usize], v as u32);
                from.push(next);
                to.push(before);
            }
            from.sort_unstable();
            to.sort_unstable();
            !from.is_empty() && from == to && from.windows(2).all(|pair| pair[0] != pair[1])
        };
        let scratch = || (Vec::new(), Vec::new());
        fans.closed = (0..vertices).into_par_iter().map_init(scratch, |(from, to), v| closed(v, from, to)).collect();
        fans
    }

    pub(crate) fn of(&self, vertex: usize) -> &[u32] {
        &self.triangles[self.offsets[vertex] as usize..self.offsets[vertex + 1] as usize]
    }

    /// Whether the triangles around a vertex meet in nothing but the corners and edges they share, surely: seen along
    /// the mean of their normals all of them face the viewer and go round the vertex once, so that none hides another.
    pub(crate) fn lies_flat(&self, vertex: usize, triangles: &[[u32; 3]], at: impl Fn(u32) -> DVec3) -> bool {
        if !self.closed[vertex] {
            return false;
        }
        let center = at(vertex as u32);
        let sides = |t: u32| {
            let (from, to) = rim_of(triangles[t as usize], vertex as u32);
            (at(from) - center, at(to) - center)
        };
        let normals = self.of(vertex).iter().map(|&t| sides(t)).map(|(a, b)| a.cross(b));
        let view: DVec3 = normals.sum();
        let axis = view.any_orthogonal_vector();
        let size = ROUNDING * view.abs().element_sum();
        let mut turns = 0;
        for &t in self.of(vertex) {
            let (a, b) = sides(t);
            let facing = a.cross(b).dot(view);
            let doubt = size * a.abs().element_sum() * b.abs().element_sum();
            if facing <= doubt || facing.is_nan() {
                return false;
            }
            // Triangles that turn to the left pass the half line to the right upwards, once each time round.
            turns += usize::from(a.dot(axis) < 0.0 && b.dot(axis) >= 0.0);
        }
        turns == 1
    }
}

/// The two other corners, in the order of the triangle.
fn rim_of(triangle: [u32; 3], vertex: u32) -> (u32, u32) {
    match triangle.map(|v| v == vertex) {
        [true, ..] => (triangle[1], triangle[2]),
        [_, true, _] => (triangle[2], triangle[0]),
        _ => (triangle[0], triangle[1]),
    }
}
