//! Time and memory of reading and writing volumes, beside SimpleITK, nibabel and pydicom, in one run on one machine.
//!
//!     cargo bench -p brainmesh-formats --bench formats -- [--python PYTHON] [--folder FOLDER] [--repeats 7] [--only NAME]
//!         [--json]
//!
//! PYTHON has the peers (`benches/peers.py` says which); without it brainmesh runs alone. Programs take turns, so that whatever
//! else the machine does meets all; medians count. Memory is the peak of a process of its own that does nothing else, less what
//! it had before (Linux only). Inputs are made in FOLDER on the first run.

#[path = "formats/inputs.rs"]
mod inputs;

use brainmesh_core::{Silent, Volume};
use brainmesh_formats::{VolumeOptions, VolumeWriter};
use inputs::Inputs;
use serde_json::{Value, json};
use std::error::Error;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Instant;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

struct Options {
    python: Option<PathBuf>,
    folder: PathBuf,
    repeats: usize,
    only: Option<String>,
    json: bool,
    /// Does one case once and prints the memory it took.
    memory_of: Option<String>,
}

impl Options {
    fn parse() -> Result<Self> {
        let folder = std::env::temp_dir().join("brainmesh-bench");
        let mut options = Self { python: None, folder, repeats: 7, only: None, json: false, memory_of: None };
        let mut words = std::env::args().skip(1);
        while let Some(word) = words.next() {
            let mut value = || words.next().ok_or_else(|| format!("{word} wants a value"));
            match word.as_str() {
                "--python" => options.python = Some(value()?.into()),
                "--folder" => options.folder = value()?.into(),
                "--repeats" => options.repeats = value()?.parse()?,
                "--only" => options.only = Some(value()?),
                "--memory-of" => options.memory_of = Some(value()?),
                "--json" => options.json = true,
                "--bench" => {} // what cargo passes
                other => return Err(format!("unknown option {other}").into()),
            }
        }
        Ok(options)
    }
}

/// What is compared.
struct Case {
    name: &'static str,
    path: PathBuf,
    /// Bytes of the result in memory, to which peaks are compared.
    result_bytes: u64,
    operation: Operation,
    /// What `peers.py` calls it, and who does it.
    peer_operation: &'static str,
    peers: &'static [&'static str],
}

#[derive(Clone, Copy)]
enum Operation {
    Read,
    Map,
    /// 8 slices of 256 x 256 int16: 1 MiB.
    Block,
    Write,
}

fn cases(inputs: &Inputs) -> Vec<Case> {
    let case = |name, path: &Path, result_bytes, operation, peer_operation, peers| Case {
        name,
        path: path.to_path_buf(),
        result_bytes,
        operation,
        peer_operation,
        peers,
    };
    const BOTH: &[&str] = &["SimpleITK", "nibabel"];
    vec![
        case("nii.gz 256^3 int16 -> f32", &inputs.gzip, 4 << 24, Operation::Read, "read", BOTH),
        case("blocked nii.gz, the same", &inputs.blocks, 4 << 24, Operation::Read, "read", BOTH),
        case("nii 512^3 uint8 -> f32", &inputs.uint8, 4 << 27, Operation::Read, "read", BOTH),
        case("nii 256^3 int16, mapped", &inputs.int16, 0, Operation::Map, "map", &["nibabel"]),
        case("blocked nii.gz, 1 MiB of it", &inputs.blocks, 2 << 19, Operation::Block, "block", &["nibabel"]),
        case(
            "DICOM 200 x 512^2 -> f32",
            &inputs.series,
            800 << 18,
            Operation::Read,
            "series",
            &["SimpleITK", "pydicom"],
        ),
        case("MINC2 128^3 chunked -> f32", &inputs.minc, 4 << 21, Operation::Read, "read", BOTH),
        case("write nii.gz 256^3 int16", &inputs.int16, 0, Operation::Write, "write", BOTH),
    ]
}

