use super::header::Header;
use super::space::{Space, mm_per_unit};
use crate::{Result, fault};
use brainmesh_core::Grid;
use glam::{DAffine3, DMat3, DVec3};

/// More values a voxel than this are no image.
const MOST_PLANES: usize = 1 << 16;

/// What the axes of a NRRD are: values of a voxel first, then up to three of space, then time points or the like.
#[derive(Debug)]
pub(super) struct Axes {
    pub grid: Grid,
    /// Kind and length of the axes before those of space.
    pub before: Vec<(String, usize)>,
    pub planes: usize,
    pub volumes: usize,
    pub time_step_s: Option<f64>,
    pub warnings: Vec<String>,
}

impl Axes {
    pub fn of(header: &Header) -> Result<Self> {
        let count: usize = header.number("dimension", "1 to 16")?.unwrap_or(0);
        if !(1..=16).contains(&count) {
            return Err(header.invalid("dimension", "1 to 16", header.field("dimension").unwrap_or("none")));
        }
        header.required("sizes")?;
        let sizes: Vec<usize> = header.numbers("sizes", count, "whole numbers above 0")?.unwrap_or_default();
        if sizes.contains(&0) {
            return Err(header.invalid("sizes", "whole numbers above 0", format!("{sizes:?}")));
        }
        let kinds = header.words("kinds", count)?.unwrap_or_else(|| vec!["???"; count]);
        let space = Space::of(header)?;
        let vectors = header.vectors("space directions", space.dimension)?;
        if let Some(vectors) = &vectors
            && vectors.len() != count
        {
            return Err(header.invalid("space directions", &format!("{count}, one an axis"), vectors.len()));
        }
        let spatial = spatial_axes(header, &kinds, vectors.as_deref())?;
        let product = |axes: &[usize]| axes.iter().try_fold(1usize, |n, &length| n.checked_mul(length));
        let (before, after) = (&sizes[..spatial.start], &sizes[spatial.end..]);
        let planes = product(before).filter(|&n| n <= MOST_PLANES).ok_or_else(|| {
            fault::unsupported(header.path(), "sizes", format!("{before:?} values a voxel"), "at most 65,536")
        })?;
        let volumes =
            product(after).ok_or_else(|| header.invalid("sizes", "a countable number", format!("{sizes:?}")))?;
        let mut warnings: Vec<String> = space.warning.iter().cloned().collect();
        let columns = match &vectors {
            Some(vectors) => columns(&vectors[spatial.clone()]),
            None => {
                warnings.push("no space directions: the axes are taken as those of the space".into());
                spacings(header, count)?[spatial.clone()].iter().enumerate().map(|(n, s)| DVec3::AXES[n] * *s).collect()
            }
        };
        let origin = origin(header, &space, vectors.is_some(), &spatial, &sizes, &mut warnings)?;
        let mm = mm_per_unit(header, vectors.is_some(), &spatial, &mut warnings)?;
        let matrix = DMat3::from_diagonal(space.signs * mm) * complete(&columns);
        let mut shape = [1; 3];
        shape.iter_mut().zip(&sizes[spatial.clone()]).for_each(|(to, from)| *to = *from);
        let affine = DAffine3::from_mat3_translation(matrix, space.signs * mm * origin);
        let world = if vectors.is_some() { space.world } else { "unregistered" };
        let grid = Grid::new(shape, affine, world).map_err(fault::core(header.path()))?;
        let time_step_s = if after.len() == 1 { time_step_s(header, &kinds, vectors.as_deref(), count)? } else { None };
        let kinds = kinds.iter().map(|kind| (*kind).to_owned());
        Ok(Self { grid, before: kinds.zip(before.iter().copied()).collect(), planes, volumes, time_step_s, warnings })
    }
}

/// The axes of space: those with a direction that is not time alone, else those of a kind that says so, else all, but no more
/// than the first three.
fn spatial_axes(
    header: &Header,
    kinds: &[&str],
    vectors: Option<&[Option<Vec<f64>>]>,
) -> Result<std::ops::Range<usize>> {
    let is_spatial: Vec<bool> = match vectors {
        Some(vectors) => vectors.iter().map(|v| v.as_ref().is_some_and(|v| !is_time(v))).collect(),
        None => kinds
            .iter()
            .map(|k| matches!(k.to_ascii_lowercase().as_str(), "domain" | "space" | "none" | "???"))
            .collect(),
    };
    let start = is_spatial.iter().position(|&s| s);
    let start = start.ok_or_else(|| header.invalid("kinds", "an axis of space", kinds.join(" ")))?;
    let length = is_spatial[start..].iter().take_while(|&&s| s).count();
    let rest = &is_spatial[start + length..];
    if vectors.is_some() && length > 3 {
        return Err(fault::unsupported(
            header.path(),
            "space directions",
            format!("{length} axes"),
            "up to 3 of space",
        ));
    }
    if rest.contains(&true) {
        let found = format!("an axis of another kind between those of space ({})", kinds.join(" "));
        return Err(fault::unsupported(header.path(), "kinds", found, "other axes before or after those of space"));
    }
    Ok(start..start + length.min(3))
}

