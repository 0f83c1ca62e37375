use glam::{DVec3, Vec3A};
use rayon::prelude::*;

/// Items of a leaf, at most.
const LEAF: usize = 8;
/// Nodes with more items than this are divided on two threads.
const PARALLEL: usize = 4096;
/// Pairs of nodes that a search over all pairs is divided into, at most.
const TASKS: usize = 512;

/// A box around something, its sides parallel to the axes; never smaller than what it holds.
#[derive(Clone, Copy)]
pub(crate) struct Bounds {
    low: Vec3A,
    high: Vec3A,
}

impl Bounds {
    /// Around three corners.
    pub(crate) fn of(corners: &[DVec3; 3]) -> Self {
        let [a, b, c] = corners;
        let (low, high) = (a.min(*b).min(*c), a.max(*b).max(*c));
        let below = |x: f64| if f64::from(x as f32) > x { (x as f32).next_down() } else { x as f32 };
        let above = |x: f64| if f64::from(x as f32) < x { (x as f32).next_up() } else { x as f32 };
        Self { low: Vec3A::from_array(low.to_array().map(below)), high: Vec3A::from_array(high.to_array().map(above)) }
    }

    /// Around both.
    pub(crate) fn join(self, other: Self) -> Self {
        Self { low: self.low.min(other.low), high: self.high.max(other.high) }
    }

    pub(crate) fn touches(&self, other: &Self) -> bool {
        (self.low.cmple(other.high) & other.low.cmple(self.high)).all()
    }

    fn middle(&self) -> Vec3A {
        self.low + self.high
    }
}

/// Which items lie together: a binary tree over them, all of whose leaves are equally deep, so that neither ranges nor
/// children need to be stored. Node `i` has the children `2 i + 1` and `2 i + 2`.
///
/// Surfaces that share their triangles share one tree and have [`Boxes`] of their own on it.
pub(crate) struct BoxTree {
    /// Items in the order of the leaves.
    order: Vec<u32>,
    depth: u32,
}

/// Boxes of the items of a [`BoxTree`] and of its nodes.
pub(crate) struct Boxes {
    leaves: Vec<Leaf>,
    nodes: Vec<Bounds>,
}

/// The boxes of a leaf, a coordinate at a time, so that all are compared at once; those that are not there touch nothing.
#[derive(Clone)]
struct Leaf {
    low: [[f32; LEAF]; 3],
    high: [[f32; LEAF]; 3],
}

impl Leaf {
    fn new(items: &[Bounds]) -> Self {
        let mut leaf = Self { low: [[f32::INFINITY; LEAF]; 3], high: [[f32::NEG_INFINITY; LEAF]; 3] };
        for (i, bounds) in items.iter().enumerate() {
            for axis in 0..3 {
                leaf.low[axis][i] = bounds.low[axis];
                leaf.high[axis][i] = bounds.high[axis];
            }
        }
        leaf
    }

    fn item(&self, i: usize) -> Bounds {
        let corner = |c: &[[f32; LEAF]; 3]| Vec3A::new(c[0][i], c[1][i], c[2][i]);
        Bounds { low: corner(&self.low), high: corner(&self.high) }
    }

    /// Which of the boxes touch another one: bit `8 i` for box `i`.
    #[inline(always)]
    fn touched(&self, other: &Bounds) -> u64 {
        let (low, high) = (other.low.to_array(), other.high.to_array());
        let mut touched = [1u8; LEAF];
        for axis in 0..3 {
            for (touched, (item_low, item_high)) in touched.iter_mut().zip(self.low[axis].iter().zip(&self.high[axis]))
            {
                *touched &= u8::from((*item_low <= high[axis]) & (low[axis] <= *item_high));
            }
        }
        u64::from_le_bytes(touched)
    }
}

/// Numbers of the bits that [`Leaf::touched`] sets.
fn set_bits(mut bits: u64) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        (bits != 0).then(|| {
            let bit = bits.trailing_zeros() as usize / 8;
            bits &= bits - 1;
            bit
        })
    })
}

impl BoxTree {
    /// Over `items`, indices into `bounds`; at least one of them for the tree to hold anything.
    pub(crate) fn new(mut items: Vec<u32>, bounds: &[Bounds]) -> Self {
        let depth = items.len().div_ceil(LEAF).next_power_of_two().trailing_zeros();
        let count = items.len();
        arrange(&mut items, count, depth, (0, 0), bounds);
        Self { order: items, depth }
    }

    /// Items in the order in which the searches number them.
    pub(crate) fn order(&self) -> &[u32] {
        &self.order
    }

    fn leaves(&self) -> usize {
        1 << self.depth
    }

    /// The places in the order that leaf `j` holds.
    fn range(&self, leaf: usize) -> std::ops::Range<usize> {
        let place = |leaf: usize| start(self.order.len(), self.depth, leaf);
        place(leaf)..place(leaf + 1)
    }

    /// Boxes of the items, given in the order of the tree.
    pub(crate) fn boxes(&self, items: Vec<Bounds>) -> Boxes {
        if items.is_empty() {
            return Boxes { leaves: Vec::new(), nodes: Vec::new() };
        }
        let empty = Bounds { low: Vec3A::INFINITY, high: Vec3A::NEG_INFINITY };
        let mut nodes = vec![empty; self.leaves() - 1];
        nodes.extend((0..self.leaves()).map(|leaf| items[self.range(leaf)].iter().fold(empty, |all, &b| all.join(b))));
        let leaves = (0..self.leaves()).into_par_iter().map(|leaf| Leaf::new(&items[self.range(leaf)])).collect();
        for node in (0..self.leaves() - 1).rev() {
            nodes[node] = nodes[2 * node + 1].join(nodes[2 * node + 2]);
        }
        Boxes { leaves, nodes }
    }

