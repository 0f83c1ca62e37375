use crate::score::{InstancePicture, Outline, PairPicture};
use crate::{Error, Result};
use brainmesh_formats::{WaferOutline, WaferOutlines, WaferSection, read_wafer_outlines};
use std::collections::BTreeSet;
use std::path::Path;

/// Fewer objects than this say nothing about their files.
const MANY: usize = 5;
/// Pictures of one size differ by no more, once scaled: sizes are rounded.
const SIZE_PX: f64 = 2.0;

/// What was found in a picture and its truth, in the same pixels.
pub(super) struct Picture {
    pub pairs: PairPicture,
    /// None where one of the files has no outlines of magnet parts.
    pub magnet: Option<InstancePicture>,
    /// Whether both files say anything about magnet parts.
    pub has_magnets: bool,
    has_confidences: bool,
    /// True parts left out: they lie on earlier ones.
    twice: usize,
    size_px: Option<[f64; 2]>,
}

impl Picture {
    /// Reads both files; true positions are multiplied by `scale`.
    pub fn read(found_path: &Path, truth_path: &Path, scale: f64) -> Result<Self> {
        let found = read_wafer_outlines(found_path)?;
        let truth = scaled(read_wafer_outlines(truth_path)?, scale);
        if let (Some(one), Some(other)) = (found.size_px, truth.size_px)
            && one.iter().zip(other).any(|(a, b)| (a - b).abs() > SIZE_PX)
        {
            let ([w, h], [a, b]) = (one, other);
            return Err(Error::Unusable(format!(
                "{}: expected a picture of {w} x {h} pixels as {} is of, found {a} x {b}; --scale sets pixels of the first for one \
                 of the second",
                truth_path.display(),
                found_path.display()
            )));
        }
        let has_confidences = found.sections.iter().flat_map(parts).any(|part| part.confidence.is_some());
        let has_outlines = found.has_magnet_outlines && truth.has_magnet_outlines;
        let says_magnets = |all: &WaferOutlines| {
            all.has_magnet_outlines || all.sections.iter().any(|section| section.magnet_px.is_some())
        };
        let has_magnets = says_magnets(&truth) && (says_magnets(&found) || found.sections.is_empty());
        let before = truth.sections.iter().flat_map(parts).count();
        let truth_sections = once(truth.sections);
        let twice = before - truth_sections.iter().flat_map(parts).count();
        let mut magnet = InstancePicture::default();
        let mut pairs = PairPicture::default();
        for section in &truth_sections {
            magnet.truth.extend(section.magnet.as_ref().and_then(shape));
            if let Some(tissue) = section.tissue.as_ref().and_then(shape) {
                pairs.tissue.truth.push(tissue);
                pairs.true_magnets.push(section.magnet_px);
            }
        }
        for section in &found.sections {
            magnet.found.extend(section.magnet.as_ref().and_then(ranked));
            if let Some(tissue) = section.tissue.as_ref().and_then(ranked) {
                pairs.tissue.found.push(tissue);
                pairs.found_magnets.push(section.magnet_px);
            }
        }
        let magnet = has_outlines.then_some(magnet);
        Ok(Self { pairs, magnet, has_magnets, has_confidences, twice, size_px: truth.size_px })
    }

