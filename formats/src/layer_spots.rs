//! Layers named at points of a picture, as spatial transcriptomics gives them.
//!
//! - **Positions**: Space Ranger's `tissue_positions_list.csv` (no header: barcode, in tissue, row, column of the array, row
//!   and column in pixels of the full picture) or `tissue_positions.csv` (the same with a header); or any table with a header
//!   that names the columns `x`, `y` and, where there is no table of layers, `layer`.
//! - **Layers**: a table without header of barcode and layer, or of barcode, section and layer.
//! - **Layer names**: `1` to `7`, `I` to `VI`, `L1` to `L6`, `layer 1`, and `WM`, `white` for white matter; `NA` is none.
//! - Commas or tabs part the columns, told by the first line. Quotation marks around a value are taken off.

use crate::bytes::read_bytes;
use crate::text_number::text;
use crate::{Result, fault};
use std::collections::{BTreeSet, HashMap};
use std::path::Path;

/// A point of a picture whose layer is known.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LayerSpot {
    /// Along columns and rows, in pixels of the full picture; pixel centres are whole.
    pub x_px: f64,
    /// See `x_px`.
    pub y_px: f64,
    /// 1..=6, or 7 for white matter.
    pub layer: u8,
}

/// Reads spots and their layers. `section` chooses among the sections of a table of layers.
///
/// # Errors
/// A table that breaks the rules above, a barcode that is named twice or has no position, no spot with a layer, and a
/// table of several sections without a choice.
pub fn read_layer_spots(positions: &Path, layers: Option<&Path>, section: Option<&str>) -> Result<Vec<LayerSpot>> {
    let table = Table::read(positions)?;
    let spots = match layers {
        Some(path) => named(&table, path, section)?,
        None => own(&table)?,
    };
    if spots.is_empty() {
        let path = layers.unwrap_or(positions);
        return Err(fault::invalid(path, "spots", "at least one with a layer", "none"));
    }
    Ok(spots)
}

struct Table<'p> {
    path: &'p Path,
    rows: Vec<(usize, Vec<String>)>,
}

impl<'p> Table<'p> {
    fn read(path: &'p Path) -> Result<Self> {
        let bytes = read_bytes(path)?;
        let text = text(path, &bytes)?;
        let comma = text.lines().next().is_some_and(|line| !line.contains('\t'));
        let cell = |word: &str| word.trim().trim_matches('"').to_owned();
        let rows = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
        let rows = rows.map(|(n, line)| (n + 1, line.split(if comma { ',' } else { '\t' }).map(cell).collect()));
        Ok(Self { path, rows: rows.collect() })
    }

    fn fault(&self, line: usize, expected: &str, found: impl std::fmt::Display) -> crate::Error {
        fault::invalid(self.path, format!("line {line}"), expected, found)
    }

    /// The column of a name, where the first line is a header.
    fn column(&self, names: &[&str]) -> Option<usize> {
        let (_, header) = self.rows.first()?;
        header.iter().position(|cell| names.iter().any(|name| cell.eq_ignore_ascii_case(name)))
    }

    fn number(&self, line: usize, row: &[String], column: usize) -> Result<f64> {
        let found = row.get(column).map_or("nothing", |cell| cell.as_str());
        let number = found.parse::<f64>().ok().filter(|n| n.is_finite());
        number.ok_or_else(|| self.fault(line, &format!("a number in column {}", column + 1), format!("{found:?}")))
    }
}

fn own(table: &Table) -> Result<Vec<LayerSpot>> {
    let (Some(x), Some(y), Some(layer)) = (table.column(&["x"]), table.column(&["y"]), table.column(&["layer"])) else {
        return Err(table.fault(1, "a header with x, y and layer, or a table of layers beside it", "another line"));
    };
    let mut spots = Vec::new();
    for (line, row) in table.rows.iter().skip(1) {
        let name = row.get(layer).map_or("", |cell| cell.as_str());
        if let Some(layer) = layer_of(table, *line, name)? {
            spots.push(LayerSpot { x_px: table.number(*line, row, x)?, y_px: table.number(*line, row, y)?, layer });
        }
    }
    Ok(spots)
}

