//! Other programs.

use crate::Result;
use brainmesh_core::{Surface, WorldPoint};
use fast_surface_nets::ndshape::{ConstShape3u32, RuntimeShape};
use fast_surface_nets::{SignedDistance, SurfaceNetsBuffer, surface_nets};
use meshopt::SimplifyOptions;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Instant;

/// `peers.py` at work.
pub struct Peers {
    child: Child,
    tasks: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Peers {
    pub fn start(python: &Path, threads: usize) -> Result<Self> {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../benches/mesh/peers.py");
        let mut child = Command::new(python)
            .arg(script)
            .arg(threads.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let tasks = child.stdin.take().ok_or("no standard input")?;
        let mut answers = BufReader::new(child.stdout.take().ok_or("no standard output")?);
        let mut line = String::new();
        answers.read_line(&mut line)?;
        if line.is_empty() {
            return Err("the peers did not start".into());
        }
        eprintln!("VTK, threads: {}", line.trim());
        Ok(Self { child, tasks, answers })
    }

    /// Numbers that a task answers.
    pub fn ask(&mut self, words: &[&str]) -> Result<Vec<f64>> {
        writeln!(self.tasks, "{}", words.join("\t"))?;
        self.tasks.flush()?;
        let mut line = String::new();
        if self.answers.read_line(&mut line)? == 0 {
            return Err(format!("{}: the peer failed", words.join(" ")).into());
        }
        line.split_whitespace().map(|word| Ok(word.parse()?)).collect()
    }
}

impl Drop for Peers {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Writes a surface for `peers.py`; its name without ending.
pub fn save_surface(folder: &Path, name: &str, points: &[WorldPoint], triangles: &[[u32; 3]]) -> Result<String> {
    let path = folder.join(name).to_string_lossy().into_owned();
    let points: Vec<u8> = points.iter().flat_map(|p| p.to_array()).flat_map(|c| (c as f32).to_le_bytes()).collect();
    std::fs::write(format!("{path}.points"), points)?;
    let triangles: Vec<u8> = triangles.iter().flatten().flat_map(|v| v.to_le_bytes()).collect();
    std::fs::write(format!("{path}.triangles"), triangles)?;
    Ok(path)
}

/// fast-surface-nets with its buffers.
pub struct FastNets {
    size: usize,
    inside: Vec<Inside>,
    buffer: SurfaceNetsBuffer,
}

/// The sign of a distance, in one byte.
#[derive(Clone, Copy)]
struct Inside(i8);

impl From<Inside> for f32 {
    fn from(inside: Inside) -> Self {
        Self::from(inside.0)
    }
}

impl SignedDistance for Inside {
    fn is_negative(self) -> bool {
        self.0 < 0
    }
}

impl FastNets {
    pub fn new(size: usize) -> Self {
        Self { size, inside: vec![Inside(1); (size + 2).pow(3)], buffer: SurfaceNetsBuffer::default() }
    }

    /// Seconds and triangles for one label.
    pub fn mesh(&mut self, labels: &[u8], label: u8) -> (f64, usize) {
        let padded = self.size + 2;
        for (n, row) in labels.chunks_exact(self.size).enumerate() {
            let start = 1 + padded * (1 + n % self.size + padded * (1 + n / self.size));
            for (inside, &l) in self.inside[start..].iter_mut().zip(row) {
                *inside = Inside(if l == label { -1 } else { 1 });
            }
        }
        let (edge, last) = (padded as u32, [padded as u32 - 1; 3]);
        let start = Instant::now();
        // A size known when it was compiled is its faster way.
        if self.size == 256 {
            surface_nets(&self.inside, &ConstShape3u32::<258, 258, 258> {}, [0; 3], last, &mut self.buffer);
        } else {
            surface_nets(&self.inside, &RuntimeShape::<u32, 3>::new([edge; 3]), [0; 3], last, &mut self.buffer);
        }
        (start.elapsed().as_secs_f64(), self.buffer.indices.len() / 3)
    }
}

/// meshoptimizer itself.
pub fn simplify(surface: &Surface, target: usize) -> Vec<[u32; 3]> {
    let points: Vec<[f32; 3]> = surface.vertices().iter().map(|v| v.0.as_vec3().to_array()).collect();
    let indices = surface.triangles().as_flattened();
    let left = meshopt::simplify_decoder(indices, &points, 3 * target, f32::MAX, SimplifyOptions::None, None);
    left.as_chunks().0.to_vec()
}
