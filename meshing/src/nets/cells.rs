//! Cells between voxels: which of them a surface passes through, and where.
//!
//! Cell `(i, j, k)` has voxels `i - 1` and `i` at its low and high side, and so on; around the volume lies background. There are
//! so `n + 1` cells along an axis of `n` voxels, and every voxel is inside the net.

use super::LabelValue;
use std::ops::Range;

/// Voxels that labels are made of: those of the planes that are at hand, background elsewhere.
pub(super) trait Source<L>: Sync {
    /// Fills `out` with the labels of row `j` of plane `k`, where the volume has it.
    fn load(&self, j: usize, k: usize, out: &mut [L]) -> bool;
    /// Labels at the corners of a cell (bit 0: high side along `i`, 1: `j`, 2: `k`).
    fn corners(&self, cell: [usize; 3]) -> [L; 8];
    /// Where the vertex of a cell lies, in voxels from the voxels at its low side.
    fn place(&self, cell: [usize; 3], edges: usize) -> [f32; 3];
}

/// The plane before a slab of planes, and the slab.
pub(super) struct Planes<'a, V> {
    pub shape: [usize; 3],
    /// Number of the first plane of the slab.
    pub first: usize,
    pub kept: &'a [V],
    pub slab: &'a [V],
}

impl<V: Copy> Planes<'_, V> {
    pub(super) fn row(&self, j: usize, k: usize) -> Option<&[V]> {
        let [ni, nj, nk] = self.shape;
        if j >= nj || k >= nk {
            return None;
        }
        let (planes, k) = if k < self.first { (self.kept, 0) } else { (self.slab, k - self.first) };
        let start = (k * nj + j) * ni;
        planes.get(start..start + ni)
    }

    /// Voxels at the corners of a cell (bit 0: high side along `i`, 1: `j`, 2: `k`).
    #[inline(always)]
    pub(super) fn corners(&self, [i, j, k]: [usize; 3]) -> [Option<V>; 8] {
        let mut corners = [None; 8];
        for (side, pair) in corners.as_chunks_mut::<2>().0.iter_mut().enumerate() {
            // Before the first voxel wraps round to beyond the last.
            let (j, k) = ((j + (side & 1)).wrapping_sub(1), (k + (side >> 1)).wrapping_sub(1));
            if let Some(row) = self.row(j, k) {
                *pair = [row.get(i.wrapping_sub(1)).copied(), row.get(i).copied()];
            }
        }
        corners
    }
}

/// Finds the cells with a vertex, row after row of a plane: those whose eight voxels are not all the same.
pub(super) struct Finder<L> {
    /// Rows of voxels with background at both ends: voxel `i - 1` at place `i`; low `j` low `k`, high low, low high, high high.
    rows: [Vec<L>; 4],
    mixed: Vec<u8>,
    active: Vec<u8>,
    arch: pulp::Arch,
}

/// Cells in a word of bits.
pub(super) const WORD: usize = 64;

/// Words of bits for a row of cells.
pub(super) fn words(ni: usize) -> usize {
    (ni + 1).div_ceil(WORD)
}

impl<L: LabelValue> Finder<L> {
    pub(super) fn new(ni: usize) -> Self {
        let rows = [(); 4].map(|()| vec![L::default(); ni + 2]);
        Self { rows, mixed: vec![0; ni + 2], active: vec![0; words(ni) * WORD], arch: pulp::Arch::new() }
    }

    /// Finds the cells of plane `k`, one bit each, and the number of vertices and of quads.
    pub(super) fn plane(&mut self, source: &impl Source<L>, nj: usize, k: usize, bits: &mut [u64]) -> [usize; 2] {
        // Compiled for each set of vector instructions, and for none.
        self.arch.dispatch(|| self.scan(source, nj, k, bits))
    }

    #[inline(always)]
    fn scan(&mut self, source: &impl Source<L>, nj: usize, k: usize, bits: &mut [u64]) -> [usize; 2] {
        let mut counts = [0; 2];
        let row_words = bits.len() / (nj + 1);
        for (j, bits) in bits.chunks_exact_mut(row_words).enumerate() {
            self.load(source, j, k);
            self.find();
            let [a, b, c, _] = &self.rows;
            for (n, (word, active)) in bits.iter_mut().zip(self.active.as_chunks::<WORD>().0).enumerate() {
                *word = packed(active);
                counts[0] += word.count_ones() as usize;
                each_bit(*word, |bit| {
                    let i = n * WORD + bit;
                    let low = a[i];
                    let quads = [low != a[i + 1], low != b[i], low != c[i]];
                    counts[1] += quads.into_iter().filter(|&quad| quad).count();
                });
            }
        }
        counts
    }

