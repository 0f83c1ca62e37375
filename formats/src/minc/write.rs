use crate::{Result, VolumeWriter, Voxel, fault, write_atomically};
use brainmesh_core::{Grid, Monitor, Volume};
use glam::{DMat3, DVec3};
use hdf5_pure::{AttrValue, DatasetBuilder, FileBuilder, LibVer};
use std::path::Path;

/// Longest edge of a chunk: a chunk of `f32` then holds 1 MiB at most, and a slab of chunks is worth a thread.
const MOST_CHUNK_EDGE: [usize; 3] = [64, 64, 64];
/// Level 4 is where deflate stops gaining much.
const DEFLATE_LEVEL: u32 = 4;

/// Writes volumes as MINC2, compressed in chunks, whole or not at all.
///
/// `i`, `j`, `k` become the axes `xspace`, `yspace`, `zspace` that they are nearest to, with direction cosines that are exact,
/// oblique or sheared; `k` is the slowest. Values are stored as they are: `valid_range` and `image-min` to `image-max` are the
/// values' own range, so that the stored integers are the intensities, or `scaling` applied to it. Several volumes lie along
/// `time`. Names of labels are left out, as few programs open enumerations.
pub(crate) fn write<T: Voxel>(
    path: &Path,
    volumes: &[Volume<T>],
    writer: &VolumeWriter,
    monitor: &dyn Monitor,
) -> Result<()> {
    let Some(first) = volumes.first() else { return Ok(()) };
    let range = Range::of(path, volumes, writer.scaling)?;
    let axes = Axes::of(first.grid());
    monitor.stage("writing", 1);
    monitor.check()?;

    let mut names: Vec<_> = axes.0.iter().rev().map(|axis| axis.name).collect();
    let mut shape: Vec<_> = axes.0.iter().rev().map(|axis| axis.length as u64).collect();
    let longest = axes.0.iter().zip(MOST_CHUNK_EDGE).rev();
    let mut chunks: Vec<_> = longest.map(|(axis, most)| even_part(axis.length, most) as u64).collect();
    if volumes.len() > 1 {
        names.insert(0, "time");
        shape.insert(0, volumes.len() as u64);
        chunks.insert(0, 1);
    }

    let mut file = FileBuilder::new();
    // libminc refuses newer files.
    file.with_libver_bounds(LibVer::Earliest, LibVer::V18);
    let mut minc = file.create_group("minc-2.0");
    minc.set_attr("ident", text(concat!("brainmesh:", env!("CARGO_PKG_VERSION"))));
    // The libminc whose layout this is.
    minc.set_attr("minc_version", text("2.4.05"));
    minc.set_attr("history", text(concat!("brainmesh ", env!("CARGO_PKG_VERSION"), "\n")));
    minc.set_attr("class", text("real___"));

    let mut dimensions = minc.create_group("dimensions");
    for axis in &axes.0 {
        axis.write(dimensions.create_dataset(axis.name), space_type(first.grid().world()));
    }
    if volumes.len() > 1 {
        let time = variable(dimensions.create_dataset("time").with_i32_data(&[0]).with_shape(&[]), "dimension____");
        time.set_attr("spacing", text("regular__")).set_attr("alignment", text("start_"));
        time.set_attr("length", AttrValue::U32(volumes.len() as u32)).set_attr("start", AttrValue::F64(0.0));
        time.set_attr("step", AttrValue::F64(writer.time_step_s.unwrap_or(1.0)));
        if writer.time_step_s.is_some() {
            time.set_attr("units", text("s"));
        }
    }
    minc.add_group(dimensions.finish());

    let mut whole = minc.create_group("0");
    let image = whole.create_dataset("image");
    match volumes {
        [only] => put(path, image, only.data())?,
        several => put(path, image, &several.iter().flat_map(|v| v.data().iter().copied()).collect::<Vec<_>>())?,
    }
    variable(image.with_shape(&shape), "group________");
    image.set_attr("dimorder", text(&names.join(",")));
    image.set_attr("valid_range", AttrValue::F64Array(range.stored.to_vec()));
    image.set_attr("complete", text("true_"));
    for (name, limit) in [("image-min", range.real[0]), ("image-max", range.real[1])] {
        let limit = whole.create_dataset(name).with_f64_data(&[limit]).with_shape(&[]);
        variable(limit, "var_attribute");
    }
    let mut images = minc.create_group("image");
    images.add_group(whole.finish());
    minc.add_group(images.finish());
    let info = minc.create_group("info").finish();
    minc.add_group(info);
    file.add_group(minc.finish());

    write_atomically(path, |out| {
        file.finish_to(out).map_err(|e| match e {
            hdf5_pure::Error::Io(source) => fault::io(path)(source),
            other => fault::invalid(path, "HDF5", "a volume that it can hold", other),
        })
    })?;
    monitor.advance(1);
    Ok(())
}

/// What stored values lie in, and what they stand for.
struct Range {
    stored: [f64; 2],
    real: [f64; 2],
}

