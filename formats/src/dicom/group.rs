use super::faults::DicomFault;
use super::frame::Frame;
use super::{Images, Repairs};
use crate::Result;
use std::collections::HashSet;

/// Spacings may differ by this part.
const SAME_SPACING: f64 = 1e-3;
/// Cosine of the angle by which slices of one volume may differ (0.06 degrees).
const SAME_DIRECTION: f64 = 1.0 - 5e-7;

/// In what two slices may differ.
struct Field {
    name: &'static str,
    same: fn(&Frame, &Frame) -> bool,
    say: fn(&Frame) -> String,
}

const FIELDS: [Field; 4] = [
    Field { name: "Columns and Rows", same: same_size, say: |f| format!("{} x {}", f.columns, f.rows) },
    Field {
        name: "ImageOrientationPatient",
        same: same_orientation,
        say: |f| format!("{:.4} {:.4}", f.row_lps, f.column_lps),
    },
    Field {
        name: "PixelSpacing",
        same: same_spacing,
        say: |f| format!("{} x {} mm", f.spacing_mm[0], f.spacing_mm[1]),
    },
    Field {
        name: "FrameOfReferenceUID",
        same: |a, b| a.frame_of_reference == b.frame_of_reference,
        say: |f| f.frame_of_reference.clone(),
    },
];

/// The frames of one kind: of one size, orientation, spacing and frame of reference. There is one kind, or `number`, from 1,
/// chooses it; a repair takes the largest.
pub(super) fn one_kind(
    images: &Images,
    mut frames: Vec<Frame>,
    number: Option<usize>,
    repairs: &mut Repairs,
) -> Result<Vec<Frame>> {
    forget_invented_frames_of_reference(&mut frames);
    let mut kinds: Vec<Vec<Frame>> = Vec::new();
    for frame in frames {
        let alike =
            |kind: &&mut Vec<Frame>| kind.first().is_some_and(|f| FIELDS.iter().all(|field| (field.same)(f, &frame)));
        match kinds.iter_mut().find(alike) {
            Some(kind) => kind.push(frame),
            None => kinds.push(vec![frame]),
        }
    }
    if let Some(at) = number.and_then(|n| n.checked_sub(1)).filter(|&at| at < kinds.len()) {
        return Ok(kinds.swap_remove(at));
    }
    if kinds.len() <= 1 && number.is_none() {
        return Ok(kinds.pop().unwrap_or_default());
    }
    let differ = |field: &&Field| kinds.windows(2).any(|pair| !(field.same)(&pair[0][0], &pair[1][0]));
    let &Field { name: field, say, .. } = FIELDS.iter().find(differ).unwrap_or(&FIELDS[1]);
    let groups: Vec<String> = kinds
        .iter()
        .enumerate()
        .map(|(n, kind)| {
            let plural = if kind.len() == 1 { "" } else { "s" };
            format!("{}/{} ({} image{plural}, {})", images.series, n + 1, kind.len(), say(&kind[0]))
        })
        .collect();
    if !repairs.allowed || number.is_some() {
        return Err(DicomFault::Mixed { field, groups }.at(&images.path));
    }
    // The first of equally large ones.
    let (at, _) = kinds.iter().enumerate().rev().max_by_key(|(_, kind)| kind.len()).unwrap_or((0, &kinds[0]));
    repairs.made(format!("{field} differs: of {}, {} is kept", groups.join(", "), groups[at]));
    Ok(kinds.swap_remove(at))
}

/// Positions can be compared within one frame of reference only. A series has one (PS3.3 C.7.4.1); where every file has
/// its own, a program that made the files anonymous invented them and they say nothing.
fn forget_invented_frames_of_reference(frames: &mut [Frame]) {
    let distinct: HashSet<&str> = frames.iter().map(|frame| frame.frame_of_reference.as_str()).collect();
    let files: HashSet<usize> = frames.iter().map(|frame| frame.file).collect();
    if distinct.len() == files.len() {
        frames.iter_mut().for_each(|frame| frame.frame_of_reference.clear());
    }
}

fn same_size(a: &Frame, b: &Frame) -> bool {
    (a.columns, a.rows) == (b.columns, b.rows)
}

fn same_orientation(a: &Frame, b: &Frame) -> bool {
    [(a.row_lps, b.row_lps), (a.column_lps, b.column_lps)]
        .iter()
        .all(|(a, b)| a.dot(*b) >= SAME_DIRECTION * a.length_squared())
}

fn same_spacing(a: &Frame, b: &Frame) -> bool {
    (0..2).all(|axis| (b.spacing_mm[axis] / a.spacing_mm[axis] - 1.0).abs() <= SAME_SPACING)
}
