//! MINC for other programs to compare: `minc_files read OUT FILE...` writes the intensities (`float64`, little endian) of all
//! volumes of the n-th file to `OUT/n.bin`, and prints a line of JSON for each; `minc_files write FOLDER` writes one oblique
//! phantom in every type that MINC2 stores.

#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "a tool of the tests")]

use brainmesh_core::{Grid, Silent, Volume};
use brainmesh_formats::{Result, VolumeOptions, VolumeWriter, Voxel};
use glam::{DAffine3, DMat3, DVec3};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

fn main() {
    let mut arguments = std::env::args_os().skip(1).map(PathBuf::from);
    let (kind, folder) = (arguments.next().unwrap(), arguments.next().unwrap());
    if kind == Path::new("write") {
        return write_all(&folder).unwrap();
    }
    for (n, path) in arguments.enumerate() {
        let told = read(&path, &folder.join(format!("{n}.bin")));
        println!("{}", told.unwrap_or_else(|error| json!({ "error": error.to_string() })));
    }
}

fn read(path: &Path, target: &Path) -> Result<Value> {
    let file = VolumeOptions::default().open(path)?;
    let mut bytes = Vec::new();
    for index in 0..file.info().volumes {
        bytes.extend(file.read::<f64>(index, &Silent)?.data().iter().flat_map(|v| v.to_le_bytes()));
    }
    std::fs::write(target, bytes).unwrap();
    Ok(serde_json::to_value(file.info()).unwrap())
}

fn write_all(folder: &Path) -> Result<()> {
    write::<u8>(folder, 1, |n| (n % 256) as u8)?;
    write::<i8>(folder, 1, |n| (n % 256 - 128) as i8)?;
    write::<u16>(folder, 1, |n| n as u16 * 9)?;
    write::<i16>(folder, 3, |n| (n * 9 - 32_768) as i16)?;
    write::<u32>(folder, 1, |n| n as u32 * 600_000)?;
    write::<i32>(folder, 1, |n| (n - 3_000) * 300_000)?;
    write::<f32>(folder, 1, |n| n as f32 / 7.0 - 100.0)?;
    write::<f64>(folder, 2, |n| f64::from(n) / 7.0 - 100.0)
}

/// 130 x 9 x 5 voxels, so that there are several chunks, and several volumes.
fn write<T: Voxel>(folder: &Path, count: i32, value: impl Fn(i32) -> T) -> Result<()> {
    let columns =
        DMat3::from_cols(DVec3::new(0.3, -1.1, 0.2), DVec3::new(0.12, 0.25, -2.0), DVec3::new(-0.9, 0.1, 0.3));
    let affine = DAffine3::from_mat3_translation(columns, DVec3::new(17.25, -30.5, 4.75));
    let grid = Grid::new([130, 9, 5], affine, "scanner").unwrap();
    let volumes = (0..count).map(|t| Volume::new(grid.clone(), (0..5850).map(|n| value(n + t)).collect()).unwrap());
    let volumes: Vec<_> = volumes.collect();
    VolumeWriter::default().write(&folder.join(format!("{}.mnc", T::STORED)), &volumes, &Silent)
}
