//! Labelled rays from a two-dimensional section whose layers are drawn.

mod banks;
mod domain;
mod field;
mod potential;
mod profiles;
mod spots;
mod trace;
mod truth;

pub use banks::part_banks;
pub use profiles::{SectionSampling, section_profiles};
pub use spots::{label_spots, spot_pitch_px};
pub use truth::NoRay;

use crate::{Error, Result};
use brainmesh_core::{BOUNDARY_COUNT, Grid, Monitor, RaySet, Volume, VoxelPoint, WorldPoint};
use domain::Domain;
use field::Field;
use glam::DVec2;
use ndarray::Array2;
use potential::Potential;
use std::collections::BTreeMap;
use trace::{chord, middle_lines, places};

/// A streamline further from its chord than this share of the chord's length is no ray.
const MOST_BEND: f64 = 0.1;
/// Where the pia is not drawn, rays shorter than this share of the third quartile begin at a cut or a tear.
const SHORTEST: f64 = 0.7;
/// More rays than this are none of one section.
const MOST_RAYS: usize = 20_000;

/// How rays are laid through a section.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SectionOptions {
    /// Distance of neighbouring rays half way between their ends.
    pub every_mm: f64,
    /// Length of the rays outside the outer end and below the deep end of the labelled cortex.
    pub extension_mm: f64,
}

/// Rays through a section, and where its labels change on them.
#[derive(Debug, Clone)]
pub struct SectionRays {
    /// `pial_t` and `white_t` are the ends of the labelled cortex, whatever they are.
    pub rays: RaySet,
    /// `[rays, 7]` as `t`; NaN where the section does not tell (see [`section_rays`]).
    pub boundaries_t: Array2<f64>,
    /// Rays of one number follow each other along a piece of cortex.
    pub line: Vec<u32>,
    /// Distance along that piece, half way between the ends, from its first end.
    pub along_mm: Vec<f64>,
    /// How many streamlines gave no ray, and why.
    pub refused: BTreeMap<NoRay, usize>,
}

/// Rays through the labels of a section: 0 outside, 1..=6 layers from the pia down, 7 (or 0) white matter.
///
/// The outer end of the cortex is the border of the first layer there is, where it faces away from the layers below it; its
/// deep end the border with white matter or, where none is labelled, that of the last layer facing away from those above.
/// Cut edges are neither. Between the two ends the harmonic potential is found (Jones et al. 2000), its streamlines pair
/// points of both ends, and a ray is the straight line between such a pair, extended both ways, as everywhere in this
/// program. Streamlines that are not nearly straight, and rays that cross another, are left out; so are, where no pia is
/// drawn, rays shorter than 0.7 of the third quartile, which begin at a cut edge or a tear.
///
/// Boundary k of a ray lies where fewest labels are on the wrong side of it. It is unknown, and NaN, where the section
/// does not show it: the pia where the outer layer is not I or the picture ends there; a boundary of a layer that is
/// labelled nowhere; the grey/white border where the picture ends within layer VI.
///
/// # Errors
/// A picture of more than one plane or with oblong pixels, labels above 7, no cortex with two ends, no ray at all;
/// cancellation.
pub fn section_rays(labels: &Volume<u8>, options: &SectionOptions, monitor: &dyn Monitor) -> Result<SectionRays> {
    let (picture, pixel_mm) = flat(labels)?;
    if let Some(bad) = picture.data.iter().find(|l| **l > domain::WHITE) {
        return Err(invalid("label image", "0 to 7".into(), bad.to_string()));
    }
    if !(options.every_mm > 0.0 && options.extension_mm >= 0.0 && options.extension_mm.is_finite()) {
        return Err(invalid("distance of rays", "above 0 mm".into(), format!("{} mm", options.every_mm)));
    }
    monitor.stage("tracing rays", 0);
    let domain = Domain::new(&picture)?;
    let potential = Potential::new(&domain, monitor)?;
    let every = options.every_mm / (pixel_mm * domain.stride as f64);
    let mut refused = BTreeMap::new();
    let mut cuts = Vec::new();
    for (number, line) in middle_lines(&potential).iter().enumerate() {
        for (along, place) in places(line, every) {
            monitor.check()?;
            let found = match chord(&domain, &potential, place) {
                None => Err(NoRay::Lost),
                Some(chord) if chord.bend > MOST_BEND => Err(NoRay::Bent),
                Some(chord) => truth::cut(&picture, &chord, 3.0 * domain.stride as f64 + 2.0),
            };
            match found {
                Ok(cut) => cuts.push((number as u32, along * every.recip() * options.every_mm, cut)),
                Err(why) => *refused.entry(why).or_default() += 1,
            }
            if cuts.len() > MOST_RAYS {
                return Err(invalid(
                    "distance of rays",
                    format!("at most {MOST_RAYS} rays"),
                    format!("{} mm", options.every_mm),
                ));
            }
        }
    }
    let ends: Vec<_> = cuts.iter().map(|(.., cut)| (cut.outer, cut.inner)).collect();
    let crossing = crossing(&ends);
    if crossing.iter().any(|c| *c) {
        refused.insert(NoRay::Crossing, crossing.iter().filter(|c| **c).count());
    }
    let mut keep = crossing.iter();
    cuts.retain(|_| keep.next() == Some(&false));
    let short = cut_short(&mut cuts);
    if short > 0 {
        refused.insert(NoRay::Short, short);
    }
    if cuts.is_empty() {
        let reasons: Vec<_> = refused.iter().map(|(why, n)| format!("{n} {}", why.name())).collect();
        return Err(Error::NoUsableRay { rays: refused.values().sum(), reasons: reasons.join(", ") });
    }
    assemble(labels.grid(), &cuts, options.extension_mm, refused)
}

