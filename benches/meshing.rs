//! Seconds that each step of meshing takes on a hemisphere of usual size: 163,842 rays of 200 samples.
//!
//!     cargo bench -p brainmesh-meshing --bench meshing -- [--level 7] [--threads 2] [--json]
//!
//! The cortex is a made one: an icosphere (level 7 has 163,842 vertices) of 50 mm with folds up to 9 mm deep, 2.5 mm thick, in
//! a volume of 0.4 mm; its class probabilities are blurred true layers with noise.

use brainmesh_core::{Channel, ClassProbabilities, Grid, Monitor, Ribbon, Silent, Volume, VoxelPoint};
use brainmesh_meshing::{
    DecodeOptions, DepthSpacing, RayIntensities, SampleOptions, SmoothOptions, certify, channels, decode,
    extended_rays, fill, layer_surfaces, no_cortex, sample, smooth_boundaries, thickness_mm,
};
use glam::{DAffine3, DMat3, DVec3};
use ndarray::{Array3, Axis};
use rayon::prelude::*;
use std::error::Error;
use std::io::Write as _;
use std::sync::Mutex;
use std::time::Instant;

#[path = "cortex.rs"]
mod cortex;

const SAMPLES: usize = 200;

struct Options {
    level: usize,
    threads: usize,
    json: bool,
}

impl Options {
    fn parse() -> Result<Self, Box<dyn Error>> {
        let mut options = Self { level: 7, threads: 2, json: false };
        let mut words = std::env::args().skip(1);
        while let Some(word) = words.next() {
            let mut value = || words.next().ok_or_else(|| format!("{word} wants a value"));
            match word.as_str() {
                "--level" => options.level = value()?.parse::<usize>()?.min(8),
                "--threads" => options.threads = value()?.parse()?,
                "--json" => options.json = true,
                "--bench" => {} // what cargo passes
                other => return Err(format!("unknown option {other}").into()),
            }
        }
        Ok(options)
    }
}