impl Range {
    fn of<T: Voxel>(path: &Path, volumes: &[Volume<T>], scaling: Option<(f64, f64)>) -> Result<Self> {
        let integers = T::STORED.integer_range();
        let (slope, intercept) = scaling.unwrap_or((1.0, 0.0));
        if scaling.is_some() && integers.is_none() {
            return Err(fault::unsupported(path, "scaling", "floating-point values", "scaling of integers"));
        }
        if !(slope > 0.0 && slope.is_finite() && intercept.is_finite()) {
            let found = format!("slope {slope}, intercept {intercept}");
            return Err(fault::unsupported(path, "scaling", found, "a positive slope"));
        }
        let values = volumes.iter().flat_map(|volume| volume.data()).map(|value| value.to_f64());
        let finite = values.filter(|value| value.is_finite());
        let [mut low, mut high] =
            finite.fold([f64::INFINITY, f64::NEG_INFINITY], |[low, high], v| [low.min(v), high.max(v)]);
        if low > high {
            [low, high] = [0.0, 0.0];
        }
        // A range of nothing has no slope.
        if low == high {
            match integers {
                Some((_, highest)) if high >= highest => low -= 1.0,
                Some(_) => high += 1.0,
                None => high += 1.0_f64.max(high.abs() * 1e-6),
            }
        }
        Ok(Self { stored: [low, high], real: [low, high].map(|value| value * slope + intercept) })
    }
}

/// `xspace`, `yspace` or `zspace`.
struct Axis {
    name: &'static str,
    comment: &'static str,
    length: usize,
    start: f64,
    step: f64,
    cosines: DVec3,
}

/// The axes along `i`, `j`, `k`.
struct Axes([Axis; 3]);

impl Axes {
    fn of(grid: &Grid) -> Self {
        const NAMES: [(&str, &str); 3] = [
            ("xspace", "X increases from patient left to right"),
            ("yspace", "Y increases from patient posterior to anterior"),
            ("zspace", "Z increases from patient inferior to superior"),
        ];
        let (m, shape, spacing) = (grid.affine().matrix3, grid.shape(), grid.spacing_mm());
        let columns = [m.x_axis, m.y_axis, m.z_axis];
        // Which of x, y, z each axis is: the choice of the largest sum of cosines.
        let choices = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];
        let sum = |choice: &[usize; 3]| (0..3).map(|n| columns[n][choice[n]].abs() / spacing[n]).sum::<f64>();
        let nearest = choices.into_iter().max_by(|a, b| sum(a).total_cmp(&sum(b))).unwrap_or(choices[0]);
        // Cosines lead towards the right, the front, the top; steps are negative where the voxels run the other way.
        let steps: [f64; 3] =
            std::array::from_fn(|n| if columns[n][nearest[n]] < 0.0 { -spacing[n] } else { spacing[n] });
        let cosines: [DVec3; 3] = std::array::from_fn(|n| columns[n] / steps[n]);
        let starts = DMat3::from_cols_array_2d(&cosines.map(|c| c.to_array())).inverse() * grid.affine().translation;
        Self(std::array::from_fn(|n| Axis {
            name: NAMES[nearest[n]].0,
            comment: NAMES[nearest[n]].1,
            length: shape[n],
            start: starts[n],
            step: steps[n],
            cosines: cosines[n],
        }))
    }
}

impl Axis {
    fn write(&self, dimension: &mut DatasetBuilder, space_type: Option<&str>) {
        variable(dimension.with_i32_data(&[0]).with_shape(&[]), "dimension____");
        dimension.set_attr("comments", text(self.comment)).set_attr("spacing", text("regular__"));
        dimension.set_attr("alignment", text("centre")).set_attr("units", text("mm"));
        dimension.set_attr("length", AttrValue::U32(self.length as u32));
        dimension.set_attr("start", AttrValue::F64(self.start)).set_attr("step", AttrValue::F64(self.step));
        dimension.set_attr("direction_cosines", AttrValue::F64Array(self.cosines.to_array().to_vec()));
        if let Some(space_type) = space_type {
            dimension.set_attr("spacetype", text(space_type));
        }
    }
}

/// The worlds that MINC has names for.
fn space_type(world: &str) -> Option<&'static str> {
    match world {
        "scanner" => Some("native____"),
        "Talairach" => Some("talairach_"),
        "callosal" => Some("callosal__"),
        _ => None,
    }
}

/// What every variable of MINC says of itself.
fn variable<'a>(dataset: &'a mut DatasetBuilder, kind: &str) -> &'a mut DatasetBuilder {
    dataset.set_attr("varid", text("MINC standard variable")).set_attr("vartype", text(kind));
    dataset.set_attr("version", text("MINC Version    1.0"))
}

/// Texts end in a zero, as libminc writes them.
fn text(value: &str) -> AttrValue {
    AttrValue::AsciiString(format!("{value}\0"))
}

/// The largest part of equal parts of `length` that are no longer than `most`.
fn even_part(length: usize, most: usize) -> usize {
    length.div_ceil(length.div_ceil(most))
}

fn put<T: Voxel>(path: &Path, image: &mut DatasetBuilder, values: &[T]) -> Result<()> {
    use crate::StoredType as S;
    match T::STORED {
        S::Int8 => image.with_i8_data(bytemuck::cast_slice(values)),
        S::Uint8 => image.with_u8_data(bytemuck::cast_slice(values)),
        S::Int16 => image.with_i16_data(bytemuck::cast_slice(values)),
        S::Uint16 => image.with_u16_data(bytemuck::cast_slice(values)),
        S::Int32 => image.with_i32_data(bytemuck::cast_slice(values)),
        S::Uint32 => image.with_u32_data(bytemuck::cast_slice(values)),
        S::Float32 => image.with_f32_data(bytemuck::cast_slice(values)),
        S::Float64 => image.with_f64_data(bytemuck::cast_slice(values)),
        S::Int64 | S::Uint64 => {
            return Err(fault::unsupported(path, "type of voxels", T::STORED, "up to 32 bits, float32, float64"));
        }
    };
    Ok(())
}