/// Leaves out short rays of a section without a pia, and says how many: their outer ends are no border of the cortex.
fn cut_short(cuts: &mut Vec<(u32, f64, truth::Cut)>) -> usize {
    let before = cuts.len();
    if before > 0 && cuts.iter().all(|(.., cut)| cut.boundaries[0].is_nan()) {
        let length = |cut: &truth::Cut| cut.outer.distance(cut.inner);
        let mut lengths: Vec<f64> = cuts.iter().map(|(.., cut)| length(cut)).collect();
        let long = *lengths.select_nth_unstable_by(before * 3 / 4, f64::total_cmp).1;
        cuts.retain(|(.., cut)| length(cut) >= SHORTEST * long);
    }
    before - cuts.len()
}

fn assemble(
    grid: &Grid,
    cuts: &[(u32, f64, truth::Cut)],
    extension_mm: f64,
    refused: BTreeMap<NoRay, usize>,
) -> Result<SectionRays> {
    let world = |p: DVec2| grid.world_from_voxel(VoxelPoint::new(p.x, p.y, 0.0));
    let (mut outer, mut inner) = (Vec::new(), Vec::new());
    let (mut pial_t, mut white_t) = (Vec::new(), Vec::new());
    let mut boundaries_t = Array2::from_elem((cuts.len(), BOUNDARY_COUNT), f64::NAN);
    for ((_, _, cut), mut row) in cuts.iter().zip(boundaries_t.outer_iter_mut()) {
        let (pia, white) = (world(cut.outer), world(cut.inner));
        let depth_mm = pia.distance_mm(white);
        let down = (white.0 - pia.0) / depth_mm;
        let length_mm = depth_mm + 2.0 * extension_mm;
        let t = |share: f64| (extension_mm + share * depth_mm) / length_mm;
        outer.push(WorldPoint(pia.0 - down * extension_mm));
        inner.push(WorldPoint(white.0 + down * extension_mm));
        pial_t.push(t(0.0));
        white_t.push(t(1.0));
        row.iter_mut().zip(cut.boundaries).for_each(|(to, share)| *to = t(share));
    }
    let rays = RaySet::new(outer, inner, pial_t, white_t)?;
    let line = cuts.iter().map(|c| c.0).collect();
    let along_mm = cuts.iter().map(|c| c.1).collect();
    Ok(SectionRays { rays, boundaries_t, line, along_mm, refused })
}

/// Which segments to leave out so that no two cross: always the one with most crossings.
fn crossing(ends: &[(DVec2, DVec2)]) -> Vec<bool> {
    let side = |(a, b): (DVec2, DVec2), p: DVec2| (b - a).perp_dot(p - a);
    let cross =
        |s: (DVec2, DVec2), u: (DVec2, DVec2)| side(s, u.0) * side(s, u.1) < 0.0 && side(u, s.0) * side(u, s.1) < 0.0;
    let mut crossed: Vec<Vec<usize>> =
        (0..ends.len()).map(|i| (0..ends.len()).filter(|&j| cross(ends[i], ends[j])).collect()).collect();
    let mut out = vec![false; ends.len()];
    while let Some((worst, most)) = crossed.iter().enumerate().map(|(i, c)| (i, c.len())).max_by_key(|&(i, n)| (n, i)) {
        if most == 0 {
            break;
        }
        out[worst] = true;
        crossed[worst].clear();
        crossed.iter_mut().for_each(|c| c.retain(|&j| j != worst));
    }
    out
}

/// The one plane of a picture, and the width of its square pixels.
fn flat<T: Copy>(picture: &Volume<T>) -> Result<(Field<T>, f64)> {
    let [width, height, planes] = picture.grid().shape();
    let [x_mm, y_mm, _] = picture.grid().spacing_mm();
    if planes != 1 {
        return Err(invalid("section", "one plane".into(), format!("{planes} planes")));
    }
    if (x_mm - y_mm).abs() > 1e-3 * x_mm {
        return Err(invalid("pixels of the section", "squares".into(), format!("{x_mm} x {y_mm} mm")));
    }
    Ok((Field { width, height, data: picture.data().to_vec() }, x_mm))
}

fn invalid(field: &'static str, expected: String, found: String) -> Error {
    Error::Core(brainmesh_core::Error::Invalid { field, expected, found })
}

#[cfg(test)]
mod tests;
