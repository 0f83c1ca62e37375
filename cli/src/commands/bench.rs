use super::bench_engine::BenchEngine;
use super::bench_report::{BenchReport, BenchRow, MissingEngine};
use super::print_line;
use crate::args::BenchSegment;
use crate::{Error, ExitCode, Progress, Result};
use brainmesh_core::{ClassProbabilities, Monitor};
use brainmesh_segmentation::{Model, Session};
use ndarray::{Array3, ArrayView1, Axis, Zip};
use std::time::{Duration, Instant};

/// The engines take turns, so that whatever else the machine does meets all of them.
pub fn run(arguments: &BenchSegment, threads: usize, progress: &Progress) -> Result<ExitCode> {
    let engines = BenchEngine::all(arguments)?;
    let model = Model::find(&arguments.model)?;
    let task = model.manifest().rays()?;
    let rays = made_rays(arguments.rays as usize, task.channels.len(), task.samples);
    if let Some(row) = arguments.peak_of {
        if let Some(engine) = engines.get(row) {
            engine.open(arguments, &model, threads)?.classify(&rays, &Quiet(progress))?;
        }
        print_line(peak_bytes().unwrap_or(0).to_string());
        return Ok(ExitCode::Done);
    }

    let (mut benches, mut missing) = (Vec::new(), Vec::<MissingEngine>::new());
    for (row, engine) in engines.into_iter().enumerate() {
        match engine.open(arguments, &model, threads) {
            Ok(session) => benches.push(Bench { row, engine, session, seconds: Vec::new(), agreement: (0.0, 1.0) }),
            Err(error @ Error::Usage(_)) => return Err(error),
            // Named once, not once a batch.
            Err(_) if missing.iter().any(|other| other.engine == engine.name) => {}
            Err(error) => missing.push(MissingEngine { engine: engine.name, reason: error.to_string() }),
        }
    }
    progress.stage("bench", (usize::from(arguments.repeats) * benches.len()) as u64);
    for _ in 0..arguments.repeats {
        let mut first: Option<ClassProbabilities> = None;
        for bench in &mut benches {
            let found = bench.turn(&rays, progress)?;
            match &first {
                Some(first) => bench.agreement = agreement(first.values(), found.values()),
                None => first = Some(found),
            }
            progress.advance(1);
        }
    }
    progress.stage("memory", benches.len() as u64);
    let made = peak_of(arguments, threads, usize::MAX);
    let flop_per_ray = model.direct_flop_per_ray().ok();
    let mut rows = Vec::new();
    for bench in benches {
        progress.check()?;
        let peak = peak_of(arguments, threads, bench.row);
        let peak_bytes = peak.zip(made).map(|(peak, made)| peak.saturating_sub(made));
        rows.push(bench.finish(rays.dim().0, threads, flop_per_ray, peak_bytes));
        progress.advance(1);
    }
    progress.finish();
    let report = BenchReport {
        schema: "brainmesh-bench-1",
        brainmesh: env!("CARGO_PKG_VERSION"),
        model: model.manifest().name.clone(),
        rays: rays.dim().0,
        samples: rays.dim().2,
        repeats: arguments.repeats,
        flop_per_ray,
        rows,
        missing,
    };
    if arguments.json {
        print_line(serde_json::to_string_pretty(&report).map_err(|error| Error::Unusable(error.to_string()))?);
    } else {
        report.print();
    }
    Ok(ExitCode::Done)
}

/// An engine and what was measured of it.
struct Bench {
    /// Its place among the engines asked for.
    row: usize,
    engine: BenchEngine,
    session: Session,
    seconds: Vec<f64>,
    agreement: (f32, f64),
}

impl Bench {
    fn turn(&mut self, rays: &Array3<f32>, progress: &Progress) -> Result<ClassProbabilities> {
        /// ONNX Runtime's threads go on looking for work for a while after theirs is done.
        const REST: Duration = Duration::from_millis(50);
        std::thread::sleep(REST);
        let start = Instant::now();
        let found = self.session.classify(rays, &Quiet(progress))?;
        self.seconds.push(start.elapsed().as_secs_f64());
        Ok(found)
    }

    fn finish(mut self, rays: usize, threads: usize, flop_per_ray: Option<u64>, peak_bytes: Option<u64>) -> BenchRow {
        self.seconds.sort_by(f64::total_cmp);
        let rate = |index: usize| rays as f64 / self.seconds[index];
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        BenchRow {
            engine: self.engine.name,
            device: self.session.device_note(),
            batch: self.engine.batch,
            threads: if threads == 0 { cores } else { threads },
            rays_per_s: rate(0),
            median_rays_per_s: rate(self.seconds.len() / 2),
            gflop_per_s: flop_per_ray.map(|flop| flop as f64 * rate(0) / 1e9),
            peak_bytes,
            largest_difference: self.agreement.0,
            argmax_equal: self.agreement.1,
        }
    }
}

/// Cancels as the progress does, and shows nothing: stages of the bench are not those of a session.
struct Quiet<'a>(&'a Progress);

impl Monitor for Quiet<'_> {
    fn stage(&self, _name: &'static str, _total: u64) {}
    fn advance(&self, _steps: u64) {}
    fn is_cancelled(&self) -> bool {
        self.0.is_cancelled()
    }
}

/// Values between -2 and 2, like those of normalised intensities; the same in every run.
fn made_rays(count: usize, channels: usize, samples: usize) -> Array3<f32> {
    let mut state = 1_u64;
    Array3::from_shape_simple_fn((count, channels, samples), || {
        // Knuth's MMIX generator; its top bits are good enough here.
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((state >> 40) as f32 / (1_u32 << 24) as f32 - 0.5) * 4.0
    })
}

/// Largest difference of two `[rays, classes, samples]`, and the share of samples at which the same class is largest.
fn agreement(a: &Array3<f32>, b: &Array3<f32>) -> (f32, f64) {
    let class = |column: ArrayView1<f32>| {
        column.iter().enumerate().fold(0, |best, (class, value)| if *value > column[best] { class } else { best })
    };
    let (mut equal, mut samples) = (0_u64, 0_u64);
    Zip::from(a.lanes(Axis(1))).and(b.lanes(Axis(1))).for_each(|a, b| {
        equal += u64::from(class(a) == class(b));
        samples += 1;
    });
    let largest = a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    (largest, equal as f64 / samples.max(1) as f64)
}

/// Peak memory of a process of its own that classifies the rays once with the engine of a row, or of one that does all
/// but that.
fn peak_of(arguments: &BenchSegment, threads: usize, row: usize) -> Option<u64> {
    let mut command = std::process::Command::new(std::env::current_exe().ok()?);
    command.args(["bench", "segment", "--progress", "none", "--model", &arguments.model]);
    command.args(["--engines", &arguments.engines.join(","), "--rays", &arguments.rays.to_string()]);
    command.args(["--batch", &arguments.batch.iter().map(u32::to_string).collect::<Vec<_>>().join(",")]);
    command.args(["--peak-of", &row.to_string()]);
    if threads > 0 {
        command.args(["--threads", &threads.to_string()]);
    }
    if let Some(library) = &arguments.onnxruntime {
        command.arg("--onnxruntime").arg(library);
    }
    let output = command.output().ok()?;
    String::from_utf8(output.stdout).ok()?.trim().parse().ok().filter(|&bytes| bytes > 0)
}

/// Most memory that this process ever held; Linux only.
fn peak_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().trim_end_matches(" kB").parse::<u64>().ok().map(|kib| kib * 1024)
}
