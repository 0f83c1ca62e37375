//! Sections on a wafer, as MagFinder and the microscopes after it keep them (`.magc`; templiert/MagFinder, `magc_reader.py`).
//!
//! - **Frame**: pixels of the picture they were marked on, x to the right, y down. The file counts from the outer corner of the
//!   first pixel, as ImageJ does, so that the middle of that pixel is .5,.5; here pixel centres are whole.
//! - **Layout**: INI. `[sections]` with their `number`, a `[section.0001]` each with `polygon` (x1,y1,x2,y2,..), `center`, `area`,
//!   `angle`, and `[end_sections]`; so `focus` (polygon alone), `magnets` and `landmarks` (`location`); `[rois]` with `[roi.0001.00]`
//!   (section and its own number); `[serial_order]` (as cut) and `[stage_order]` (shortest way), numbers of sections or `[]`.
//! - `center` is the mean of the corners and `area` that of the bounding box in whole pixels, both as MagFinder has them; all
//!   three are worked out from the polygon when written and not believed when read, again as MagFinder does.
//! - **Angles**: of the way from the first corner to the second, a degrees against the clock from x to the right; the file holds
//!   ((a - 90) mod 360) - 180.
//! - Keys and sections of others are kept. `number` may be missing, but not be wrong: a file cut short is refused.

use crate::atomic::write_atomically;
use crate::bytes::read_bytes;
use crate::ini::{self, IniSection};
use crate::{Result, fault};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Something marked on a wafer: an outline, or one point.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct WaferMark {
    /// x and y of each corner, pixels; pixel centres are whole.
    pub points_px: Vec<[f64; 2]>,
    /// Keys that brainmesh does not know, with their values.
    pub other: Vec<(String, String)>,
}

impl WaferMark {
    /// The mean of the corners, pixels.
    #[must_use]
    pub fn centre_px(&self) -> [f64; 2] {
        let count = self.points_px.len().max(1) as f64;
        self.points_px.iter().fold([0.0; 2], |[x, y], p| [x + p[0] / count, y + p[1] / count])
    }

    /// Direction from the first corner to the second, degrees in (-180, 180] against the clock from x to the right. None of
    /// a point.
    ///
    /// ```
    /// let up = brainmesh_formats::WaferMark { points_px: vec![[5.0, 9.0], [5.0, 2.0]], other: vec![] };
    /// assert_eq!(up.angle_degrees(), Some(90.0));
    /// ```
    #[must_use]
    pub fn angle_degrees(&self) -> Option<f64> {
        match self.points_px.as_slice() {
            [first, second, ..] => Some((first[1] - second[1]).atan2(second[0] - first[0]).to_degrees()),
            _ => None,
        }
    }

    /// Of the bounding box in whole pixels, as ImageJ's `getBounds` (`ij.process.FloatPolygon`).
    fn box_px2(&self) -> f64 {
        let side = |axis: usize| {
            let values = || self.points_px.iter().map(|p| p[axis] + 0.5);
            let low = values().fold(f64::INFINITY, f64::min).floor();
            (values().fold(f64::NEG_INFINITY, f64::max) - low + 0.5).floor()
        };
        side(0) * side(1)
    }
}

/// All that is marked on a wafer, by number.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct WaferMarks {
    /// Outlines of sections, three corners or more.
    pub sections: BTreeMap<u32, WaferMark>,
    /// Regions of interest by section and their own number, three corners or more.
    pub rois: BTreeMap<(u32, u32), WaferMark>,
    /// Points to focus on, by section.
    pub focus: BTreeMap<u32, WaferMark>,
    /// The middle of the magnet part, by section: one point.
    pub magnets: BTreeMap<u32, WaferMark>,
    /// Landmarks: one point.
    pub landmarks: BTreeMap<u32, WaferMark>,
    /// Sections in the order they were cut; by number where nothing says.
    pub serial_order: Vec<u32>,
    /// Sections in the order the stage visits them; by number where nothing says.
    pub stage_order: Vec<u32>,
    /// Sections of the file that brainmesh does not know: name, keys and values.
    pub other: Vec<(String, Vec<(String, String)>)>,
}

/// The angle as the file holds it, of one in degrees against the clock: ((a - 90) mod 360) - 180.
fn stored_angle(degrees: f64) -> f64 {
    (degrees - 90.0).rem_euclid(360.0) - 180.0
}

