//! Surfaces of equal volume fractions from a ribbon alone.

use super::print_line;
use crate::args::EquivolumeCommand;
use crate::input::read_ribbon;
use crate::output::{Staging, write_json};
use crate::plan::surface_format;
use crate::report::{InputFile, mean_sd};
use crate::results::file_extension;
use crate::{Error, ExitCode, Progress, Result};
use brainmesh_core::{Certificate, Ribbon, Surface};
use brainmesh_formats::SurfaceFormat;
use brainmesh_meshing::{
    SeparateOptions, Separated, certify_surfaces, equivolumetric_depths, separate_surfaces, surfaces_at_depths,
};
use ndarray::{Array2, Axis};
use serde::Serialize;
use std::ops::Range;
use std::path::Path;

/// What was made and how well: `report.json`.
#[derive(Serialize)]
struct Report {
    schema: &'static str,
    brainmesh: &'static str,
    inputs: Vec<InputFile>,
    area_fwhm_mm: f64,
    min_thickness_mm: f64,
    vertices: usize,
    /// Vertices with cortex: those that were checked and whose areas were smoothed.
    used: usize,
    surfaces: Vec<SurfaceSummary>,
    /// Fractions of the surfaces that the certificate speaks of, in its order: those asked for between the given two.
    checked_fractions: Vec<f64>,
    /// Triangles at which lines from pia to white surface fold over one another.
    folded_triangles: usize,
    /// How far the farthest vertex was moved off its line, so that surfaces do not cross.
    moved_max_mm: f64,
    certificate: Certificate,
}

#[derive(Serialize)]
struct SurfaceSummary {
    name: String,
    volume_fraction: f64,
    /// Mean and standard deviation over the used vertices of the share of the way from pial to white vertex.
    depth_mean: Option<f64>,
    depth_sd: Option<f64>,
}

pub fn run(arguments: &EquivolumeCommand, progress: &Progress) -> Result<ExitCode> {
    let fractions = fractions(arguments)?;
    let names: Vec<String> = fractions.iter().map(|f| surface_name(*f)).collect();
    let formats = arguments.format.iter().map(|name| surface_format(name)).collect::<Result<Vec<_>>>()?;
    let inputs = hash_inputs(arguments)?;
    let staging = Staging::new(&arguments.out)?;

    let ribbon = read_ribbon(&arguments.pial, &arguments.white)?;
    let used = used_vertices(arguments, &ribbon)?;
    let depths = equivolumetric_depths(&ribbon, &fractions, arguments.area_fwhm_mm, &used, progress)?;
    let surfaces = surfaces_at_depths(&ribbon, &depths)?;
    let stack =
        Stack::new(&ribbon, &fractions, surfaces).move_apart(&ribbon, &used, arguments.keep_crossings, progress)?;
    let certificate = certify_surfaces(&stack.surfaces, &ribbon, &used, progress)?;

    let summary = |(k, name): (usize, &String)| {
        let column = depths.column(k);
        let values = mean_sd(column.iter().zip(&used).filter(|(_, used)| **used).map(|(depth, _)| *depth));
        SurfaceSummary {
            name: name.clone(),
            volume_fraction: fractions[k],
            depth_mean: values.map(|v| v.0),
            depth_sd: values.map(|v| v.1),
        }
    };
    let report = Report {
        schema: "brainmesh-equivolume-1",
        brainmesh: env!("CARGO_PKG_VERSION"),
        inputs,
        area_fwhm_mm: arguments.area_fwhm_mm,
        min_thickness_mm: arguments.min_thickness_mm,
        vertices: ribbon.len(),
        used: used.iter().filter(|&&used| used).count(),
        surfaces: names.iter().enumerate().map(summary).collect(),
        checked_fractions: stack.fractions,
        folded_triangles: stack.folded,
        moved_max_mm: stack.moved_max_mm,
        certificate,
    };
    let surfaces = &stack.surfaces[stack.asked_for];
    write(staging.path(), &names, surfaces, &depths, &formats)?;
    write_json(&staging.path().join("report.json"), &report)?;
    progress.finish();
    summarise(&report);
    let files = staging.publish()?;
    print_line(format!("written   {} files in {}", files.len(), arguments.out.display()));
    Ok(ExitCode::Done)
}

/// The fractions asked for, ascending; no two of them have the same name.
fn fractions(arguments: &EquivolumeCommand) -> Result<Vec<f64>> {
    let mut fractions = match arguments.layers {
        Some(n) => (1..n).map(|k| f64::from(k) / f64::from(n)).collect(),
        None => arguments.fractions.clone(),
    };
    if let Some(bad) = fractions.iter().find(|f| !(0.0..=1.0).contains(*f)) {
        return Err(Error::Usage(format!(
            "--fractions: expected numbers from 0 (pia) to 1 (white surface), found {bad}"
        )));
    }
    for (option, mm) in [("--area-fwhm-mm", arguments.area_fwhm_mm), ("--min-thickness-mm", arguments.min_thickness_mm)]
    {
        if !(mm >= 0.0 && mm.is_finite()) {
            return Err(Error::Usage(format!("{option}: expected 0 or more, found {mm}")));
        }
    }
    fractions.sort_by(f64::total_cmp);
    if let Some(pair) = fractions.windows(2).find(|pair| surface_name(pair[0]) == surface_name(pair[1])) {
        return Err(Error::Usage(format!(
            "--fractions: expected numbers 0.0001 apart, found {} and {}",
            pair[0], pair[1]
        )));
    }
    Ok(fractions)
}

