use super::pyramid::{Downsampling, Level, halved};
use super::{codec, is_zarr, labels};
use crate::volume_info::rows;
use crate::voxel::native_bytes;
use crate::{Result, StoredType, VolumeWriter, Voxel, atomic, fault};
use brainmesh_core::{Grid, Monitor, Volume};
use glam::{DMat3, DVec3};
use rayon::prelude::*;
use serde_json::{Value, json};
use std::borrow::Cow;
use std::path::Path;
use std::sync::Arc;
use zarrs::array::{Array, ArrayBytes, ArrayMetadata, CodecOptions};
use zarrs::filesystem::FilesystemStore;

/// Voxels along each axis of a chunk.
const CHUNK: usize = 64;

/// Writes volumes as an OME-Zarr folder: 0.5, or 0.4 where the writer asks for it.
///
/// Levels follow until one fits into a chunk. Scales are in mm; the translation is that of the world where `i`, `j`, `k`
/// lead to its right, anterior, superior, and counts from the first voxel otherwise.
pub(crate) fn write<T: Voxel>(
    path: &Path,
    volumes: &[Volume<T>],
    writer: &VolumeWriter,
    monitor: &dyn Monitor,
) -> Result<()> {
    let Some(first) = volumes.first() else { return Ok(()) };
    codec::register();
    let how = if writer.labels.0.is_empty() { Downsampling::Mean } else { Downsampling::Majority };
    let shapes = shapes(first.grid().shape());
    let voxels: usize = shapes.iter().map(|shape| shape.iter().product::<usize>()).sum();
    monitor.stage("writing", (voxels * volumes.len()) as u64);
    atomic::write_folder(path, is_zarr, |folder| {
        let layout = Layout { path: folder, volumes: volumes.len(), is_v2: writer.zarr_v2 };
        let arrays: Vec<_> =
            shapes.iter().enumerate().map(|(n, shape)| layout.array::<T>(n, *shape)).collect::<Result<_>>()?;
        for (time, volume) in volumes.iter().enumerate() {
            let mut level = Level { shape: first.grid().shape(), values: Cow::Borrowed(volume.data()) };
            for (n, array) in arrays.iter().enumerate() {
                if n > 0 {
                    level = halved(path, &level, how)?;
                }
                layout.store(array, time, &level, monitor)?;
            }
        }
        layout.describe(first.grid(), &shapes, writer, how)
    })
}

/// Of all levels, the first as given.
fn shapes(first: [usize; 3]) -> Vec<[usize; 3]> {
    let smaller = |shape: &[usize; 3]| shape.iter().any(|&n| n > CHUNK).then(|| shape.map(|n| n.div_ceil(2)));
    std::iter::successors(Some(first), smaller).collect()
}

/// How an image lies in its folder.
struct Layout<'a> {
    path: &'a Path,
    volumes: usize,
    is_v2: bool,
}

