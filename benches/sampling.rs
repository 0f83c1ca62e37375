//! How fast rays are sampled, and how near to what the machine's memory gives: 163,842 rays of 200 samples from 512^3
//! floats.
//!
//!     cargo bench -p brainmesh-meshing --bench sampling -- [--level 7] [--side 512] [--threads 2] [--repeats 7]
//!         [--python PYTHON] [--json]
//!
//! The cortex is that of `meshing`: an icosphere of 50 mm with folds up to 9 mm deep, 2.5 mm thick, rays 0.5 mm longer at both
//! ends; the volume spans 128 mm. Its vertices stand in the order of an icosphere's subdivision. With `--python` the same
//! rays of the same volume are sampled by numba (one thread and all of them) and scipy.ndimage.map_coordinates
//! (`sampling_peers.py`). Bandwidth is that of copying 512 MiB with the same threads; a sampling moves its result and every
//! cache line (64 bytes) of the volume that it needs at least once.

use brainmesh_core::{Channel, Grid, RaySet, Ribbon, Silent, Volume, VoxelPoint};
use brainmesh_meshing::{
    DepthSpacing, RayIntensities, RayInterpolation, SampleOptions, channels, extended_rays, sample, sample_bricks,
};
use glam::{DAffine3, DMat3, DVec3};
use rayon::prelude::*;
use std::error::Error;
use std::io::Write as _;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

#[path = "cortex.rs"]
mod cortex;

const SAMPLES: usize = 200;
const WIDTH_MM: f64 = 128.0;

struct Options {
    level: usize,
    side: usize,
    threads: usize,
    repeats: usize,
    python: Option<String>,
    json: bool,
}

