use crate::options::in_range;
use crate::sheet::{Sheet, vertex_normals};
use crate::sphere::split_in_four;
use crate::{Error, Result};
use brainmesh_core::{LAYER_COUNT, Ribbon};
use glam::DVec3;
use std::sync::Arc;

/// A piece of a given ribbon, for example of a real hemisphere.
///
/// Every part of the ribbon that lies in the volume is rendered (the other bank of a sulcus too); rays are handed
/// out within `radius_mm` of the centre. The volume keeps the world of the ribbon.
#[derive(Debug, Clone, PartialEq)]
pub struct RibbonPatch {
    /// The whole ribbon.
    pub ribbon: Arc<Ribbon>,
    /// Vertex in the middle of the patch.
    pub centre: u32,
    /// Straight distance from the centre within which rays are handed out, mm.
    pub radius_mm: f64,
    /// Triangles are cut in four until the median edge is shorter, mm.
    pub edge_mm: f64,
    /// Known thickness of layers I..VI at every vertex, mm, as shares of the straight way between the surfaces; rows of
    /// zeros where unknown. Without it layers are drawn.
    pub layers_mm: Option<Arc<Vec<[f64; LAYER_COUNT]>>>,
}

/// Corresponding vertices nearer than this have no cortex between them (the medial wall).
const NO_CORTEX_MM: f64 = 0.1;

impl RibbonPatch {
    pub(crate) fn check(&self) -> Result<()> {
        in_range("ribbon.radius_mm", self.radius_mm, 0.5, 200.0)?;
        in_range("ribbon.edge_mm", self.edge_mm, 0.1, 10.0)?;
        if self.centre as usize >= self.ribbon.len() {
            return Err(Error::Option {
                field: "ribbon.centre",
                expected: format!("a vertex below {}", self.ribbon.len()),
                found: self.centre.to_string(),
            });
        }
        if let Some(layers) = &self.layers_mm {
            let good = |mm: &f64| (0.0..=20.0).contains(mm);
            if layers.len() != self.ribbon.len() || !layers.iter().flatten().all(good) {
                return Err(Error::Option {
                    field: "ribbon.layers_mm",
                    expected: format!("{} rows of thicknesses from 0 to 20 mm", self.ribbon.len()),
                    found: format!("{} rows, or a value outside", layers.len()),
                });
            }
        }
        Ok(())
    }

    pub(crate) fn extent_mm(&self) -> [f64; 3] {
        [2.0 * self.radius_mm + 2.0; 3]
    }

    pub(crate) fn centre_mm(&self) -> DVec3 {
        let n = self.centre as usize;
        self.ribbon.pial().vertices()[n].0.midpoint(self.ribbon.white().vertices()[n].0)
    }

    /// The cortex in and around the volume, refined.
    pub(crate) fn sheet(&self, extent_mm: [f64; 3]) -> Sheet {
        let points = |s: &brainmesh_core::Surface| s.vertices().iter().map(|v| v.0).collect::<Vec<_>>();
        let (pial, white) = (points(self.ribbon.pial()), points(self.ribbon.white()));
        let centre = self.centre_mm();
        let half = DVec3::from_array(extent_mm) / 2.0 + 2.0;
        let whole = Sheet {
            unfolded: pial.iter().zip(&white).map(|(p, w)| p.midpoint(*w)).collect(),
            wanted: vec![true; pial.len()],
            layers_mm: self.layers_mm.as_deref().cloned(),
            triangles: self.ribbon.triangles().to_vec(),
            pial,
            white,
        };
        let near = |v: u32| {
            let v = v as usize;
            (whole.middle(v) - centre).abs().cmple(half + whole.pial[v].distance(whole.white[v])).all()
                && whole.pial[v].distance(whole.white[v]) > NO_CORTEX_MM
        };
        let (mut sheet, _) = whole.select(|t| t.into_iter().all(near));
        // Four rounds reach a sixteenth of the edge; each costs a factor of four.
        for _ in 0..4 {
            if median_edge_mm(&sheet) <= self.edge_mm || sheet.triangles.len() > 2_000_000 {
                break;
            }
            sheet = refined(&sheet);
        }
        for vertex in 0..sheet.len() {
            sheet.wanted[vertex] = sheet.middle(vertex).distance(centre) <= self.radius_mm;
        }
        sheet
    }
}

fn median_edge_mm(sheet: &Sheet) -> f64 {
    let mut edges: Vec<f64> =
        sheet.triangles.iter().map(|t| sheet.middle(t[0] as usize).distance(sheet.middle(t[1] as usize))).collect();
    edges.sort_unstable_by(f64::total_cmp);
    edges.get(edges.len() / 2).copied().unwrap_or(0.0)
}

/// Cuts every triangle in four. The new vertex of an edge lies on the cubic curve between its ends that meets both
/// normals at a right angle (Vlachos 2001, curved PN triangles): smooth, and local.
fn refined(sheet: &Sheet) -> Sheet {
    let mut new = sheet.clone();
    let normals = [vertex_normals(&sheet.pial, &sheet.triangles), vertex_normals(&sheet.white, &sheet.triangles)];
    let curved = |points: &[DVec3], normals: &[DVec3], a: usize, b: usize| {
        let edge = points[b] - points[a];
        let bend = edge.dot(normals[a]) * normals[a] - edge.dot(normals[b]) * normals[b];
        // Real surfaces have creases, where the curve would overshoot.
        points[a].midpoint(points[b]) - (bend / 8.0).clamp_length_max(0.15 * edge.length())
    };
    new.triangles = split_in_four(&sheet.triangles, |a, b| {
        let (a, b) = (a as usize, b as usize);
        new.pial.push(curved(&sheet.pial, &normals[0], a, b));
        new.white.push(curved(&sheet.white, &normals[1], a, b));
        new.unfolded.push(sheet.unfolded[a].midpoint(sheet.unfolded[b]));
        new.wanted.push(true);
        if let (Some(new), Some(mm)) = (&mut new.layers_mm, &sheet.layers_mm) {
            new.push(std::array::from_fn(|k| mm[a][k].midpoint(mm[b][k])));
        }
        new.pial.len() as u32 - 1
    });
    new
}
