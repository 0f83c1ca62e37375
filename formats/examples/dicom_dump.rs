//! Writes what is read of DICOM files for another program to compare: `dicom_dump pixels OUT FILE...` the stored samples of
//! each file, `dicom_dump volume OUT PATH...` the intensities (`float32`) of each file or folder as a volume. They go to
//! `OUT/N.bin`, little endian, unless `OUT` is `-`; a line of JSON for each tells shape and place, or the error.

#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "a tool of the tests")]

use brainmesh_core::Silent;
use brainmesh_formats::{Result, VolumeOptions, read_dicom_pixels};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::time::Instant;

fn main() {
    let mut arguments = std::env::args_os().skip(1).map(PathBuf::from);
    let kind = arguments.next().unwrap();
    let out = arguments.next().unwrap();
    for (n, path) in arguments.enumerate() {
        let target = out.join(format!("{n}.bin"));
        let told = if kind == Path::new("volume") { volume(&path, &target) } else { pixels(&path, &target) };
        println!("{}", told.unwrap_or_else(|error| json!({ "error": error.to_string() })));
    }
}

fn pixels(path: &Path, target: &Path) -> Result<Value> {
    let pixels = read_dicom_pixels(path)?;
    std::fs::write(target, &pixels.bytes).unwrap();
    let shape = [pixels.frames, pixels.rows, pixels.columns, pixels.samples];
    Ok(json!({ "shape": shape, "stored": pixels.stored.name(), "photometric": pixels.photometric }))
}

fn volume(path: &Path, target: &Path) -> Result<Value> {
    let start = Instant::now();
    let file = VolumeOptions::default().open(path)?;
    let opened_s = start.elapsed().as_secs_f64();
    let volume = file.read::<f32>(0, &Silent)?;
    let seconds = start.elapsed().as_secs_f64();
    if !target.starts_with("-") {
        let bytes: Vec<u8> = volume.data().iter().flat_map(|v| v.to_le_bytes()).collect();
        std::fs::write(target, bytes).unwrap();
    }
    let info = file.info();
    let grid = (info.shape, info.world_from_voxel, info.volumes);
    Ok(json!({ "grid": grid, "warnings": info.warnings, "opened_s": opened_s, "seconds": seconds }))
}
