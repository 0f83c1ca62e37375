use crate::edges::Edges;
use crate::{Error, Result};
use brainmesh_core::{Surface, WorldPoint};
use glam::DVec3;

/// A plane in the world.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Plane {
    point: WorldPoint,
    normal: DVec3,
}

impl Plane {
    /// Through a point, at right angles to a direction of any length.
    ///
    /// # Errors
    /// A direction of no length, or numbers that are not finite.
    pub fn new(point: WorldPoint, normal: DVec3) -> Result<Self> {
        match normal.try_normalize().filter(|_| point.0.is_finite()) {
            Some(normal) => Ok(Self { point, normal }),
            None => Err(Error::Core(brainmesh_core::Error::Invalid {
                field: "plane",
                expected: "a finite point and a direction of some length".into(),
                found: format!("point {:?}, normal {:?}", point.to_array(), normal.to_array()),
            })),
        }
    }

    /// A point on it.
    pub fn point(&self) -> WorldPoint {
        self.point
    }

    /// Unit vector at right angles to it.
    pub fn normal(&self) -> DVec3 {
        self.normal
    }

    /// Directions to the right and up of a picture of the plane: those of the world's axes that lie nearest, right before
    /// anterior before superior. A picture of `z = 10` has x to the right and y up.
    pub fn axes(&self) -> [DVec3; 2] {
        let n = self.normal.abs();
        let (right, up) = if n.z >= n.x && n.z >= n.y {
            (DVec3::X, DVec3::Y)
        } else if n.y >= n.x {
            (DVec3::X, DVec3::Z)
        } else {
            (DVec3::Y, DVec3::Z)
        };
        let right = right.reject_from_normalized(self.normal).normalize_or_zero();
        let other = self.normal.cross(right);
        [right, if other.dot(up) < 0.0 { -other } else { other }]
    }

    /// Signed distance in mm.
    pub fn height_mm(&self, p: WorldPoint) -> f64 {
        (p.0 - self.point.0).dot(self.normal)
    }
}

/// A line in which a surface meets a plane, in order.
#[derive(Debug, Clone, PartialEq)]
pub struct Contour {
    /// Points in order; of a closed line the first one follows the last one and is not repeated.
    pub points: Vec<WorldPoint>,
    /// Whether it closes. Lines of a surface without borders do.
    pub closed: bool,
}

impl Contour {
    /// Length in mm.
    pub fn length_mm(&self) -> f64 {
        let open: f64 = self.points.windows(2).map(|pair| pair[0].distance_mm(pair[1])).sum();
        match (self.closed, self.points.first(), self.points.last()) {
            (true, Some(first), Some(last)) => open + last.distance_mm(*first),
            _ => open,
        }
    }
}

/// Where a surface meets a plane: lines with the inside of the surface on the left, seen against the plane's normal.
///
/// A vertex on the plane counts as above it, so that every triangle is met in one piece or not at all and lines of a closed
/// surface are closed; what only touches the plane from above gives no line.
pub fn contours(surface: &Surface, plane: &Plane) -> Vec<Contour> {
    let heights: Vec<f64> = surface.vertices().iter().map(|&p| plane.height_mm(p)).collect();
    let above = |v: u32| heights[v as usize] >= 0.0;
    let met: Vec<[u32; 3]> = surface
        .triangles()
        .iter()
        .copied()
        .filter(|t| t.map(above) != [true; 3] && t.map(above) != [false; 3])
        .collect();
    let edges = Edges::new(&met);
    // The edges that are cut, and for every triangle the one where the line enters it and the one where it leaves.
    let mut points = Vec::new();
    let mut segments = vec![[0usize; 2]; met.len()];
    let mut around: Vec<Vec<u32>> = Vec::new();
    for sides in edges.iter().filter(|sides| above(sides[0].ends.0) != above(sides[0].ends.1)) {
        let (a, b) = sides[0].ends;
        let (from, to) = (heights[a as usize], heights[b as usize]);
        for side in sides {
            let start = if side.backwards { b } else { a };
            segments[side.triangle as usize][usize::from(!above(start))] = points.len();
        }
        points.push(surface.vertices()[a as usize].lerp(surface.vertices()[b as usize], from / (from - to)));
        around.push(sides.iter().map(|side| side.triangle).collect());
    }
    let mut done = vec![false; met.len()];
    let mut lines = Vec::new();
    // Lines that begin at a border first, then those that close.
    let begins = |s: &usize| around[segments[*s][0]].len() == 1;
    let order: Vec<usize> = (0..met.len()).filter(begins).chain((0..met.len()).filter(|s| !begins(s))).collect();
    for first in order {
        if done[first] {
            continue;
        }
        done[first] = true;
        let mut line = vec![segments[first][0], segments[first][1]];
        let mut follow = |line: &mut Vec<usize>| {
            while let Some(&end) = line.last()
                && let Some(&next) = around[end].iter().find(|&&s| !done[s as usize])
            {
                done[next as usize] = true;
                let [a, b] = segments[next as usize];
                line.push(if a == end { b } else { a });
            }
        };
        follow(&mut line);
        let closed = line.len() > 3 && line.first() == line.last();
        if closed {
            line.pop();
        } else {
            // Triangles that are not wound alike may have hidden where it begins.
            line.reverse();
            follow(&mut line);
            line.reverse();
        }
        let mut contour = Contour { points: line.into_iter().map(|at| points[at]).collect(), closed };
        contour.points.dedup();
        if closed && contour.points.len() > 1 && contour.points.first() == contour.points.last() {
            contour.points.pop();
        }
        if contour.points.len() > if closed { 2 } else { 1 } {
            lines.push(contour);
        }
    }
    lines
}
