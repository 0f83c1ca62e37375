//! Whether two triangles meet, decided exactly (Shewchuk 1997, adaptive predicates, through the `robust` crate).

use glam::DVec3;
use robust::{Coord, Coord3D, orient2d, orient3d};

/// Three corners.
pub(crate) type Triangle = [DVec3; 3];

/// Whether two triangles without a common corner have a point in common, touching included.
///
/// A triangle without area has no inside: it is its edges, which the triangles next to it hold, and meets nothing.
pub(crate) fn disjoint_corners_meet(a: &Triangle, b: &Triangle) -> bool {
    if one_sided(a, b) || one_sided(b, a) {
        return false;
    }
    edges(a).any(|(p, q)| segment_meets(p, q, b)) || edges(b).any(|(p, q)| segment_meets(p, q, a))
}

/// Whether two triangles that share their first corner meet anywhere else.
///
/// What they share is convex and contains that corner; if it holds anything else it reaches the edge opposite the
/// corner in one of them.
pub(crate) fn one_shared_corner_meet(a: &Triangle, b: &Triangle) -> bool {
    segment_meets(a[1], a[2], b) || segment_meets(b[1], b[2], a)
}

/// Whether two triangles that share their first two corners lie on one another: in one plane, on one side of the edge.
pub(crate) fn shared_edge_meet(a: &Triangle, b: &Triangle) -> bool {
    if side(a, b[2]) != 0.0 {
        return false;
    }
    let Some(plane) = Plane::of(a) else { return false };
    let (u, v) = (plane.flat(a[0]), plane.flat(a[1]));
    let (p, q) = (orient2d(u, v, plane.flat(a[2])), orient2d(u, v, plane.flat(b[2])));
    (p > 0.0 && q > 0.0) || (p < 0.0 && q < 0.0)
}

/// Positive below the triangle's plane, negative above, zero on it; for a triangle without area always zero.
fn side(t: &Triangle, p: DVec3) -> f64 {
    orient3d(coord(t[0]), coord(t[1]), coord(t[2]), coord(p))
}

/// Whether all corners of `b` lie strictly on one side of the plane of `a`.
fn one_sided(a: &Triangle, b: &Triangle) -> bool {
    let sides = b.map(|p| side(a, p));
    sides.iter().all(|&s| s > 0.0) || sides.iter().all(|&s| s < 0.0)
}

fn segment_meets(p: DVec3, q: DVec3, t: &Triangle) -> bool {
    let (sp, sq) = (side(t, p), side(t, q));
    if (sp > 0.0 && sq > 0.0) || (sp < 0.0 && sq < 0.0) {
        return false;
    }
    if sp == 0.0 && sq == 0.0 {
        return Plane::of(t).is_some_and(|plane| plane.segment_meets(p, q, t));
    }
    let turns = edges(t).map(|(u, v)| orient3d(coord(p), coord(q), coord(u), coord(v)));
    let (mut any_positive, mut any_negative) = (false, false);
    for turn in turns {
        any_positive |= turn > 0.0;
        any_negative |= turn < 0.0;
    }
    !(any_positive && any_negative)
}

fn edges(t: &Triangle) -> impl Iterator<Item = (DVec3, DVec3)> + '_ {
    (0..3).map(|k| (t[k], t[(k + 1) % 3]))
}

fn coord(p: DVec3) -> Coord3D<f64> {
    Coord3D { x: p.x, y: p.y, z: p.z }
}

/// Two coordinate axes onto which a triangle projects with area.
#[derive(Clone, Copy)]
struct Plane(usize, usize);

impl Plane {
    /// `None` for a triangle without area.
    fn of(t: &Triangle) -> Option<Self> {
        [Self(0, 1), Self(1, 2), Self(2, 0)]
            .into_iter()
            .find(|plane| orient2d(plane.flat(t[0]), plane.flat(t[1]), plane.flat(t[2])) != 0.0)
    }

    fn flat(self, p: DVec3) -> Coord<f64> {
        Coord { x: p[self.0], y: p[self.1] }
    }

    /// Whether a segment of the triangle's plane meets the triangle.
    fn segment_meets(self, p: DVec3, q: DVec3, t: &Triangle) -> bool {
        let (p, q) = (self.flat(p), self.flat(q));
        let corners = t.map(|c| self.flat(c));
        let inside = {
            let turns: [f64; 3] = std::array::from_fn(|k| orient2d(corners[k], corners[(k + 1) % 3], p));
            turns.iter().all(|&s| s >= 0.0) || turns.iter().all(|&s| s <= 0.0)
        };
        inside || (0..3).any(|k| segments_meet(p, q, corners[k], corners[(k + 1) % 3]))
    }
}

/// Whether two segments of the plane have a point in common.
fn segments_meet(a: Coord<f64>, b: Coord<f64>, c: Coord<f64>, d: Coord<f64>) -> bool {
    let (abc, abd) = (orient2d(a, b, c), orient2d(a, b, d));
    let (cda, cdb) = (orient2d(c, d, a), orient2d(c, d, b));
    if abc == 0.0 && abd == 0.0 && cda == 0.0 && cdb == 0.0 {
        // On one line (or without length): do their extents overlap?
        let overlap = |a: f64, b: f64, c: f64, d: f64| a.min(b) <= c.max(d) && c.min(d) <= a.max(b);
        return overlap(a.x, b.x, c.x, d.x) && overlap(a.y, b.y, c.y, d.y);
    }
    let apart = |s: f64, t: f64| (s > 0.0 && t > 0.0) || (s < 0.0 && t < 0.0);
    !apart(abc, abd) && !apart(cda, cdb)
}