impl Options {
    fn parse() -> Result<Self, Box<dyn Error>> {
        let mut options = Self { level: 7, side: 512, threads: 2, repeats: 7, python: None, json: false };
        let mut words = std::env::args().skip(1);
        while let Some(word) = words.next() {
            let mut value = || words.next().ok_or_else(|| format!("{word} wants a value"));
            match word.as_str() {
                "--level" => options.level = value()?.parse::<usize>()?.min(8),
                "--side" => options.side = value()?.parse::<usize>()?.clamp(16, 1024),
                "--threads" => options.threads = value()?.parse()?,
                "--repeats" => options.repeats = value()?.parse::<usize>()?.max(1),
                "--python" => options.python = Some(value()?),
                "--json" => options.json = true,
                "--bench" => {} // what cargo passes
                other => return Err(format!("unknown option {other}").into()),
            }
        }
        Ok(options)
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let options = Options::parse()?;
    rayon::ThreadPoolBuilder::new().num_threads(options.threads).build_global()?;
    let ribbon = cortex::folded_ribbon(options.level)?;
    let volume = volume(options.side)?;
    let rays = extended_rays(&ribbon, 0.5)?;
    let mut rows: Vec<(String, f64)> = Vec::new();
    let mut processor: Vec<(String, f64)> = Vec::new();
    let mut time = |name: &str, run: &mut dyn FnMut() -> Result<(), Box<dyn Error>>| -> Result<(), Box<dyn Error>> {
        let mut seconds = Vec::new();
        let before = processor_seconds();
        for _ in 0..options.repeats {
            let start = Instant::now();
            run()?;
            seconds.push(start.elapsed().as_secs_f64());
        }
        seconds.sort_by(f64::total_cmp);
        rows.push((name.into(), seconds[seconds.len() / 2]));
        processor.push((name.into(), (processor_seconds() - before) / options.repeats as f64));
        Ok(())
    };
    for (name, interpolation) in [("trilinear", RayInterpolation::Linear), ("cubic", RayInterpolation::Cubic)] {
        let chosen = SampleOptions { interpolation, ..SampleOptions::default() };
        time(name, &mut || {
            sample(&volume, &rays, &chosen, &mut vec![None; rays.len()], &Silent)?;
            Ok(())
        })?;
    }
    time("trilinear, bricks of 256", &mut || bricks(&volume, &rays))?;
    time_channel(&volume, &ribbon, &rays, &mut time)?;
    let copied = copy(&mut time)?;
    let needed = lines(&volume, &rays) * 64 + rays.len() * SAMPLES * 4;
    if let Some(python) = &options.python {
        rows.extend(peers(python, &volume, &rays, &options)?);
    }
    let seconds = |name: &str| rows.iter().find(|row| row.0 == name).map_or(f64::NAN, |row| row.1);
    let bandwidth = copied as f64 / seconds("copy of 512 MiB") / 1e9;
    let share = needed as f64 / seconds("trilinear") / 1e9 / bandwidth;
    let peak = peak_memory_mb();
    let mut out = std::io::stdout().lock();
    if options.json {
        let json = |rows: &[(String, f64)]| {
            let rows: Vec<String> = rows.iter().map(|(name, s)| format!("\"{name}\": {s:.4}")).collect();
            rows.join(", ")
        };
        writeln!(
            out,
            "{{\"rays\": {}, \"samples\": {SAMPLES}, \"side\": {}, \"threads\": {}, \"repeats\": {}, \"median_seconds\": \
             {{{}}}, \"mean_processor_seconds\": {{{}}}, \"copy_gb_per_s\": {bandwidth:.2}, \"needed_mb\": {:.0}, \"bandwidth_share\": {share:.3}, \
             \"peak_memory_mb\": {peak:.0}}}",
            rays.len(),
            options.side,
            options.threads,
            options.repeats,
            json(&rows),
            json(&processor),
            needed as f64 / 1e6
        )?;
    } else {
        writeln!(out, "{} rays x {SAMPLES} samples, {} threads", rays.len(), options.threads)?;
        for (name, seconds) in &rows {
            let processor = processor.iter().find(|row| row.0 == *name);
            let processor = processor.map(|row| format!("   ({:.3} s of all processors)", row.1)).unwrap_or_default();
            writeln!(out, "{name:>36} {seconds:8.4} s{processor}")?;
        }
        writeln!(
            out,
            "copying {bandwidth:.1} GB/s; trilinear sampling moves {:.0} MB: {:.0} % of it; peak {peak:.0} MB",
            needed as f64 / 1e6,
            share * 100.0
        )?;
    }
    Ok(())
}

type Timed<'a> = dyn FnMut(&str, &mut dyn FnMut() -> Result<(), Box<dyn Error>>) -> Result<(), Box<dyn Error>> + 'a;

fn bricks(volume: &Volume<f32>, rays: &RaySet) -> Result<(), Box<dyn Error>> {
    let [ni, nj, _] = volume.grid().shape();
    let chosen = SampleOptions::default();
    let mut defects = vec![None; rays.len()];
    sample_bricks::<brainmesh_meshing::Error>(
        volume.grid(),
        [256; 3],
        rays,
        &chosen,
        &mut defects,
        &Silent,
        |brick| {
            let [i, j, k] = brick.clone();
            let mut part = Vec::with_capacity(i.len() * j.len() * k.len());
            for (k, j) in k.flat_map(|k| j.clone().map(move |j| (k, j))) {
                let row = ni * (j + nj * k);
                part.extend_from_slice(&volume.data()[row + i.start..row + i.end]);
            }
            Ok(part)
        },
    )?;
    Ok(())
}

fn time_channel(volume: &Volume<f32>, ribbon: &Ribbon, rays: &RaySet, time: &mut Timed) -> Result<(), Box<dyn Error>> {
    let mut defects = vec![None; rays.len()];
    let raw = sample(volume, rays, &SampleOptions::default(), &mut defects, &Silent)?;
    let given = RayIntensities { raw, smoothed: None, spacing: DepthSpacing::Equidistant, defects };
    let wanted = [Channel::Smoothed { fwhm_mm: 0.163 }, Channel::Raw];
    time("channels (smoothed 0.163 mm, raw)", &mut || {
        channels(&wanted, &given, ribbon, rays, SAMPLES, &Silent)?;
        Ok(())
    })
}

/// Copies 512 MiB; returns the bytes read and written.
fn copy(time: &mut Timed) -> Result<usize, Box<dyn Error>> {
    let from = vec![1u64; 1 << 26];
    let mut to = vec![0u64; 1 << 26];
    time("copy of 512 MiB", &mut || {
        to.par_chunks_mut(1 << 16).zip(from.par_chunks(1 << 16)).for_each(|(to, from)| to.copy_from_slice(from));
        Ok(())
    })?;
    Ok(2 * std::hint::black_box(&to).len() * 8)
}

/// Cache lines of the volume that some sample needs.
fn lines(volume: &Volume<f32>, rays: &RaySet) -> usize {
    let [ni, nj, _] = volume.grid().shape();
    let mut used = vec![false; volume.data().len() / 16 + 1];
    for ray in 0..rays.len() {
        for i in 0..SAMPLES {
            let p = volume.grid().voxel_from_world(rays.point(ray, RaySet::t_of_sample(i as f64, SAMPLES))).0;
            let [x, y, z] = p.to_array().map(|p| p as usize);
            for (j, k) in [(y, z), (y + 1, z), (y, z + 1), (y + 1, z + 1)] {
                let at = x + ni * (j + nj * k);
                used[at / 16] = true;
                used[(at + 1) / 16] = true;
            }
        }
    }
    used.iter().filter(|&&used| used).count()
}

/// Writes volume and rays for the script, and reads what it prints: a name, a tab and seconds on every line.
fn peers(
    python: &str,
    volume: &Volume<f32>,
    rays: &RaySet,
    options: &Options,
) -> Result<Vec<(String, f64)>, Box<dyn Error>> {
    let folder = std::env::temp_dir().join(format!("brainmesh-sampling-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let write =
        |name: &str, bytes: &mut dyn Iterator<Item = u8>| std::fs::write(folder.join(name), bytes.collect::<Vec<_>>());
    write("volume.f32", &mut volume.data().iter().flat_map(|v| v.to_le_bytes()))?;
    let ends = (0..rays.len()).flat_map(|ray| [0.0, 1.0].map(|t| volume.grid().voxel_from_world(rays.point(ray, t)).0));
    write("ends.f64", &mut ends.flat_map(|p| p.to_array()).flat_map(f64::to_le_bytes))?;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../benches/sampling_peers.py");
    let output = Command::new(python)
        .arg(script)
        .arg(&folder)
        .args([options.side, SAMPLES, options.threads, options.repeats].map(|n| n.to_string()))
        .stderr(std::process::Stdio::inherit())
        .output();
    std::fs::remove_dir_all(&folder)?;
    let output = output?;
    if !output.status.success() {
        return Err(format!("{python}: {}", output.status).into());
    }
    String::from_utf8(output.stdout)?
        .lines()
        .map(|line| {
            let (name, seconds) = line.split_once('\t').ok_or_else(|| format!("unexpected line {line}"))?;
            Ok((name.to_owned(), seconds.parse()?))
        })
        .collect()
}

/// Time that all threads of this process have run, which other programs on the machine disturb less than wall time: in
/// hundredths of a second, as Linux counts it.
fn processor_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat.rsplit(") ").next().unwrap_or_default().split(' ').skip(11).take(2);
    fields.filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>() / 100.0
}

fn peak_memory_mb() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|l| l.trim().trim_end_matches(" kB").parse::<f64>().ok()).map_or(f64::NAN, |kb| kb / 1e3)
}

fn volume(side: usize) -> Result<Volume<f32>, Box<dyn Error>> {
    let spacing = WIDTH_MM / side as f64;
    let half = (side - 1) as f64 / 2.0;
    let affine =
        DAffine3::from_mat3_translation(DMat3::from_diagonal(DVec3::splat(spacing)), DVec3::splat(-spacing * half));
    let grid = Grid::new([side; 3], affine, "made")?;
    let value = |index: usize| {
        let (i, j, k) = (index % side, index / side % side, index / side / side);
        let p = grid.world_from_voxel(VoxelPoint::new(i as f64, j as f64, k as f64)).0;
        ((p.x * 3.0).sin() + (p.y * 2.0).cos() + p.z * 0.1) as f32
    };
    let data = (0..grid.voxel_count()).into_par_iter().map(value).collect();
    Ok(Volume::new(grid, data)?)
}
