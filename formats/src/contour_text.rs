//! Contours as text, as in the cardiac challenges of MICCAI 2009: `x y` of a point a line, in pixels, two decimals. The
//! polygon is closed by itself: the first point is not repeated.

use crate::bytes::read_bytes;
use crate::text_number::text;
use crate::{Result, fault, write_atomically};
use std::path::Path;

/// Reads the points of a contour, `[x, y]` in pixels, as they stand in the file; empty lines are passed over.
///
/// # Errors
/// Lines that are not two finite numbers; fewer than three points.
pub fn read_contour(path: &Path) -> Result<Vec<[f64; 2]>> {
    let bytes = read_bytes(path)?;
    let mut points = Vec::new();
    for (number, line) in text(path, &bytes)?.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let mut words = line.split_ascii_whitespace().map(str::parse::<f64>);
        let point = match (words.next(), words.next(), words.next()) {
            (Some(Ok(x)), Some(Ok(y)), None) if x.is_finite() && y.is_finite() => [x, y],
            _ => return Err(fault::invalid(path, format!("line {}", number + 1), "x and y", format!("{line:?}"))),
        };
        points.push(point);
    }
    if points.len() < 3 {
        return Err(fault::invalid(path, "points", "at least 3", points.len()));
    }
    Ok(points)
}

/// Writes a contour, whole or not at all: points `[x, y]` in pixels.
///
/// # Errors
/// Fewer than three points, points that are not finite; a folder that cannot be written.
pub fn write_contour(path: &Path, points: &[[f64; 2]]) -> Result<()> {
    if points.len() < 3 || points.iter().flatten().any(|value| !value.is_finite()) {
        return Err(fault::invalid(path, "points", "at least 3, all finite", format!("{} points", points.len())));
    }
    let lines: String = points.iter().map(|[x, y]| format!("{x:.2} {y:.2}\n")).collect();
    write_atomically(path, |file| file.write_all(lines.as_bytes()).map_err(fault::io(path)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_are_two_numbers_a_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("IM-0001-0048-icontour-manual.txt");
        write_contour(&path, &[[120.5, 137.0], [121.0, 136.254], [119.0, 135.0]]).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "120.50 137.00\n121.00 136.25\n119.00 135.00\n");
        assert_eq!(read_contour(&path).unwrap(), [[120.5, 137.0], [121.0, 136.25], [119.0, 135.0]]);
        for (bad, line) in
            [("1 2\n3\n4 5\n", "line 2"), ("1 2\n3 4\n5 nan", "line 3"), ("1 2 3\n", "line 1"), ("\n1 2\n", "points")]
        {
            std::fs::write(&path, bad).unwrap();
            let error = read_contour(&path).unwrap_err().to_string();
            assert!(error.contains(line) && error.contains("icontour"), "{error}");
        }
        assert!(write_contour(&path, &[[0.0, 0.0], [1.0, f64::NAN], [2.0, 2.0]]).is_err());
    }
}
