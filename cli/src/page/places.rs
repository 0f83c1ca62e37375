//! Where defects are: parts of the surface with the same defect.

use crate::LayerResults;
use crate::results::defect_of;
use brainmesh_core::RayDefect;
use brainmesh_report::{Defect, View};
use glam::DVec3;

/// More places would not be read.
const MOST: usize = 25;

/// Defects at one place each, largest first, and how many more there are. What is no fault (the medial wall, the user's mask, where no ray
/// was given) is left out.
pub(super) fn places(results: &LayerResults) -> (Vec<Defect>, usize) {
    let surface = &results.surfaces[3];
    let n = surface.vertices().len();
    let is_fault = |label: i32| {
        let wanted = Some(RayDefect::NoCortex) != defect_of(label)
            && Some(RayDefect::Masked) != defect_of(label)
            && Some(RayDefect::NotSampled) != defect_of(label);
        label != 0 && wanted
    };
    let neighbours = surface.neighbours();
    let mut area = vec![0.0; n];
    for t in 0..surface.triangles().len() {
        let third = surface.triangle_area_mm2(t) / 3.0;
        surface.triangles()[t].iter().for_each(|&v| area[v as usize] += third);
    }
    let count = n.max(1) as f64;
    let center = surface.vertices().iter().fold(DVec3::ZERO, |sum, p| sum + p.0 / count);
    let mut seen = vec![false; n];
    let mut found = Vec::new();
    for first in 0..n {
        let label = results.defects[first];
        if seen[first] || !is_fault(label) {
            continue;
        }
        seen[first] = true;
        let mut part = vec![first];
        let mut next = 0;
        while let Some(&v) = part.get(next) {
            next += 1;
            for &other in neighbours.of(v) {
                let other = other as usize;
                if !seen[other] && results.defects[other] == label {
                    seen[other] = true;
                    part.push(other);
                }
            }
        }
        let at = part.iter().fold(DVec3::ZERO, |sum, &v| sum + surface.vertices()[v].0 / part.len() as f64);
        let distance = |v: usize| surface.vertices()[v].0.distance_squared(at);
        let vertex = part.iter().copied().fold(first, |best, v| if distance(v) < distance(best) { v } else { best });
        let kind = results.defect_names.get(label).map_or_else(|| format!("label {label}"), |l| l.name.clone());
        found.push(Defect {
            kind,
            vertices: part.len(),
            area_mm2: part.iter().map(|&v| area[v]).sum(),
            at_mm: surface.vertices()[vertex].to_array(),
            vertex,
            seen_from: View::towards(surface.vertices()[vertex].0 - center),
        });
    }
    found.sort_by(|a, b| b.vertices.cmp(&a.vertices).then(a.vertex.cmp(&b.vertex)));
    let left_out = found.len().saturating_sub(MOST);
    found.truncate(MOST);
    (found, left_out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use brainmesh_core::{LabelTable, Structure, Surface, WorldPoint};

    /// A row of ten squares of 1 mm, 22 vertices: two parts of one kind, one of another, the medial wall left out.
    #[test]
    fn parts_of_one_kind_are_places() {
        let vertices: Vec<WorldPoint> =
            (0..22).map(|n| WorldPoint::new(f64::from(n / 2), f64::from(n % 2), 0.0)).collect();
        let triangles =
            (0..10u32).flat_map(|s| [[2 * s, 2 * s + 2, 2 * s + 3], [2 * s, 2 * s + 3, 2 * s + 1]]).collect();
        let surface = Surface::new(vertices, triangles, Structure::CortexLeft).unwrap();
        let mut defects = vec![0; 22];
        defects[0..6].fill(8);
        defects[10] = 8;
        defects[14..18].fill(16);
        defects[20..22].fill(1);
        let mut defect_names = LabelTable::default();
        defect_names.insert(8, "damaged tissue (missing)", [0.0; 4]);
        let results = LayerResults {
            surfaces: std::array::from_fn(|_| surface.clone()),
            thickness_mm: std::array::from_fn(|_| vec![1.0; 22]),
            uncertainty_mm: std::array::from_fn(|_| vec![0.1; 22]),
            defects,
            defect_names,
            report: String::new(),
        };
        let (places, left_out) = places(&results);
        let told: Vec<_> = places.iter().map(|p| (p.kind.as_str(), p.vertices)).collect();
        assert_eq!(told, [("damaged tissue (missing)", 6), ("label 16", 4), ("damaged tissue (missing)", 1)]);
        assert_eq!(left_out, 0);
        // The first part: x = 0 to 2, its middle at x = 1.
        assert_eq!(places[0].at_mm[0], 1.0);
        assert!((places[0].area_mm2 - 2.5).abs() < 1e-9, "{}", places[0].area_mm2);
        // It lies to the left of the middle: looked at from the left.
        assert!((places[0].seen_from[0] - 90.0).abs() < 10.0);
    }
}
