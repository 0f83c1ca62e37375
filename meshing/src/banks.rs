use crate::boxes::{Bounds, BoxTree, Boxes};
use crate::error::same_length;
use crate::{Error, Result};
use brainmesh_core::{LayerBoundaries, Monitor, RaySet, Ribbon, Surface};
use glam::DVec3;
use rayon::prelude::*;

/// Rays handled between two looks at the monitor.
const BATCH: usize = 4096;
/// Boundaries are not brought nearer to the given surface than this, in mm.
const NEAREST_MM: f64 = 0.02;

/// Boundaries that stay on their own side of what lies opposite.
#[derive(Debug, Clone, PartialEq)]
pub struct WithinBanks {
    /// The boundaries; those beyond the middle were put there.
    pub boundaries: LayerBoundaries,
    /// On how many rays some boundary lay beyond the middle of a sulcus.
    pub outer: usize,
    /// On how many rays some boundary lay beyond the middle of a blade of white matter.
    pub inner: usize,
}

/// Limits boundaries outside the given pia to half the gap to the opposite bank of a sulcus, and those below the given
/// white surface to half of a thin blade of white matter: beyond the middle a ray reads another piece of cortex, and
/// surfaces of two banks would cross.
///
/// # Errors
/// Numbers of rays, vertices and boundaries that differ; cancellation.
pub fn limit_to_banks(
    boundaries: &LayerBoundaries,
    ribbon: &Ribbon,
    rays: &RaySet,
    monitor: &dyn Monitor,
) -> Result<WithinBanks> {
    same_length("rays", ribbon.len(), rays.len())?;
    same_length("layer boundaries", ribbon.len(), boundaries.len())?;
    monitor.stage("looking for opposite banks", 2 * rays.len() as u64);
    let outside = |ray: usize| (ribbon.pial().vertices()[ray].0, rays.point(ray, 0.0).0);
    let inside = |ray: usize| (ribbon.white().vertices()[ray].0, rays.point(ray, 1.0).0);
    let outer_mm = Bank::new(ribbon.pial(), Facing::Towards).half_gaps_mm(rays.len(), outside, monitor)?;
    let inner_mm = Bank::new(ribbon.white(), Facing::Away).half_gaps_mm(rays.len(), inside, monitor)?;

    let mut t = boundaries.t().clone();
    let (mut outer, mut inner) = (0, 0);
    for (ray, mut t) in t.outer_iter_mut().enumerate() {
        let share = |mm: f64| mm / rays.length_mm(ray);
        let least = outer_mm[ray].map_or(0.0, |mm| (rays.pial_t(ray) - share(mm)).clamp(0.0, 1.0));
        let most = inner_mm[ray].map_or(1.0, |mm| (rays.white_t(ray) + share(mm)).clamp(least, 1.0));
        outer += usize::from(t.iter().any(|&t| t < least));
        inner += usize::from(t.iter().any(|&t| t > most));
        t.mapv_inplace(|t| t.clamp(least, most));
    }
    let boundaries = LayerBoundaries::new(t, boundaries.sd_mm().clone(), boundaries.outcomes().to_vec())?;
    Ok(WithinBanks { boundaries, outer, inner })
}

/// On which side of a triangle a ray arrives at the opposite bank.
#[derive(Clone, Copy, PartialEq)]
enum Facing {
    /// From outside, against its normal: across a sulcus.
    Towards,
    /// From inside, along its normal: through white matter.
    Away,
}

/// A surface as something to run into.
struct Bank<'a> {
    surface: &'a Surface,
    tree: BoxTree,
    boxes: Boxes,
    facing: Facing,
}

impl<'a> Bank<'a> {
    fn new(surface: &'a Surface, facing: Facing) -> Self {
        let triangles = surface.triangles().len();
        let bounds: Vec<Bounds> = (0..triangles).map(|t| Bounds::of(&surface.corners(t))).collect();
        let tree = BoxTree::new((0..triangles as u32).collect(), &bounds);
        let boxes = tree.boxes(tree.order().iter().map(|&t| bounds[t as usize]).collect());
        Self { surface, tree, boxes, facing }
    }

    /// For each ray half the gap in front of its end, where that is less than what the ray has there.
    fn half_gaps_mm(
        &self,
        rays: usize,
        extension: impl Fn(usize) -> (DVec3, DVec3) + Sync,
        monitor: &dyn Monitor,
    ) -> Result<Vec<Option<f64>>> {
        let blocks: Vec<Vec<Option<f64>>> = (0..rays.div_ceil(BATCH))
            .into_par_iter()
            .map(|block| {
                monitor.check()?;
                let range = block * BATCH..rays.min((block + 1) * BATCH);
                monitor.advance(range.len() as u64);
                Ok::<_, Error>(range.map(|ray| self.half_gap_mm(ray, extension(ray))).collect())
            })
            .collect::<Result<_>>()?;
        Ok(blocks.into_iter().flatten().collect())
    }

    fn half_gap_mm(&self, vertex: usize, (from, to): (DVec3, DVec3)) -> Option<f64> {
        // Half of a gap of twice the extension is the extension itself: look no further.
        let reach = (to - from) * 2.0;
        let mut nearest = 1.0f64;
        let segment = [from, from + reach, from];
        self.tree.visit(&self.boxes, &Bounds::of(&segment), |place| {
            let t = self.tree.order()[place] as usize;
            if !self.surface.triangles()[t].contains(&(vertex as u32))
                && let Some(hit) = self.hit(from, reach, t)
            {
                nearest = nearest.min(hit);
            }
        });
        (nearest < 1.0).then(|| (nearest * reach.length() / 2.0).max(NEAREST_MM))
    }

    /// Where a segment meets a triangle from the right side, as a share of the segment (Möller and Trumbore 1997).
    fn hit(&self, from: DVec3, reach: DVec3, triangle: usize) -> Option<f64> {
        let [a, b, c] = self.surface.corners(triangle);
        let (ab, ac) = (b - a, c - a);
        let approach = reach.dot(ab.cross(ac));
        if approach == 0.0 || (approach < 0.0) != (self.facing == Facing::Towards) {
            return None;
        }
        let p = reach.cross(ac);
        let determinant = ab.dot(p);
        let offset = from - a;
        let u = offset.dot(p) / determinant;
        let q = offset.cross(ab);
        let v = reach.dot(q) / determinant;
        let t = ac.dot(q) / determinant;
        (u >= 0.0 && v >= 0.0 && u + v <= 1.0 && (0.0..=1.0).contains(&t)).then_some(t)
    }
}