    /// What the figures do not say themselves.
    pub fn warnings(&self, least: f64) -> Vec<String> {
        let tissue = &self.pairs.tissue;
        let mut warnings = Vec::new();
        if !self.has_confidences && !tissue.found.is_empty() {
            warnings.push("no confidences: average precision is that of one point (precision x recall)".into());
        }
        if self.twice > 0 {
            warnings
                .push(format!("{} true parts lie on earlier ones (overlap .5 or more) and are left out", self.twice));
        }
        if self.has_magnets && self.magnet.is_none() {
            warnings.push(
                "no outlines of magnet parts in both files: they are scored as pairs alone, by their middles".into(),
            );
        }
        if let Some([width, height]) = self.size_px {
            let is_out = |[x, y]: [f64; 2]| !(-0.5..width).contains(&x) || !(-0.5..height).contains(&y);
            let outside = tissue.found.iter().filter(|(outline, _)| is_out(outline.centre_px())).count();
            if outside > 0 {
                warnings
                    .push(format!("{outside} tissue parts lie outside the true picture of {width} x {height} pixels"));
            }
        }
        let mates = tissue.matches(least);
        let matched: Vec<_> = tissue.found.iter().zip(mates).filter_map(|((f, _), mate)| Some((f, mate?))).collect();
        let fewest = tissue.truth.len().min(tissue.found.iter().filter(|(_, c)| *c >= least).count());
        if fewest >= MANY && matched.len() * 20 < fewest {
            let ratio = length_px(tissue.found.iter().map(|(f, _)| f)) / length_px(tissue.truth.iter());
            let advice = if (0.8..1.25).contains(&ratio) {
                "another picture, or one moved, turned or mirrored?".into()
            } else {
                format!("tissue parts found are {ratio:.3} times as long as true ones: --scale {ratio:.3}?")
            };
            warnings.push(format!("{} of {fewest} tissue parts overlap: {advice}", matched.len()));
        }
        let turned = |(found, truth): &&(&Outline, usize)| {
            let turned = found.angle_degrees() - tissue.truth[*truth].angle_degrees();
            ((turned + 180.0).rem_euclid(360.0) - 180.0).abs() > 45.0
        };
        let count = matched.iter().filter(turned).count();
        if matched.len() >= MANY && 2 * count > matched.len() {
            warnings.push(format!(
                "angles of {count} of {} tissue parts are off by more than 45 degrees: does one file begin outlines with another \
                 corner?",
                matched.len()
            ));
        }
        warnings
    }
}

fn parts(section: &WaferSection) -> impl Iterator<Item = &WaferOutline> {
    section.tissue.iter().chain(&section.magnet)
}

fn shape(part: &WaferOutline) -> Option<Outline> {
    Outline::new(part.corners_px.clone())
}

/// Without a confidence all are sure.
fn ranked(part: &WaferOutline) -> Option<(Outline, f64)> {
    Some((shape(part)?, part.confidence.unwrap_or(1.0)))
}

/// In a picture so many times as large: pixel centres are whole in both.
fn scaled(mut outlines: WaferOutlines, scale: f64) -> WaferOutlines {
    if scale != 1.0 {
        let change = |v: &mut f64| *v = (*v + 0.5) * scale - 0.5;
        for section in &mut outlines.sections {
            for part in section.tissue.iter_mut().chain(&mut section.magnet) {
                part.corners_px.iter_mut().flatten().for_each(change);
            }
            section.magnet_px.iter_mut().flatten().for_each(change);
        }
        outlines.size_px = outlines.size_px.map(|size| size.map(|side| side * scale));
    }
    outlines
}

/// Without sections whose tissue lies on that of an earlier one: annotated twice.
fn once(sections: Vec<WaferSection>) -> Vec<WaferSection> {
    let tissue: Vec<(usize, Outline)> =
        sections.iter().enumerate().filter_map(|(n, s)| Some((n, s.tissue.as_ref().and_then(shape)?))).collect();
    let (numbers, truth): (Vec<usize>, Vec<Outline>) = tissue.into_iter().unzip();
    let twice = InstancePicture { truth, found: Vec::new() }.twice();
    let dropped: BTreeSet<usize> = twice.into_iter().map(|n| numbers[n]).collect();
    sections.into_iter().enumerate().filter(|(n, _)| !dropped.contains(n)).map(|(_, section)| section).collect()
}

/// Median over outlines of the square root of the area.
fn length_px<'a>(outlines: impl Iterator<Item = &'a Outline>) -> f64 {
    let mut lengths: Vec<f64> = outlines.map(|outline| outline.area_px2().sqrt()).collect();
    lengths.sort_by(f64::total_cmp);
    lengths.get(lengths.len() / 2).copied().unwrap_or(f64::NAN)
}
