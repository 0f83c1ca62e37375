//! Outlines of sections on a wafer, from whichever file holds them, told apart by content:
//!
//! - GeoJSON of `brainmesh segment sections`: polygons with `kind` (tissue or magnet), `number` (one for both parts of a section)
//!   and perhaps `confidence`; perhaps the picture's `size`.
//! - `truth.json` of `brainmesh_training make-wafer`, also written by hand: `size` and `sections`, each with `tissue`, `magnet`.
//! - `.magc`: tissue outlines; of magnet parts the middle alone, but where `segment sections` added an `outline`.
//! - Annotators' text: a section a line, its corners `x,y` parted by white space. A folder with `source_sections_tissue.txt` and
//!   perhaps `source_sections_mag.txt`, line by line of the same sections, or one file of tissue parts.
//!
//! **Corners**: all but `.magc` count them from the seam (tissue: 0 and 3 at the seam; magnet part: 1 and 2), clockwise on the
//! screen, pixel centres whole. Here an outline begins as in `.magc`, with corners 1 and 2: its angle is that of a long side.

mod json;
mod texts;

use crate::bytes::read_bytes;
use crate::magc::{WaferMark, WaferMarks, read_magc};
use crate::{Result, fault};
use std::collections::BTreeMap;
use std::path::Path;

/// More corners than any outline drawn by hand has; each is compared with all others.
const MOST_CORNERS: usize = 1000;

/// The outline of a part of a section.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct WaferOutline {
    /// x and y of three corners or more, pixels; pixel centres are whole. No two sides cross.
    pub corners_px: Vec<[f64; 2]>,
    /// How certain the part is, 0 to 1, where the file says.
    pub confidence: Option<f64>,
}

/// One section: tissue, magnet part, or both.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct WaferSection {
    /// Its tissue.
    pub tissue: Option<WaferOutline>,
    /// Its magnet part.
    pub magnet: Option<WaferOutline>,
    /// The middle of the magnet part: the mean of its corners, or what a file without these says.
    pub magnet_px: Option<[f64; 2]>,
}

/// All sections of a picture.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct WaferOutlines {
    /// Width and height of the picture, pixels, where the file says.
    pub size_px: Option<[f64; 2]>,
    /// The sections, in order of their numbers.
    pub sections: Vec<WaferSection>,
    /// Whether the file holds outlines of magnet parts: `.magc` of others and text files of tissue do not.
    pub has_magnet_outlines: bool,
}

/// Reads the outlines of a file, or of a folder of annotators' text files.
///
/// # Errors
/// Files of none of these kinds; numbers that are not finite; outlines of fewer than three corners, of no area or whose sides
/// cross; confidences outside 0 to 1, or of some parts alone; a part twice.
pub fn read_wafer_outlines(path: &Path) -> Result<WaferOutlines> {
    if path.is_dir() {
        return texts::read_folder(path);
    }
    let bytes = read_bytes(path)?;
    match bytes.iter().find(|byte| !byte.is_ascii_whitespace()) {
        Some(b'{') => json::read(path, &bytes),
        Some(b'[' | b'#' | b';') => from_marks(path, read_magc(path)?),
        Some(b'-' | b'.' | b'0'..=b'9') => {
            let tissue = texts::read(path, &bytes)?;
            let section = |tissue| WaferSection { tissue: Some(tissue), ..WaferSection::default() };
            Ok(WaferOutlines { sections: tissue.into_iter().map(section).collect(), ..WaferOutlines::default() })
        }
        _ => {
            Err(fault::invalid(path, "content", ".magc, GeoJSON, truth.json, or corners x,y as text", "something else"))
        }
    }
}

fn from_marks(path: &Path, marks: WaferMarks) -> Result<WaferOutlines> {
    let mut sections: BTreeMap<u32, WaferSection> = BTreeMap::new();
    for (number, mark) in &marks.sections {
        let field = format!("[section.{number:04}]");
        let confidence = confidence_of(path, &field, &mark.other)?;
        let tissue = simple(path, &format!("{field} polygon"), mark.points_px.clone(), confidence)?;
        sections.insert(*number, WaferSection { tissue: Some(tissue), ..WaferSection::default() });
    }
    let mut alone = Vec::new();
    for (number, mark) in &marks.magnets {
        let section = sections.entry(*number).or_default();
        section.magnet = outline_of(path, &format!("[magnet.{number:04}]"), &mark.other)?;
        section.magnet_px = mark.points_px.first().copied();
    }
    for (name, keys) in marks.other.iter().filter(|(name, _)| name.starts_with("magnet_alone.")) {
        alone.push(whole(None, outline_of(path, &format!("[{name}]"), keys)?));
    }
    let mut sections: Vec<WaferSection> = sections.into_values().chain(alone).collect();
    let mut magnets =
        sections.iter().filter(|section| section.tissue.is_none() || section.magnet_px.is_some()).peekable();
    let has_magnet_outlines = magnets.peek().is_some() && magnets.all(|section| section.magnet.is_some());
    if !has_magnet_outlines {
        sections.iter_mut().for_each(|section| section.magnet = None);
    }
    checked(path, WaferOutlines { size_px: None, sections, has_magnet_outlines })
}

