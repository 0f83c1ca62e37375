use super::volume_slice::Frame;
use super::words::{bytes, surface_names};
use crate::Result;
use brainmesh_core::{BOUNDARY_COUNT, Surface, WorldPoint, layer_color};
use brainmesh_meshing::{Plane, contours};
use brainmesh_report::Outline;
use glam::DVec3;

/// A plane at right angles to an axis of the world, and what it is called.
pub(crate) struct SlicePlan {
    pub plane: Plane,
    pub title: String,
    /// Letters at the left, right, upper and lower edge.
    pub edges: [char; 4],
}

impl SlicePlan {
    /// Axis 0 to 2 at a place in mm.
    ///
    /// # Errors
    /// A place that is not finite.
    pub fn new(axis: usize, mm: f64) -> Result<Self> {
        let normal = DVec3::AXES[axis];
        let (name, letter, edges) = match axis {
            0 => ("Sagittal", 'x', ['P', 'A', 'S', 'I']),
            1 => ("Coronal", 'y', ['L', 'R', 'S', 'I']),
            _ => ("Axial", 'z', ['L', 'R', 'A', 'P']),
        };
        let title = format!("{name}, {letter} = {mm:.2} mm");
        Ok(Self { plane: Plane::new(WorldPoint(normal * mm), normal)?, title, edges })
    }

    /// Place of a point in a picture of the plane: mm to the right and up.
    pub fn place(&self, p: WorldPoint) -> [f64; 2] {
        self.plane.axes().map(|axis| p.0.dot(axis))
    }
}

/// The lines of seven surfaces in a plane.
pub(crate) fn outlines(surfaces: &[Surface; BOUNDARY_COUNT], plan: &SlicePlan) -> Vec<Outline> {
    let line = |surface: &Surface| {
        contours(surface, &plan.plane)
            .into_iter()
            .map(|contour| (contour.points.iter().map(|&p| plan.place(p)).collect(), contour.closed))
            .collect()
    };
    surfaces
        .iter()
        .zip(surface_names())
        .enumerate()
        .map(|(k, (surface, name))| Outline { name, color: bytes(layer_color(k)), lines: line(surface) })
        .collect()
}

/// Those pieces of lines that may pass a frame.
pub(super) fn within(outlines: Vec<Outline>, frame: &Frame) -> Vec<Outline> {
    let meets = |a: &[f64; 2], b: &[f64; 2]| {
        (0..2).all(|axis| a[axis].max(b[axis]) >= frame.low[axis] && a[axis].min(b[axis]) <= frame.high[axis])
    };
    let parts = |(points, closed): (Vec<[f64; 2]>, bool)| -> Vec<(Vec<[f64; 2]>, bool)> {
        let ring = points.iter().chain(points.first().filter(|_| closed)).copied().collect::<Vec<_>>();
        if ring.windows(2).all(|pair| meets(&pair[0], &pair[1])) {
            return vec![(points, closed)];
        }
        let meets = |n: usize| ring.get(n + 1).is_some_and(|next| meets(&ring[n], next));
        let keep: Vec<bool> = (0..ring.len()).map(|n| meets(n) || (n > 0 && meets(n - 1))).collect();
        let mut parts = Vec::new();
        let mut start = None;
        for n in 0..=ring.len() {
            match (keep.get(n).copied().unwrap_or(false), start) {
                (true, None) => start = Some(n),
                (false, Some(from)) => {
                    parts.push((ring[from..n].to_vec(), false));
                    start = None;
                }
                _ => {}
            }
        }
        parts
    };
    outlines
        .into_iter()
        .map(|outline| Outline { lines: outline.lines.into_iter().flat_map(parts).collect(), ..outline })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A square around a small frame passes it along no side; a cross passes it with its middle alone.
    #[test]
    fn far_parts_of_lines_are_left_out() {
        let frame = Frame { low: [-1.0; 2], high: [1.0; 2] };
        let square = (vec![[-9.0, -9.0], [9.0, -9.0], [9.0, 9.0], [-9.0, 9.0]], true);
        let across = ((-9..=9).map(|x| [f64::from(x), 0.0]).collect::<Vec<_>>(), false);
        let outline = |line| vec![Outline { name: "a".into(), color: [0; 3], lines: vec![line] }];
        assert!(within(outline(square), &frame)[0].lines.is_empty());
        // One point beyond the frame stays at each end, so that the line leaves the picture.
        let left = &within(outline(across), &frame)[0].lines;
        assert_eq!(left.len(), 1);
        assert_eq!((left[0].0.first(), left[0].0.last()), (Some(&[-2.0, 0.0]), Some(&[2.0, 0.0])));
        let inside = (vec![[0.0, 0.0], [0.5, 0.0], [0.0, 0.5]], true);
        assert!(within(outline(inside.clone()), &frame)[0].lines == [inside]);
    }
}
