use crate::Result;
use crate::nearest::NearestPoint;
use brainmesh_core::{Monitor, Ribbon, Surface};
use rayon::prelude::*;

/// Vertices handled between two looks at the monitor.
const BATCH: usize = 4096;

/// Thickness of the cortex at every vertex in mm: from the pial vertex to the nearest point of the white surface, and from
/// the white vertex to the nearest point of the pial surface, the mean of the two (Fischl and Dale 2000). It is at most
/// the straight distance between corresponding vertices, [`Ribbon::thickness_mm`].
///
/// Nearest points lie on triangles, not at vertices alone; FreeSurfer looks at vertices and cuts values off at 5 mm.
///
/// # Errors
/// Cancellation.
pub fn closest_thickness_mm(ribbon: &Ribbon, monitor: &dyn Monitor) -> Result<Vec<f64>> {
    monitor.stage("measuring thickness", 2 * ribbon.len() as u64);
    let linked = ribbon.thickness_mm();
    let one_way = |from: &Surface, to: &Surface| -> Result<Vec<f64>> {
        let nearest = NearestPoint::new(to);
        let parts: Vec<Vec<f64>> = (from.vertices(), linked.as_slice())
            .into_par_iter()
            .chunks(BATCH)
            .map(|batch| {
                monitor.check()?;
                monitor.advance(batch.len() as u64);
                Ok(batch.into_iter().map(|(p, linked)| nearest.distance_mm(*p, *linked)).collect())
            })
            .collect::<Result<_>>()?;
        Ok(parts.concat())
    };
    let inward = one_way(ribbon.pial(), ribbon.white())?;
    let outward = one_way(ribbon.white(), ribbon.pial())?;
    Ok(inward.iter().zip(&outward).map(|(a, b)| (a + b) / 2.0).collect())
}
