use crate::{ColorScale, Error, Result, ValueRange};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde::Serialize;
use std::io::Write as _;

/// Byte of a vertex at which a map has no value.
const NONE: u8 = 255;

/// Surfaces that share their triangles, with maps, packed for the page: positions to 1/65535 of the extent, values to 1/254 of
/// their range. For looking at alone.
///
/// The packed bytes, little endian: triangles (u16, or u32 where there are more than 65,536 vertices); for every surface all x, all y,
/// all z (u16); for every map one byte a vertex of one surface, or of every surface in turn; at last one byte a vertex that numbers a
/// label.
#[derive(Debug, Clone, Default)]
pub struct Scene {
    described: Described,
    triangles: Vec<[u32; 3]>,
    points: Vec<Vec<[f64; 3]>>,
    values: Vec<u8>,
    labels: Vec<u8>,
}

#[derive(Debug, Clone, Default, Serialize)]
struct Described {
    vertices: usize,
    triangles: usize,
    low: [f64; 3],
    step: f64,
    surfaces: Vec<Named>,
    maps: Vec<Map>,
    labels: Vec<Named>,
}

#[derive(Debug, Clone, Serialize)]
struct Named {
    name: String,
    color: [u8; 3],
}

#[derive(Debug, Clone, Serialize)]
struct Map {
    name: String,
    unit: &'static str,
    low: f64,
    high: f64,
    colors: String,
    /// Whether every surface has values of its own.
    each: bool,
}

impl Scene {
    /// Without surfaces and maps.
    pub fn new(vertices: usize, triangles: Vec<[u32; 3]>) -> Self {
        let described = Described { vertices, triangles: triangles.len(), ..Described::default() };
        Self { described, triangles, ..Self::default() }
    }

    fn check(&self, field: &'static str, found: usize) -> Result<()> {
        let expected = self.described.vertices;
        if found == expected { Ok(()) } else { Err(Error::Length { field, expected, found }) }
    }

    /// Adds a surface, outermost first: name, colour, and the place of every vertex in RAS mm.
    ///
    /// # Errors
    /// Another number of vertices.
    pub fn push_surface(&mut self, name: String, color: [u8; 3], points: Vec<[f64; 3]>) -> Result<()> {
        self.check("vertices of a surface", points.len())?;
        self.points.push(points);
        self.described.surfaces.push(Named { name, color });
        Ok(())
    }

    /// Adds a map with values for all surfaces alike (one list), or for each of them (as many lists as surfaces).
    ///
    /// # Errors
    /// Another number of lists or values.
    pub fn push_map(
        &mut self,
        name: String,
        unit: &'static str,
        colors: ColorScale,
        range: ValueRange,
        lists: &[Vec<f32>],
    ) -> Result<()> {
        if ![1, self.points.len()].contains(&lists.len()) {
            let (expected, found) = (self.points.len(), lists.len());
            return Err(Error::Length { field: "lists of a map", expected, found });
        }
        for values in lists {
            self.check("values of a map", values.len())?;
            self.values.extend(values.iter().map(|&v| {
                let share = range.share(f64::from(v)).clamp(0.0, 1.0) * 254.0;
                if v.is_finite() { share.round() as u8 } else { NONE }
            }));
        }
        let ValueRange { low, high } = range;
        self.described.maps.push(Map { name, unit, low, high, colors: colors.table(), each: lists.len() > 1 });
        Ok(())
    }

    /// Sets the label of every vertex, a number of a list of names and colours.
    ///
    /// # Errors
    /// Another number of values, or a number that the list does not have.
    pub fn set_labels(&mut self, names: Vec<(String, [u8; 3])>, labels: Vec<u8>) -> Result<()> {
        self.check("labels of vertices", labels.len())?;
        if let Some(&beyond) = labels.iter().find(|&&n| usize::from(n) >= names.len()) {
            return Err(Error::Length {
                field: "names of labels",
                expected: usize::from(beyond) + 1,
                found: names.len(),
            });
        }
        self.described.labels = names.into_iter().map(|(name, color)| Named { name, color }).collect();
        self.labels = labels;
        Ok(())
    }

    /// What the page is told of the packed bytes, as JSON, and those bytes, compressed by gzip, in base64.
    ///
    /// # Errors
    /// Numbers that JSON does not know.
    pub fn packed(&self) -> Result<(String, String)> {
        let mut low = [f64::INFINITY; 3];
        let mut extent = 1e-9f64;
        for axis in 0..3 {
            let along = || self.points.iter().flatten().map(|p| p[axis]);
            low[axis] = along().fold(f64::INFINITY, f64::min);
            extent = extent.max(along().fold(f64::NEG_INFINITY, f64::max) - low[axis]);
        }
        let step = extent / 65535.0;
        let described = Described { low, step, ..self.described.clone() };
        let mut bytes = Vec::new();
        let wide = self.described.vertices > 65536;
        for &v in self.triangles.as_flattened() {
            if wide { bytes.extend(v.to_le_bytes()) } else { bytes.extend((v as u16).to_le_bytes()) }
        }
        for points in &self.points {
            for axis in 0..3 {
                let place = |p: &[f64; 3]| ((p[axis] - low[axis]) / step).round() as u16;
                points.iter().for_each(|p| bytes.extend(place(p).to_le_bytes()));
            }
        }
        bytes.extend(&self.values);
        bytes.extend(&self.labels);
        let failed = |error: std::io::Error| Error::Page(error.to_string());
        let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
        gzip.write_all(&bytes).map_err(failed)?;
        let described = serde_json::to_string(&described).map_err(|error| Error::Page(error.to_string()))?;
        // In a page a script ends at the first "</".
        Ok((described.replace("</", "<\\/"), STANDARD.encode(gzip.finish().map_err(failed)?)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::read::GzDecoder;
    use std::io::Read;

    #[test]
    fn packed_bytes_hold_places_and_values() {
        let mut scene = Scene::new(3, vec![[0, 1, 2]]);
        let points = vec![[0.0, 0.0, 0.0], [65.535, 0.0, 0.0], [0.0, 1.0, 2.0]];
        scene.push_surface("</script>".into(), [1, 2, 3], points).unwrap();
        let range = ValueRange { low: 0.0, high: 2.0 };
        scene.push_map("m".into(), "mm", ColorScale::Viridis, range, &[vec![1.0, f32::NAN, 9.0]]).unwrap();
        scene.set_labels(vec![("none".into(), [0; 3]), ("a".into(), [9; 3])], vec![0, 1, 0]).unwrap();
        assert!(scene.push_surface("b".into(), [0; 3], vec![[0.0; 3]]).is_err());
        assert!(scene.clone().set_labels(vec![], vec![0; 3]).is_err());
        let (described, base64) = scene.packed().unwrap();
        assert!(!described.contains("</"));
        let described: serde_json::Value = serde_json::from_str(&described).unwrap();
        assert_eq!(described["surfaces"][0]["name"], "</script>");
        assert!((described["step"].as_f64().unwrap() - 0.001).abs() < 1e-12);
        let mut bytes = Vec::new();
        GzDecoder::new(&STANDARD.decode(base64).unwrap()[..]).read_to_end(&mut bytes).unwrap();
        let words: Vec<u16> = bytes[..24].chunks(2).map(|b| u16::from_le_bytes([b[0], b[1]])).collect();
        assert_eq!(words, [0, 1, 2, 0, 65535, 0, 0, 0, 1000, 0, 0, 2000]);
        assert_eq!(bytes[24..], [127, NONE, 254, 0, 1, 0]);
    }
}
