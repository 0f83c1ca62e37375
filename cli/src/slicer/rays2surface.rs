use super::kind::{Kind, Voxels};
use super::outputs::Outputs;
use super::program::{Output, Program, Returned, Role};
use super::progress::SlicerProgress;
use super::values::Values;
use crate::args::{Command, Rays2surface};
use crate::commands::print_line;
use crate::output::Staging;
use crate::{Error, ExitCode, InMemory, Plan, Report, Result, Solved, layer_table};
use brainmesh_core::{BOUNDARY_COUNT, Monitor, Uncounted};
use brainmesh_formats::{SurfaceFormat, VolumeFormat, VolumeOptions, VolumeWriter, write_surface};
use std::fmt::Write;
use std::path::{Path, PathBuf};

const PROFILE_ENDINGS: &str = ".npy,.npz,.txt,.csv";
const MASK_ENDINGS: &str = ".gii,.label,.npy,.txt";

pub(super) static PROGRAM: Program = Program {
    name: "BrainmeshRays2Surface",
    title: "Brainmesh Rays to Surfaces",
    command: "rays2surface",
    roles: &[
        ("pial", Role::new(Kind::Geometry).at(0)),
        ("white", Role::new(Kind::Geometry).at(1)),
        ("volume", Role::new(Kind::Image(Voxels::Scalar))),
        ("smoothed_volume", Role::new(Kind::Image(Voxels::Scalar))),
        ("profiles", Role::new(Kind::File(PROFILE_ENDINGS))),
        ("smoothed_profiles", Role::new(Kind::File(PROFILE_ENDINGS))),
        ("rays", Role::new(Kind::File(".npz,.txt"))),
        ("mask", Role::new(Kind::File(MASK_ENDINGS))),
        ("onnxruntime", Role::new(Kind::File(".so,.dylib,.dll"))),
        ("out", Role::new(Kind::Text)),
    ],
    ranges: &[
        ("min_thickness_mm", 0.0, 10.0),
        ("ray_distance_mm", 0.01, 10.0),
        ("extension_mm", 0.0, 10.0),
        ("min_gap_mm", 0.0, 1.0),
    ],
    left_out: &[
        ("volume_index", "a volume node holds one volume"),
        ("series", "a volume node is no folder of DICOM series"),
        ("timings", "measures the program; Slicer shows the time a module took"),
        ("report", "a page for a browser; Slicer shows the surfaces themselves"),
        ("dry_run", "makes nothing that Slicer could load"),
        ("progress", "Slicer reads progress in a form of its own"),
        ("log_format", "Slicer shows messages as they are"),
    ],
    results: &[
        surface("layer0", "Outer surface of the cortex (below the pia), with the uncertainty of its place"),
        surface("layer1", "Surface below layer I, with the thickness of that layer"),
        surface("layer2", "Surface below layer II, with the thickness of that layer"),
        surface("layer3", "Surface below layer III, with the thickness of that layer"),
        surface("layer4", "Surface below layer IV, with the thickness of that layer"),
        surface("layer5", "Surface below layer V, with the thickness of that layer"),
        surface("layer6", "Surface below layer VI (grey and white matter), with the thickness of that layer"),
        Output {
            name: LABELS,
            kind: Kind::Image(Voxels::Label),
            description: "The layer, 1 to 6, of every voxel of the volume",
        },
        Output { name: TABLE, kind: Kind::Table, description: "Mean thickness and uncertainty of the layers" },
    ],
    returned: &[
        count("ray_count", "Rays, one at every vertex"),
        count("measured", "Rays whose boundaries were found on the ray itself"),
        count("filled", "Rays with defects that have the boundaries of their neighbours"),
        count("missing", "Rays without layers"),
        count("moved", "Vertices that left their rays so that surfaces do not cross"),
        count("crossing", "Triangles that still cross or intersect their own surface"),
        mean("thickness_mm", "Mean thickness of the cortex"),
        mean("thickness_1_mm", "Mean thickness of layer I"),
        mean("thickness_2_mm", "Mean thickness of layer II"),
        mean("thickness_3_mm", "Mean thickness of layer III"),
        mean("thickness_4_mm", "Mean thickness of layer IV"),
        mean("thickness_5_mm", "Mean thickness of layer V"),
        mean("thickness_6_mm", "Mean thickness of layer VI"),
    ],
    stages: &[
        ("reading", 8.0),
        ("sampling rays", 5.0),
        // Of each smoothed channel.
        ("smoothing along the cortex", 0.3),
        ("smoothing along the cortex", 0.3),
        ("smoothing along the cortex", 0.4),
        ("classify rays", 72.0),
        ("finding boundaries", 3.0),
        ("choosing the smoothing", 6.0),
        ("smoothing boundaries", 1.0),
        ("finding how sure the boundaries are", 1.0),
        ("looking for opposite banks", 0.5),
        ("moving surfaces apart", 1.0),
        ("checking surfaces", 1.0),
        ("writing results", 0.5),
    ],
    run,
};

const LABELS: &str = "layer_volume";
const TABLE: &str = "table";

const fn surface(name: &'static str, description: &'static str) -> Output {
    Output { name, kind: Kind::Geometry, description }
}

const fn count(name: &'static str, description: &'static str) -> Returned {
    Returned { name, kind: Kind::Integer, description }
}

const fn mean(name: &'static str, description: &'static str) -> Returned {
    Returned { name, kind: Kind::Double, description }
}

