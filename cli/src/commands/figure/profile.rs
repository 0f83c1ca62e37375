use super::{read, volume_of};
use crate::args::FigureProfile;
use crate::input::volume_options;
use crate::sampling::sample_file;
use crate::{Error, Result};
use brainmesh_core::{LAYER_NAMES, Monitor, RaySet, WorldPoint, layer_color};
use brainmesh_meshing::{RayInterpolation, SampleOptions};
use brainmesh_report::{BoundaryMark, ProfilePlot};

/// Samples of the line.
const SAMPLES: usize = 400;

pub(super) fn svg(arguments: &FigureProfile, monitor: &dyn Monitor) -> Result<String> {
    if !(0.0..=10.0).contains(&arguments.beyond_mm) {
        return Err(Error::Usage(format!("--beyond-mm: expected 0 to 10, found {}", arguments.beyond_mm)));
    }
    let (results, report) = read(&arguments.folder)?;
    let (v, n) = (arguments.vertex, results.surfaces[0].vertices().len());
    if v >= n {
        return Err(Error::Usage(format!("--vertex: expected 0 to {}, found {v}", n - 1)));
    }
    if !results.thickness_mm[0][v].is_finite() {
        let why = results.defect_names.get(results.defects[v]).map_or("no layers", |label| label.name.as_str());
        return Err(Error::Unusable(format!("--vertex {v}: has no layers ({why}): choose another")));
    }
    let points: Vec<WorldPoint> = results.surfaces.iter().map(|surface| surface.vertices()[v]).collect();
    let (first, last) = (points[0], points[points.len() - 1]);
    let length = first.distance_mm(last);
    let Some(inwards) = (last.0 - first.0).try_normalize() else {
        return Err(Error::Unusable(format!("--vertex {v}: its outermost and innermost boundary lie at one place")));
    };
    let beyond = arguments.beyond_mm;
    let whole = length + 2.0 * beyond;
    let outer = WorldPoint(first.0 - inwards * beyond);
    let inner = WorldPoint(last.0 + inwards * beyond);
    let rays = RaySet::new(vec![outer], vec![inner], vec![beyond / whole], vec![(beyond + length) / whole])?;
    let (path, index) = volume_of(&report, &arguments.folder, arguments.volume.as_ref())?.ok_or_else(|| {
        Error::Usage("--volume: the volume of the run was not found, or it had none; give one to sample".into())
    })?;
    let series = report.parameters["inputs"]["source"]["volume"]["series"].as_str();
    let cubic = report.parameters["inputs"]["cubic"] == true;
    let interpolation = if cubic { RayInterpolation::Cubic } else { RayInterpolation::Linear };
    let sampling = SampleOptions { samples: SAMPLES, interpolation, missing: None };
    let mut defects = [None];
    let options = volume_options(&path, index, series);
    let values = sample_file(&path, &options, index, &rays, &sampling, &mut defects, monitor)?;
    if let [Some(defect)] = defects {
        return Err(Error::Unusable(format!("{}: --vertex {v}: {}", path.display(), defect.name())));
    }
    let depth = |i: usize| i as f64 / (SAMPLES - 1) as f64 * whole - beyond;
    let samples = values.row(0).iter().enumerate().map(|(i, &value)| [depth(i), f64::from(value)]).collect();
    let boundaries = points
        .iter()
        .enumerate()
        .map(|(k, p)| BoundaryMark {
            // Where a vertex left its ray: the place on the line next to it.
            depth_mm: (p.0 - first.0).dot(inwards),
            sd_mm: f64::from(results.uncertainty_mm[k][v]),
            color: layer_color(k).map(|c| (c * 255.0).round() as u8),
        })
        .collect();
    let title = arguments.output.title.clone().unwrap_or_else(|| {
        let [x, y, z] = first.to_array();
        format!("Ray of vertex {v}, from ({x:.2}, {y:.2}, {z:.2}) mm inwards")
    });
    let between = LAYER_NAMES.map(String::from).to_vec();
    Ok(ProfilePlot { title, samples, boundaries, between }.svg())
}