/// A vector of space and time with time alone.
fn is_time(vector: &[f64]) -> bool {
    vector.len() == 4 && vector[..3].iter().all(|&n| n == 0.0) && vector[3] != 0.0
}

/// The part of vectors that lies in space.
fn columns(vectors: &[Option<Vec<f64>>]) -> Vec<DVec3> {
    vectors.iter().flatten().map(|v| spatial_part(v)).collect()
}

fn spatial_part(vector: &[f64]) -> DVec3 {
    DVec3::from_array(std::array::from_fn(|n| vector.get(n).copied().unwrap_or(0.0)))
}

/// Axes of length 1 are added at right angles where there are fewer than three.
fn complete(columns: &[DVec3]) -> DMat3 {
    match columns {
        [x, y, z] => DMat3::from_cols(*x, *y, *z),
        [x, y] => DMat3::from_cols(*x, *y, x.cross(*y).normalize_or_zero()),
        [x] => {
            let (y, z) = x.normalize_or(DVec3::X).any_orthonormal_pair();
            DMat3::from_cols(*x, y, z)
        }
        _ => DMat3::ZERO,
    }
}

/// Spacings of all axes; where none is given, from their ends, else 1.
fn spacings(header: &Header, count: usize) -> Result<Vec<f64>> {
    let numbers = |name| header.numbers::<f64>(name, count, "a number an axis");
    let (given, mins, maxs) = (numbers("spacings")?, numbers("axis mins")?, numbers("axis maxs")?);
    let sizes: Vec<usize> = header.numbers("sizes", count, "whole numbers")?.unwrap_or_default();
    let at =
        |list: &Option<Vec<f64>>, n: usize| list.as_ref().and_then(|l| l.get(n).copied()).filter(|s| s.is_finite());
    let between_ends = |n: usize| {
        let steps = if is_node(header, n) { sizes[n] - 1 } else { sizes[n] };
        Some((at(&maxs, n)? - at(&mins, n)?) / steps as f64).filter(|s| s.is_finite() && *s != 0.0)
    };
    Ok((0..count).map(|n| at(&given, n).or_else(|| between_ends(n)).unwrap_or(1.0)).collect())
}

/// Whether the samples of an axis lie at its ends; where nothing is said they are taken for cells, as ITK does.
fn is_node(header: &Header, axis: usize) -> bool {
    let word = header.field("centerings").and_then(|text| text.split_ascii_whitespace().nth(axis));
    word.is_some_and(|word| word.eq_ignore_ascii_case("node"))
}

/// Centre of the first sample, in the file's space and unit.
fn origin(
    header: &Header,
    space: &Space,
    has_directions: bool,
    spatial: &std::ops::Range<usize>,
    sizes: &[usize],
    warnings: &mut Vec<String>,
) -> Result<DVec3> {
    if let Some([Some(origin)]) = header.vectors("space origin", space.dimension)?.as_deref() {
        return Ok(spatial_part(origin));
    }
    if has_directions {
        warnings.push("no space origin: the first voxel is put at 0, 0, 0".into());
        return Ok(DVec3::ZERO);
    }
    let mins = header.numbers::<f64>("axis mins", sizes.len(), "a number an axis")?.unwrap_or_default();
    let spacings = spacings(header, sizes.len())?;
    let mut origin = DVec3::ZERO;
    for (n, axis) in spatial.clone().enumerate() {
        if let Some(min) = mins.get(axis).filter(|min| min.is_finite()) {
            origin[n] = min + if is_node(header, axis) { 0.0 } else { spacings[axis] / 2.0 };
        }
    }
    Ok(origin)
}

/// Step of the last axis where it is time in a known unit.
fn time_step_s(
    header: &Header,
    kinds: &[&str],
    vectors: Option<&[Option<Vec<f64>>]>,
    count: usize,
) -> Result<Option<f64>> {
    let unit = header.quoted("units").get(count - 1).map(|unit| unit.trim().to_ascii_lowercase());
    let seconds = match unit.as_deref() {
        Some("s" | "sec" | "second" | "seconds") => 1.0,
        Some("ms" | "msec" | "millisecond" | "milliseconds") => 1e-3,
        _ if kinds[count - 1].eq_ignore_ascii_case("time") => 1.0,
        _ => return Ok(None),
    };
    let along = vectors.and_then(|vectors| vectors.last()?.as_ref()?.get(3).copied());
    let given = header.numbers::<f64>("spacings", count, "a number an axis")?;
    let step = along.or_else(|| given?.last().copied()).map(|step| step * seconds);
    Ok(step.filter(|step| step.is_finite() && *step > 0.0))
}
