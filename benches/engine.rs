//! Rays a second and memory of the built-in engine and of ONNX Runtime, on one network, in one run.
//!
//!     python segmentation/tests/data/make_networks.py FOLDER tutorial-2d
//!     cargo bench -p brainmesh-segmentation --bench engine -- --model FOLDER/tutorial-2d [--rays 2048] [--threads 2]
//!         [--repeats 5] [--library libonnxruntime.so] [--json]
//!
//! The two take turns, so that whatever else the machine does meets both; the best of the repeats counts. Memory is the
//! peak of a process that does nothing but classify the rays once (Linux only), less that of one that only makes them.

use brainmesh_core::Silent;
use brainmesh_segmentation::{Device, Model, Session, SessionOptions};
use ndarray::Array3;
use std::error::Error;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::Command;
use std::time::Instant;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

struct Options {
    model: PathBuf,
    rays: usize,
    threads: usize,
    repeats: usize,
    library: Option<PathBuf>,
    json: bool,
    /// Print the peak memory of classifying once on this device (or of not classifying), and nothing else.
    memory_of: Option<String>,
}

impl Options {
    fn parse() -> Result<Self> {
        let model = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/long-2d"));
        let mut options =
            Self { model, rays: 2048, threads: 2, repeats: 5, library: None, json: false, memory_of: None };
        let mut words = std::env::args().skip(1);
        while let Some(word) = words.next() {
            let mut value = || words.next().ok_or_else(|| format!("{word} wants a value"));
            match word.as_str() {
                "--model" => options.model = value()?.into(),
                "--rays" => options.rays = value()?.parse()?,
                "--threads" => options.threads = value()?.parse()?,
                "--repeats" => options.repeats = value()?.parse()?,
                "--library" => options.library = Some(value()?.into()),
                "--memory-of" => options.memory_of = Some(value()?),
                "--json" => options.json = true,
                "--bench" => {} // what cargo passes
                other => return Err(format!("unknown option {other}").into()),
            }
        }
        Ok(options)
    }

    fn session(&self, model: &Model, device: Device) -> Result<Session> {
        let mut options = SessionOptions::default().with_device(device).with_threads(self.threads);
        if let Some(library) = &self.library {
            options = options.with_library(library);
        }
        Ok(options.open(model)?)
    }

    fn rays(&self, model: &Model) -> Result<Array3<f32>> {
        let mut state = 1_u64;
        let task = model.manifest().rays()?;
        Ok(Array3::from_shape_simple_fn((self.rays, task.channels.len(), task.samples), || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            ((state >> 40) as f32 / (1_u32 << 24) as f32 - 0.5) * 4.0
        }))
    }

    /// Peak memory of a process of its own, in MiB; NaN where the system does not say.
    fn memory_mib(&self, of: &str) -> Result<f64> {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("--model").arg(&self.model).args(["--memory-of", of]);
        command.args(["--rays", &self.rays.to_string(), "--threads", &self.threads.to_string()]);
        if let Some(library) = &self.library {
            command.arg("--library").arg(library);
        }
        Ok(String::from_utf8(command.output()?.stdout)?.trim().parse().unwrap_or(f64::NAN))
    }
}

fn peak_memory_mib() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<f64>().ok()).map_or(f64::NAN, |kib| kib / 1024.0)
}

fn main() -> Result<()> {
    let options = Options::parse()?;
    let model = Model::open(&options.model)?;
    let rays = options.rays(&model)?;
    let mut out = std::io::stdout();
    if let Some(device) = &options.memory_of {
        if device != "nothing" {
            options.session(&model, device.parse()?)?.classify(&rays, &Silent)?;
        }
        return Ok(writeln!(out, "{}", peak_memory_mib())?);
    }

    let mut sessions = vec![("builtin", options.session(&model, Device::Builtin)?)];
    match options.session(&model, Device::Cpu) {
        Ok(session) => sessions.push(("onnxruntime", session)),
        Err(error) => writeln!(std::io::stderr(), "without ONNX Runtime: {error}")?,
    }
    let mut best = vec![f64::INFINITY; sessions.len()];
    let mut results = Vec::new();
    for _ in 0..options.repeats.max(1) {
        results.clear();
        for ((_, session), best) in sessions.iter_mut().zip(&mut best) {
            let start = Instant::now();
            results.push(session.classify(&rays, &Silent)?);
            *best = best.min(start.elapsed().as_secs_f64());
        }
    }
    let difference = results.get(1).map(|other| {
        let pairs = results[0].values().iter().zip(other.values());
        pairs.map(|(a, b)| (a - b).abs()).fold(0.0_f32, f32::max)
    });

    let base = options.memory_mib("nothing")?;
    let mut rows = Vec::new();
    for ((name, session), seconds) in sessions.iter().zip(&best) {
        let device = if *name == "builtin" { "builtin" } else { "cpu" };
        let memory_mib = options.memory_mib(device)? - base;
        rows.push((*name, session.device_note(), options.rays as f64 / seconds, memory_mib));
    }
    let ratio = rows.get(1).map(|other| rows[0].2 / other.2);
    if options.json {
        let engines: Vec<_> = rows
            .iter()
            .map(|(name, note, rate, memory)| {
                serde_json::json!({"name": name, "device": note, "rays_per_second": rate, "peak_memory_mib": memory})
            })
            .collect();
        let report = serde_json::json!({
            "model": model.manifest().name, "rays": options.rays, "threads": options.threads,
            "engines": engines, "ratio": ratio, "largest_difference": difference,
        });
        return Ok(writeln!(out, "{report:#}")?);
    }
    writeln!(out, "{}, {} rays", model.manifest().name, options.rays)?;
    for (name, note, rate, memory) in &rows {
        writeln!(out, "{name:12} {rate:9.0} rays/s  {memory:7.1} MiB  {note}")?;
    }
    if let (Some(ratio), Some(difference)) = (ratio, difference) {
        writeln!(out, "ratio {ratio:.2}, largest difference {difference:.1e}")?;
    }
    Ok(())
}
