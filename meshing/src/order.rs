use crate::diffusion::Diffusion;
use std::collections::VecDeque;

/// The vertices of a mesh ring by ring from a first one (Cuthill and McKee 1969), part by part: neighbours come to lie
/// near to each other in memory, whatever the order of the file. Meshes that were made by subdivision number the new
/// vertices last, far from the old ones that they are tied to.
pub(crate) fn rows_in_order(flow: &Diffusion) -> Vec<u32> {
    let count = flow.areas_mm2().len();
    let mut seen = vec![false; count];
    let mut order = Vec::with_capacity(count);
    let mut queue = VecDeque::new();
    for first in 0..count {
        if seen[first] {
            continue;
        }
        seen[first] = true;
        queue.push_back(first as u32);
        while let Some(v) = queue.pop_front() {
            order.push(v);
            for (j, _) in flow.links(v as usize) {
                if !std::mem::replace(&mut seen[j as usize], true) {
                    queue.push_back(j);
                }
            }
        }
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;
    use brainmesh_core::{Structure, Surface, WorldPoint};

    #[test]
    fn neighbours_come_near_and_every_vertex_once() {
        // A sheet whose vertices are numbered as far from their neighbours as can be.
        const SIDE: usize = 20;
        let number = |x: usize, y: usize| ((x + SIDE * y) * 171 % (SIDE * SIDE)) as u32;
        let mut points = vec![WorldPoint::new(0.0, 0.0, 0.0); SIDE * SIDE];
        let mut triangles = Vec::new();
        for (x, y) in (0..SIDE * SIDE).map(|i| (i % SIDE, i / SIDE)) {
            points[number(x, y) as usize] = WorldPoint::new(x as f64, y as f64, 0.0);
            if x + 1 < SIDE && y + 1 < SIDE {
                let [a, b, c, d] = [number(x, y), number(x + 1, y), number(x + 1, y + 1), number(x, y + 1)];
                triangles.extend([[a, b, c], [a, c, d]]);
            }
        }
        let flow = Diffusion::new(&Surface::new(points, triangles, Structure::Unknown).unwrap(), |v| v != 7);
        let order = rows_in_order(&flow);
        let mut place = vec![usize::MAX; order.len()];
        order.iter().enumerate().for_each(|(row, &v)| place[v as usize] = row);
        assert!(place.iter().all(|&row| row < order.len()));
        let apart = |v: usize| flow.links(v).map(move |(j, _)| j as usize).map(move |j| (v, j));
        let widest = (0..order.len()).flat_map(apart).map(|(v, j)| place[v].abs_diff(place[j])).max();
        // Two rings of a square sheet at most.
        assert!(widest.unwrap() <= 4 * SIDE, "{widest:?}");
    }
}
