//! Surfaces from labels and from a field, smoothing and decimation, against other programs.
//!
//!     cargo bench -p brainmesh-meshing --bench mesh -- [--python PYTHON] [--size 256] [--threads 2] [--repeats 7] [--json]
//!
//! Volumes and the surface are made (`mesh/made.rs`). PYTHON has VTK (`mesh/peers.py`); without it only fast-surface-nets and
//! meshoptimizer run beside brainmesh. Programs take turns, so that whatever else the machine does meets all; medians count.
//! fast-surface-nets knows inside and outside alone: it meets labels one after another, without the time to make its input.

#[path = "icosphere.rs"]
mod icosphere;
#[path = "mesh/made.rs"]
mod made;
#[path = "mesh/peers.rs"]
mod peers;

use brainmesh_core::{Grid, Silent, Surface};
use brainmesh_meshing::{
    DecimateOptions, Interfaces, Isosurface, SurfaceNets, SurfaceSmoother, decimate, unpaired_sides,
};
use glam::DAffine3;
use peers::{Peers, save_surface};
use std::error::Error;
use std::io::Write as _;
use std::path::PathBuf;
use std::time::Instant;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// Times every surface is smoothed.
const ITERATIONS: usize = 20;
/// Share of the triangles that decimation leaves.
const SHARE: f64 = 0.1;

struct Options {
    python: Option<PathBuf>,
    size: usize,
    level: usize,
    threads: usize,
    repeats: usize,
    json: bool,
}

impl Options {
    fn parse() -> Result<Self> {
        let mut options = Self { python: None, size: 256, level: 7, threads: 2, repeats: 7, json: false };
        let mut words = std::env::args().skip(1);
        while let Some(word) = words.next() {
            let mut value = || words.next().ok_or_else(|| format!("{word} wants a value"));
            match word.as_str() {
                "--python" => options.python = Some(value()?.into()),
                "--size" => options.size = value()?.parse::<usize>()?.clamp(16, 1024),
                "--level" => options.level = value()?.parse::<usize>()?.min(8),
                "--threads" => options.threads = value()?.parse()?,
                "--repeats" => options.repeats = value()?.parse::<usize>()?.max(1),
                "--json" => options.json = true,
                "--bench" => {} // what cargo passes
                other => return Err(format!("unknown option {other}").into()),
            }
        }
        Ok(options)
    }
}

/// What one program did, again and again.
struct Row {
    what: &'static str,
    program: &'static str,
    seconds: Vec<f64>,
    /// Further figures: name and value.
    figures: Vec<(&'static str, f64)>,
}

impl Row {
    fn new(what: &'static str, program: &'static str) -> Self {
        Self { what, program, seconds: Vec::new(), figures: Vec::new() }
    }

    fn median(&self) -> f64 {
        let mut seconds = self.seconds.clone();
        seconds.sort_by(f64::total_cmp);
        seconds.get(seconds.len() / 2).copied().unwrap_or(f64::NAN)
    }

