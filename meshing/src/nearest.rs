use brainmesh_core::{Surface, WorldPoint};
use glam::DVec3;

/// Triangles of a leaf.
const LEAF: usize = 4;

/// How far points are from a surface: its triangles in a tree of boxes.
pub struct NearestPoint {
    triangles: Vec<Item>,
    nodes: Vec<Node>,
}

/// A triangle and its number in the surface.
struct Item {
    corners: [DVec3; 3],
    triangle: u32,
}

/// A point of a surface.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct OnSurface {
    pub(crate) triangle: u32,
    /// Shares of its corners.
    pub(crate) shares: [f64; 3],
}

struct Node {
    low: DVec3,
    high: DVec3,
    /// Leaf: triangles `from..to`. Inner: `from` is the second child, the first follows its parent; `to` is 0.
    from: u32,
    to: u32,
}

impl NearestPoint {
    /// Of a surface.
    pub fn new(surface: &Surface) -> Self {
        let item = |t: usize| Item { corners: surface.corners(t), triangle: t as u32 };
        let mut triangles: Vec<_> = (0..surface.triangles().len()).map(item).collect();
        let mut nodes = Vec::with_capacity(triangles.len() / LEAF * 4 + 1);
        let count = triangles.len();
        if count > 0 {
            build(&mut nodes, &mut triangles, 0, count);
        }
        Self { triangles, nodes }
    }

    /// Distance in mm to the nearest point of the surface if that is below `at_most_mm`, which else is returned.
    pub fn distance_mm(&self, point: WorldPoint, at_most_mm: f64) -> f64 {
        self.search(point.0, at_most_mm).map_or(at_most_mm, |(_, nearest)| nearest.distance(point.0))
    }

    /// The nearest point of the surface; `None` without triangles.
    pub(crate) fn nearest(&self, point: DVec3) -> Option<OnSurface> {
        let (item, nearest) = self.search(point, f64::INFINITY)?;
        let [a, b, c] = item.corners;
        let normal = (b - a).cross(c - a);
        let share = |p: DVec3, q: DVec3| (p - nearest).cross(q - nearest).dot(normal) / normal.length_squared();
        let shares = [share(b, c), share(c, a), share(a, b)];
        // A triangle without area: its first corner will do.
        let shares = if shares.iter().all(|s| s.is_finite()) { shares } else { [1.0, 0.0, 0.0] };
        Some(OnSurface { triangle: item.triangle, shares })
    }

    /// The nearest triangle nearer than a distance, and its nearest point.
    fn search(&self, p: DVec3, at_most_mm: f64) -> Option<(&Item, DVec3)> {
        let mut best = at_most_mm * at_most_mm;
        let mut found = None;
        let mut stack = vec![(self.nodes.first()?.distance_squared(p), 0u32)];
        while let Some((bound, index)) = stack.pop() {
            if bound >= best {
                continue;
            }
            let node = &self.nodes[index as usize];
            if node.to > 0 {
                for item in &self.triangles[node.from as usize..node.to as usize] {
                    let nearest = nearest_on_triangle(p, &item.corners);
                    if nearest.distance_squared(p) < best {
                        best = nearest.distance_squared(p);
                        found = Some((item, nearest));
                    }
                }
            } else {
                let mut children = [index + 1, node.from].map(|i| (self.nodes[i as usize].distance_squared(p), i));
                if children[0].0 < children[1].0 {
                    children.swap(0, 1);
                }
                stack.extend(children);
            }
        }
        found
    }
}

impl Node {
    fn distance_squared(&self, p: DVec3) -> f64 {
        p.distance_squared(p.clamp(self.low, self.high))
    }
}

/// Halves at the median of the longest axis.
fn build(nodes: &mut Vec<Node>, triangles: &mut [Item], from: usize, to: usize) {
    let slice = &mut triangles[from..to];
    let (low, high) = slice
        .iter()
        .flat_map(|item| &item.corners)
        .fold((DVec3::INFINITY, DVec3::NEG_INFINITY), |(low, high), p| (low.min(*p), high.max(*p)));
    let index = nodes.len();
    nodes.push(Node { low, high, from: from as u32, to: to as u32 });
    if slice.len() <= LEAF {
        return;
    }
    let axis = (high - low).max_position();
    let middle = slice.len() / 2;
    let center = |item: &Item| item.corners.iter().map(|p| p[axis]).sum::<f64>();
    slice.select_nth_unstable_by(middle, |a, b| center(a).total_cmp(&center(b)));
    build(nodes, triangles, from, from + middle);
    nodes[index].from = nodes.len() as u32;
    nodes[index].to = 0;
    build(nodes, triangles, from + middle, to);
}

/// Ericson, Real-Time Collision Detection (2005), 5.1.5.
fn nearest_on_triangle(p: DVec3, &[a, b, c]: &[DVec3; 3]) -> DVec3 {
    let (ab, ac, ap) = (b - a, c - a, p - a);
    let (d1, d2) = (ab.dot(ap), ac.dot(ap));
    if d1 <= 0.0 && d2 <= 0.0 {
        return a;
    }
    let bp = p - b;
    let (d3, d4) = (ab.dot(bp), ac.dot(bp));
    if d3 >= 0.0 && d4 <= d3 {
        return b;
    }
    let vc = d1 * d4 - d3 * d2;
    if vc <= 0.0 && d1 >= 0.0 && d3 <= 0.0 {
        return a + ab * (d1 / (d1 - d3));
    }
    let cp = p - c;
    let (d5, d6) = (ab.dot(cp), ac.dot(cp));
    if d6 >= 0.0 && d5 <= d6 {
        return c;
    }
    let vb = d5 * d2 - d1 * d6;
    if vb <= 0.0 && d2 >= 0.0 && d6 <= 0.0 {
        return a + ac * (d2 / (d2 - d6));
    }
    let va = d3 * d6 - d5 * d4;
    let (along, back) = (d4 - d3, d5 - d6);
    if va <= 0.0 && along >= 0.0 && back >= 0.0 {
        return b + (c - b) * (along / (along + back));
    }
    let sum = va + vb + vc;
    if sum > 0.0 { a + ab * (vb / sum) + ac * (vc / sum) } else { a }
}
