//! Cells between voxels: which of them a surface passes through, and where.
//!
//! Cell `(i, j, k)` has voxels `i - 1` and `i` at its low and high side, and so on; around the volume lies background. There are
//! so `n + 1` cells along an axis of `n` voxels, and every voxel is inside the net.

use super::LabelValue;

/// Planes of voxels that are at hand: some kept from before, and those after them.
pub(super) struct Planes<'a, L> {
    pub shape: [usize; 3],
    /// Number of the first kept plane.
    pub first: usize,
    pub kept: &'a [L],
    pub slab: &'a [L],
}

impl<L: Copy> Planes<'_, L> {
    /// Voxels of row `j - 1` of plane `k - 1`, `None` outside the volume.
    fn row(&self, j: usize, k: usize) -> Option<&[L]> {
        let [ni, nj, nk] = self.shape;
        if j == 0 || j > nj || k == 0 || k > nk {
            return None;
        }
        let start = ((k - 1 - self.first) * nj + j - 1) * ni;
        match start.checked_sub(self.kept.len()) {
            None => self.kept.get(start..start + ni),
            Some(start) => self.slab.get(start..start + ni),
        }
    }
}

/// The four rows of voxels around a row of cells, each with background at both ends: voxel `i - 1` at place `i`.
pub(super) struct Rows<L> {
    /// Low `j`, low `k`.
    pub a: Vec<L>,
    /// High `j`, low `k`.
    pub b: Vec<L>,
    /// Low `j`, high `k`.
    pub c: Vec<L>,
    /// High `j`, high `k`.
    pub d: Vec<L>,
    mixed: Vec<u8>,
    active: Vec<u8>,
}

/// Cells looked at together.
const WORD: usize = 8;

impl<L: LabelValue> Rows<L> {
    pub(super) fn new(ni: usize) -> Self {
        let row = || vec![L::default(); ni + 2];
        let active = vec![0; (ni + 1).next_multiple_of(WORD)];
        Self { a: row(), b: row(), c: row(), d: row(), mixed: vec![0; ni + 2], active }
    }

    /// Goes to row `j` of plane `k`; rows of a plane are taken one after another from 0.
    pub(super) fn load(&mut self, planes: &Planes<'_, L>, j: usize, k: usize) {
        if j == 0 {
            self.b.fill(L::default());
            self.d.fill(L::default());
        }
        std::mem::swap(&mut self.a, &mut self.b);
        std::mem::swap(&mut self.c, &mut self.d);
        for (row, k) in [(&mut self.b, k), (&mut self.d, k + 1)] {
            match planes.row(j + 1, k) {
                Some(voxels) => row[1..=voxels.len()].copy_from_slice(voxels),
                None => row.fill(L::default()),
            }
        }
        self.find();
    }

    /// Marks the cells whose voxels are not all the same; plain loops, which become vector instructions.
    fn find(&mut self) {
        let none = L::default();
        let (a, b, c, d) = (&self.a, &self.b, &self.c, &self.d);
        for ((((mixed, &a), &b), &c), &d) in self.mixed.iter_mut().zip(a).zip(b).zip(c).zip(d) {
            *mixed = u8::from(((a ^ b) | (a ^ c) | (a ^ d)) != none);
        }
        let (low, high) = (&self.mixed, &self.mixed[1..]);
        for ((((active, &low), &high), &p), &q) in self.active.iter_mut().zip(low).zip(high).zip(a).zip(&a[1..]) {
            *active = low | high | u8::from(p != q);
        }
    }

    /// Calls `visit` with each cell of the row that has a vertex.
    #[inline]
    pub(super) fn each_cell(&self, mut visit: impl FnMut(usize)) {
        for (n, word) in self.active.chunks_exact(WORD).enumerate() {
            let mut bits = word.iter().rev().fold(0u64, |bits, &byte| bits << 8 | u64::from(byte));
            while bits != 0 {
                visit(n * WORD + bits.trailing_zeros() as usize / 8);
                bits &= bits - 1;
            }
        }
    }

    /// Voxel edges of cell `i` between different labels: four along each axis, in the order of [`EDGES`].
    #[inline]
    pub(super) fn edges(&self, i: usize) -> usize {
        let pair = |row: &[L]| match row.get(i..i + 2) {
            Some(&[low, high]) => (low, high),
            _ => (L::default(), L::default()),
        };
        let ((a0, a1), (b0, b1), (c0, c1), (d0, d1)) = (pair(&self.a), pair(&self.b), pair(&self.c), pair(&self.d));
        let pairs = [
            (a0, a1),
            (b0, b1),
            (c0, c1),
            (d0, d1),
            (a0, b0),
            (a1, b1),
            (c0, d0),
            (c1, d1),
            (a0, c0),
            (a1, c1),
            (b0, d0),
            (b1, d1),
        ];
        pairs.iter().enumerate().fold(0, |mask, (n, (p, q))| mask | usize::from(p != q) << n)
    }
}

/// The edges of a cell: axis, and the corner at their low end (bit 0: high side along `i`, 1: `j`, 2: `k`).
pub(super) const EDGES: [(usize, usize); 12] =
    [(0, 0), (0, 2), (0, 4), (0, 6), (1, 0), (1, 1), (1, 4), (1, 5), (2, 0), (2, 1), (2, 2), (2, 3)];

/// Middles of the cut edges of a cell, averaged, for every set of edges; from the voxels at its low side.
pub(super) fn centers() -> Vec<[f32; 3]> {
    (0..1usize << EDGES.len()).map(|mask| center(mask, |_| 0.5)).collect()
}

/// Average of the points at `share` of the way along the cut edges of a cell.
pub(super) fn center(mask: usize, share: impl Fn(usize) -> f32) -> [f32; 3] {
    let mut sum = [0.0; 3];
    for (n, &(axis, corner)) in EDGES.iter().enumerate().filter(|(n, _)| mask >> n & 1 == 1) {
        for (along, sum) in sum.iter_mut().enumerate() {
            *sum += if along == axis { share(n) } else { (corner >> along & 1) as f32 };
        }
    }
    sum.map(|sum| sum / mask.count_ones().max(1) as f32)
}
