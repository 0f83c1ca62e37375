//! One file a command.

mod bench;
mod bench_engine;
mod bench_report;
mod case_pictures;
mod convert;
mod demo;
mod equivolume;
mod evaluate;
mod evaluate_membrane;
mod evaluate_section;
mod evaluate_sections;
mod evaluate_tissue;
mod evaluate_ventricle;
mod evaluation;
mod figure;
mod info;
mod info_text;
mod labelled_rays;
mod man;
mod mesh;
mod model_text;
mod models;
mod pages;
mod phantom;
mod profiles;
mod rays;
mod rays2surface;
mod report;
mod segment;
mod segment_membrane;
mod segment_sections;
mod segment_tissue;
mod segment_ventricle;
mod surface;

pub use evaluate::evaluate_layers;
pub use evaluate_membrane::evaluate_membrane;
pub use evaluate_sections::evaluate_sections;
pub use evaluate_tissue::evaluate_tissue;
pub use evaluate_ventricle::evaluate_ventricle;
pub use mesh::{Made, layer_table, mesh_file, mesh_labels, mesh_values};
pub use models::{add as add_model, describe as describe_model, list as list_models, verify as verify_models};
pub use phantom::{MadePhantom, make_phantom};
pub(crate) use report::name_of;
pub use segment::segment_volumes;
pub use segment_membrane::{Cells, Membranes, segment_membrane};
pub use segment_sections::{WaferSections, segment_sections};
pub use segment_tissue::{Tissue, TissueVolumes, segment_tissue};
pub use segment_ventricle::{Ventricle, VentricleFinder};

use crate::args::{Arguments, BenchCommand, Command, EvaluateCommand, SegmentArguments, SegmentSystem};
use crate::{Error, ExitCode, Progress, Result};
use std::io::{ErrorKind, Write};
use std::sync::{Mutex, PoisonError};

/// Runs the command with the number of threads asked for.
///
/// # Errors
/// What the command reports; see [`Error::exit_code`].
pub fn dispatch(arguments: &Arguments, progress: &Progress) -> Result<ExitCode> {
    let threads = arguments.threads.map_or(0, usize::from);
    thread_pool(threads)?.install(|| match &arguments.command {
        Command::Rays2surface(command) => rays2surface::run(command, threads, progress),
        Command::Segment(command) => match command.as_ref() {
            SegmentArguments::Model(command) => segment::run(command, threads, progress),
            SegmentArguments::System(SegmentSystem::Membrane(command)) => {
                segment_membrane::run(command, threads, progress)
            }
            SegmentArguments::System(SegmentSystem::Ventricle(command)) => {
                segment_ventricle::run(command, threads, progress)
            }
            SegmentArguments::System(SegmentSystem::Tissue(command)) => segment_tissue::run(command, threads, progress),
            SegmentArguments::System(SegmentSystem::Sections(command)) => {
                segment_sections::run(command, threads, progress)
            }
        },
        Command::Profiles(command) => profiles::run(command, progress),
        Command::Equivolume(command) => equivolume::run(command, progress),
        Command::Mesh(command) => mesh::run(command, progress),
        Command::Rays(command) => rays::run(command, progress),
        Command::Info(command) => info::run(command, progress),
        Command::Convert(command) => convert::run(command, progress),
        Command::Figure(command) => figure::run(command, progress),
        Command::Report(command) => report::run(command, progress),
        Command::Surface(command) => surface::run(command, progress),
        Command::Models(command) => models::run(command, threads),
        Command::Evaluate(EvaluateCommand::Layers(command)) => evaluate::run(command, threads, progress),
        Command::Evaluate(EvaluateCommand::Section(command)) => evaluate_section::run(command, threads, progress),
        Command::Evaluate(EvaluateCommand::Membrane(command)) => evaluate_membrane::run(command, progress),
        Command::Evaluate(EvaluateCommand::Ventricle(command)) => evaluate_ventricle::run(command, progress),
        Command::Evaluate(EvaluateCommand::Tissue(command)) => evaluate_tissue::run(command, progress),
        Command::Evaluate(EvaluateCommand::Sections(command)) => evaluate_sections::run(command, progress),
        Command::Phantom(command) => phantom::run(command, progress),
        Command::Demo(command) => demo::run(command, threads, progress),
        Command::Bench(BenchCommand::Segment(command)) => bench::run(command, threads, progress),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(*shell, &mut crate::help::command(), "brainmesh", &mut script);
            print_bytes(&script);
            Ok(ExitCode::Done)
        }
        Command::Man { out } => man::run(out),
    })
}

/// Threads of a command; 0 means all cores.
pub(crate) fn thread_pool(threads: usize) -> Result<rayon::ThreadPool> {
    rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build()
        .map_err(|error| Error::Usage(format!("--threads {threads}: {error}")))
}

/// Writes to standard output; a reader that has gone away is no error.
fn print_bytes(bytes: &[u8]) {
    let mut out = std::io::stdout().lock();
    match out.write_all(bytes).and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            OUTPUT_FAULT.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
        }
        _ => {}
    }
}

/// Why standard output could not be written, once; `None` where it could.
pub(crate) fn output_fault() -> Option<std::io::Error> {
    OUTPUT_FAULT.lock().unwrap_or_else(PoisonError::into_inner).take()
}

/// The first error of standard output. What is printed is no reason to stop work that writes files; a full disk is told at the end.
static OUTPUT_FAULT: Mutex<Option<std::io::Error>> = Mutex::new(None);

/// One line on standard output.
pub(crate) fn print_line(line: impl AsRef<str>) {
    print_bytes(format!("{}\n", line.as_ref()).as_bytes());
}

/// Size, spacing, orientation and type of a volume, on one line.
fn volume_line(grid: &brainmesh_core::Grid, volumes: usize, stored: brainmesh_formats::StoredType) -> String {
    let times = if volumes > 1 { format!(" x {volumes} volumes") } else { String::new() };
    let (shape, spacing) = (by(grid.shape()), by(grid.spacing_mm().map(short)));
    format!("{shape} voxels{times} of {spacing} mm, {}, {stored}", grid.orientation())
}

/// `a x b x c`.
fn by<T: std::fmt::Display>([a, b, c]: [T; 3]) -> String {
    format!("{a} x {b} x {c}")
}

/// A number with at most six significant digits.
fn short(value: f64) -> String {
    if value == 0.0 || !value.is_finite() {
        return value.to_string();
    }
    let digits = (5 - value.abs().log10().floor() as i32).clamp(0, 12) as usize;
    let text = format!("{value:.digits$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').into() } else { text }
}