/// Reads a `.magc` file.
///
/// # Errors
/// What breaks the INI rules (a section or key twice), numbers that are none or not finite, outlines of fewer than three
/// corners, a `number` that is not the count, orders that name a section twice or one that is not there.
pub fn read_magc(path: &Path) -> Result<WaferMarks> {
    let mut marks = WaferMarks::default();
    let mut counts = Vec::new();
    let mut orders = Vec::new();
    for IniSection { name, keys } in ini::parse(path, &read_bytes(path)?)? {
        let kind = name.split('.').next().unwrap_or_default();
        match (kind, name.contains('.')) {
            ("sections" | "rois" | "focus" | "magnets" | "landmarks", false) => counts.push((name, keys)),
            ("serial_order" | "stage_order", false) => orders.push((name, keys)),
            ("section" | "roi" | "focus" | "magnet" | "landmark", true) => {
                let numbers = numbers_of(path, &name)?;
                let mark = mark_of(path, &name, kind, keys)?;
                let old = match (kind, numbers.as_slice()) {
                    ("section", &[n]) => marks.sections.insert(n, mark),
                    ("roi", &[n, own]) => marks.rois.insert((n, own), mark),
                    ("focus", &[n]) => marks.focus.insert(n, mark),
                    ("magnet", &[n]) => marks.magnets.insert(n, mark),
                    ("landmark", &[n]) => marks.landmarks.insert(n, mark),
                    _ => return Err(fault::invalid(path, format!("[{name}]"), "one number, or two of a roi", name)),
                };
                // Such as [section.1] beside [section.0001].
                if old.is_some() {
                    return Err(fault::invalid(path, format!("[{name}]"), "each number once", "it again"));
                }
            }
            _ if name.starts_with("end_") && keys.is_empty() => {}
            _ => marks.other.push((name, keys)),
        }
    }
    for (name, keys) in counts {
        let count = match name.as_str() {
            "sections" => marks.sections.len(),
            "rois" => marks.rois.len(),
            "focus" => marks.focus.len(),
            "magnets" => marks.magnets.len(),
            _ => marks.landmarks.len(),
        };
        if let Some((_, number)) = keys.iter().find(|(key, _)| key == "number")
            && number.parse() != Ok(count)
        {
            return Err(fault::invalid(path, format!("[{name}] number"), number, format!("{count} of them")));
        }
    }
    marks.serial_order = marks.sections.keys().copied().collect();
    marks.stage_order = marks.serial_order.clone();
    for (name, keys) in orders {
        if let Some(order) = order_of(path, &name, &keys, &marks)? {
            *(if name == "serial_order" { &mut marks.serial_order } else { &mut marks.stage_order }) = order;
        }
    }
    Ok(marks)
}

/// Writes a `.magc` file as MagFinder does; coordinates to six decimals.
///
/// # Errors
/// Marks that [`read_magc`] would refuse; a folder that cannot be written.
pub fn write_magc(path: &Path, marks: &WaferMarks) -> Result<()> {
    let mut out = Vec::new();
    let single = |marks: &BTreeMap<u32, WaferMark>| marks.iter().map(|(n, m)| (format!("{n:04}"), m.clone())).collect();
    let rois = marks.rois.iter().map(|(&(n, own), mark)| (format!("{n:04}.{own:02}"), mark.clone())).collect();
    type Named = Vec<(String, WaferMark)>;
    let groups: [(&str, &str, Named); 5] = [
        ("sections", "section", single(&marks.sections)),
        ("focus", "focus", single(&marks.focus)),
        ("magnets", "magnet", single(&marks.magnets)),
        ("landmarks", "landmark", single(&marks.landmarks)),
        ("rois", "roi", rois),
    ];
    for (group, kind, group_marks) in groups.iter().filter(|(_, _, marks)| !marks.is_empty()) {
        out.push(IniSection::new(*group).with("number", group_marks.len()));
        for (number, mark) in group_marks {
            let name = format!("{kind}.{number}");
            check(path, &name, kind, &mark.points_px)?;
            out.push(stored(&name, kind, mark));
        }
        if *group != "rois" {
            out.push(IniSection::new(format!("end_{group}")));
        }
    }
    for (name, order) in [("serial_order", &marks.serial_order), ("stage_order", &marks.stage_order)] {
        let words: Vec<String> = order.iter().map(u32::to_string).collect();
        let value = if words.is_empty() { "[]".to_owned() } else { words.join(",") };
        let section = IniSection::new(name).with(name, value);
        order_of(path, name, &section.keys, marks)?;
        out.push(section);
    }
    out.extend(marks.other.iter().map(|(name, keys)| IniSection { name: name.clone(), keys: keys.clone() }));
    write_atomically(path, |w| ini::write(w, &out).map_err(fault::io(path)))
}

