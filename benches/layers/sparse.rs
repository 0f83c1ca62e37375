//! Rays at some of the vertices alone.

use brainmesh_core::{BOUNDARY_COUNT, LayerBoundaries, RayDefect, RayOutcome, Ribbon};
use std::error::Error;

/// Traced sections and their distance, mm.
const SECTIONS: i32 = 5;
const APART_MM: f64 = 1.6;
/// Half the thickness of cortex whose vertices count as traced: the triangles are larger than a section.
const TRACED_MM: f64 = 0.12;
/// Upper ends of the distances from the nearest section that are told apart, mm.
const DISTANCES_MM: [f64; 4] = [TRACED_MM, 0.3, 0.5, f64::INFINITY];

/// The measured rays for which `stands` holds; the others as if never sampled.
pub fn keep(found: &LayerBoundaries, stands: impl Fn(usize) -> bool) -> Result<LayerBoundaries, Box<dyn Error>> {
    let (mut sd_mm, mut outcomes) = (found.sd_mm().clone(), found.outcomes().to_vec());
    for ray in (0..found.len()).filter(|&ray| !stands(ray)) {
        sd_mm.row_mut(ray).fill(f64::INFINITY);
        outcomes[ray] = RayOutcome::Missing(RayDefect::NotSampled);
    }
    debug_assert_eq!(sd_mm.ncols(), BOUNDARY_COUNT);
    Ok(LayerBoundaries::new(found.t().clone(), sd_mm, outcomes)?)
}

/// One ray in ten, scattered.
pub fn a_tenth(ray: usize) -> bool {
    (ray as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32 & 0xffff_ffff < (1 << 32) / 10
}

/// Distance of a vertex from the nearest of five coronal sections through the middle of the phantom, mm.
pub fn distance_mm(ribbon: &Ribbon, ray: usize) -> f64 {
    let y = ribbon.pial().vertices()[ray].lerp(ribbon.white().vertices()[ray], 0.5).0.y;
    let nearest = (y / APART_MM).round().clamp(f64::from(-(SECTIONS / 2)), f64::from(SECTIONS / 2));
    (y - nearest * APART_MM).abs()
}

/// Whether a vertex lies on a section.
pub fn traced(distance_mm: f64) -> bool {
    distance_mm <= TRACED_MM
}

/// Number of a distance from 1 on, and its name.
pub fn band(distance_mm: f64) -> (i32, String) {
    let band = DISTANCES_MM.iter().position(|&end| distance_mm <= end).unwrap_or(DISTANCES_MM.len() - 1);
    let from = if band == 0 { 0.0 } else { DISTANCES_MM[band - 1] };
    (band as i32 + 1, format!("{from} to {} mm from a section", DISTANCES_MM[band]))
}
