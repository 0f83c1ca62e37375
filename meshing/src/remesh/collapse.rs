use super::soup::{Soup, agree};
use crate::edges::Edges;

/// Passes; in each no two collapses are neighbours.
const PASSES: usize = 6;

impl Soup {
    /// Draws the ends of edges shorter than `least_mm` together at their middle, where that keeps the topology, folds
    /// nothing and leaves no edge longer than `most_mm`. Borders stay.
    pub(super) fn collapse_edges(&mut self, least_mm: f64, most_mm: f64) {
        for _ in 0..PASSES {
            if self.collapse_some(least_mm, most_mm) == 0 {
                break;
            }
        }
    }

    fn collapse_some(&mut self, least_mm: f64, most_mm: f64) -> usize {
        let mut short: Vec<(f64, u32, u32)> = Edges::new(&self.triangles)
            .iter()
            .map(|sides| sides[0].ends)
            .map(|(a, b)| (self.length(a, b), a, b))
            .filter(|(length, ..)| *length < least_mm)
            .collect();
        short.sort_unstable_by(|p, q| p.0.total_cmp(&q.0).then((p.1, p.2).cmp(&(q.1, q.2))));
        let (around, border) = (self.around(), self.border());
        let mut touched = vec![false; self.points.len()];
        let mut gone = vec![false; self.triangles.len()];
        let mut count = 0;
        for (_, a, b) in short {
            if border[a as usize] || border[b as usize] {
                continue;
            }
            let ring = |v: u32| {
                let corners = around[v as usize].iter().flat_map(|&t| self.triangles[t as usize]);
                let mut ring: Vec<u32> = corners.filter(|&w| w != v).collect();
                ring.sort_unstable();
                ring.dedup();
                ring
            };
            let (of_a, of_b) = (ring(a), ring(b));
            if of_a.iter().chain(&of_b).any(|&v| touched[v as usize]) {
                continue;
            }
            let shared = of_a.iter().filter(|v| of_b.binary_search(v).is_ok()).count();
            // Fewer would close a tunnel or leave two triangles back to back.
            if shared != 2 || of_a.len() + of_b.len() < 10 {
                continue;
            }
            let middle = self.points[a as usize].midpoint(self.points[b as usize]);
            let too_long = |&v: &u32| v != a && v != b && self.points[v as usize].distance(middle) > most_mm;
            if of_a.iter().chain(&of_b).any(too_long) {
                continue;
            }
            let stays = |triangle: [u32; 3]| {
                let before = self.normal(triangle);
                let moved = triangle.map(|v| if v == a || v == b { middle } else { self.points[v as usize] });
                agree(before, (moved[1] - moved[0]).cross(moved[2] - moved[0]))
            };
            let both = around[a as usize].iter().chain(&around[b as usize]);
            let mut others = both.map(|&t| self.triangles[t as usize]).filter(|t| !(t.contains(&a) && t.contains(&b)));
            if !others.all(stays) {
                continue;
            }
            of_a.iter().chain(&of_b).for_each(|&v| touched[v as usize] = true);
            for &t in &around[b as usize] {
                if self.triangles[t as usize].contains(&a) {
                    gone[t as usize] = true;
                } else {
                    self.triangles[t as usize].iter_mut().filter(|v| **v == b).for_each(|v| *v = a);
                }
            }
            self.points[a as usize] = middle;
            count += 1;
        }
        let mut gone = gone.iter();
        self.triangles.retain(|_| gone.next() == Some(&false));
        self.drop_unused();
        count
    }
}
