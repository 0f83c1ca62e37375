use super::quad::{self, Quad};
use super::{nearness, pairing, suppression};

/// What a section on a wafer is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum PartKind {
    /// Brain in resin.
    Tissue,
    /// The resin beside it that holds magnetic particles and a fluorophore.
    Magnet,
}

/// A part of a section: four corners, clockwise on the screen. Tissue: 0 and 3 at the seam, 1 and 2 far from it; magnet: 1 and
/// 2 at the seam (beside the tissue's 0 and 3), 0 and 3 far from it.
#[derive(Debug, Clone, PartialEq)]
pub struct Part {
    /// x (right) and y (down) of each, in pixels; pixel centres are whole.
    pub corners_px: [[f64; 2]; 4],
    /// From 0 to 1.
    pub confidence: f64,
    /// Where the centre of its partner should be, for networks that say so.
    pub toward_px: Option<[f64; 2]>,
}

impl Part {
    /// The mean of the corners.
    #[must_use]
    pub fn centre_px(&self) -> [f64; 2] {
        quad::centre(&self.corners_px)
    }

    /// Of the outline.
    #[must_use]
    pub fn area_px2(&self) -> f64 {
        quad::area(&self.corners_px)
    }

    /// The mean of both long sides of tissue (0 to 1 and 3 to 2 lead away from the seam; 1 to 2 and 3 to 0 lie along it), in
    /// whichever direction that is.
    #[must_use]
    pub fn length_px(&self) -> f64 {
        let side = |a: usize, b: usize| {
            let [p, q] = [self.corners_px[a], self.corners_px[b]];
            (p[0] - q[0]).hypot(p[1] - q[1])
        };
        f64::midpoint(side(0, 1), side(2, 3)).max(f64::midpoint(side(1, 2), side(3, 0)))
    }

    pub(super) fn quad(&self) -> &Quad {
        &self.corners_px
    }
}

/// Tissue with its magnet part; one of them may be missing.
#[derive(Debug, Clone, PartialEq)]
pub struct Section {
    /// Brain in resin.
    pub tissue: Option<Part>,
    /// Resin with magnetic particles.
    pub magnet: Option<Part>,
}

impl Section {
    /// Sections of all parts found anywhere in a picture, in whichever order. Of parts of one kind that overlap (intersection over
    /// union) by .3 or more the more certain stays; tissue and magnet parts that point at each other are one section;
    /// those that point nowhere point at what is nearest, and their corners begin where that says the seam is.
    /// Tissue comes first, the most certain at the head, then magnet parts without tissue.
    #[must_use]
    pub fn from_parts(tissue: Vec<Part>, magnet: Vec<Part>) -> Vec<Self> {
        let (mut tissue, mut magnet) = (suppression::suppressed(tissue), suppression::suppressed(magnet));
        nearness::point(&mut tissue, &mut magnet);
        pairing::paired(tissue, magnet)
    }
}