/// Seconds, and the size of what was written.
#[derive(Clone, Copy)]
struct Run {
    seconds: f64,
    size_bytes: Option<u64>,
}

fn brainmesh(case: &Case, loaded: Option<&Volume<i16>>) -> Result<Run> {
    let start = Instant::now();
    let options = VolumeOptions::default();
    match case.operation {
        Operation::Read => drop(std::hint::black_box(options.read(&case.path)?)),
        Operation::Map => drop(std::hint::black_box(options.open(&case.path)?.map::<i16>()?)),
        Operation::Block => {
            let block = [0..256, 0..256, 128..136];
            drop(std::hint::black_box(options.open(&case.path)?.read_region::<i16>(0, &block, &Silent)?));
        }
        Operation::Write => {
            let volume = loaded.ok_or("nothing to write")?;
            let out = case.path.with_file_name("written.nii.gz");
            VolumeWriter::default().write(&out, std::slice::from_ref(volume), &Silent)?;
            let seconds = start.elapsed().as_secs_f64();
            return Ok(Run { seconds, size_bytes: Some(out.metadata()?.len()) });
        }
    }
    Ok(Run { seconds: start.elapsed().as_secs_f64(), size_bytes: None })
}

fn load(case: &Case) -> Result<Option<Volume<i16>>> {
    let wanted = matches!(case.operation, Operation::Write);
    Ok(if wanted { Some(VolumeOptions::default().read_as(&case.path)?) } else { None })
}

/// The Python process, which keeps its libraries loaded.
struct Peers {
    python: PathBuf,
    process: Child,
    questions: ChildStdin,
    answers: BufReader<ChildStdout>,
}

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../benches/peers.py");