fn named(table: &Table, layers: &Path, section: Option<&str>) -> Result<Vec<LayerSpot>> {
    let header = table.column(&["barcode"]);
    let barcode = header.unwrap_or(0);
    let y = table.column(&["y", "pxl_row_in_fullres"]).unwrap_or(4);
    let x = table.column(&["x", "pxl_col_in_fullres"]).unwrap_or(5);
    let mut places = HashMap::new();
    for (line, row) in table.rows.iter().skip(usize::from(header.is_some())) {
        let place = (table.number(*line, row, x)?, table.number(*line, row, y)?);
        let name = row.get(barcode).cloned().unwrap_or_default();
        if places.insert(name.clone(), place).is_some() {
            return Err(table.fault(*line, "each barcode once", format!("{name} again")));
        }
    }
    let known = Table::read(layers)?;
    let sections: BTreeSet<&str> =
        known.rows.iter().filter(|(_, row)| row.len() > 2).filter_map(|(_, row)| Some(row.get(1)?.as_str())).collect();
    let is_there = section.is_none_or(|wanted| sections.contains(wanted));
    if !is_there || (section.is_none() && sections.len() > 1) {
        let expected = format!("one of the sections {sections:?}, chosen by its name");
        return Err(fault::invalid(layers, "section", expected, section.unwrap_or("no choice")));
    }
    let mut spots = Vec::new();
    let mut seen = BTreeSet::new();
    for (line, row) in &known.rows {
        let (name, own, word) = match row.as_slice() {
            [name, layer] => (name, None, layer),
            [name, own, layer, ..] => (name, Some(own.as_str()), layer),
            _ => return Err(known.fault(*line, "barcode, section and layer, or barcode and layer", row.join(" "))),
        };
        if section.is_some() && own != section {
            continue;
        }
        if !seen.insert(name) {
            return Err(known.fault(*line, "each barcode once", format!("{name} again")));
        }
        if let Some(layer) = layer_of(&known, *line, word)? {
            let found = || known.fault(*line, &format!("a barcode of {}", table.path.display()), name);
            let &(x_px, y_px) = places.get(name).ok_or_else(found)?;
            spots.push(LayerSpot { x_px, y_px, layer });
        }
    }
    Ok(spots)
}

fn layer_of(table: &Table, line: usize, word: &str) -> Result<Option<u8>> {
    const ROMAN: [&str; 6] = ["i", "ii", "iii", "iv", "v", "vi"];
    let lower = word.to_ascii_lowercase();
    let short = lower.strip_prefix("layer").or(lower.strip_prefix('l')).unwrap_or(&lower).trim_matches([' ', '_']);
    if ["na", "", "nan", "none"].contains(&lower.as_str()) {
        return Ok(None);
    }
    if ["wm", "white", "white matter"].contains(&lower.as_str()) {
        return Ok(Some(7));
    }
    let roman = (1u8..).zip(ROMAN).find(|(_, name)| *name == short).map(|(n, _)| n);
    let layer = roman.or_else(|| short.parse().ok()).filter(|n| (1..=7).contains(n));
    layer.map(Some).ok_or_else(|| table.fault(line, "a layer (1 to 7, I to VI, L1 to L6, WM, NA)", format!("{word:?}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(positions: &str, layers: Option<&str>, section: Option<&str>) -> Result<Vec<LayerSpot>> {
        let folder = tempfile::tempdir().unwrap();
        let place = |name: &str, content: &str| {
            let path = folder.path().join(name);
            std::fs::write(&path, content).unwrap();
            path
        };
        let positions = place("positions.csv", positions);
        let layers = layers.map(|content| place("layers.tsv", content));
        read_layer_spots(&positions, layers.as_deref(), section)
    }

    #[test]
    fn space_ranger_positions_meet_their_layers() {
        let positions = "AA-1,1,0,0,10,20\nBB-1,1,0,1,11,30\nCC-1,0,0,2,12,40\n";
        let expected =
            vec![LayerSpot { x_px: 20.0, y_px: 10.0, layer: 1 }, LayerSpot { x_px: 30.0, y_px: 11.0, layer: 7 }];
        let table = "AA-1\ts1\tL1\nBB-1\ts1\tWM\nCC-1\ts1\tNA\nAA-1\ts2\tL3\n";
        assert_eq!(read(positions, Some(table), Some("s1")).unwrap(), expected);
        let header =
            format!("barcode,in_tissue,array_row,array_col,pxl_row_in_fullres,pxl_col_in_fullres\n{positions}");
        assert_eq!(read(&header, Some("AA-1,layer 1\nBB-1,white"), None).unwrap(), expected);
        assert_eq!(read("x,y,layer\n20,10,I\n30,11,7", None, None).unwrap(), expected);
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let positions = "AA-1,1,0,0,10,20\n";
        for (layers, section, expected) in [
            ("AA-1\ts1\tL1\nAA-1\ts2\tL1\n", None, "one of the sections"),
            ("AA-1\ts1\tL1\n", Some("s9"), "one of the sections"),
            ("BB-1\ts1\tL1\n", None, "a barcode of"),
            ("AA-1\ts1\tL8\n", None, "a layer"),
            ("AA-1\ts1\tNA\n", None, "at least one with a layer"),
            ("AA-1,L1\nAA-1,L1\n", None, "each barcode once"),
            ("AA-1\n", None, "barcode, section and layer"),
        ] {
            let error = read(positions, Some(layers), section).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
        assert!(read("AA-1,1,0,0,ten,20\n", Some("AA-1,L1"), None).unwrap_err().to_string().contains("a number"));
        assert!(read("AA-1,1,0,0,10,20\nAA-1,1,0,0,10,20", Some("AA-1,L1"), None).is_err());
    }
}