    /// Goes to row `j`; rows of a plane are taken one after another from 0.
    #[inline(always)]
    fn load(&mut self, source: &impl Source<L>, j: usize, k: usize) {
        let [a, b, c, d] = &mut self.rows;
        if j == 0 {
            b.fill(L::default());
            d.fill(L::default());
        }
        std::mem::swap(a, b);
        std::mem::swap(c, d);
        for (row, k) in [(b, k.checked_sub(1)), (d, Some(k))] {
            let end = row.len() - 1;
            if !k.is_some_and(|k| source.load(j, k, &mut row[1..end])) {
                row.fill(L::default());
            }
        }
    }

    /// Plain loops, which become vector instructions.
    #[inline(always)]
    fn find(&mut self) {
        let none = L::default();
        let [a, b, c, d] = &self.rows;
        for ((((mixed, &a), &b), &c), &d) in self.mixed.iter_mut().zip(a).zip(b).zip(c).zip(d) {
            *mixed = u8::from(((a ^ b) | (a ^ c) | (a ^ d)) != none);
        }
        let (low, high) = (&self.mixed, &self.mixed[1..]);
        for ((((active, &low), &high), &p), &q) in self.active.iter_mut().zip(low).zip(high).zip(a).zip(&a[1..]) {
            *active = low | high | u8::from(p != q);
        }
    }
}

/// Bytes of 0 and 1 as bits.
#[inline(always)]
fn packed(bytes: &[u8; WORD]) -> u64 {
    // The product brings the lowest bit of byte n to bit 56 + n.
    const GATHER: u64 = 0x0102_0408_1020_4080;
    let gathered = |eight: &[u8; 8]| u64::from_le_bytes(*eight).wrapping_mul(GATHER) >> 56;
    bytes.as_chunks::<8>().0.iter().enumerate().fold(0, |bits, (n, eight)| bits | gathered(eight) << (8 * n))
}

#[inline(always)]
fn each_bit(mut word: u64, mut visit: impl FnMut(usize)) {
    while word != 0 {
        visit(word.trailing_zeros() as usize);
        word &= word - 1;
    }
}

/// Calls `visit` with each cell of a row of bits.
#[inline]
pub(super) fn each_cell(bits: &[u64], mut visit: impl FnMut(usize)) {
    for (n, &word) in bits.iter().enumerate() {
        each_bit(word, |bit| visit(n * WORD + bit));
    }
}

/// The edges of a cell: axis, and the corner at their low end (bit 0: high side along `i`, 1: `j`, 2: `k`).
pub(super) const EDGES: [(usize, usize); 12] =
    [(0, 0), (0, 2), (0, 4), (0, 6), (1, 0), (1, 1), (1, 4), (1, 5), (2, 0), (2, 1), (2, 2), (2, 3)];

/// Edges between different labels, one bit each.
#[inline]
pub(super) fn cut_edges<L: LabelValue>(corners: &[L; 8]) -> usize {
    EDGES
        .iter()
        .enumerate()
        .fold(0, |mask, (n, &(axis, low))| mask | usize::from(corners[low] != corners[low | 1 << axis]) << n)
}

/// Middles of the cut edges of a cell, averaged, for every set of edges; from the voxels at its low side.
pub(super) fn centers() -> Vec<[f32; 3]> {
    (0..1usize << EDGES.len()).map(|mask| center(mask, |_| 0.5)).collect()
}

/// Average of the points at `share` of the way along the cut edges of a cell.
#[inline]
pub(super) fn center(mask: usize, share: impl Fn(usize) -> f32) -> [f32; 3] {
    let mut sum = [0.0; 3];
    let mut rest = mask;
    while rest != 0 {
        let n = rest.trailing_zeros() as usize;
        rest &= rest - 1;
        let (axis, corner) = EDGES[n];
        for (along, sum) in sum.iter_mut().enumerate() {
            *sum += if along == axis { share(n) } else { (corner >> along & 1) as f32 };
        }
    }
    let scale = 1.0 / mask.count_ones().max(1) as f32;
    sum.map(|sum| sum * scale)
}

/// Runs of planes of cells that one task works through.
pub(super) fn runs(cells: &Range<usize>, run: usize) -> impl Iterator<Item = Range<usize>> {
    let end = cells.end;
    cells.clone().step_by(run).map(move |start| start..(start + run).min(end))
}
