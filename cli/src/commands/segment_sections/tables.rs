use super::wafer::{WaferSections, angle_degrees};
use brainmesh_segmentation::{Part, PartKind};
use serde_json::{Value, json};

fn word(kind: PartKind) -> &'static str {
    match kind {
        PartKind::Tissue => "tissue",
        PartKind::Magnet => "magnet",
    }
}

/// To a thousandth, which is finer than anything is found.
fn short(value: f64) -> f64 {
    (value * 1e3).round() / 1e3
}

/// Outlines with their corners from 0 to 3; `size` is that of the picture.
pub(super) fn geojson(wafer: &WaferSections) -> Value {
    let feature = |(number, kind, part): (usize, PartKind, &Part)| {
        let corners = part.corners_px.map(|corner| corner.map(short));
        let ring: Vec<[f64; 2]> = corners.iter().chain(&corners[..1]).copied().collect();
        json!({
            "type": "Feature",
            "geometry": { "type": "Polygon", "coordinates": [ring] },
            "properties": {
                "kind": word(kind), "number": number, "confidence": part.confidence,
                "centre_px": part.centre_px().map(short), "angle_degrees": short(angle_degrees(part)),
                "area_px2": short(part.area_px2()), "has_partner": wafer.partner(number, kind).is_some(),
            },
        })
    };
    let frame = "pixels of the picture: x to the right, y down, whole at the middle of a pixel";
    json!({
        "type": "FeatureCollection", "size": wafer.size, "frame": frame,
        "features": wafer.parts().map(feature).collect::<Vec<_>>(),
    })
}

/// A line for each part; in pixels, degrees against the clock.
pub(super) fn csv(wafer: &WaferSections) -> String {
    let mut text =
        "number,kind,centre_x,centre_y,angle_degrees,area_px2,confidence,partner,x0,y0,x1,y1,x2,y2,x3,y3\n".to_owned();
    for (number, kind, part) in wafer.parts() {
        let [x, y] = part.centre_px();
        let partner = match (wafer.partner(number, kind), kind) {
            (None, _) => "",
            (Some(_), PartKind::Tissue) => "magnet",
            (Some(_), PartKind::Magnet) => "tissue",
        };
        let corners: Vec<String> = part.corners_px.iter().flatten().map(|at| format!("{at:.3}")).collect();
        let (kind, corners, angle) = (word(kind), corners.join(","), angle_degrees(part));
        let (area, confidence) = (part.area_px2(), part.confidence);
        text += &format!("{number},{kind},{x:.3},{y:.3},{angle:.3},{area:.1},{confidence:.4},{partner},{corners}\n");
    }
    text
}
