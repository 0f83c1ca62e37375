use crate::boxes::{Bounds, BoxTree};
use crate::error::same_length;
use crate::{Error, Result};
use brainmesh_core::{Monitor, RaySet, Ribbon, Surface, WorldPoint};
use glam::DVec3;
use rayon::prelude::*;

/// Rays handled between two looks at the monitor.
const BATCH: usize = 4096;
/// Extensions are not made shorter than this, so that a ray keeps a sample outside the ribbon.
const SHORTEST_MM: f64 = 0.02;

/// Rays whose extensions stop half way to the opposite bank.
#[derive(Debug, Clone, PartialEq)]
pub struct LimitedRays {
    /// The rays; those that were shortened have their `pial_t` and `white_t` where the surfaces are now.
    pub rays: RaySet,
    /// How many outer ends would have passed half the gap across a sulcus.
    pub outer: usize,
    /// How many inner ends would have passed the middle of a white-matter blade.
    pub inner: usize,
}

/// Shortens the extensions of rays that would pass half the gap to the opposite bank: outside the pia to the other side
/// of a sulcus, below the white surface to the other side of a thin blade of white matter. Beyond the middle a ray
/// would read the layers of another piece of cortex.
///
/// # Errors
/// Numbers of rays and vertices that differ; cancellation.
pub fn limit_extensions(ribbon: &Ribbon, rays: &RaySet, monitor: &dyn Monitor) -> Result<LimitedRays> {
    same_length("rays", ribbon.len(), rays.len())?;
    monitor.stage("looking for opposite banks", 2 * rays.len() as u64);
    let outside = |ray: usize| (ribbon.pial().vertices()[ray].0, rays.point(ray, 0.0).0);
    let inside = |ray: usize| (ribbon.white().vertices()[ray].0, rays.point(ray, 1.0).0);
    let outer_mm = Bank::new(ribbon.pial(), Facing::Towards).extensions_mm(rays.len(), outside, monitor)?;
    let inner_mm = Bank::new(ribbon.white(), Facing::Away).extensions_mm(rays.len(), inside, monitor)?;

    let n = rays.len();
    let (mut outer, mut inner) = (Vec::with_capacity(n), Vec::with_capacity(n));
    let (mut pial_t, mut white_t) = (Vec::with_capacity(n), Vec::with_capacity(n));
    for ray in 0..n {
        let end = |(from, to): (DVec3, DVec3), limit_mm: Option<f64>| match limit_mm {
            Some(mm) => WorldPoint(from + (to - from).normalize_or_zero() * mm),
            None => WorldPoint(to),
        };
        let (first, last) = (end(outside(ray), outer_mm[ray]), end(inside(ray), inner_mm[ray]));
        let (pial, white) = (ribbon.pial().vertices()[ray], ribbon.white().vertices()[ray]);
        let length_mm = first.distance_mm(last);
        let at = |p: WorldPoint, old: f64| {
            if length_mm > 0.0 { (first.distance_mm(p) / length_mm).clamp(0.0, 1.0) } else { old }
        };
        let untouched = outer_mm[ray].is_none() && inner_mm[ray].is_none();
        pial_t.push(if untouched { rays.pial_t(ray) } else { at(pial, rays.pial_t(ray)) });
        let white = if untouched { rays.white_t(ray) } else { at(white, rays.white_t(ray)) };
        white_t.push(white.max(pial_t[ray]));
        outer.push(first);
        inner.push(last);
    }
    let count = |limits: &[Option<f64>]| limits.iter().flatten().count();
    let (shortened_outer, shortened_inner) = (count(&outer_mm), count(&inner_mm));
    let rays = RaySet::new(outer, inner, pial_t, white_t)?;
    Ok(LimitedRays { rays, outer: shortened_outer, inner: shortened_inner })
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
    bounds: Vec<Bounds>,
    tree: BoxTree,
    facing: Facing,
}

impl<'a> Bank<'a> {
    fn new(surface: &'a Surface, facing: Facing) -> Self {
        let triangles = surface.triangles().len();
        let bounds: Vec<Bounds> = (0..triangles).map(|t| Bounds::of(&surface.corners(t))).collect();
        let tree = BoxTree::new((0..triangles as u32).collect(), &bounds);
        Self { surface, bounds, tree, facing }
    }

    /// For each ray half the gap in front of its extension, where that is less than the extension.
    fn extensions_mm(
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
        self.tree.visit(&Bounds::of(&segment), &self.bounds, |t| {
            if !self.surface.triangles()[t as usize].contains(&(vertex as u32))
                && let Some(hit) = self.hit(from, reach, t as usize)
            {
                nearest = nearest.min(hit);
            }
        });
        (nearest < 1.0).then(|| (nearest * reach.length() / 2.0).max(SHORTEST_MM))
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