    fn time<T>(&mut self, work: impl FnOnce() -> T) -> T {
        let start = Instant::now();
        let result = work();
        self.seconds.push(start.elapsed().as_secs_f64());
        result
    }
}

fn main() -> Result<()> {
    let options = Options::parse()?;
    rayon::ThreadPoolBuilder::new().num_threads(options.threads).build_global()?;
    let folder = tempfile::tempdir()?;
    let mut peers = options.python.as_deref().map(|python| Peers::start(python, options.threads)).transpose()?;
    let mut rows = labels(&options, folder.path(), peers.as_mut())?;
    rows.extend(isosurface(&options, folder.path(), peers.as_mut())?);
    rows.extend(surfaces(&options, folder.path(), peers.as_mut())?);
    report(&options, &rows)
}

fn extract(grid: &Grid, labels: &[u8]) -> Result<Interfaces<u8>> {
    let mut nets = SurfaceNets::new(grid.clone());
    nets.push(labels, &Silent)?;
    Ok(nets.finish(&Silent)?)
}

fn labels(options: &Options, folder: &std::path::Path, mut peers: Option<&mut Peers>) -> Result<Vec<Row>> {
    let grid = Grid::new([options.size; 3], DAffine3::IDENTITY, "bench")?;
    let labels = made::labels(options.size);
    let path = folder.join("labels");
    std::fs::write(&path, &labels)?;
    let head: Vec<u8> = labels.iter().map(|&l| u8::from(l >= 4)).collect();
    let mut one = Row::new("one label", "brainmesh");
    let mut one_fast = Row::new("one label", "fast-surface-nets");
    let mut own = Row::new("labels", "brainmesh");
    let mut closed = Row::new("labels, and a closed surface of each", "brainmesh");
    let mut relaxed = Row::new("smoothing of labels, 20 times", "brainmesh");
    let mut fast = Row::new("labels", "fast-surface-nets");
    let mut vtk = Row::new("labels", "VTK SurfaceNets");
    let mut fast_nets = peers::FastNets::new(options.size);
    for n in 0..options.repeats {
        let (interfaces, triangles) = own.time(|| -> Result<_> {
            let interfaces = extract(&grid, &labels)?;
            let triangles = interfaces.triangles();
            Ok((interfaces, triangles))
        })?;
        let values = interfaces.labels();
        let surfaces = closed.time(|| -> Result<_> { Ok(interfaces.surfaces(&values, &Silent)?) })?;
        let mut smooth = interfaces.clone();
        relaxed.time(|| smooth.relax(ITERATIONS, &Silent))?;
        let of_head = one.time(|| -> Result<_> { Ok(extract(&grid, &head)?.triangles()) })?;
        let (seconds, fast_one) = fast_nets.mesh(&head, 1);
        one_fast.seconds.push(seconds);
        let (mut seconds, mut fast_triangles) = (0.0, 0);
        for &value in &values {
            let one = fast_nets.mesh(&labels, value);
            (seconds, fast_triangles) = (seconds + one.0, fast_triangles + one.1);
        }
        fast.seconds.push(seconds);
        let answer = match &mut peers {
            Some(peers) => peers.ask(&["labels", &path.to_string_lossy(), &options.size.to_string()])?,
            None => Vec::new(),
        };
        if let [seconds, triangles, volumes @ ..] = answer.as_slice() {
            vtk.seconds.push(*seconds);
            let differs = |(v, s): (&f64, &Surface)| (s.signed_volume_mm3() / v - 1.0).abs();
            vtk.figures = vec![
                ("triangles", *triangles),
                (
                    "largest difference of a label's volume",
                    volumes.iter().zip(&surfaces).map(differs).fold(0.0, f64::max),
                ),
            ];
        }
        if n == 0 {
            let open: usize = surfaces.iter().map(|s| unpaired_sides(s.triangles())).sum();
            own.figures = vec![("triangles", triangles.len() as f64), ("labels", values.len() as f64)];
            let count: usize = surfaces.iter().map(|s| s.triangles().len()).sum();
            closed.figures = vec![("triangles", count as f64), ("sides without a partner", open as f64)];
            fast.figures = vec![("triangles", fast_triangles as f64)];
            one.figures = vec![("triangles", of_head.len() as f64)];
            one_fast.figures = vec![("triangles", fast_one as f64)];
        }
    }
    Ok(vec![one, one_fast, own, fast, vtk, closed, relaxed])
}

fn isosurface(options: &Options, folder: &std::path::Path, mut peers: Option<&mut Peers>) -> Result<Vec<Row>> {
    let grid = Grid::new([options.size; 3], DAffine3::IDENTITY, "bench")?;
    let field = made::field(options.size);
    let path = folder.join("field");
    std::fs::write(&path, field.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<u8>>())?;
    let mut own = Row::new("isosurface", "brainmesh");
    let mut vtk = Row::new("isosurface", "VTK FlyingEdges");
    for n in 0..options.repeats {
        let (interfaces, triangles) = own.time(|| -> Result<_> {
            let mut isosurface = Isosurface::new(grid.clone(), 0.5);
            isosurface.push(&field, &Silent)?;
            let interfaces = isosurface.interfaces(&Silent)?;
            let triangles = interfaces.triangles();
            Ok((interfaces, triangles))
        })?;
        if n == 0 {
            let surface = interfaces.surface(1)?;
            own.figures = vec![
                ("triangles", triangles.len() as f64),
                ("volume", surface.signed_volume_mm3()),
                ("sides without a partner", unpaired_sides(surface.triangles()) as f64),
            ];
        }
        if let Some(peers) = &mut peers {
            let answer = peers.ask(&["isosurface", &path.to_string_lossy(), &options.size.to_string()])?;
            vtk.seconds.extend(answer.first());
            vtk.figures = ["triangles", "volume"].into_iter().zip(answer.into_iter().skip(1)).collect();
        }
    }
    Ok(vec![own, vtk])
}

fn surfaces(options: &Options, folder: &std::path::Path, mut peers: Option<&mut Peers>) -> Result<Vec<Row>> {
    let surface = made::folded_sphere(options.level)?;
    let given = save_surface(folder, "given", surface.vertices(), surface.triangles())?;
    let mut kernel = Row::new("20 iterations of smoothing", "brainmesh");
    let mut whole = Row::new("the same with neighbours and volume", "brainmesh");
    let mut sinc = Row::new("20 iterations of smoothing", "VTK WindowedSinc");
    let mut own = Row::new("decimation to a tenth", "brainmesh");
    let mut plain = Row::new("decimation to a tenth", "meshoptimizer");
    let mut quadric = Row::new("decimation to a tenth", "VTK QuadricDecimation");
    let target = (surface.triangles().len() as f64 * SHARE) as usize;
    let thin = DecimateOptions { target_triangles: target, max_error_mm: f64::INFINITY, lock_borders: false };
    let volume = surface.signed_volume_mm3();
    for n in 0..options.repeats {
        let smooth = whole.time(|| -> Result<_> {
            let mut smoother = SurfaceSmoother::new(&surface);
            kernel.time(|| smoother.run(ITERATIONS, &Silent))?;
            Ok(smoother.surface()?)
        })?;
        let decimated = own.time(|| decimate(&surface, &thin))?;
        let simple = plain.time(|| peers::simplify(&surface, target));
        let ask = |peers: &mut Option<&mut Peers>, words: &[&str]| match peers {
            Some(peers) => peers.ask(words),
            None => Ok(Vec::new()),
        };
        sinc.seconds.extend(ask(&mut peers, &["smooth", &given, &ITERATIONS.to_string()])?.first());
        let out = folder.join("quadric").to_string_lossy().into_owned();
        let answer = ask(&mut peers, &["decimate", &given, &out, &SHARE.to_string()])?;
        quadric.seconds.extend(answer.first());
        if n > 0 {
            continue;
        }
        whole.figures = vec![("volume kept", smooth.signed_volume_mm3() / volume)];
        let results = [
            (&mut own, save_surface(folder, "own", decimated.surface.vertices(), decimated.surface.triangles())?),
            (&mut plain, save_surface(folder, "plain", surface.vertices(), &simple)?),
            (&mut quadric, out),
        ];
        let counts =
            [decimated.surface.triangles().len() as f64, simple.len() as f64, answer.get(1).copied().unwrap_or(0.0)];
        for ((row, path), count) in results.into_iter().zip(counts) {
            row.figures = vec![("triangles", count)];
            let apart = ask(&mut peers, &["apart", &given, &path])?;
            row.figures.extend(["mean mm", "rms mm", "largest mm"].into_iter().zip(apart.into_iter().skip(1)));
        }
    }
    Ok(vec![kernel, whole, sinc, own, plain, quadric])
}

fn report(options: &Options, rows: &[Row]) -> Result<()> {
    let mut out = std::io::stdout().lock();
    let rows: Vec<&Row> = rows.iter().filter(|row| !row.seconds.is_empty()).collect();
    if options.json {
        let text = |row: &&Row| {
            let figures: String = row.figures.iter().map(|(name, value)| format!(", \"{name}\": {value}")).collect();
            let (what, program, median) = (row.what, row.program, row.median());
            format!("{{\"what\": \"{what}\", \"program\": \"{program}\", \"median_s\": {median:.6}{figures}}}")
        };
        let rows: Vec<String> = rows.iter().map(text).collect();
        let (size, threads, repeats) = (options.size, options.threads, options.repeats);
        writeln!(
            out,
            "{{\"size\": {size}, \"threads\": {threads}, \"repeats\": {repeats}, \"rows\": [{}]}}",
            rows.join(", ")
        )?;
        return Ok(());
    }
    for row in rows {
        let median = row.median();
        write!(out, "{:<38} {:<22} {:9.1} ms", row.what, row.program, median * 1e3)?;
        for (name, value) in &row.figures {
            write!(out, "  {name} {value:.6}")?;
            if *name == "triangles" {
                write!(out, " ({:.1} million a second)", value / median / 1e6)?;
            }
        }
        writeln!(out)?;
    }
    Ok(())
}
