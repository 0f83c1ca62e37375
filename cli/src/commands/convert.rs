use super::{print_line, volume_line};
use crate::args::{ConvertCommand, InterpolationArg};
use crate::plan::surface_format;
use crate::{Error, ExitCode, Progress, Result};
use brainmesh_formats::{
    Error as FormatsError, Interpolation, StoredType, SurfaceFormat, VertexMaps, VertexValues, VolumeConversion,
    VolumeFormat, VolumeOptions, VolumeReader, dicom_sidecar, read_surface, read_vertex_maps, write_atomically,
    write_surface,
};
use serde_json::Value;
use std::path::{Path, PathBuf};

pub fn run(arguments: &ConvertCommand, progress: &Progress) -> Result<ExitCode> {
    let (input, output) = (&arguments.input, &arguments.output);
    check_paths(arguments)?;
    match volume_options(arguments).open(input) {
        Ok(reader) => convert_volume(arguments, &reader, progress)?,
        // No volume: a surface, or nothing we know.
        Err(FormatsError::NotRecognised { .. }) if input.is_file() => convert_surface(arguments)?,
        Err(error) => return Err(error.into()),
    }
    if arguments.dry_run {
        print_line(format!("{}: not written (--dry-run)", output.display()));
    }
    Ok(ExitCode::Done)
}

fn check_paths(arguments: &ConvertCommand) -> Result<()> {
    let (input, output) = (&arguments.input, &arguments.output);
    if !input.exists() {
        return Err(Error::Unusable(format!("{}: no such file or folder", input.display())));
    }
    let folder = output.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if !folder.is_dir() {
        return Err(Error::Usage(format!("{}: the folder {} does not exist", output.display(), folder.display())));
    }
    if !output.exists() {
        return Ok(());
    }
    let same = input.canonicalize().ok().filter(|path| output.canonicalize().ok().as_ref() == Some(path));
    if same.is_some() {
        return Err(Error::Usage(format!("{}: expected another file than the input", output.display())));
    }
    if !arguments.force {
        return Err(Error::Usage(format!("{}: exists already; --force replaces it", output.display())));
    }
    Ok(())
}

fn volume_options(arguments: &ConvertCommand) -> VolumeOptions {
    let mut options = VolumeOptions::default().with_repair(arguments.repair);
    if let Some(uid) = &arguments.series {
        options = options.with_series(uid);
    }
    if let Some(index) = arguments.volume {
        options = options.with_volume_index(index);
    }
    options
}

fn convert_volume(arguments: &ConvertCommand, reader: &VolumeReader, progress: &Progress) -> Result<()> {
    if arguments.format.is_some() {
        return Err(Error::Usage("--format: for surfaces; the name of OUT says the format of a volume".into()));
    }
    for warning in &reader.info().warnings {
        tracing::warn!("{}: {warning}", arguments.input.display());
    }
    let conversion = conversion(arguments, reader.grid().shape())?;
    let plan = conversion.plan(reader, &arguments.output).map_err(|error| with_hint(error, arguments))?;
    let sidecar = sidecar(arguments, reader, plan.grid() == reader.grid())?;
    if !arguments.dry_run {
        let written = plan.run(progress);
        progress.finish();
        written.map_err(|error| at_output(error, arguments))?;
        if let Some((path, content)) = &sidecar {
            write_sidecar(path, content)?;
        }
    }
    let shown = volume_line(plan.grid(), plan.volumes(), plan.stored());
    print_line(format!("{}: {shown}", arguments.output.display()));
    plan.notes().iter().for_each(|note| print_line(format!("  {note}")));
    if let Some((path, _)) = sidecar {
        print_line(format!("  acquisition parameters (nothing about the person) in {}", path.display()));
    }
    Ok(())
}

/// What BIDS puts beside a NIfTI file that comes from DICOM.
fn sidecar(arguments: &ConvertCommand, reader: &VolumeReader, is_same_grid: bool) -> Result<Option<(PathBuf, Value)>> {
    let output = &arguments.output;
    if reader.info().format != "DICOM" || VolumeFormat::from_path(output) != Some(VolumeFormat::Nifti) {
        return Ok(None);
    }
    let plain = if output.extension().is_some_and(|e| e.eq_ignore_ascii_case("gz")) {
        output.with_extension("")
    } else {
        output.clone()
    };
    let path = plain.with_extension("json");
    if path.exists() && !arguments.force {
        return Err(Error::Usage(format!("{}: exists already; --force replaces it", path.display())));
    }
    let mut content = dicom_sidecar(&arguments.input, &volume_options(arguments))?;
    if let Value::Object(fields) = &mut content
        && !is_same_grid
    {
        // They count slices and name axes as the series has them.
        AXIS_FIELDS.iter().for_each(|&name| drop(fields.remove(name)));
    }
    Ok(Some((path, content)))
}

/// Fields of a sidecar that mean the axes of the image.
const AXIS_FIELDS: [&str; 3] = ["SliceTiming", "PhaseEncodingAxis", "PhaseEncodingDirection"];

fn write_sidecar(path: &Path, content: &Value) -> Result<()> {
    let text = format!("{content:#}\n");
    let written = write_atomically(path, |file| {
        file.write_all(text.as_bytes()).map_err(|source| FormatsError::Io { path: path.into(), source })
    });
    written.map_err(|error| at(path, error))
}