    /// Calls `visit` with the place of every item whose box touches `query`.
    pub(crate) fn visit(&self, boxes: &Boxes, query: &Bounds, mut visit: impl FnMut(usize)) {
        if boxes.nodes.is_empty() {
            return;
        }
        let mut stack = [0usize; 64];
        let mut height = 1;
        while height > 0 {
            height -= 1;
            let node = stack[height];
            if !boxes.nodes[node].touches(query) {
                continue;
            }
            if node + 1 >= self.leaves() {
                let leaf = node + 1 - self.leaves();
                let first = self.range(leaf).start;
                set_bits(boxes.leaves[leaf].touched(query)).for_each(|i| visit(first + i));
            } else {
                stack[height] = 2 * node + 2;
                stack[height + 1] = 2 * node + 1;
                height += 2;
            }
        }
    }

    /// All pairs of places (a, b) whose boxes touch, a in `boxes` and b in `others`, for which `keep` holds; with the
    /// same boxes twice each pair once and no item with itself. Always in the same order.
    pub(crate) fn pairs(
        &self,
        boxes: &Boxes,
        others: &Boxes,
        keep: impl Fn(usize, usize) -> bool + Sync,
        check: impl Fn() -> Result<(), brainmesh_core::Cancelled> + Sync,
    ) -> Result<Vec<(u32, u32)>, brainmesh_core::Cancelled> {
        if boxes.nodes.is_empty() || others.nodes.is_empty() {
            return Ok(Vec::new());
        }
        let same = std::ptr::eq(boxes, others);
        let mut tasks = vec![(0usize, 0usize)];
        tasks.retain(|&(a, b)| boxes.nodes[a].touches(&others.nodes[b]));
        while (1..TASKS).contains(&tasks.len()) && tasks[0].0 + 1 < self.leaves() {
            tasks = tasks.iter().flat_map(|&pair| children(pair, same)).collect();
            tasks.retain(|&(a, b)| boxes.nodes[a].touches(&others.nodes[b]));
        }
        let found: Vec<Vec<(u32, u32)>> = tasks
            .into_par_iter()
            .map(|task| {
                check()?;
                let mut found = Vec::new();
                // Pairs of nodes that touch.
                let mut stack = vec![task];
                while let Some((a, b)) = stack.pop() {
                    if a + 1 < self.leaves() {
                        let touching =
                            children((a, b), same).filter(|&(a, b)| boxes.nodes[a].touches(&others.nodes[b]));
                        stack.extend(touching);
                        continue;
                    }
                    let (a, b) = (a + 1 - self.leaves(), b + 1 - self.leaves());
                    let (left, right) = (self.range(a), self.range(b).start);
                    let around = others.nodes[b + self.leaves() - 1];
                    for i in 0..left.len() {
                        let item = boxes.leaves[a].item(i);
                        if !item.touches(&around) {
                            continue;
                        }
                        let mut touched = others.leaves[b].touched(&item);
                        if same && a == b {
                            // Those after it.
                            touched &= (!0u64 << (8 * i)) << 8;
                        }
                        for j in set_bits(touched) {
                            if keep(left.start + i, right + j) {
                                found.push(((left.start + i) as u32, (right + j) as u32));
                            }
                        }
                    }
                }
                Ok(found)
            })
            .collect::<Result<_, _>>()?;
        Ok(found.into_iter().flatten().collect())
    }
}

/// The pairs that a pair of nodes of one depth divides into.
fn children((a, b): (usize, usize), same: bool) -> impl Iterator<Item = (usize, usize)> {
    let (a1, a2, b1, b2) = (2 * a + 1, 2 * a + 2, 2 * b + 1, 2 * b + 2);
    let turned = (!(same && a == b)).then_some((a2, b1));
    [(a1, b1), (a1, b2), (a2, b2)].into_iter().chain(turned)
}

/// Where the part `index` of `1 << level` equal parts of `count` items begins.
fn start(count: usize, level: u32, index: usize) -> usize {
    ((count as u64 * index as u64) >> level) as usize
}

/// Halves a node's items at the median of the axis along which their middles spread most, down to the leaves.
/// `(level, index)` is the node's, of a tree over `count` items.
fn arrange(items: &mut [u32], count: usize, depth: u32, (level, index): (u32, usize), bounds: &[Bounds]) {
    if level == depth {
        return;
    }
    let middle = |i: u32| bounds[i as usize].middle();
    let (mut low, mut high) = (Vec3A::INFINITY, Vec3A::NEG_INFINITY);
    for &i in &*items {
        (low, high) = (low.min(middle(i)), high.max(middle(i)));
    }
    let extent = (high - low).to_array();
    let axis = (0..3).fold(0, |best, k| if extent[k] > extent[best] { k } else { best });
    let half = start(count, level + 1, 2 * index + 1) - start(count, level, index);
    if half > 0 && half < items.len() {
        items.select_nth_unstable_by(half, |&a, &b| middle(a)[axis].total_cmp(&middle(b)[axis]).then(a.cmp(&b)));
    }
    let (left, right) = items.split_at_mut(half);
    let go = |items: &mut [u32], side: usize| arrange(items, count, depth, (level + 1, 2 * index + side), bounds);
    if left.len() > PARALLEL {
        rayon::join(|| go(left, 0), || go(right, 1));
    } else {
        go(left, 0);
        go(right, 1);
    }
}
