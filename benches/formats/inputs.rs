//! What is read: a made brain with noise, in every packing, so that neither zeros nor pure noise flatter a decompressor.

use crate::Result;
use brainmesh_core::{Grid, Volume};
use brainmesh_formats::write_volume;
use flate2::{Compression, write::GzEncoder};
use glam::{DAffine3, DVec3};
use std::io::Write;
use std::path::{Path, PathBuf};

/// Files of one run.
pub struct Inputs {
    pub gzip: PathBuf,
    pub blocks: PathBuf,
    pub int16: PathBuf,
    pub uint8: PathBuf,
    pub series: PathBuf,
    pub minc_source: PathBuf,
    pub minc: PathBuf,
}

impl Inputs {
    /// Makes what is not there yet.
    pub fn of(folder: &Path) -> Result<Self> {
        std::fs::create_dir_all(folder)?;
        let at = |name: &str| folder.join(name);
        let inputs = Self {
            gzip: at("brain-256-int16.nii.gz"),
            blocks: at("brain-256-int16-blocks.nii.gz"),
            int16: at("brain-256-int16.nii"),
            uint8: at("brain-512-uint8.nii"),
            series: at("series"),
            minc_source: at("brain-128-int16.nii"),
            minc: at("brain-128.mnc"),
        };
        if inputs.minc_source.exists() {
            return Ok(inputs);
        }
        let brain = brain(256)?;
        write_volume(&inputs.int16, &brain)?;
        write_volume(&inputs.blocks, &brain)?;
        let mut gzip = GzEncoder::new(std::fs::File::create(&inputs.gzip)?, Compression::default());
        gzip.write_all(&std::fs::read(&inputs.int16)?)?;
        gzip.finish()?;
        let large = self::brain(512)?;
        let bytes = large.data().iter().map(|&v| (v / 8).clamp(0, 255) as u8).collect();
        write_volume(&inputs.uint8, &Volume::new(large.grid().clone(), bytes)?)?;
        series(&inputs.series, &large)?;
        write_volume(&inputs.minc_source, &self::brain(128)?)?;
        Ok(inputs)
    }
}

/// Intensities of a T1-weighted head: an ellipsoid of 900 with folds of 1300, a bright rim, and on all of it the sum of four
/// uniform numbers with a standard deviation of about 20.
fn brain(side: usize) -> Result<Volume<i16>> {
    let mut state = 1u64;
    let mut noise = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let sum: u64 = (0..4).map(|n| (state >> (16 + 12 * n)) & 0xfff).sum();
        (sum as f32 - 8190.0) / 118.0
    };
    let step = 2.0 / side as f32;
    let mut values = Vec::with_capacity(side * side * side);
    for k in 0..side {
        for j in 0..side {
            for i in 0..side {
                let [x, y, z] = [i, j, k].map(|n| (n as f32 + 0.5) * step - 1.0);
                let r = (x * x / 0.55 + y * y / 0.75 + z * z / 0.6).sqrt();
                let folds = ((x * 23.0).sin() + (y * 19.0 + z * 7.0).sin() + (z * 21.0 - x * 5.0).cos()) * 0.04;
                let tissue = match r {
                    r if r < 0.86 + folds => 900.0 + 400.0 / (1.0 + ((r - 0.78 - folds) * 60.0).exp()),
                    r if r < 0.95 => 150.0,
                    r if r < 1.0 => 1600.0,
                    _ => 0.0,
                };
                values.push((tissue + noise()).max(0.0) as i16);
            }
        }
    }
    let world_from_voxel = DAffine3::from_scale_rotation_translation(
        DVec3::new(-0.8, 0.8, 0.8),
        glam::DQuat::from_rotation_x(0.2),
        DVec3::new(100.0, -110.0, -90.0),
    );
    Ok(Volume::new(Grid::new([side; 3], world_from_voxel, "scanner")?, values)?)
}

