use super::soup::Soup;
use crate::edges::Edges;
use std::collections::HashMap;

impl Soup {
    /// Cuts every edge longer than `most_mm` at its middle.
    pub(super) fn split_edges(&mut self, most_mm: f64) {
        let mut middles: HashMap<(u32, u32), u32> = HashMap::new();
        for sides in Edges::new(&self.triangles).iter() {
            let (a, b) = sides[0].ends;
            if self.length(a, b) > most_mm {
                middles.insert((a, b), self.points.len() as u32);
                self.points.push(self.points[a as usize].midpoint(self.points[b as usize]));
            }
        }
        let middle = |a: u32, b: u32| middles.get(&(a.min(b), a.max(b))).copied();
        let mut triangles = Vec::with_capacity(self.triangles.len() + 2 * middles.len());
        for &[a, b, c] in &self.triangles {
            // Turned so that the edges that are cut come first.
            let (a, b, c) = match [middle(a, b), middle(b, c), middle(c, a)] {
                [None, Some(_), _] => (b, c, a),
                [_, None, Some(_)] => (c, a, b),
                _ => (a, b, c),
            };
            match [middle(a, b), middle(b, c), middle(c, a)] {
                [Some(ab), Some(bc), Some(ca)] => {
                    triangles.extend([[a, ab, ca], [ab, b, bc], [ca, bc, c], [ab, bc, ca]]);
                }
                [Some(ab), Some(bc), None] => {
                    triangles.push([ab, b, bc]);
                    if self.length(ab, c) < self.length(a, bc) {
                        triangles.extend([[a, ab, c], [ab, bc, c]]);
                    } else {
                        triangles.extend([[a, ab, bc], [a, bc, c]]);
                    }
                }
                [Some(ab), None, _] => triangles.extend([[a, ab, c], [ab, b, c]]),
                _ => triangles.push([a, b, c]),
            }
        }
        self.triangles = triangles;
    }
}