/// `equivolume0.25`: the fraction with at most four digits.
fn surface_name(fraction: f64) -> String {
    format!("equivolume{}", (fraction * 1e4).round() / 1e4)
}

fn hash_inputs(arguments: &EquivolumeCommand) -> Result<Vec<InputFile>> {
    let files = [("pial", Some(&arguments.pial)), ("white", Some(&arguments.white)), ("mask", arguments.mask.as_ref())];
    let given = files.into_iter().filter_map(|(role, path)| Some((role, path?)));
    given
        .map(|(role, path)| {
            InputFile::hash(role, path).map_err(|e| Error::Unusable(format!("{}: {e} ({role})", path.display())))
        })
        .collect()
}

fn used_vertices(arguments: &EquivolumeCommand, ribbon: &Ribbon) -> Result<Vec<bool>> {
    let mut used: Vec<bool> = ribbon.thickness_mm().iter().map(|mm| *mm >= arguments.min_thickness_mm).collect();
    if let Some(path) = &arguments.mask {
        let mask = brainmesh_formats::read_vertex_mask(path, ribbon.len())?;
        used.iter_mut().zip(mask).for_each(|(used, wanted)| *used &= wanted);
    }
    if !used.contains(&true) {
        return Err(Error::Unusable(format!(
            "{} and {}: no vertex is used: pial and white are nowhere {} mm apart inside the mask",
            arguments.pial.display(),
            arguments.white.display(),
            arguments.min_thickness_mm
        )));
    }
    Ok(used)
}

/// Surfaces between the given ones.
struct Stack {
    fractions: Vec<f64>,
    surfaces: Vec<Surface>,
    /// Those of them that are written.
    asked_for: Range<usize>,
    folded: usize,
    moved_max_mm: f64,
}

impl Stack {
    fn new(ribbon: &Ribbon, fractions: &[f64], surfaces: Vec<Surface>) -> Self {
        let (mut all, mut stack) = (fractions.to_vec(), surfaces);
        let count = stack.len();
        let first = usize::from(all.first() != Some(&0.0));
        if first == 1 {
            all.insert(0, 0.0);
            stack.insert(0, ribbon.pial().clone());
        }
        if all.last() != Some(&1.0) {
            all.push(1.0);
            stack.push(ribbon.white().clone());
        }
        Self { fractions: all, surfaces: stack, asked_for: first..first + count, folded: 0, moved_max_mm: 0.0 }
    }

    /// Moves surfaces apart where they cross; the given ones stay.
    fn move_apart(mut self, ribbon: &Ribbon, used: &[bool], keep_crossings: bool, progress: &Progress) -> Result<Self> {
        if !keep_crossings {
            let options = SeparateOptions { keep_ends: true, ..SeparateOptions::default() };
            let Separated { surfaces, moved_mm, folded } =
                separate_surfaces(&self.surfaces, ribbon, used, &options, progress)?;
            self.surfaces = surfaces;
            self.folded = folded;
            self.moved_max_mm = moved_mm.into_iter().fold(0.0, f64::max);
        }
        Ok(self)
    }
}

fn write(
    folder: &Path,
    names: &[String],
    surfaces: &[Surface],
    depths: &Array2<f64>,
    formats: &[SurfaceFormat],
) -> Result<()> {
    let others = formats.iter().filter(|format| **format != SurfaceFormat::Gifti);
    for format in std::iter::once(&SurfaceFormat::Gifti).chain(others) {
        for (name, surface) in names.iter().zip(surfaces) {
            let path = folder.join(format!("{name}.{}", file_extension(*format)));
            brainmesh_formats::write_surface(&path, surface, *format, None)?;
        }
    }
    let columns: Vec<Vec<f32>> =
        depths.axis_iter(Axis(1)).map(|column| column.iter().map(|&depth| depth as f32).collect()).collect();
    let maps: Vec<(&str, &[f32])> = names.iter().map(String::as_str).zip(columns.iter().map(Vec::as_slice)).collect();
    let structure = surfaces.first().map(Surface::structure).unwrap_or_default();
    Ok(brainmesh_formats::write_shape_gifti(&folder.join("depths.shape.gii"), &maps, structure)?)
}

fn summarise(report: &Report) {
    for surface in &report.surfaces {
        if let (Some(mean), Some(sd)) = (surface.depth_mean, surface.depth_sd) {
            print_line(format!("{:<16} at {mean:.4} of the way (SD {sd:.4})", surface.name));
        }
    }
    let certificate = &report.certificate;
    print_line(format!(
        "checked   {} self-intersecting and {} crossing triangles (given surfaces: {})",
        certificate.self_intersecting_triangles.iter().sum::<usize>(),
        certificate.crossing_triangles.iter().sum::<usize>(),
        certificate.given_ribbon_intersecting_triangles,
    ));
}
