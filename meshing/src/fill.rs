use crate::Result;
use crate::error::same_length;
use brainmesh_core::{BOUNDARY_COUNT, LayerBoundaries, Neighbours, RayDefect, RayOutcome, RaySet};
use rayon::prelude::*;

/// Rings of neighbours that may fill a defective ray (Wagstyl 2020).
const RINGS: usize = 4;

/// Fills defective rays from the measured rays within four rings, in depth relative to the given ribbon, and flags them.
///
/// Only rays that should have layers are filled (weak evidence, values that are not finite, background, damage), and
/// only where at least half of the rays around are measured: a hole is filled, the medial wall is not. Where rays were
/// given at some vertices alone, all vertices between them are filled, with the mean and the spread of the measured rays
/// until smoothing puts the field between the rays in their place. All other defects stay [`RayOutcome::Missing`] and
/// take the mean relative depths of the measured rays, which keeps the mesh in shape.
///
/// # Errors
/// Numbers of rays, boundaries and vertices that differ.
pub fn fill(boundaries: &LayerBoundaries, rays: &RaySet, neighbours: &Neighbours) -> Result<LayerBoundaries> {
    same_length("layer boundaries", rays.len(), boundaries.len())?;
    same_length("vertices", rays.len(), neighbours.len())?;
    let measured = |ray: usize| boundaries.outcomes()[ray] == RayOutcome::Measured;
    let relative: Vec<[f64; BOUNDARY_COUNT]> =
        (0..rays.len()).into_par_iter().map(|ray| relative_depths(boundaries, rays, ray)).collect();
    let known = || (0..rays.len()).filter(|&r| measured(r)).map(|r| relative[r]);
    let everywhere = mean(known());
    let spread = mean(known().map(|row| std::array::from_fn(|k| (row[k] - everywhere[k]).powi(2)))).map(f64::sqrt);
    let sparse = boundaries.outcomes().contains(&RayOutcome::Missing(RayDefect::NotSampled));
    let (mut t, mut sd_mm, mut outcomes) =
        (boundaries.t().clone(), boundaries.sd_mm().clone(), boundaries.outcomes().to_vec());
    for ray in 0..rays.len() {
        let RayOutcome::Missing(defect) = boundaries.outcomes()[ray] else { continue };
        let fillable = matches!(
            defect,
            RayDefect::WeakEvidence
                | RayDefect::NotFinite
                | RayDefect::NoTissue
                | RayDefect::Damaged
                | RayDefect::NotSampled
        );
        let thickness_mm = (rays.white_t(ray) - rays.pial_t(ray)) * rays.length_mm(ray);
        let around = if fillable && !sparse { within_rings(neighbours, ray) } else { Vec::new() };
        let givers: Vec<usize> = around.iter().copied().filter(|&r| measured(r)).collect();
        let depths = if fillable && sparse {
            outcomes[ray] = RayOutcome::Filled(defect);
            (0..BOUNDARY_COUNT).for_each(|k| sd_mm[[ray, k]] = spread[k] * thickness_mm);
            everywhere
        } else if !givers.is_empty() && givers.len() * 2 >= around.len() {
            outcomes[ray] = RayOutcome::Filled(defect);
            let depths = mean(givers.iter().map(|&r| relative[r]));
            for k in 0..BOUNDARY_COUNT {
                // Spread of the givers and their own uncertainty, in mm of this ray.
                let n = givers.len() as f64;
                let spread = givers.iter().map(|&r| (relative[r][k] - depths[k]).powi(2)).sum::<f64>() / n;
                let own = givers.iter().map(|&r| boundaries.sd_mm()[[r, k]].powi(2)).sum::<f64>() / n;
                sd_mm[[ray, k]] = (spread * thickness_mm.powi(2) + own).sqrt();
            }
            depths
        } else {
            everywhere
        };
        for (k, depth) in depths.iter().enumerate() {
            t[[ray, k]] = t_of_relative(rays, ray, *depth);
        }
    }
    Ok(LayerBoundaries::new(t, sd_mm, outcomes)?)
}

/// Boundary depths of a ray relative to the given ribbon: 0 at its pia, 1 at its white surface. Evenly spread where the
/// ribbon has no thickness.
pub(crate) fn relative_depths(boundaries: &LayerBoundaries, rays: &RaySet, ray: usize) -> [f64; BOUNDARY_COUNT] {
    let (pial, white) = (rays.pial_t(ray), rays.white_t(ray));
    std::array::from_fn(|k| {
        if white > pial {
            (boundaries.t()[[ray, k]] - pial) / (white - pial)
        } else {
            k as f64 / (BOUNDARY_COUNT - 1) as f64
        }
    })
}

/// The inverse of [`relative_depths`], kept on the ray.
pub(crate) fn t_of_relative(rays: &RaySet, ray: usize, depth: f64) -> f64 {
    let (pial, white) = (rays.pial_t(ray), rays.white_t(ray));
    (pial + depth * (white - pial)).clamp(0.0, 1.0)
}

/// Componentwise mean; evenly spread depths where there is nothing to average. Means of ordered rows are ordered.
fn mean(rows: impl Iterator<Item = [f64; BOUNDARY_COUNT]>) -> [f64; BOUNDARY_COUNT] {
    let (mut sum, mut n) = ([0.0; BOUNDARY_COUNT], 0.0);
    for row in rows {
        n += 1.0;
        for k in 0..BOUNDARY_COUNT {
            sum[k] += row[k];
        }
    }
    std::array::from_fn(|k| if n > 0.0 { sum[k] / n } else { k as f64 / (BOUNDARY_COUNT - 1) as f64 })
}

/// Vertices at most four edges away, without the vertex itself, ascending.
fn within_rings(neighbours: &Neighbours, vertex: usize) -> Vec<usize> {
    let mut seen = std::collections::BTreeSet::from([vertex]);
    let mut front = vec![vertex];
    for _ in 0..RINGS {
        let mut next = Vec::new();
        for v in front {
            for &n in neighbours.of(v) {
                if seen.insert(n as usize) {
                    next.push(n as usize);
                }
            }
        }
        front = next;
    }
    seen.remove(&vertex);
    seen.into_iter().collect()
}