fn conversion(arguments: &ConvertCommand, shape: [usize; 3]) -> Result<VolumeConversion> {
    let spacing_mm = match arguments.spacing[..] {
        [] => None,
        [all] => Some([all; 3]),
        [i, j, k] => Some([i, j, k]),
        _ => return Err(Error::Usage("--spacing: expected one number, or three with commas".into())),
    };
    if let Some(bad) = spacing_mm.iter().flatten().find(|&&s| s <= 0.0 || !s.is_finite()) {
        return Err(Error::Usage(format!("--spacing: expected millimetres above 0, found {bad}")));
    }
    let orientation = arguments.reorient.as_deref().map(str::parse).transpose();
    let stored = arguments.stored.as_deref().map(|name| StoredType::from_name(name).ok_or(name)).transpose();
    let stored = stored.map_err(|name| {
        let names = StoredType::ALL.map(StoredType::name).join(", ");
        Error::Usage(format!("--type: expected one of {names}, found {name}"))
    })?;
    if arguments.scale && stored.is_some_and(|stored| stored.integer_range().is_none()) {
        return Err(Error::Usage("--scale: expected an integer --type".into()));
    }
    Ok(VolumeConversion {
        volume_index: arguments.volume,
        region: arguments
            .crop
            .map(|crop| [0, 1, 2].map(|n: usize| crop[n].0.unwrap_or(0)..crop[n].1.unwrap_or(shape[n]))),
        orientation: orientation.map_err(|error| Error::Usage(format!("--reorient: {error}")))?,
        orthonormal: arguments.orthonormal,
        spacing_mm,
        interpolation: arguments.interpolation.map(|interpolation| match interpolation {
            InterpolationArg::Linear => Interpolation::Linear,
            InterpolationArg::Nearest => Interpolation::Nearest,
        }),
        fill: arguments.fill,
        stored,
        scale: arguments.scale,
    })
}

/// Which option helps.
fn with_hint(error: FormatsError, arguments: &ConvertCommand) -> Error {
    match &error {
        FormatsError::Unsupported { field, .. } if arguments.volume.is_none() && is_choice_of_volume(field) => {
            Error::Unusable(format!("{error}; --volume N chooses one"))
        }
        FormatsError::Invalid { field, path, .. } if field == "file name" && path == &arguments.output => {
            Error::Usage(error.to_string())
        }
        _ => error.into(),
    }
}

fn is_choice_of_volume(field: &str) -> bool {
    field == "voxels" || field == "number of volumes"
}

/// What the system says about an output is no fault of the input.
fn at(output: &Path, error: FormatsError) -> Error {
    match error {
        FormatsError::Io { path, source } if path == output => Error::Write { path, source },
        error => error.into(),
    }
}

fn at_output(error: FormatsError, arguments: &ConvertCommand) -> Error {
    match error {
        FormatsError::Invalid { ref field, .. }
            if field == "intensity" && arguments.stored.is_some() && !arguments.scale =>
        {
            Error::Unusable(format!("{error}; --scale spreads intensities over the type"))
        }
        error => at(&arguments.output, error),
    }
}

fn convert_surface(arguments: &ConvertCommand) -> Result<()> {
    let (input, output) = (&arguments.input, &arguments.output);
    let surface = read_surface(input)?;
    if let Some(option) = volume_option(arguments) {
        return Err(Error::Usage(format!("{option}: for volumes; {} is a surface", input.display())));
    }
    let format = match &arguments.format {
        Some(name) => surface_format(name)?,
        None => SurfaceFormat::from_path(output).ok_or_else(|| {
            let endings: Vec<_> = SurfaceFormat::ALL.iter().map(|f| format!(".{}", f.extension())).collect();
            Error::Usage(format!(
                "{}: expected --format, or one of the endings {}",
                output.display(),
                endings.join(" ")
            ))
        })?,
    };
    // A surface without maps is no error.
    let found = read_vertex_maps(input).unwrap_or_default();
    let maps = if format.carries_maps() { named(&found)? } else { VertexMaps::default() };
    if !arguments.dry_run {
        write_surface(output, &surface, format, Some(&maps)).map_err(|error| at_output(error, arguments))?;
    }
    let (vertices, triangles) = (surface.vertices().len(), surface.triangles().len());
    print_line(format!("{}: {vertices} vertices, {triangles} triangles, {}", output.display(), format.name()));
    for (count, fate) in [(maps.len(), "kept"), (found.len() - maps.len(), "left out")] {
        if count > 0 {
            print_line(format!("  {count} maps of values a vertex {fate}"));
        }
    }
    Ok(())
}

/// The numeric maps of a file, with names that every format can hold.
fn named(found: &[VertexValues]) -> Result<VertexMaps> {
    let mut maps = VertexMaps::default();
    for (n, map) in found.iter().enumerate() {
        let VertexValues::Shape(map) = map else { continue };
        let plain = |c: char| if c.is_ascii_alphanumeric() || "_-.".contains(c) { c } else { '_' };
        let mut name: String = map.name.chars().map(plain).collect();
        if name.is_empty() || maps.iter().any(|(other, _)| other == name) {
            name += &format!("map{n}");
        }
        maps.push(name, map.values.clone())?;
    }
    Ok(maps)
}

/// The first option given that only volumes have.
fn volume_option(arguments: &ConvertCommand) -> Option<&'static str> {
    let given = [
        (arguments.volume.is_some(), "--volume"),
        (arguments.series.is_some(), "--series"),
        (arguments.repair, "--repair"),
        (arguments.crop.is_some(), "--crop"),
        (arguments.reorient.is_some(), "--reorient"),
        (arguments.orthonormal, "--orthonormal"),
        (!arguments.spacing.is_empty(), "--spacing"),
        (arguments.interpolation.is_some(), "--interpolation"),
        (arguments.stored.is_some(), "--type"),
    ];
    given.into_iter().find_map(|(is_given, name)| is_given.then_some(name))
}
