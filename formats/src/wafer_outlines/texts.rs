use super::{WaferOutline, WaferOutlines, outline, whole};
use crate::bytes::read_bytes;
use crate::text_number::text;
use crate::{Result, fault};
use std::path::Path;

pub(super) fn read_folder(folder: &Path) -> Result<WaferOutlines> {
    let [tissue_path, magnet_path] = ["tissue", "mag"].map(|part| folder.join(format!("source_sections_{part}.txt")));
    let tissue = read(&tissue_path, &read_bytes(&tissue_path)?)?;
    let has_magnet_outlines = magnet_path.exists();
    let mut magnets = Vec::new();
    if has_magnet_outlines {
        magnets = read(&magnet_path, &read_bytes(&magnet_path)?)?;
        if magnets.len() != tissue.len() {
            let expected = format!("{}, as source_sections_tissue.txt", tissue.len());
            return Err(fault::invalid(&magnet_path, "sections", expected, magnets.len()));
        }
    }
    let mut magnets = magnets.into_iter();
    let sections = tissue.into_iter().map(|tissue| whole(Some(tissue), magnets.next())).collect();
    Ok(WaferOutlines { size_px: None, sections, has_magnet_outlines })
}

pub(super) fn read(path: &Path, bytes: &[u8]) -> Result<Vec<WaferOutline>> {
    let lines = text(path, bytes)?.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    lines
        .map(|(number, line)| {
            let corner = |word: &str| {
                let (x, y) = word.split_once(',')?;
                Some([x.parse().ok()?, y.parse().ok()?])
            };
            let field = format!("line {}", number + 1);
            let corners: Option<Vec<[f64; 2]>> = line.split_ascii_whitespace().map(corner).collect();
            let wrong = || fault::invalid(path, field.as_str(), "corners x,y", format!("{line:.60?}"));
            outline(path, &field, corners.ok_or_else(wrong)?, None)
        })
        .collect()
}
