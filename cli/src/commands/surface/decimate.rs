use super::super::{print_line, short};
use super::{file_name, read_surface};
use crate::args::DecimateCommand;
use crate::{Error, ExitCode, Progress, Result};
use brainmesh_formats::SurfaceFormat;
use brainmesh_meshing::{DecimateOptions, decimate};
use serde_json::json;

pub fn run(arguments: &DecimateCommand, progress: &Progress) -> Result<ExitCode> {
    let out = &arguments.out;
    let format = SurfaceFormat::from_path(out).ok_or_else(|| {
        Error::Usage(format!("--out {}: expected a name that ends as one of a surface format", out.display()))
    })?;
    if let Some(share) = arguments.share.filter(|share| !(*share > 0.0 && *share <= 1.0)) {
        return Err(Error::Usage(format!("--share: expected above 0 and at most 1, found {share}")));
    }
    let max_error_mm = arguments.max_error_mm.unwrap_or(f64::INFINITY);
    if max_error_mm.is_nan() || max_error_mm <= 0.0 {
        return Err(Error::Usage(format!("--max-error-mm: expected above 0, found {max_error_mm}")));
    }
    let surface = read_surface(&arguments.surface)?;
    let before = surface.triangles().len();
    let share = arguments.share.map(|share| (share * before as f64).round() as usize);
    let options = DecimateOptions {
        target_triangles: arguments.triangles.or(share).unwrap_or(0),
        max_error_mm,
        lock_borders: arguments.lock_borders,
    };
    let decimated = decimate(&surface, &options)?;
    let after = &decimated.surface;
    brainmesh_formats::write_surface(out, after, format, None)?;
    progress.finish();
    let (vertices, triangles, error_mm) = (after.vertices().len(), after.triangles().len(), decimated.error_mm);
    if arguments.json {
        let summary = json!({
            "schema": "brainmesh-decimate-1",
            "file": out,
            "triangles_before": before,
            "vertices": vertices,
            "triangles": triangles,
            "error_mm": error_mm,
        });
        print_line(format!("{summary:#}"));
    } else {
        let error = short(error_mm);
        print_line(format!(
            "{}: {vertices} vertices, {triangles} triangles of {before}, error {error} mm",
            file_name(out)
        ));
    }
    Ok(ExitCode::Done)
}
