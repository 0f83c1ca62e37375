use super::reduction::Reduction;
use super::route::route;
use super::tables::geojson;
use brainmesh_formats::{WaferMark, WaferMarks};
use brainmesh_segmentation::{Part, PartKind, Section};
use serde_json::Value;
use std::collections::BTreeMap;

/// Sections of a wafer, in pixels of its picture. Those with tissue come first, from the top of the picture down; their number
/// is their place, from 1.
#[derive(Debug, Clone, PartialEq)]
pub struct WaferSections {
    /// With tissue, then without.
    pub sections: Vec<Section>,
    /// How many have tissue.
    pub with_tissue: usize,
    /// Numbers of those with tissue in the order of a short way past all.
    pub stage_order: Vec<u32>,
    /// Width and height of the picture.
    pub size: [usize; 2],
}

impl WaferSections {
    /// From sections in pixels of a reduced picture, of which those stay whose surer part is as certain as that.
    pub(super) fn new(found: Vec<Section>, reduction: &Reduction, size: [usize; 2], least: f64) -> Self {
        let is_sure = |section: &Section| {
            [&section.tissue, &section.magnet].into_iter().flatten().any(|part| part.confidence >= least)
        };
        let place = |part: Part| Part {
            corners_px: part.corners_px.map(|corner| reduction.back(corner)),
            toward_px: part.toward_px.map(|toward| reduction.back(toward)),
            ..part
        };
        let found = found.into_iter().filter(is_sure);
        let mut sections: Vec<Section> = found
            .map(|section| Section { tissue: section.tissue.map(place), magnet: section.magnet.map(place) })
            .collect();
        sections.sort_by(|a, b| {
            let ([ax, ay], [bx, by]) = (centre(a), centre(b));
            a.tissue.is_none().cmp(&b.tissue.is_none()).then(ay.total_cmp(&by)).then(ax.total_cmp(&bx))
        });
        let with_tissue = sections.iter().filter(|section| section.tissue.is_some()).count();
        let places: Vec<[f64; 2]> = sections[..with_tissue].iter().map(centre).collect();
        let stage_order = route(&places).into_iter().map(|n| n as u32 + 1).collect();
        Self { sections, with_tissue, stage_order, size }
    }

    /// Number, kind and part of all, tissue before its magnet part.
    pub fn parts(&self) -> impl Iterator<Item = (usize, PartKind, &Part)> {
        self.sections.iter().enumerate().flat_map(|(n, section)| {
            let kinds = [(PartKind::Tissue, &section.tissue), (PartKind::Magnet, &section.magnet)];
            kinds.into_iter().filter_map(move |(kind, part)| Some((n + 1, kind, part.as_ref()?)))
        })
    }

    /// The part of the other kind in a section.
    pub fn partner(&self, number: usize, kind: PartKind) -> Option<&Part> {
        let section = self.sections.get(number.checked_sub(1)?)?;
        match kind {
            PartKind::Tissue => section.magnet.as_ref(),
            PartKind::Magnet => section.tissue.as_ref(),
        }
    }

    /// As GeoJSON: what `--geojson` writes.
    pub fn geojson(&self) -> Value {
        geojson(self)
    }

    /// Length of the tissue in the middle of all.
    pub fn median_length_px(&self) -> Option<f64> {
        let mut lengths: Vec<f64> =
            self.sections.iter().filter_map(|section| section.tissue.as_ref()).map(Part::length_px).collect();
        lengths.sort_by(f64::total_cmp);
        lengths.get(lengths.len() / 2).copied()
    }