impl Layout<'_> {
    /// Of t (where there are several volumes), z, y, x.
    fn dimensions<N: Copy>(&self, time: N, [x, y, z]: [N; 3]) -> Vec<N> {
        let time = (self.volumes > 1).then_some(time);
        time.into_iter().chain([z, y, x]).collect()
    }

    /// Writes the metadata of a level.
    fn array<T: Voxel>(&self, level: usize, shape: [usize; 3]) -> Result<Array<FilesystemStore>> {
        let chunk = self.dimensions(1, shape.map(|n| n.min(CHUNK)));
        let shape = self.dimensions(self.volumes, shape);
        let size = T::STORED.size_bytes();
        let metadata = if self.is_v2 {
            json!({
                "zarr_format": 2, "shape": shape, "chunks": chunk, "dtype": type_v2(T::STORED), "fill_value": 0,
                "order": "C", "filters": null, "dimension_separator": "/",
                "compressor": {"id": "blosc", "cname": "zstd", "clevel": 3, "shuffle": 1, "blocksize": 0},
            })
        } else {
            json!({
                "zarr_format": 3, "node_type": "array", "shape": shape, "data_type": T::STORED.name(), "fill_value": 0,
                "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": chunk}},
                "chunk_key_encoding": {"name": "default", "configuration": {"separator": "/"}},
                "codecs": [
                    {"name": "bytes", "configuration": {"endian": "little"}},
                    {"name": "blosc", "configuration": {
                        "cname": "zstd", "clevel": 3, "shuffle": "shuffle", "typesize": size, "blocksize": 0}},
                ],
                "dimension_names": self.dimensions("t", ["x", "y", "z"]),
            })
        };
        let array = || -> std::result::Result<_, Box<dyn std::error::Error>> {
            let metadata: ArrayMetadata = serde_json::from_value(metadata)?;
            let store = Arc::new(FilesystemStore::new(self.path)?);
            let array = Array::new_with_metadata(store, &format!("/{level}"), metadata)?;
            array.store_metadata()?;
            Ok(array)
        };
        array().map_err(|error| self.failed(error))
    }

    /// Writes the chunks of one volume's level; those at the end are filled up with zeros.
    fn store<T: Voxel>(
        &self,
        array: &Array<FilesystemStore>,
        time: usize,
        level: &Level<'_, T>,
        monitor: &dyn Monitor,
    ) -> Result<()> {
        let [ni, nj, nk] = level.shape;
        let chunk = level.shape.map(|n| n.min(CHUNK));
        let counts = [0, 1, 2].map(|axis| level.shape[axis].div_ceil(chunk[axis]));
        let options = CodecOptions::default().with_concurrent_target(1);
        (0..counts.iter().product()).into_par_iter().try_for_each(|n: usize| {
            monitor.check()?;
            let at = [n % counts[0], n / counts[0] % counts[1], n / counts[0] / counts[1]];
            let mut values = vec![T::default(); chunk.iter().product()];
            let i = at[0] * chunk[0]..ni.min((at[0] + 1) * chunk[0]);
            for k in at[2] * chunk[2]..nk.min((at[2] + 1) * chunk[2]) {
                for j in at[1] * chunk[1]..nj.min((at[1] + 1) * chunk[1]) {
                    let row = &level.values[i.start + ni * (j + nj * k)..][..i.len()];
                    let start = chunk[0] * (j % chunk[1] + chunk[1] * (k % chunk[2]));
                    values[start..][..row.len()].copy_from_slice(row);
                }
            }
            let indices = self.dimensions(time as u64, at.map(|n| n as u64));
            let bytes = ArrayBytes::new_flen(native_bytes(&values));
            array.store_chunk_opt(&indices, bytes, &options).map_err(|error| self.failed(error.into()))?;
            monitor.advance(values.len() as u64);
            Ok(())
        })
    }

    /// Writes the metadata of the image.
    fn describe(&self, grid: &Grid, shapes: &[[usize; 3]], writer: &VolumeWriter, how: Downsampling) -> Result<()> {
        let unit_axis = |name| json!({"name": name, "type": "space", "unit": "millimeter"});
        let mut axes = vec![unit_axis("z"), unit_axis("y"), unit_axis("x")];
        if self.volumes > 1 {
            let time = json!({"name": "t", "type": "time"});
            let seconds = json!({"name": "t", "type": "time", "unit": "second"});
            axes.insert(0, if writer.time_step_s.is_some() { seconds } else { time });
        }
        let spacing = DVec3::from_array(grid.spacing_mm());
        let affine = grid.affine();
        let is_along_world = affine.matrix3 == DMat3::from_diagonal(spacing);
        let origin = if is_along_world { affine.translation } else { DVec3::ZERO };
        let datasets: Vec<_> = shapes
            .iter()
            .enumerate()
            .map(|(level, _)| {
                // Voxels of the finest level that one of this level stands for: none where an axis has but one voxel.
                let factor = DVec3::from_array([0, 1, 2].map(|axis| factor(shapes, axis, level)));
                let scale = self.dimensions(writer.time_step_s.unwrap_or(1.0), (spacing * factor).to_array());
                let offset = origin + (factor - 1.0) * 0.5 * spacing;
                let translation = self.dimensions(0.0, offset.to_array());
                json!({"path": level.to_string(), "coordinateTransformations": [
                    {"type": "scale", "scale": scale}, {"type": "translation", "translation": translation}]})
            })
            .collect();
        let method = if how == Downsampling::Mean { "mean" } else { "majority" };
        let mut multiscale = json!({"name": "image", "axes": axes, "datasets": datasets, "type": method});
        let mut label = labels::image_label(&writer.labels);
        let placement = json!({"world_from_voxel": rows(grid.affine()), "world": grid.world()});
        if self.is_v2 {
            multiscale["version"] = json!("0.4");
            let mut attributes = json!({"multiscales": [multiscale], "brainmesh": placement});
            if let Some(label) = &mut label {
                label["version"] = json!("0.4");
                attributes["image-label"] = label.take();
            }
            self.put(".zgroup", &json!({"zarr_format": 2}))?;
            return self.put(".zattrs", &attributes);
        }
        let mut ome = json!({"version": "0.5", "multiscales": [multiscale]});
        if let Some(label) = label {
            ome["image-label"] = label;
        }
        let attributes = json!({"ome": ome, "brainmesh": placement});
        self.put("zarr.json", &json!({"zarr_format": 3, "node_type": "group", "attributes": attributes}))
    }

    fn put(&self, name: &str, value: &Value) -> Result<()> {
        let path = self.path.join(name);
        std::fs::write(&path, format!("{value:#}")).map_err(fault::io(&path))
    }

    fn failed(&self, error: Box<dyn std::error::Error>) -> crate::Error {
        fault::io(self.path)(std::io::Error::other(error.to_string()))
    }
}

/// Voxels of level 0 that one of `level` stands for along an axis.
fn factor(shapes: &[[usize; 3]], axis: usize, level: usize) -> f64 {
    shapes.iter().take(level).map(|shape| if shape[axis] > 1 { 2.0 } else { 1.0 }).product()
}

/// As numpy writes it.
fn type_v2(stored: StoredType) -> String {
    let kind = match stored {
        StoredType::Float32 | StoredType::Float64 => 'f',
        StoredType::Uint8 | StoredType::Uint16 | StoredType::Uint32 | StoredType::Uint64 => 'u',
        StoredType::Int8 | StoredType::Int16 | StoredType::Int32 | StoredType::Int64 => 'i',
    };
    let size = stored.size_bytes();
    format!("{}{kind}{size}", if size == 1 { '|' } else { '<' })
}
