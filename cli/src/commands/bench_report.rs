use super::print_line;
use serde::Serialize;

/// What `bench segment` found.
#[derive(Debug, Serialize)]
pub(super) struct BenchReport {
    pub schema: &'static str,
    pub brainmesh: &'static str,
    pub model: String,
    pub rays: usize,
    pub samples: usize,
    pub repeats: u16,
    /// Operations that the network's convolutions take for a ray if computed as the sums they are defined by; none
    /// where the built-in engine cannot read the network.
    pub flop_per_ray: Option<u64>,
    pub rows: Vec<BenchRow>,
    pub missing: Vec<MissingEngine>,
}

/// One engine.
#[derive(Debug, Serialize)]
pub(super) struct BenchRow {
    pub engine: String,
    /// What it ran on, in words.
    pub device: String,
    /// Rays at a time; none where the engine does not depend on it.
    pub batch: Option<usize>,
    pub threads: usize,
    /// Of the fastest turn, and of the one in the middle.
    pub rays_per_s: f64,
    pub median_rays_per_s: f64,
    /// `rays_per_s` times `flop_per_ray`, whatever arithmetic the engine really does.
    pub gflop_per_s: Option<f64>,
    /// Peak memory of a process that classifies the rays once, less that of one that only makes them; none where the
    /// system does not say.
    pub peak_bytes: Option<u64>,
    /// Against the first row: largest difference of a probability, and share of samples of equal class.
    pub largest_difference: f32,
    pub argmax_equal: f64,
}

/// An engine that could not be run.
#[derive(Debug, Serialize)]
pub(super) struct MissingEngine {
    pub engine: String,
    pub reason: String,
}

impl BenchReport {
    pub fn print(&self) {
        print_line(format!("{}: {} rays of {} samples", self.model, self.rays, self.samples));
        print_line(format!(
            "{:<18} {:>6} {:>7} {:>10} {:>8} {:>10} {:>9} {:>11} {:>13}",
            "engine", "batch", "threads", "rays/s", "first is", "GFLOP/s", "MiB", "difference", "equal classes"
        ));
        for row in &self.rows {
            print_line(format!(
                "{:<18} {:>6} {:>7} {:>10.0} {:>7.2}x {:>10} {:>9} {:>11.1e} {:>12.4}%",
                row.engine,
                row.batch.map_or("any".into(), |batch| batch.to_string()),
                row.threads,
                row.rays_per_s,
                self.rows[0].rays_per_s / row.rays_per_s,
                row.gflop_per_s.map_or("-".into(), |rate| format!("{rate:.0}")),
                row.peak_bytes.map_or("-".into(), |bytes| format!("{:.0}", bytes as f64 / f64::from(1 << 20))),
                row.largest_difference,
                100.0 * row.argmax_equal
            ));
        }
        for missing in &self.missing {
            print_line(format!("without {}: {}", missing.engine, missing.reason));
        }
    }
}
