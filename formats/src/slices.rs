//! A folder of slices: TIFF or PNG images of one size and type, one file a slice (PNG: ISO/IEC 15948).
//!
//! - **Axes**: `i` runs along columns to the right, `j` down the rows, `k` over the files in the order of their numbers: the
//!   last number of their names. Names must agree in all else; numbers must follow one another in equal steps
//!   ([`VolumeOptions::with_separate_slices`]: in the natural order of any names).
//! - **World**: as that of TIFF stacks: spacing alone, `unregistered`. PNG's pixels a metre are read; the distance of slices
//!   is never known, and taken as 1 mm with a warning unless [`VolumeOptions::with_spacing_mm`] states it.
//! - PNG of 8 and 16 bits, grey or colours (planes), interlaced or not. Only the slices of a region are
//!   read, several at a time.
//! - **Refused**: gaps in the numbering, two files of one number, images of different size or type, several pages in a file, fewer bits than 8,
//!   TIFF and PNG together, palettes.

use crate::{Result, VolumeOptions, VolumeReader, fault, png_slices, tiff_stack};
use std::path::{Path, PathBuf};

/// The images of a folder, where it holds nothing else.
pub(crate) fn images_of(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut images = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(fault::io(folder))? {
        let path = entry.map_err(fault::io(folder))?.path();
        let is_hidden = path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
        if is_hidden {
            continue;
        }
        if !path.is_file() || ending(&path).is_none() {
            return Ok(Vec::new());
        }
        images.push(path);
    }
    Ok(images)
}

fn ending(path: &Path) -> Option<&'static str> {
    match path.extension()?.to_str()?.to_ascii_lowercase().as_str() {
        "tif" | "tiff" => Some("TIFF"),
        "png" => Some("PNG"),
        _ => None,
    }
}

/// Opens images as the slices of a volume.
pub(crate) fn open(folder: &Path, images: Vec<PathBuf>, options: &VolumeOptions) -> Result<VolumeReader> {
    let (slices, warnings) = if options.separate_slices { (sorted(images), None) } else { ordered(folder, images)? };
    let format = slices.first().and_then(|path| ending(path));
    if slices.iter().any(|path| ending(path) != format) {
        return Err(fault::invalid(folder, "slices", "images of one format", "TIFF and PNG"));
    }
    let reader = match format {
        Some("PNG") => png_slices::open(folder, &slices, options)?,
        _ => tiff_stack::open_slices(folder, &slices, options)?,
    };
    Ok(reader.with_warnings(warnings))
}

/// Sorts files by name, numbers by their value.
fn sorted(mut images: Vec<PathBuf>) -> Vec<PathBuf> {
    images.sort_by_cached_key(|path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        (natural(&name), name)
    });
    images
}

/// Runs of digits, without leading zeros and after their length, and single other characters.
fn natural(name: &str) -> Vec<(usize, String)> {
    let mut parts: Vec<(usize, String)> = Vec::new();
    let mut in_number = false;
    for c in name.chars() {
        match parts.last_mut() {
            Some((length, digits)) if in_number && c.is_ascii_digit() => {
                if digits == "0" {
                    digits.clear();
                }
                digits.push(c);
                *length = digits.len();
            }
            _ => parts.push((usize::from(c.is_ascii_digit()), c.into())),
        }
        in_number = c.is_ascii_digit();
    }
    parts
}

/// Sorts files by the last number of their names.
fn ordered(folder: &Path, images: Vec<PathBuf>) -> Result<(Vec<PathBuf>, Option<String>)> {
    if images.len() == 1 {
        return Ok((images, None));
    }
    let mut numbered = Vec::new();
    for path in images {
        let (around, number) = split(&path)
            .ok_or_else(|| fault::invalid(&path, "file name", "a number among the slices of a folder", "none"))?;
        numbered.push((number, around, path));
    }
    numbered.sort();
    let around = &numbered[0].1;
    if let Some((_, other, path)) = numbered.iter().find(|(_, other, _)| other != around) {
        let show = |(a, b): &(String, String)| format!("{a}<number>{b}");
        return Err(fault::invalid(path, "file name", format!("{}, like the first slice", show(around)), show(other)));
    }
    let numbers: Vec<_> = numbered.iter().map(|(number, ..)| *number).collect();
    let steps = numbers.windows(2).map(|pair| pair[1] - pair[0]);
    let step = steps.min().unwrap_or(1);
    if step == 0 {
        let twice = numbers.windows(2).find(|pair| pair[0] == pair[1]).map_or(0, |pair| pair[0]);
        return Err(fault::invalid(folder, "slices", "each number once", format!("{twice} twice")));
    }
    if let Some(pair) = numbers.windows(2).find(|pair| pair[1] - pair[0] != step) {
        let expected = format!("{} after {} (slices in steps of {step})", pair[0] + step, pair[0]);
        return Err(fault::invalid(folder, "slices", expected, format!("{}: slices are missing between", pair[1])));
    }
    let warning = (step > 1).then(|| format!("the numbers of the slices go up in steps of {step}"));
    Ok((numbered.into_iter().map(|(.., path)| path).collect(), warning))
}

/// The last number of a name, and what stands before and after it.
fn split(path: &Path) -> Option<((String, String), u64)> {
    let name = path.file_stem()?.to_str()?;
    let end = name.rfind(|c: char| c.is_ascii_digit())? + 1;
    let start = name[..end]
        .rfind(|c: char| !c.is_ascii_digit())
        .map_or(0, |at| at + name[at..].chars().next().map_or(1, char::len_utf8));
    let number = name[start..end].parse().ok()?;
    Some(((name[..start].into(), name[end..].into()), number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn natural_order_is_that_of_numbers_and_takes_any_names() {
        let names =
            ["s10.png", "s9.png", "s.png", "s009b.png", "t1.png", "s0.png", "s00.png", "s10a2.png", "s10a10.png"];
        let sorted = sorted(names.iter().map(PathBuf::from).collect());
        let expected =
            ["s.png", "s0.png", "s00.png", "s9.png", "s009b.png", "s10.png", "s10a2.png", "s10a10.png", "t1.png"];
        assert_eq!(sorted, expected.map(PathBuf::from));
    }
}
