//! Where lines along `i` through a grid pass through triangles: exactly, so that a line enters a closed surface as often as it
//! leaves it. A line through an edge or a corner is moved, in thought, by an infinitely small (e, e^2) along `(j, k)` (Edelsbrunner
//! and Muecke 1990, ACM TOG 9).

use glam::DVec3;
use robust::{Coord, Coord3D, orient2d, orient3d};
use std::ops::Range;

/// A line through a triangle.
pub(super) struct Crossing {
    corners: [DVec3; 3],
    pub j: usize,
    pub k: usize,
    /// Place on the line, as rounding leaves it, within the triangle's extent.
    pub i: f64,
    /// Whether the normal of the triangle leads to larger `i`.
    pub forward: bool,
}

/// Calls `visit` with every crossing of a triangle and a line at integers `(j, k)`.
pub(super) fn cross(corners: [DVec3; 3], j: &Range<usize>, k: &Range<usize>, mut visit: impl FnMut(&Crossing)) {
    let z = corners.map(|p| p.z);
    let low = z[0].min(z[1]).min(z[2]).ceil().max(k.start as f64);
    let high = z[0].max(z[1]).max(z[2]).floor().min(k.end as f64 - 1.0);
    let mut plane = low;
    while plane <= high {
        let (from, to) = extent(&corners, plane);
        let mut line = (from - SLACK).ceil().max(j.start as f64);
        let last = (to + SLACK).floor().min(j.end as f64 - 1.0);
        while line <= last {
            if let Some((i, forward)) = pierce(&corners, line, plane) {
                visit(&Crossing { corners, j: line as usize, k: plane as usize, i, forward });
            }
            line += 1.0;
        }
        plane += 1.0;
    }
}

/// By how much rounding may make the extent of a triangle in a plane too small, in voxels; what lies beyond is found not to pass.
const SLACK: f64 = 1e-3;

/// From where to where a triangle reaches along `j` in a plane that cuts it.
fn extent(corners: &[DVec3; 3], plane: f64) -> (f64, f64) {
    let (mut from, mut to) = (f64::INFINITY, f64::NEG_INFINITY);
    for n in 0..3 {
        let (a, b) = (corners[n], corners[(n + 1) % 3]);
        if (a.z < plane && b.z < plane) || (a.z > plane && b.z > plane) {
            continue;
        }
        let share = (plane - a.z) / (b.z - a.z);
        let ends = if share.is_finite() {
            let y = a.y + share.clamp(0.0, 1.0) * (b.y - a.y);
            [y, y]
        } else {
            [a.y, b.y]
        };
        from = from.min(ends[0]).min(ends[1]);
        to = to.max(ends[0]).max(ends[1]);
    }
    (from, to)
}

/// Where the line at `(y, z)` passes, and whether towards the normal's side.
fn pierce(corners: &[DVec3; 3], y: f64, z: f64) -> Option<(f64, bool)> {
    let [a, b, c] = corners;
    let weights = [side(*b, *c, y, z), side(*c, *a, y, z), side(*a, *b, y, z)];
    let forward = weights[0].1;
    if weights.iter().any(|w| w.1 != forward) {
        return None;
    }
    let sum: f64 = weights.iter().map(|w| w.0).sum();
    let x = (weights[0].0 * a.x + weights[1].0 * b.x + weights[2].0 * c.x) / sum;
    let (low, high) = (a.x.min(b.x).min(c.x), a.x.max(b.x).max(c.x));
    Some((if x.is_finite() { x.clamp(low, high) } else { low }, forward))
}

/// Twice the area of the triangle of an edge and the line, seen along `i`, and whether it is positive once the line has moved.
fn side(a: DVec3, b: DVec3, y: f64, z: f64) -> (f64, bool) {
    let area = orient2d(Coord { x: a.y, y: a.z }, Coord { x: b.y, y: b.z }, Coord { x: y, y: z });
    let positive = if area != 0.0 {
        area > 0.0
    } else if a.z != b.z {
        a.z > b.z
    } else {
        b.y > a.y
    };
    (area, positive)
}

impl Crossing {
    /// The first of `count` voxels beyond the triangle along the line, decided exactly; a voxel on it lies beyond. `count`
    /// where there is none.
    pub(super) fn first_voxel(&self, count: usize) -> usize {
        let mut voxel = self.i.ceil().clamp(0.0, count as f64) as usize;
        while voxel > 0 && self.is_beyond(voxel - 1) {
            voxel -= 1;
        }
        while voxel < count && !self.is_beyond(voxel) {
            voxel += 1;
        }
        voxel
    }

    fn is_beyond(&self, voxel: usize) -> bool {
        let point = |p: DVec3| Coord3D { x: p.x, y: p.y, z: p.z };
        let [a, b, c] = self.corners.map(point);
        let above = orient3d(a, b, c, Coord3D { x: voxel as f64, y: self.j as f64, z: self.k as f64 });
        if self.forward { above <= 0.0 } else { above >= 0.0 }
    }
}
