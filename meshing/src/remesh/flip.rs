use super::soup::{Soup, agree};
use crate::edges::Edges;

/// Edges at a vertex inside and on a border.
const EDGES: [usize; 2] = [6, 4];

impl Soup {
    /// Turns edges round between the two triangles on them where that brings the numbers of edges at the four vertices
    /// nearer to six, and folds nothing.
    pub(super) fn flip_edges(&mut self) {
        let (around, border) = (self.around(), self.border());
        // As many as triangles inside, one more on a border.
        let mut degree: Vec<usize> =
            around.iter().zip(&border).map(|(t, border)| t.len() + usize::from(*border)).collect();
        let mut touched = vec![false; self.points.len()];
        for sides in Edges::new(&self.triangles).iter() {
            let [one, other] = sides else { continue };
            let (t, u) = (one.triangle as usize, other.triangle as usize);
            let (a, b) = one.ends;
            let opposite = |t: usize| self.triangles[t].into_iter().find(|&v| v != a && v != b);
            let (Some(c), Some(d)) = (opposite(t), opposite(u)) else { continue };
            let four = [a, b, c, d];
            if one.backwards == other.backwards || c == d || four.iter().any(|&v| touched[v as usize]) {
                continue;
            }
            let wanted = |v: u32| EDGES[usize::from(border[v as usize])];
            let off = |v: u32, change: isize| (degree[v as usize] as isize + change - wanted(v) as isize).pow(2);
            let before: isize = four.iter().map(|&v| off(v, 0)).sum();
            let after = off(a, -1) + off(b, -1) + off(c, 1) + off(d, 1);
            let joined = around[c as usize].iter().any(|&t| self.triangles[t as usize].contains(&d));
            if after >= before || joined || degree[a as usize] < 4 || degree[b as usize] < 4 {
                continue;
            }
            // As `one` is wound: its triangle runs from a to b unless it runs backwards.
            let (from, to) = if one.backwards { (b, a) } else { (a, b) };
            let new = [[c, from, d], [d, to, c]];
            let old = self.normal(self.triangles[t]) + self.normal(self.triangles[u]);
            if !new.iter().all(|&triangle| agree(self.normal(triangle), old)) {
                continue;
            }
            (self.triangles[t], self.triangles[u]) = (new[0], new[1]);
            four.iter().for_each(|&v| touched[v as usize] = true);
            degree[a as usize] -= 1;
            degree[b as usize] -= 1;
            degree[c as usize] += 1;
            degree[d as usize] += 1;
        }
    }
}