fn stored(name: &str, kind: &str, mark: &WaferMark) -> IniSection {
    let points = |points: &[[f64; 2]]| points.iter().flatten().map(|v| decimal(v + 0.5)).collect::<Vec<_>>().join(",");
    let key = if is_point(kind) { "location" } else { "polygon" };
    let mut section = IniSection::new(name).with(key, points(&mark.points_px));
    if matches!(kind, "section" | "roi") {
        let angle = stored_angle(mark.angle_degrees().unwrap_or_default());
        section = section.with("center", points(&[mark.centre_px()])).with("area", decimal(mark.box_px2()));
        section = section.with("angle", decimal(angle));
    }
    section.keys.extend(mark.other.iter().cloned());
    section
}

/// As Python's `str(round(x, 6))`.
fn decimal(value: f64) -> String {
    format!("{:?}", (value * 1e6).round() / 1e6)
}

fn is_point(kind: &str) -> bool {
    matches!(kind, "magnet" | "landmark")
}

fn numbers_of(path: &Path, name: &str) -> Result<Vec<u32>> {
    let words = name.split('.').skip(1);
    words
        .map(|w| {
            w.parse()
                .map_err(|_| fault::invalid(path, format!("[{name}]"), "a number after each dot", format!("{w:?}")))
        })
        .collect()
}

fn mark_of(path: &Path, name: &str, kind: &str, keys: Vec<(String, String)>) -> Result<WaferMark> {
    let mut mark = WaferMark::default();
    let mut is_placed = false;
    for (key, value) in keys {
        match key.as_str() {
            // Older files give the focus points as location.
            "polygon" | "location" if !is_placed => {
                is_placed = true;
                mark.points_px = points_of(path, &format!("[{name}] {key}"), &value)?;
            }
            "polygon" | "location" => {
                return Err(fault::invalid(path, format!("[{name}]"), "polygon or location", "both"));
            }
            "center" | "area" | "angle" => {}
            _ => mark.other.push((key, value)),
        }
    }
    check(path, name, kind, &mark.points_px)?;
    Ok(mark)
}

fn points_of(path: &Path, field: &str, value: &str) -> Result<Vec<[f64; 2]>> {
    let wrong = |found: String| fault::invalid(path, field, "pairs of finite numbers x,y", found);
    let number = |w: &str| w.trim().parse().ok().filter(|v: &f64| v.is_finite()).ok_or_else(|| wrong(format!("{w:?}")));
    let numbers = value.split(',').map(number).collect::<Result<Vec<f64>>>()?;
    let (pairs, rest) = numbers.as_chunks::<2>();
    if !rest.is_empty() {
        return Err(wrong(format!("{} numbers", numbers.len())));
    }
    Ok(pairs.iter().map(|[x, y]| [x - 0.5, y - 0.5]).collect())
}

fn check(path: &Path, name: &str, kind: &str, points: &[[f64; 2]]) -> Result<()> {
    let (is_right, expected) = match kind {
        "magnet" | "landmark" => (points.len() == 1, "one point"),
        "focus" => (!points.is_empty(), "a point or more"),
        _ => (points.len() >= 3, "three corners or more"),
    };
    if !is_right || points.iter().flatten().any(|v| !v.is_finite()) {
        return Err(fault::invalid(path, format!("[{name}]"), format!("{expected}, finite"), format!("{points:?}")));
    }
    Ok(())
}

/// None where the file says that there is none.
fn order_of(path: &Path, name: &str, keys: &[(String, String)], marks: &WaferMarks) -> Result<Option<Vec<u32>>> {
    let Some((_, value)) = keys.iter().find(|(key, _)| key == name) else {
        return Err(fault::invalid(path, format!("[{name}]"), format!("the key {name}"), "none"));
    };
    if value == "[]" {
        return Ok(None);
    }
    let mut seen = BTreeSet::new();
    let number = |word: &str| {
        let found = word.trim().parse().ok().filter(|n| marks.sections.contains_key(n) && seen.insert(*n));
        let wrong = || fault::invalid(path, format!("[{name}]"), "numbers of sections, each once", format!("{word:?}"));
        found.ok_or_else(wrong)
    };
    value.split(',').map(number).collect::<Result<Vec<u32>>>().map(Some)
}
