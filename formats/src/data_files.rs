//! Voxels in files of their own beside a text header (NRRD, MetaImage): names, patterns, lists.

use crate::{Result, fault};
use std::collections::HashSet;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Component, Path, PathBuf};

/// The file that a header names. It must lie in the header's folder or below, so that a header from elsewhere cannot have
/// other files of this machine read.
pub(crate) fn beside(header: &Path, field: &str, name: &str) -> Result<PathBuf> {
    let named = Path::new(name);
    let is_below = named.components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
    if name.is_empty() || name.contains(['\\', '\0']) || !is_below {
        let expected = "a file in the header's folder (no absolute path, no ..)";
        return Err(fault::invalid(header, field, expected, format!("{name:?}")));
    }
    let path = header.parent().unwrap_or(Path::new("")).join(named);
    if !path.is_file() {
        return Err(fault::invalid(header, field, format!("a file {name:?} beside the header"), "none"));
    }
    Ok(path)
}

/// The files of a list, each named once.
pub(crate) fn listed(header: &Path, field: &str, names: &[String]) -> Result<Vec<PathBuf>> {
    let mut seen = HashSet::new();
    names
        .iter()
        .map(|name| {
            if seen.insert(name) {
                return beside(header, field, name);
            }
            Err(fault::invalid(header, field, "every file once", format!("{name:?} again")))
        })
        .collect()
}

/// The files of a pattern such as `slice%03d.raw` with its first number, last number and step.
pub(crate) fn numbered(header: &Path, field: &str, words: &[&str]) -> Result<Vec<PathBuf>> {
    let refuse = |found: &str| fault::invalid(header, field, "PATTERN MIN MAX STEP, with one %d in the pattern", found);
    let [pattern, numbers @ ..] = words else { return Err(refuse("nothing")) };
    let numbers: Vec<i64> = numbers.iter().filter_map(|word| word.parse().ok()).collect();
    let [first, last, step] = numbers[..] else { return Err(refuse(&words.join(" "))) };
    let (before, width, after) = split_pattern(pattern).ok_or_else(|| refuse(pattern))?;
    if step == 0 || (last < first) != (step < 0) && last != first {
        return Err(refuse(&words.join(" ")));
    }
    let mut paths = Vec::new();
    let mut number = first;
    // The first file that is missing ends it, however many are claimed.
    while if step > 0 { number <= last } else { number >= last } {
        paths.push(beside(header, field, &format!("{before}{number:0width$}{after}"))?);
        let Some(next) = number.checked_add(step) else { break };
        number = next;
    }
    Ok(paths)
}

/// What stands before and after the one `%d`, `%3d` or `%03d`, and its width. A width without a zero pads with spaces in C; no
/// program names files so, and zeros are meant.
fn split_pattern(pattern: &str) -> Option<(&str, usize, &str)> {
    let (before, rest) = pattern.split_once('%')?;
    let (digits, after) = rest.split_once('d')?;
    let width = if digits.is_empty() { 0 } else { digits.parse().ok().filter(|&n| n <= 20)? };
    (!after.contains('%')).then_some((before, width, after))
}

/// Where a file goes on after `count` lines from byte `start`.
pub(crate) fn skip_lines(path: &Path, start: u64, count: u64) -> Result<u64> {
    let mut file = File::open(path).map_err(fault::io(path))?;
    std::io::Seek::seek(&mut file, std::io::SeekFrom::Start(start)).map_err(fault::io(path))?;
    let mut content = BufReader::new(file);
    let mut at = start;
    for line in 0..count {
        let taken = content.skip_until(b'\n').map_err(fault::io(path))?;
        if taken == 0 {
            return Err(fault::invalid(path, "line skip", format!("at least {count} lines"), line));
        }
        at += taken as u64;
    }
    Ok(at)
}