/// 200 slices of 512 x 512 as a CT series of uncompressed files, in an order that their names do not tell.
fn series(folder: &Path, volume: &Volume<i16>) -> Result<()> {
    std::fs::create_dir_all(folder)?;
    let slice = 512 * 512;
    for n in 0..200 {
        let pixels = &volume.data()[(150 + n) * slice..][..slice];
        std::fs::write(folder.join(format!("IM{:04}", n * 77 % 200)), dicom(n, pixels))?;
    }
    Ok(())
}

/// One slice, little-endian with explicit types (PS3.5 7.1.2).
fn dicom(n: usize, pixels: &[i16]) -> Vec<u8> {
    let mut file = [vec![0; 128], b"DICM".to_vec()].concat();
    let uid = |n: usize| format!("1.2.826.0.1.3680043.8.498.{n}");
    let meta = [
        (0x0002, 0x0002, "UI", "1.2.840.10008.5.1.4.1.1.2".to_owned()),
        (0x0002, 0x0003, "UI", uid(1000 + n)),
        (0x0002, 0x0010, "UI", "1.2.840.10008.1.2.1".to_owned()),
    ];
    let texts = [
        (0x0008, 0x0016, "UI", "1.2.840.10008.5.1.4.1.1.2".to_owned()),
        (0x0008, 0x0018, "UI", uid(1000 + n)),
        (0x0008, 0x0060, "CS", "CT".to_owned()),
        (0x0018, 0x0050, "DS", "0.8".to_owned()),
        (0x0020, 0x000d, "UI", uid(1)),
        (0x0020, 0x000e, "UI", uid(2)),
        (0x0020, 0x0013, "IS", (n + 1).to_string()),
        (0x0020, 0x0032, "DS", format!("-200\\-200\\{}", -80.0 + 0.8 * n as f64)),
        (0x0020, 0x0037, "DS", "1\\0\\0\\0\\1\\0".to_owned()),
        (0x0028, 0x0004, "CS", "MONOCHROME2".to_owned()),
        (0x0028, 0x0030, "DS", "0.78125\\0.78125".to_owned()),
        (0x0028, 0x1052, "DS", "-1024".to_owned()),
        (0x0028, 0x1053, "DS", "1.5".to_owned()),
    ];
    let shorts = [(0x0002, 1u16), (0x0010, 512), (0x0011, 512), (0x0100, 16), (0x0101, 16), (0x0102, 15), (0x0103, 1)];
    let text = |(group, element, kind, value): &(u16, u16, &str, String)| {
        let padding = if *kind == "UI" { 0 } else { b' ' };
        let mut value = value.clone().into_bytes();
        value.resize(value.len().next_multiple_of(2), padding);
        (*group, *element, short_element(*group, *element, kind, &value))
    };
    let meta: Vec<u8> = meta.iter().flat_map(|m| text(m).2).collect();
    file.extend(short_element(0x0002, 0x0000, "UL", &(meta.len() as u32).to_le_bytes()));
    file.extend(meta);
    let shorts = shorts.iter().map(|&(e, v)| (0x0028, e, short_element(0x0028, e, "US", &v.to_le_bytes())));
    let mut elements: Vec<_> = texts.iter().map(text).chain(shorts).collect();
    elements.sort();
    file.extend(elements.into_iter().flat_map(|e| e.2));
    file.extend([0xe0, 0x7f, 0x10, 0x00, b'O', b'W', 0, 0]);
    file.extend((2 * pixels.len() as u32).to_le_bytes());
    file.extend(pixels.iter().flat_map(|v| v.to_le_bytes()));
    file
}

fn short_element(group: u16, element: u16, kind: &str, value: &[u8]) -> Vec<u8> {
    let length = value.len() as u16;
    [&group.to_le_bytes(), &element.to_le_bytes(), kind.as_bytes(), &length.to_le_bytes(), value].concat()
}