    /// As a `.magc` file has them. Serial order is that of the numbers: nothing in a picture tells which was cut first.
    pub(super) fn marks(&self) -> WaferMarks {
        let confidence = |part: &Part| ("confidence".to_owned(), format!("{:.4}", part.confidence));
        let mut marks = WaferMarks { stage_order: self.stage_order.clone(), ..WaferMarks::default() };
        let (mut sections, mut magnets) = (BTreeMap::new(), BTreeMap::new());
        for (number, kind, part) in self.parts() {
            match (u32::try_from(number), kind) {
                (Ok(number), PartKind::Tissue) => {
                    let mark = WaferMark { points_px: outline(part).to_vec(), other: vec![confidence(part)] };
                    sections.insert(number, mark);
                }
                (Ok(number), PartKind::Magnet) if number as usize <= self.with_tissue => {
                    let other = vec![("outline".to_owned(), corners_text(part)), confidence(part)];
                    magnets.insert(number, WaferMark { points_px: vec![part.centre_px()], other });
                }
                // There is no section to which it could belong.
                _ => {
                    let keys = vec![("outline".to_owned(), corners_text(part)), confidence(part)];
                    marks.other.push((format!("magnet_alone.{number:04}"), keys));
                }
            }
        }
        marks.serial_order = sections.keys().copied().collect();
        (marks.sections, marks.magnets) = (sections, magnets);
        marks
    }
}

fn centre(section: &Section) -> [f64; 2] {
    section.tissue.as_ref().or(section.magnet.as_ref()).map_or([0.0; 2], Part::centre_px)
}

/// Beginning with the long far side, whose direction is the angle that the microscope reads (see docs/wafer.md).
fn outline(part: &Part) -> [[f64; 2]; 4] {
    let [a, b, c, d] = part.corners_px;
    [b, c, d, a]
}

/// Of the outline as a `.magc` file has it, degrees against the clock.
pub(super) fn angle_degrees(part: &Part) -> f64 {
    WaferMark { points_px: outline(part).to_vec(), other: Vec::new() }.angle_degrees().unwrap_or_default()
}

/// In the frame of a `.magc` file, which begins at the outer corner of the first pixel.
fn corners_text(part: &Part) -> String {
    let numbers: Vec<String> = part.corners_px.iter().flatten().map(|at| format!("{:.3}", at + 0.5)).collect();
    numbers.join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(x: f64, y: f64, confidence: f64) -> Part {
        // The seam at the right (x + 2), the far side at the left.
        let corners_px = [[x + 2.0, y + 3.0], [x - 2.0, y + 3.0], [x - 2.0, y - 3.0], [x + 2.0, y - 3.0]];
        Part { corners_px, confidence, toward_px: None }
    }

    #[test]
    fn numbers_run_down_the_picture_and_what_has_no_tissue_comes_last() {
        let section = |tissue, magnet| Section { tissue, magnet };
        let found = vec![
            section(Some(part(10.0, 30.0, 0.9)), None),
            section(None, Some(part(5.0, 2.0, 0.8))),
            // The magnet part is sure enough for both.
            section(Some(part(50.0, 10.0, 0.4)), Some(part(56.0, 10.0, 0.6))),
            section(Some(part(70.0, 1.0, 0.4)), Some(part(76.0, 1.0, 0.49))),
        ];
        let wafer = WaferSections::new(found, &Reduction::new([300, 300], 3.0), [300, 300], 0.5);
        assert_eq!(wafer.with_tissue, 2);
        let kinds: Vec<_> = wafer.parts().map(|(number, kind, _)| (number, kind)).collect();
        let [tissue, magnet] = [PartKind::Tissue, PartKind::Magnet];
        assert_eq!(kinds, [(1, tissue), (1, magnet), (2, tissue), (3, magnet)]);
        // 10 blocks of 3 pixels and the middle of the next.
        assert_eq!(wafer.sections[1].tissue.as_ref().map(Part::centre_px), Some([31.0, 91.0]));
        assert_eq!(wafer.median_length_px(), Some(18.0));
        let marks = wafer.marks();
        assert_eq!((marks.sections.len(), marks.magnets.len(), marks.other.len()), (2, 1, 1));
        // Far side, from below to above: 90 degrees.
        assert_eq!(marks.sections[&1].angle_degrees(), Some(90.0));
        assert_eq!(marks.stage_order, [1, 2]);
        assert!(wafer.partner(1, magnet).is_some() && wafer.partner(3, magnet).is_none());
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.magc");
        brainmesh_formats::write_magc(&path, &marks).unwrap();
        assert_eq!(brainmesh_formats::read_magc(&path).unwrap(), marks);
    }
}
