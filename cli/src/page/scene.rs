//! Surfaces of a result, thinned out for the browser, and drawn beforehand for print.

use super::words::{bytes, surface_names};
use crate::{LayerResults, Result};
use brainmesh_core::{LAYER_NAMES, layer_color};
use brainmesh_meshing::{Thinned, thin_out};
use brainmesh_report::{ColorScale, NO_VALUE, Scene, Shaded, SurfaceFigure, SurfacePanel, ValueRange, View, render};
use std::collections::BTreeMap;

/// Seven surfaces of so many triangles, with maps, take 1.5 MB of a page.
const MOST_TRIANGLES: usize = 44_000;
/// Share of values that a colour bar covers.
const SHOWN: f64 = 0.99;

/// What the colours of the thickness of the cortex stand for.
pub(super) fn total_range(results: &LayerResults) -> ValueRange {
    ValueRange::up_to_share(results.thickness_mm[0].iter().copied(), SHOWN)
}

/// What the browser draws, and what is to be said of it.
pub(super) fn scene(results: &LayerResults) -> Result<(Scene, String)> {
    let given = &results.surfaces[3];
    let thinned = thin_out(given, MOST_TRIANGLES)?;
    let mut scene = Scene::new(thinned.vertices.len(), thinned.triangles.clone());
    for (k, (name, surface)) in surface_names().into_iter().zip(&results.surfaces).enumerate() {
        let points = thinned.pick(surface.vertices()).iter().map(|p| p.to_array()).collect();
        scene.push_surface(name, bytes(layer_color(k)), points)?;
    }
    let picked = |maps: &[Vec<f32>]| maps.iter().map(|values| thinned.pick(values)).collect::<Vec<_>>();
    let thickness = &results.thickness_mm;
    let total = picked(&thickness[..1]);
    scene.push_map("Thickness of the cortex".into(), "mm", ColorScale::Viridis, total_range(results), &total)?;
    let layers = ValueRange::up_to_share(thickness[1..].iter().flatten().copied(), SHOWN);
    // On surface k the layer above it; above the pia there is none.
    let mut each = picked(thickness);
    each[0].fill(f32::NAN);
    let name = "Thickness of the layer above";
    scene.push_map(name.into(), "mm", ColorScale::Viridis, layers, &each)?;
    for (layer, values) in LAYER_NAMES.iter().zip(&each[1..]) {
        let name = format!("Thickness of layer {layer}");
        scene.push_map(name, "mm", ColorScale::Viridis, layers, std::slice::from_ref(values))?;
    }
    let sure = ValueRange::up_to_share(results.uncertainty_mm.iter().flatten().copied(), SHOWN);
    let name = "Uncertainty (standard deviation)";
    scene.push_map(name.into(), "mm", ColorScale::Magma, sure, &picked(&results.uncertainty_mm))?;
    set_defects(&mut scene, results, &thinned)?;
    let (all, left) = (given.vertices().len(), thinned.vertices.len());
    let note = if left < all {
        format!(
            "Drawn with {left} of {all} vertices, so that the file stays small; values are those of the vertices drawn. Files hold all."
        )
    } else {
        format!("All {all} vertices are drawn.")
    };
    Ok((scene, note))
}

fn set_defects(scene: &mut Scene, results: &LayerResults, thinned: &Thinned) -> Result<()> {
    let labels = thinned.pick(&results.defects);
    // Numbers of labels, from 0, in their order; a table has far fewer than 256.
    let mut numbers = BTreeMap::from([(0, 0u8)]);
    let mut names = vec![("no defect".to_string(), [225, 222, 214])];
    for &label in &labels {
        if let std::collections::btree_map::Entry::Vacant(entry) = numbers.entry(label)
            && let Ok(number) = u8::try_from(names.len())
        {
            entry.insert(number);
            let known = results.defect_names.get(label);
            let color = known.map_or(NO_VALUE, |l| bytes([l.rgba[0], l.rgba[1], l.rgba[2]]));
            names.push((known.map_or_else(|| format!("label {label}"), |l| l.name.clone()), color));
        }
    }
    let labels = labels.iter().map(|label| numbers.get(label).copied().unwrap_or(0)).collect();
    Ok(scene.set_labels(names, labels)?)
}

/// The pia from four sides with the thickness of the cortex, as SVG.
pub(super) fn still(results: &LayerResults) -> Result<String> {
    let range = total_range(results);
    let colors: Vec<[u8; 3]> =
        results.thickness_mm[0].iter().map(|&v| color_of(ColorScale::Viridis, range, v)).collect();
    let shaded = Shaded { surface: &results.surfaces[0], colors: &colors };
    let panels = [View::Lateral, View::Medial, View::Superior, View::Inferior]
        .into_iter()
        .map(|view| {
            let (picture, pixel_mm) = render(shaded, view, 460)?;
            Ok(SurfacePanel { title: view.name().into(), picture, pixel_mm })
        })
        .collect::<Result<_>>()?;
    let bar = Some((ColorScale::Viridis, range, "thickness of the cortex (mm)".into()));
    let figure = SurfaceFigure {
        title: "Thickness of the cortex on its outer surface".into(),
        panels,
        columns: 4,
        lossy: true,
        bar,
    };
    Ok(figure.svg(1100.0)?)
}

/// The colour of a value, grey where there is none.
pub(crate) fn color_of(scale: ColorScale, range: ValueRange, value: f32) -> [u8; 3] {
    if value.is_finite() { scale.color(range.share(f64::from(value))) } else { NO_VALUE }
}
