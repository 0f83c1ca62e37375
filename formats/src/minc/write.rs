use super::hdf5::{Attribute, Chunk, Chunking, Hdf5Writer, Value};
use super::placement::Placement;
use crate::voxel::native_bytes;
use crate::{Result, StoredType, VolumeWriter, Voxel, fault, write_atomically};
use brainmesh_core::{Monitor, Volume};
use libdeflater::{CompressionLvl, Compressor};
use rayon::prelude::*;
use std::path::Path;

/// Longest edges of a chunk along `i`, `j`, `k`: enough values to compress well, few enough to read one slice alone.
const MOST_EDGE: [usize; 3] = [64, 64, 16];
/// Chunks compressed before they are written.
const BATCH: usize = 32;
/// Beyond it deflate gains little.
const DEFLATE_LEVEL: u8 = 4;

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
    if matches!(T::STORED, StoredType::Int64 | StoredType::Uint64) {
        return Err(fault::unsupported(path, "type of voxels", T::STORED, "up to 32 bits, float32, float64"));
    }
    let range = Range::of(path, volumes, writer.scaling)?;
    let placement = Placement::of(first.grid());
    write_atomically(path, |out| {
        let mut file = Hdf5Writer::new(path, out)?;
        let image = write_image(&mut file, volumes, &placement, &range, monitor)?;

        let mut whole = vec![("image", image)];
        for (name, limit) in [("image-max", range.real[1]), ("image-min", range.real[0])] {
            whole.push((name, file.scalar(&Value::Number(limit), &variable("var_attribute"))?));
        }
        let mut dimensions = Vec::new();
        for axis in &placement.axes {
            let mut attributes = variable("dimension____");
            attributes.extend(axis.attributes());
            dimensions.push((axis.name, file.scalar(&Value::Length(0), &attributes)?));
        }
        if volumes.len() > 1 {
            let mut attributes = variable("dimension____");
            attributes.extend([
                ("spacing", Value::Text("regular__")),
                ("alignment", Value::Text("start_")),
                ("length", Value::Length(volumes.len() as u32)),
                ("start", Value::Number(0.0)),
                ("step", Value::Number(writer.time_step_s.unwrap_or(1.0))),
            ]);
            if writer.time_step_s.is_some() {
                attributes.push(("units", Value::Text("s")));
            }
            dimensions.push(("time", file.scalar(&Value::Length(0), &attributes)?));
        }
        let whole = file.group(&whole, &[])?;
        let members = [
            ("dimensions", file.group(&dimensions, &[])?),
            ("image", file.group(&[("0", whole)], &[])?),
            ("info", file.group(&[], &[])?),
        ];
        let attributes = [
            ("ident", Value::Text(concat!("brainmesh:", env!("CARGO_PKG_VERSION")))),
            // The libminc whose layout this is.
            ("minc_version", Value::Text("2.4.05")),
            ("history", Value::Text(concat!("brainmesh ", env!("CARGO_PKG_VERSION"), "\n"))),
            ("class", Value::Text("real___")),
        ];
        let minc = file.group(&members, &attributes)?;
        let root = file.group(&[("minc-2.0", minc)], &[])?;
        file.finish(root)
    })
}

/// The image in chunks, which are compressed several at once.
fn write_image<T: Voxel>(
    file: &mut Hdf5Writer,
    volumes: &[Volume<T>],
    placement: &Placement,
    range: &Range,
    monitor: &dyn Monitor,
) -> Result<u64> {
    let [ni, nj, nk] = placement.axes.each_ref().map(|axis| axis.length);
    let edges = [even_part(ni, MOST_EDGE[0]), even_part(nj, MOST_EDGE[1]), even_part(nk, MOST_EDGE[2])];
    let starts = |n: usize, edge: usize| (0..n).step_by(edge);
    let in_volume = starts(nk, edges[2])
        .flat_map(|k| starts(nj, edges[1]).flat_map(move |j| starts(ni, edges[0]).map(move |i| [i, j, k])));
    let in_volume: Vec<_> = in_volume.collect();
    let starts: Vec<_> = (0..volumes.len()).flat_map(|t| in_volume.iter().map(move |&start| (t, start))).collect();

    monitor.stage("writing", starts.len() as u64);
    let mut chunks = Vec::with_capacity(starts.len());
    for batch in starts.chunks(BATCH) {
        monitor.check()?;
        let packed: Vec<_> =
            batch.par_iter().map(|&(t, start)| packed(&volumes[t], start, edges)).collect::<Vec<Vec<u8>>>();
        for (&(t, [i, j, k]), packed) in batch.iter().zip(packed) {
            let offset = if volumes.len() > 1 { vec![t, k, j, i] } else { vec![k, j, i] };
            let offset = offset.into_iter().map(|n| n as u64).collect();
            chunks.push(Chunk { offset, address: file.place(&packed)?, bytes: packed.len() as u32 });
        }
        monitor.advance(batch.len() as u64);
    }

    let mut names: Vec<_> = placement.axes.iter().rev().map(|axis| axis.name).collect();
    let (mut shape, mut chunk) = (vec![nk as u64, nj as u64, ni as u64], edges.map(|n| n as u64).to_vec());
    chunk.reverse();
    if volumes.len() > 1 {
        names.insert(0, "time");
        shape.insert(0, volumes.len() as u64);
        chunk.insert(0, 1);
    }
    let names = names.join(",");
    let mut attributes = variable("group________");
    attributes.extend([
        ("dimorder", Value::Text(&names)),
        ("valid_range", Value::Numbers(&range.stored)),
        ("complete", Value::Text("true_")),
    ]);
    let chunking =
        Chunking { shape: &shape, edges: &chunk, stored: T::STORED, deflate_level: u32::from(DEFLATE_LEVEL) };
    file.chunked(&chunking, &chunks, &attributes)
}

/// One chunk, filled up with zeros where it reaches beyond the volume.
fn packed<T: Voxel>(volume: &Volume<T>, start: [usize; 3], edges: [usize; 3]) -> Vec<u8> {
    let [ni, nj, nk] = volume.grid().shape();
    let mut values = vec![T::default(); edges.iter().product()];
    let end_i = (start[0] + edges[0]).min(ni);
    for k in start[2]..(start[2] + edges[2]).min(nk) {
        for j in start[1]..(start[1] + edges[1]).min(nj) {
            let row = ni * (j + nj * k);
            let at = edges[0] * ((j - start[1]) + edges[1] * (k - start[2]));
            values[at..at + end_i - start[0]].copy_from_slice(&volume.data()[row + start[0]..row + end_i]);
        }
    }
    let bytes = native_bytes(&values);
    let mut compressor = Compressor::new(CompressionLvl::new(i32::from(DEFLATE_LEVEL)).unwrap_or_default());
    let mut packed = vec![0; compressor.zlib_compress_bound(bytes.len())];
    // The bound holds for every input, so that this cannot fail.
    let length = compressor.zlib_compress(bytes, &mut packed).unwrap_or_default();
    packed.truncate(length);
    packed
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

/// What every variable of MINC says of itself.
fn variable(kind: &str) -> Vec<Attribute<'_>> {
    vec![
        ("varid", Value::Text("MINC standard variable")),
        ("vartype", Value::Text(kind)),
        ("version", Value::Text("MINC Version    1.0")),
    ]
}

/// The largest part of equal parts of `length` that are no longer than `most`.
fn even_part(length: usize, most: usize) -> usize {
    length.div_ceil(length.div_ceil(most))
}