impl Peers {
    fn start(python: &Path) -> Result<Self> {
        let mut command = Command::new(python);
        let mut process = command.args([SCRIPT, "serve"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let questions = process.stdin.take().ok_or("no standard input")?;
        let answers = BufReader::new(process.stdout.take().ok_or("no standard output")?);
        Ok(Self { python: python.into(), process, questions, answers })
    }

    fn run(&mut self, peer: &str, case: &Case) -> Result<Run> {
        writeln!(self.questions, "{peer} {} {}", case.peer_operation, case.path.display())?;
        let mut answer = String::new();
        self.answers.read_line(&mut answer)?;
        if let Some(error) = answer.strip_prefix('!') {
            return Err(error.trim().into());
        }
        let mut words = answer.split_whitespace();
        let seconds = words.next().ok_or("no answer")?.parse()?;
        Ok(Run { seconds, size_bytes: words.next().map(str::parse).transpose()? })
    }

    fn memory_mib(&self, peer: &str, case: &Case) -> Option<f64> {
        let mut command = Command::new(&self.python);
        let output = command.args([SCRIPT, "once", peer, case.peer_operation]).arg(&case.path).output().ok()?;
        String::from_utf8(output.stdout).ok()?.trim().parse().ok()
    }
}

impl Drop for Peers {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn status_mib(name: &str) -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<f64>().ok()).map_or(f64::NAN, |kib| kib / 1024.0)
}

fn memory_mib(case: &Case, options: &Options) -> Option<f64> {
    let mut command = Command::new(std::env::current_exe().ok()?);
    command.args(["--memory-of", case.name, "--folder"]).arg(&options.folder);
    String::from_utf8(command.output().ok()?.stdout).ok()?.trim().parse().ok()
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

fn main() -> Result<()> {
    let options = Options::parse()?;
    let inputs = Inputs::of(&options.folder)?;
    let mut out = std::io::stdout();
    if let Some(name) = &options.memory_of {
        let cases = cases(&inputs);
        let case = cases.iter().find(|case| case.name == name).ok_or("no such case")?;
        let loaded = load(case)?;
        let before = status_mib("VmRSS:");
        brainmesh(case, loaded.as_ref())?;
        return Ok(writeln!(out, "{}", status_mib("VmHWM:") - before)?);
    }
    let mut peers = options.python.as_deref().map(Peers::start).transpose()?;
    if let (Some(peers), false) = (&peers, inputs.minc.exists()) {
        let mut command = Command::new(&peers.python);
        command.args([SCRIPT, "make-minc"]).args([&inputs.minc_source, &inputs.minc]).status()?;
    }
    let mut rows = Vec::new();
    for case in cases(&inputs) {
        if options.only.as_ref().is_some_and(|only| !case.name.contains(only.as_str())) || !case.path.exists() {
            continue;
        }
        let row = compare(&case, &options, peers.as_mut())?;
        if !options.json {
            print(&mut out, &case, &row)?;
        }
        rows.push(row);
    }
    if options.json {
        let threads = std::thread::available_parallelism().map_or(0, usize::from);
        writeln!(out, "{:#}", json!({"threads": threads, "repeats": options.repeats, "cases": rows}))?;
    }
    Ok(())
}

/// One row: every program in turn, as often as asked for.
fn compare(case: &Case, options: &Options, mut peers: Option<&mut Peers>) -> Result<Value> {
    let loaded = load(case)?;
    let names: Vec<&str> = if peers.is_some() { case.peers.to_vec() } else { Vec::new() };
    let mut runs: Vec<std::result::Result<Vec<Run>, String>> = names.iter().map(|_| Ok(Vec::new())).collect();
    let mut ours = Vec::new();
    // The first round loads libraries and files and does not count.
    for round in 0..=options.repeats {
        let run = brainmesh(case, loaded.as_ref())?;
        if round > 0 {
            ours.push(run);
        }
        for (name, runs) in names.iter().zip(&mut runs) {
            let (Some(peers), Ok(done)) = (peers.as_deref_mut(), &mut *runs) else { continue };
            match peers.run(name, case) {
                Ok(run) if round > 0 => done.push(run),
                Ok(_) => {}
                Err(error) => *runs = Err(error.to_string()),
            }
        }
    }
    let row = |runs: &[Run], peak_mib: Option<f64>| {
        let ms = 1e3 * median(runs.iter().map(|run| run.seconds).collect());
        json!({"ms": ms, "peak_mib": peak_mib, "size_bytes": runs.first().and_then(|run| run.size_bytes)})
    };
    let mine = row(&ours, memory_mib(case, options));
    let mut others = serde_json::Map::new();
    for (name, runs) in names.iter().zip(&runs) {
        let other = match runs {
            Ok(runs) => {
                let mut other = row(runs, peers.as_deref().and_then(|peers| peers.memory_mib(name, case)));
                other["ratio"] = json!(mine["ms"].as_f64().zip(other["ms"].as_f64()).map(|(a, b)| a / b));
                other
            }
            Err(error) => json!({"error": error}),
        };
        others.insert((*name).to_owned(), other);
    }
    let result_mib = case.result_bytes as f64 / f64::from(1 << 20);
    Ok(json!({"case": case.name, "result_mib": result_mib, "brainmesh": mine, "peers": others}))
}

fn print(out: &mut impl Write, case: &Case, row: &Value) -> Result<()> {
    let cell = |value: &Value| {
        if let Some(error) = value["error"].as_str() {
            return error.chars().take(80).collect::<String>();
        }
        let number = |key: &str| value[key].as_f64().unwrap_or(f64::NAN);
        let size = value["size_bytes"].as_u64().map_or(String::new(), |bytes| format!("  {bytes} bytes"));
        let ratio = value["ratio"].as_f64().map_or(String::new(), |ratio| format!("  ratio {ratio:.3}"));
        format!("{:9.2} ms  peak {:7.1} MiB{size}{ratio}", number("ms"), number("peak_mib"))
    };
    writeln!(out, "{} (result {} MiB)", case.name, row["result_mib"])?;
    writeln!(out, "    {:10}{}", "brainmesh", cell(&row["brainmesh"]))?;
    for (name, value) in row["peers"].as_object().into_iter().flatten() {
        writeln!(out, "    {name:10}{}", cell(value))?;
    }
    Ok(())
}
