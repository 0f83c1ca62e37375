//! What moving layer surfaces apart and certifying them costs and brings, beside MeshLab's search for self-intersections.
//!
//!     cargo bench -p brainmesh-cli --bench certificate -- --pial PIAL --white WHITE [--repeats 7] [--threads 2]
//!         [--python PYTHON] [--json]
//!
//! The seven surfaces stand at even shares of the way from pial to white vertex, where pial and white are at least 0.5 mm
//! apart. `--python` names one with pymeshlab and nibabel: it looks for self-intersections on the same seven surfaces,
//! one at a time (it has no search between two surfaces).

use brainmesh_core::{Certificate, Ribbon, Silent, Surface, WorldPoint};
use brainmesh_formats::{read_surface, write_surface};
use brainmesh_meshing::{SeparateOptions, certify_surfaces, separate_surfaces};
use std::error::Error;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::Command;
use std::time::Instant;

const MESHLAB: &str = r"
import sys, time
import nibabel, numpy, pymeshlab
for path in sys.argv[1:]:
    vertices, triangles = nibabel.load(path).agg_data()
    meshes = pymeshlab.MeshSet()
    meshes.add_mesh(pymeshlab.Mesh(vertices.astype(float), triangles))
    start = time.perf_counter()
    meshes.compute_selection_by_self_intersections_per_face()
    print(time.perf_counter() - start)
";

struct Options {
    pial: PathBuf,
    white: PathBuf,
    repeats: usize,
    threads: usize,
    python: Option<PathBuf>,
    json: bool,
}

impl Options {
    fn parse() -> Result<Self, Box<dyn Error>> {
        let (mut pial, mut white) = (None, None);
        let (mut repeats, mut threads, mut python, mut json) = (7, 2, None, false);
        let mut words = std::env::args().skip(1);
        while let Some(word) = words.next() {
            let mut value = || words.next().ok_or_else(|| format!("{word} wants a value"));
            match word.as_str() {
                "--pial" => pial = Some(value()?.into()),
                "--white" => white = Some(value()?.into()),
                "--repeats" => repeats = value()?.parse()?,
                "--threads" => threads = value()?.parse()?,
                "--python" => python = Some(value()?.into()),
                "--json" => json = true,
                "--bench" => {} // what cargo passes
                other => return Err(format!("unknown option {other}").into()),
            }
        }
        let need = |name: &str| format!("{name} FILE is needed");
        let (pial, white) = (pial.ok_or_else(|| need("--pial"))?, white.ok_or_else(|| need("--white"))?);
        Ok(Self { pial, white, repeats, threads, python, json })
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let options = Options::parse()?;
    rayon::ThreadPoolBuilder::new().num_threads(options.threads).build_global()?;
    let ribbon = Ribbon::new(read_surface(&options.pial)?, read_surface(&options.white)?)?;
    let used: Vec<bool> = ribbon.thickness_mm().iter().map(|&mm| mm >= 0.5).collect();
    let surfaces = at_even_shares(&ribbon)?;

    let before = certify_surfaces(&surfaces, &ribbon, &used, &Silent)?;
    let (separating, parted) =
        median(options.repeats, || separate_surfaces(&surfaces, &ribbon, &used, &SeparateOptions::default(), &Silent))?;
    let (certifying, after) = median(options.repeats, || certify_surfaces(&parted.surfaces, &ribbon, &used, &Silent))?;
    let meshlab = options.python.as_deref().map(|python| meshlab(python, &parted.surfaces, &options)).transpose()?;

    let moved = parted.moved_mm.iter().filter(|&&mm| mm > 1e-3).count();
    let most_mm = parted.moved_mm.iter().copied().fold(0.0, f64::max);
    let mut out = std::io::stdout().lock();
    if options.json {
        let result = serde_json::json!({
            "vertices": ribbon.len(), "threads": options.threads, "repeats": options.repeats,
            "before": before, "after": after, "moved_vertices": moved, "moved_max_mm": most_mm,
            "seconds": {"separate": separating, "certify": certifying, "meshlab_self_intersections_of_seven": meshlab},
        });
        writeln!(out, "{result:#}")?;
        return Ok(());
    }
    writeln!(out, "{} vertices, {} threads, medians of {}", ribbon.len(), options.threads, options.repeats)?;
    for (name, certificate) in [("before", &before), ("after", &after)] {
        writeln!(
            out,
            "{name:>8}: {} self-intersecting, {} crossing triangles",
            of_itself(certificate),
            of_both(certificate)
        )?;
    }
    writeln!(out, "moving apart {separating:.3} s ({moved} vertices, {most_mm:.3} mm at most)")?;
    writeln!(out, "certificate  {certifying:.3} s (self-intersections, crossings, and the given surfaces)")?;
    if let Some(seconds) = meshlab {
        writeln!(out, "MeshLab      {seconds:.3} s (self-intersections of the seven alone)")?;
    }
    Ok(())
}

fn of_itself(certificate: &Certificate) -> usize {
    certificate.self_intersecting_triangles.iter().sum()
}

fn of_both(certificate: &Certificate) -> usize {
    certificate.crossing_triangles.iter().sum()
}

fn at_even_shares(ribbon: &Ribbon) -> Result<Vec<Surface>, Box<dyn Error>> {
    let place = |v: usize, share: f64| ribbon.pial().vertices()[v].0.lerp(ribbon.white().vertices()[v].0, share);
    let surface = |k: usize| {
        let places = (0..ribbon.len()).map(|v| WorldPoint(place(v, k as f64 / 6.0))).collect();
        Ok(ribbon.pial().with_vertices(places)?)
    };
    (0..7).map(surface).collect()
}

/// Median seconds, and what came out.
fn median<T, E: Error + 'static>(repeats: usize, work: impl Fn() -> Result<T, E>) -> Result<(f64, T), Box<dyn Error>> {
    let mut seconds = Vec::new();
    let mut last = None;
    for _ in 0..repeats.max(1) {
        let start = Instant::now();
        last = Some(work()?);
        seconds.push(start.elapsed().as_secs_f64());
    }
    seconds.sort_by(f64::total_cmp);
    Ok((seconds[seconds.len() / 2], last.ok_or("no repeats")?))
}

/// Seconds that MeshLab takes for the seven surfaces together, the median of each.
fn meshlab(python: &std::path::Path, surfaces: &[Surface], options: &Options) -> Result<f64, Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let mut total = 0.0;
    for (k, surface) in surfaces.iter().enumerate() {
        let path = folder.path().join(format!("layer{k}.surf.gii"));
        write_surface(&path, surface, brainmesh_formats::SurfaceFormat::Gifti, None)?;
        let paths = std::iter::repeat_n(&path, options.repeats.max(1));
        let done = Command::new(python).args(["-c", MESHLAB]).args(paths).output()?;
        if !done.status.success() {
            return Err(String::from_utf8_lossy(&done.stderr).into_owned().into());
        }
        let text = String::from_utf8(done.stdout)?;
        let mut seconds: Vec<f64> = text.lines().map(str::parse).collect::<Result<_, _>>()?;
        seconds.sort_by(f64::total_cmp);
        total += seconds[seconds.len() / 2];
    }
    Ok(total)
}