/// Where results go.
struct Targets<'a> {
    surfaces: [Option<(&'a Path, SurfaceFormat)>; BOUNDARY_COUNT],
    labels: Option<(&'a Path, PathBuf)>,
    table: Option<&'a Path>,
    folder: Option<&'a Path>,
    numbers: Option<&'a Path>,
}

impl<'a> Targets<'a> {
    /// Fails before any computing where nothing would be written, or not as asked.
    fn new(arguments: &Rays2surface, values: &'a Values) -> Result<Self> {
        let mut surfaces = [None; BOUNDARY_COUNT];
        for (k, surface) in surfaces.iter_mut().enumerate() {
            let name = format!("layer{k}");
            *surface = values.path(&name).map(|path| Ok::<_, Error>((path, model_format(&name, path)?))).transpose()?;
        }
        let labels = match (values.path(LABELS), &arguments.inputs.volume) {
            (Some(path), Some(volume)) => {
                VolumeFormat::of_output(path).map_err(|error| Error::Usage(format!("--{LABELS}: {error}")))?;
                Some((path, volume.clone()))
            }
            (Some(_), None) => return Err(Error::Usage(format!("--{LABELS}: expected --volume, whose voxels it has"))),
            (None, _) => None,
        };
        let (table, folder) = (values.path(TABLE), values.path("out"));
        if let Some(folder) = folder {
            drop(Staging::new(folder)?);
        }
        if surfaces.iter().all(Option::is_none) && labels.is_none() && table.is_none() && folder.is_none() {
            return Err(Error::Usage(
                "expected a result to write: --layer0 to --layer6, --layer_volume, --table or --out".into(),
            ));
        }
        Ok(Self { surfaces, labels, table, folder, numbers: values.return_file() })
    }

    /// Writes everything, then moves it to its places.
    fn write(&self, plan: &Plan, solved: &Solved, monitor: &dyn Monitor) -> Result<()> {
        let Solved { results, report, .. } = solved;
        let mut outputs = Outputs::default();
        for (k, target) in self.surfaces.iter().enumerate() {
            if let Some((path, format)) = target {
                write_surface(&outputs.stage(path)?, &results.surfaces[k], *format, Some(&results.maps(k)?))?;
            }
        }
        if let Some((path, volume)) = &self.labels {
            let grid = VolumeOptions::default().open(volume)?.grid().clone();
            let labels = results.label_volume(&grid, &Uncounted(monitor))?;
            let writer = VolumeWriter::default().with_labels(layer_table());
            writer.write(&outputs.stage(path)?, &[labels], &Uncounted(monitor))?;
        }
        for (path, text) in [(self.table, table(report)), (self.numbers, numbers(report))] {
            if let Some(path) = path {
                crate::output::write_text(&outputs.stage(path)?, &text)?;
            }
        }
        monitor.check()?;
        if let Some(folder) = self.folder {
            results.save(folder, &plan.formats)?;
        }
        outputs.publish()
    }
}

fn run(command: &Command, threads: usize, values: &Values, progress: &SlicerProgress) -> Result<ExitCode> {
    let Command::Rays2surface(arguments) = command else { return Err(super::another_command(&PROGRAM)) };
    let targets = Targets::new(arguments, values)?;
    let plan = Plan::resolve(arguments, &InMemory::default(), threads)?;
    let solved = plan.solve(progress)?;
    progress.stage("writing results", 1);
    targets.write(&plan, &solved, progress)?;
    progress.advance(1);
    solved.report.summary().into_iter().for_each(print_line);
    if solved.too_many_defects {
        eprintln!("error: more defects than --max_defects allows");
        return Ok(ExitCode::TooManyDefects);
    }
    Ok(ExitCode::Done)
}

/// The format of a model that Slicer names: one with values at its points.
pub(super) fn model_format(flag: &str, path: &Path) -> Result<SurfaceFormat> {
    SurfaceFormat::from_path(path).filter(|format| format.carries_maps()).ok_or_else(|| {
        Error::Usage(format!("--{flag} {}: expected a name that ends in .vtp, .vtk or .ply", path.display()))
    })
}

/// One row a layer, with tabs between columns.
fn table(report: &Report) -> String {
    let mut text = String::from("layer\tthickness_mean_mm\tthickness_sd_mm\tuncertainty_mean_mm\n");
    for layer in &report.layers {
        let [mean, sd, uncertainty] =
            [layer.thickness_mean_mm, layer.thickness_sd_mm, layer.uncertainty_mean_mm].map(number);
        let _ = writeln!(text, "{}\t{mean}\t{sd}\t{uncertainty}", layer.layer);
    }
    text
}

/// What is given back by `--returnparameterfile`.
fn numbers(report: &Report) -> String {
    let certificate = &report.certificate;
    let sum = |counts: &[usize]| counts.iter().sum::<usize>();
    let crossing = sum(&certificate.self_intersecting_triangles) + sum(&certificate.crossing_triangles);
    let counts = [
        report.rays,
        report.measured,
        report.defects.values().map(|count| count.filled).sum(),
        report.defects.values().map(|count| count.missing).sum(),
        report.ray_field.moved_vertices,
        crossing,
    ];
    let means = std::iter::once(report.thickness_mean_mm).chain(report.layers.iter().map(|l| l.thickness_mean_mm));
    let values = counts.iter().map(ToString::to_string).chain(means.map(number));
    PROGRAM.returned.iter().zip(values).fold(String::new(), |mut text, (returned, value)| {
        let _ = writeln!(text, "{} = {value}", returned.name);
        text
    })
}

fn number(value: Option<f64>) -> String {
    value.map_or_else(|| "nan".into(), |value| format!("{value:.6}"))
}