type Keys = [(String, String)];

fn confidence_of(path: &Path, field: &str, keys: &Keys) -> Result<Option<f64>> {
    let word = keys.iter().find(|(key, _)| key == "confidence").map(|(_, word)| word);
    let wrong = |word: &str| fault::invalid(path, format!("{field} confidence"), "a number", format!("{word:?}"));
    word.map(|word| word.parse().map_err(|_| wrong(word))).transpose()
}

/// What `segment sections` adds to a magnet part: x and y of its corners from 0 to 3, in the frame of `.magc`.
fn outline_of(path: &Path, field: &str, keys: &Keys) -> Result<Option<WaferOutline>> {
    let Some((_, words)) = keys.iter().find(|(key, _)| key == "outline") else { return Ok(None) };
    let field = format!("{field} outline");
    let numbers: Option<Vec<f64>> = words.split(',').map(|word| Some(word.trim().parse::<f64>().ok()? - 0.5)).collect();
    let wrong = || fault::invalid(path, field.as_str(), "pairs of numbers x,y", format!("{words:.60?}"));
    let numbers = numbers.ok_or_else(wrong)?;
    match numbers.as_chunks::<2>() {
        (corners, []) => outline(path, &field, corners.to_vec(), confidence_of(path, &field, keys)?).map(Some),
        _ => Err(wrong()),
    }
}

fn whole(tissue: Option<WaferOutline>, magnet: Option<WaferOutline>) -> WaferSection {
    let magnet_px = magnet.as_ref().map(|m| WaferMark { points_px: m.corners_px.clone(), other: vec![] }.centre_px());
    WaferSection { tissue, magnet, magnet_px }
}

/// From corners that count from the seam.
fn outline(path: &Path, field: &str, mut corners: Vec<[f64; 2]>, confidence: Option<f64>) -> Result<WaferOutline> {
    if corners.len() == 4 {
        corners.rotate_left(1);
    }
    simple(path, field, corners, confidence)
}

/// From corners as they are: only an outline that does not cross itself has an area that means something.
fn simple(path: &Path, field: &str, corners_px: Vec<[f64; 2]>, confidence: Option<f64>) -> Result<WaferOutline> {
    let expected = "3 to 1000 corners, finite, with an area, no sides crossing";
    let wrong = |found: String| fault::invalid(path, field, expected, found);
    if !(3..=MOST_CORNERS).contains(&corners_px.len()) || !corners_px.iter().flatten().all(|v| v.abs() < 1e9) {
        return Err(wrong(format!("{} corners, or others than finite ones", corners_px.len())));
    }
    if confidence.is_some_and(|confidence| !(0.0..=1.0).contains(&confidence)) {
        return Err(fault::invalid(path, format!("{field} confidence"), "0 to 1", format!("{confidence:?}")));
    }
    let count = corners_px.len();
    let sides: Vec<_> = (0..count).map(|n| (corners_px[n], corners_px[(n + 1) % count])).collect();
    let turn = |a: [f64; 2], b: [f64; 2], c: [f64; 2]| (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]);
    let cross = |(a, b): ([f64; 2], [f64; 2]), (c, d): ([f64; 2], [f64; 2])| {
        turn(a, b, c) * turn(a, b, d) < 0.0 && turn(c, d, a) * turn(c, d, b) < 0.0
    };
    if sides.iter().enumerate().any(|(n, side)| sides[n + 1..].iter().any(|other| cross(*side, *other))) {
        return Err(wrong("sides that cross".into()));
    }
    let twice: f64 = sides.iter().map(|(a, b)| a[0] * b[1] - b[0] * a[1]).sum();
    if twice.abs() < 1e-6 {
        return Err(wrong("no area".into()));
    }
    Ok(WaferOutline { corners_px, confidence })
}

/// Confidences rank all parts of a kind, or none.
fn checked(path: &Path, outlines: WaferOutlines) -> Result<WaferOutlines> {
    let tissue: Vec<_> = outlines.sections.iter().filter_map(|section| section.tissue.as_ref()).collect();
    let magnet: Vec<_> = outlines.sections.iter().filter_map(|section| section.magnet.as_ref()).collect();
    for (kind, parts) in [("tissue", tissue), ("magnet", magnet)] {
        let said = parts.iter().filter(|part| part.confidence.is_some()).count();
        if said != 0 && said != parts.len() {
            let expected = format!("of all {} {kind} parts, or of none", parts.len());
            return Err(fault::invalid(path, "confidence", expected, format!("of {said}")));
        }
    }
    Ok(outlines)
}
