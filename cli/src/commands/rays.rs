use super::print_line;
use super::profiles::{channels_json, parse_channel};
use crate::args::RaysCommand;
use crate::preview::Preview;
use crate::section_input::{Scale, Section, median_depth};
use crate::{Error, ExitCode, Progress, Result};
use brainmesh_core::Profiles;
use ndarray::{Array1, Array2, Axis};
use std::path::Path;

pub fn run(arguments: &RaysCommand, progress: &Progress) -> Result<ExitCode> {
    let channels = arguments.channels.iter().map(|word| parse_channel(word)).collect::<Result<Vec<_>>>()?;
    let section = Section::read(&arguments.inputs, arguments.extension_mm, progress)?;
    let profiles = section.profiles(&channels, usize::from(arguments.samples))?;
    progress.finish();
    write(&section, &profiles, &arguments.out)?;
    if let Some(path) = &arguments.inputs.preview {
        Preview::new(&section.picture)
            .rays(&section.rays)
            .boundaries(&section.rays.rays, &section.rays.boundaries_t)
            .write(path)?;
    }
    summary(&section);
    print_line(format!("{} rays in {}", section.rays.rays.len(), arguments.out.display()));
    Ok(ExitCode::Done)
}

/// Labelled rays as `evaluate layers --rays` and training read them; rays with a defect are left out.
fn write(section: &Section, profiles: &Profiles, path: &Path) -> Result<()> {
    let rays = &section.rays.rays;
    let kept: Vec<usize> = (0..rays.len()).filter(|&r| profiles.defects()[r].is_none()).collect();
    if kept.is_empty() {
        return Err(Error::Unusable("no ray of the section meets more than one grey value".into()));
    }
    let per_ray = |value: &dyn Fn(usize) -> f64| Array1::from_iter(kept.iter().map(|&r| value(r)));
    let points = |t: f64| Array2::from_shape_fn((kept.len(), 3), |(n, axis)| rays.point(kept[n], t).to_array()[axis]);
    let values = profiles.values().select(Axis(0), &kept);
    let boundaries_t = section.rays.boundaries_t.select(Axis(0), &kept);
    let region: Array1<i32> = kept.iter().map(|&r| section.rays.line[r] as i32 + 1).collect();
    let (pial_t, white_t) = (per_ray(&|r| rays.pial_t(r)), per_ray(&|r| rays.white_t(r)));
    let (length_mm, along_mm) = (per_ray(&|r| rays.length_mm(r)), per_ray(&|r| section.rays.along_mm[r]));
    let spacing_mm = Array1::from_elem(1, section.spacing_mm());
    let (outer, inner) = (points(0.0), points(1.0));
    let names = channels_json(profiles.channels())?;
    Ok(brainmesh_formats::write_npz(
        path,
        &[
            ("values", (&values).into()),
            ("boundaries_t", (&boundaries_t).into()),
            ("region", (&region).into()),
            ("pial_t", (&pial_t).into()),
            ("white_t", (&white_t).into()),
            ("length_mm", (&length_mm).into()),
            ("spacing_mm", (&spacing_mm).into()),
            ("along_mm", (&along_mm).into()),
            ("outer", (&outer).into()),
            ("inner", (&inner).into()),
            ("channels_json", (&names).into()),
        ],
    )?)
}

/// What was found on the section, in words.
pub(super) fn summary(section: &Section) {
    let rays = &section.rays;
    let refused: Vec<String> = rays.refused.iter().map(|(why, n)| format!("{n} {}", why.name())).collect();
    let refused = if refused.is_empty() { "none refused".into() } else { format!("refused: {}", refused.join(", ")) };
    print_line(format!(
        "{} rays ({refused}), median depth {:.2} mm at {:.2} um a pixel ({})",
        rays.rays.len(),
        median_depth(rays),
        section.pixel_um,
        match section.scale {
            Scale::Given => "given",
            Scale::File => "from the file",
            Scale::Spots => "from the spots",
            Scale::AssumedDepth => "assumed from the depth",
        }
    ));
    if section.banks > 1 {
        print_line(format!("{} banks parted within layer I by the picture", section.banks));
    }
}