/// Names and seconds of the steps done.
struct Clock(Vec<(&'static str, f64)>);

/// When each stage of a step began.
struct Stages(Mutex<Vec<(&'static str, Instant)>>);

impl Monitor for Stages {
    fn stage(&self, name: &'static str, _total: u64) {
        if let Ok(mut stages) = self.0.lock() {
            stages.push((name, Instant::now()));
        }
    }

    fn advance(&self, _steps: u64) {}

    fn is_cancelled(&self) -> bool {
        false
    }
}

impl Clock {
    fn time<T>(&mut self, name: &'static str, step: impl FnOnce() -> T) -> T {
        let start = Instant::now();
        let result = step();
        self.0.push((name, start.elapsed().as_secs_f64()));
        result
    }

    /// The stages of a step that ends now.
    fn stages(&mut self, stages: Stages) {
        let stages = stages.0.into_inner().unwrap_or_default();
        let ends = stages.iter().skip(1).map(|s| s.1).chain([Instant::now()]);
        let seconds = stages.iter().zip(ends).map(|(&(name, start), end)| (name, (end - start).as_secs_f64()));
        self.0.extend(seconds);
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let options = Options::parse()?;
    rayon::ThreadPoolBuilder::new().num_threads(options.threads).build_global()?;
    let ribbon = cortex::folded_ribbon(options.level)?;
    let volume = volume()?;
    let mut clock = Clock(Vec::new());
    let steps = run(&ribbon, &volume, &mut clock);
    let mut out = std::io::stdout().lock();
    let clean = steps?;
    if options.json {
        let steps: Vec<String> = clock.0.iter().map(|(name, s)| format!("\"{name}\": {s:.3}")).collect();
        writeln!(
            out,
            "{{\"rays\": {}, \"threads\": {}, \"seconds\": {{{}}}}}",
            ribbon.len(),
            options.threads,
            steps.join(", ")
        )?;
    } else {
        writeln!(
            out,
            "{} rays, {} threads, {}",
            ribbon.len(),
            options.threads,
            if clean { "clean" } else { "not clean" }
        )?;
        for (name, seconds) in &clock.0 {
            writeln!(out, "{name:>36} {seconds:8.3} s")?;
        }
    }
    Ok(())
}

fn run(ribbon: &Ribbon, volume: &Volume<f32>, clock: &mut Clock) -> Result<bool, Box<dyn Error>> {
    let rays = clock.time("rays", || extended_rays(ribbon, 0.5))?;
    let mut defects = no_cortex(ribbon, 0.05);
    let raw = clock.time("sample", || sample(volume, &rays, &SampleOptions::default(), &mut defects, &Silent))?;
    let given = RayIntensities { raw, smoothed: None, spacing: DepthSpacing::Equidistant, defects };
    let wanted = [Channel::Smoothed { fwhm_mm: 0.163 }, Channel::Raw, Channel::Depth];
    clock.time("channels, 0.163 mm", || channels(&wanted, &given, ribbon, &rays, SAMPLES, &Silent))?;
    let wide = [Channel::Smoothed { fwhm_mm: 3.0 }];
    clock.time("channel, 3 mm", || channels(&wide, &given, ribbon, &rays, SAMPLES, &Silent))?;
    let probabilities = probabilities(ribbon.len())?;
    let decoded =
        clock.time("decode", || decode(&probabilities, &rays, &given.defects, &DecodeOptions::default(), &Silent))?;
    drop(probabilities);
    let neighbours = ribbon.neighbours();
    let filled = clock.time("fill", || fill(&decoded, &rays, &neighbours))?;
    let stages = Stages(Mutex::new(Vec::new()));
    let smooth = clock
        .time("smooth, automatic", || smooth_boundaries(&filled, ribbon, &rays, &SmoothOptions::default(), &stages))?
        .boundaries;
    clock.stages(stages);
    let surfaces = clock.time("surfaces", || layer_surfaces(ribbon, &rays, &smooth))?;
    clock.time("thickness", || thickness_mm(&rays, &smooth));
    let certificate = clock.time("certify", || certify(&surfaces, ribbon, &smooth, &Silent))?;
    Ok(certificate.is_clean())
}

fn volume() -> Result<Volume<f32>, Box<dyn Error>> {
    const SIDE: usize = 320;
    let half = (SIDE - 1) as f64 / 2.0;
    let spacing = DMat3::from_diagonal(DVec3::splat(0.4));
    let grid = Grid::new([SIDE; 3], DAffine3::from_mat3_translation(spacing, DVec3::splat(-0.4 * half)), "made")?;
    let value = |index: usize| {
        let (i, j, k) = (index % SIDE, index / SIDE % SIDE, index / SIDE / SIDE);
        let p = grid.world_from_voxel(VoxelPoint::new(i as f64, j as f64, k as f64)).0;
        ((p.x * 3.0).sin() + (p.y * 2.0).cos() + p.z * 0.1) as f32
    };
    let data = (0..grid.voxel_count()).into_par_iter().map(value).collect();
    Ok(Volume::new(grid, data)?)
}

/// Boundaries at fixed samples with a logistic blur of three samples, shifted a little from ray to ray.
fn probabilities(rays: usize) -> Result<ClassProbabilities, Box<dyn Error>> {
    const PLACES: [f64; 7] = [29.0, 45.0, 60.0, 95.0, 107.0, 135.0, 171.0];
    let mut values = Array3::<f32>::zeros((rays, 8, SAMPLES));
    values.axis_iter_mut(Axis(0)).into_par_iter().enumerate().for_each(|(ray, mut ray_values)| {
        let shift = (ray as f64 * 0.7).sin() * 4.0;
        for i in 0..SAMPLES {
            let past = |k: usize| 1.0 / (1.0 + ((PLACES[k] + shift - i as f64) / 3.0).exp());
            let mut before = 1.0;
            for s in 0..8 {
                let after = if s == 7 { 0.0 } else { past(s) };
                ray_values[[s, i]] = (before - after) as f32;
                before = after;
            }
        }
    });
    Ok(ClassProbabilities::new(values)?)
}
