use glam::DVec3;

/// Triangles of a leaf.
const LEAF: usize = 6;

/// A tree of bounding boxes over triangles: which of them may touch a given box.
pub(crate) struct BoxTree {
    nodes: Vec<Node>,
    /// Items in the order of the leaves.
    items: Vec<u32>,
}

#[derive(Clone, Copy)]
pub(crate) struct Bounds {
    low: DVec3,
    high: DVec3,
}

struct Node {
    bounds: Bounds,
    /// Leaf: range of items. Inner: `from` is the second child, the first follows its parent; `to` is 0.
    from: u32,
    to: u32,
}

impl Bounds {
    /// Around three corners.
    pub(crate) fn of(corners: &[DVec3; 3]) -> Self {
        Self { low: corners[0].min(corners[1]).min(corners[2]), high: corners[0].max(corners[1]).max(corners[2]) }
    }

    fn join(self, other: Self) -> Self {
        Self { low: self.low.min(other.low), high: self.high.max(other.high) }
    }

    fn touches(&self, other: &Self) -> bool {
        self.low.cmple(other.high).all() && other.low.cmple(self.high).all()
    }
}

impl BoxTree {
    /// Over the boxes of `items` (indices into `bounds`).
    pub(crate) fn new(mut items: Vec<u32>, bounds: &[Bounds]) -> Self {
        let mut nodes = Vec::with_capacity(items.len() / LEAF * 4 + 1);
        let count = items.len();
        if count > 0 {
            build(&mut nodes, &mut items, 0, count, bounds);
        }
        Self { nodes, items }
    }

    /// Calls `visit` with every item whose box may touch `query`.
    pub(crate) fn visit(&self, query: &Bounds, bounds: &[Bounds], mut visit: impl FnMut(u32)) {
        if self.nodes.is_empty() {
            return;
        }
        let mut stack = vec![0u32];
        while let Some(index) = stack.pop() {
            let node = &self.nodes[index as usize];
            if !node.bounds.touches(query) {
                continue;
            }
            if node.to > 0 {
                for &item in &self.items[node.from as usize..node.to as usize] {
                    if bounds[item as usize].touches(query) {
                        visit(item);
                    }
                }
            } else {
                stack.push(index + 1);
                stack.push(node.from);
            }
        }
    }
}

/// Halves at the median of the longest axis, so that the depth is the logarithm of the count whatever the input.
fn build(nodes: &mut Vec<Node>, items: &mut [u32], from: usize, to: usize, bounds: &[Bounds]) {
    let slice = &mut items[from..to];
    let whole = slice.iter().skip(1).fold(bounds[slice[0] as usize], |b, &i| b.join(bounds[i as usize]));
    let index = nodes.len();
    nodes.push(Node { bounds: whole, from: from as u32, to: to as u32 });
    if slice.len() <= LEAF {
        return;
    }
    let extent = whole.high - whole.low;
    let axis = if extent.x >= extent.y && extent.x >= extent.z {
        0
    } else if extent.y >= extent.z {
        1
    } else {
        2
    };
    let middle = slice.len() / 2;
    let center = |i: u32| bounds[i as usize].low[axis] + bounds[i as usize].high[axis];
    slice.select_nth_unstable_by(middle, |&a, &b| center(a).total_cmp(&center(b)).then(a.cmp(&b)));
    build(nodes, items, from, from + middle, bounds);
    nodes[index].from = nodes.len() as u32;
    nodes[index].to = 0;
    build(nodes, items, from + middle, to, bounds);
}
