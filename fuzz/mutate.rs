//! Feeds damaged files to every reader and counts what happens.
//!
//!     cargo run --release -p brainmesh-formats --example mutate -- [--inputs 2000] [--seed 1] [--only NAME,...]
//!         [--keep FOLDER] [--json] [--corpus FOLDER]
//!
//! Each family of formats runs in a process of its own, so that an abort or a hang costs one row and names its input. Inputs
//! are the fixtures with bytes and numbers changed, cut, joined; gzip ones are changed below the compression half of the time,
//! with a right checksum. The same seed gives the same inputs. Exit code 1: something panicked, aborted, hung, took longer
//! than 5 s, or took more memory than 8 times its file and 64 MiB. `--corpus` writes what is started from, for libFuzzer, instead.

#![allow(clippy::print_stdout, reason = "a table is what it is for")]

#[path = "bundle.rs"]
mod bundle;
#[path = "mutation.rs"]
mod mutation;
#[path = "seeds.rs"]
mod seeds;
#[path = "targets.rs"]
mod targets;

use mutation::Mutator;
use peak_alloc::PeakAlloc;
use serde_json::{Value, json};
use std::error::Error;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use targets::{TARGETS, Target};

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

const ALLOWANCE_BYTES: usize = 64 << 20;
const SLOW: Duration = Duration::from_secs(5);
/// Then it counts as hanging, and its process ends.
const HANGS: Duration = Duration::from_secs(30);
const COLUMNS: [&str; 9] = ["inputs", "errors", "ok", "panics", "aborts", "slow", "large", "max_ms", "max_bytes"];

struct Options {
    inputs: u64,
    seed: u64,
    only: Vec<String>,
    keep: PathBuf,
    json: bool,
    /// Runs one family in this process.
    child: Option<String>,
    corpus: Option<PathBuf>,
}

impl Options {
    fn parse() -> Result<Self> {
        let keep = std::env::temp_dir().join("brainmesh-mutants");
        let mut options =
            Self { inputs: 2000, seed: 1, only: Vec::new(), keep, json: false, child: None, corpus: None };
        let mut words = std::env::args().skip(1);
        while let Some(word) = words.next() {
            let mut value = || words.next().ok_or_else(|| format!("{word} wants a value"));
            match word.as_str() {
                "--inputs" => options.inputs = value()?.parse()?,
                "--seed" => options.seed = value()?.parse()?,
                "--only" => options.only = value()?.split(',').map(str::to_owned).collect(),
                "--keep" => options.keep = value()?.into(),
                "--child" => options.child = Some(value()?),
                "--corpus" => options.corpus = Some(value()?.into()),
                "--json" => options.json = true,
                other => return Err(format!("unknown option {other}").into()),
            }
        }
        if let Some(unknown) = options.only.iter().find(|name| TARGETS.iter().all(|t| t.name != **name)) {
            let names: Vec<_> = TARGETS.iter().map(|t| t.name).collect();
            return Err(format!("no family {unknown}; there are {}", names.join(", ")).into());
        }
        Ok(options)
    }

    fn wants(&self, target: &Target) -> bool {
        self.only.is_empty() || self.only.iter().any(|name| name == target.name)
    }
}

fn main() -> Result<()> {
    let options = Options::parse()?;
    if let Some(name) = &options.child {
        let target = TARGETS.iter().find(|t| t.name == name).ok_or("no such family")?;
        println!("{}", family(target, &options)?);
        return Ok(());
    }
    if let Some(folder) = &options.corpus {
        return TARGETS.iter().try_for_each(|target| copy_seeds(target, &folder.join(target.name)));
    }
    let rows: Vec<_> = TARGETS.iter().filter(|t| options.wants(t)).map(|t| (t.name, child(t, &options))).collect();
    let faults = |row: &Value| ["panics", "aborts", "slow", "large"].iter().any(|c| row[c].as_u64() != Some(0));
    let failed = rows.iter().any(|(_, row)| faults(row));
    if options.json {
        let table: serde_json::Map<_, _> = rows.into_iter().map(|(name, row)| (name.to_owned(), row)).collect();
        println!("{:#}", Value::Object(table));
    } else {
        println!("{:12}{}", "format", COLUMNS.map(|c| format!("{c:>11}")).concat());
        for (name, row) in rows {
            println!("{name:12}{}  {}", COLUMNS.map(|c| format!("{:>11}", row[c].to_string())).concat(), row["first"]);
        }
    }
    std::process::exit(failed.into());
}

fn copy_seeds(target: &Target, folder: &Path) -> Result<()> {
    std::fs::create_dir_all(folder)?;
    for (n, seed) in target.seeds.load()?.iter().enumerate() {
        std::fs::write(folder.join(format!("{n:03}")), seed)?;
    }
    Ok(())
}

/// A row of the table, from a process that may die.
fn child(target: &Target, options: &Options) -> Value {
    let run = || -> Result<Value> {
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["--child", target.name, "--inputs", &options.inputs.to_string()]);
        command.args(["--seed", &options.seed.to_string(), "--keep"]).arg(&options.keep);
        // One thread reads, so that the watch sees what one input takes.
        let output = command.env("RAYON_NUM_THREADS", "1").output()?;
        if output.status.success() {
            return Ok(serde_json::from_slice(&output.stdout)?);
        }
        let said = String::from_utf8_lossy(&output.stderr);
        let kept = options.keep.join(format!("{}-abort.{}", target.name, target.ending));
        std::fs::create_dir_all(&options.keep)?;
        std::fs::copy(working_file(target), &kept)?;
        Ok(json!({"aborts": 1, "first": format!("{}: {}: {}", kept.display(), output.status, last_line(&said))}))
    };
    run().unwrap_or_else(|error| json!({"aborts": 1, "first": error.to_string()}))
}

fn last_line(text: &str) -> &str {
    text.lines().last().unwrap_or_default()
}

/// Where the current input lies; in memory where the system has such a place.
fn working_file(target: &Target) -> PathBuf {
    let memory = Path::new("/dev/shm");
    let folder = if memory.is_dir() { memory.to_path_buf() } else { std::env::temp_dir() };
    folder.join(format!("brainmesh-mutate-{}.{}", target.name, target.ending))
}

/// Feeds every input to a family's readers.
fn family(target: &Target, options: &Options) -> Result<Value> {
    let seeds = target.seeds.load()?;
    if seeds.is_empty() {
        return Err("no seeds".into());
    }
    let mut mutator = Mutator::new(options.seed, seeds);
    let path = working_file(target);
    watch();
    let [mut errors, mut ok, mut panics, mut slow, mut large] = [0u64; 5];
    let (mut longest, mut most, mut first) = (Duration::ZERO, 0, String::new());
    std::panic::set_hook(Box::new(|_| {}));
    for n in 0..options.inputs {
        let input = mutator.next();
        // Anew: some file systems flush a file to the disk that is cut to nothing and written again.
        let _ = std::fs::remove_file(&path);
        std::fs::write(&path, &input)?;
        MEMORY.reset_peak_usage();
        let (before, start) = (MEMORY.current_usage(), Instant::now());
        STARTED.store(milliseconds(), Ordering::Relaxed);
        let read = catch_unwind(AssertUnwindSafe(|| (target.read)(&path)));
        let (took, bytes) = (start.elapsed(), MEMORY.peak_usage().saturating_sub(before));
        longest = longest.max(took);
        most = most.max(bytes);
        let too_large = bytes > 8 * input.len() + ALLOWANCE_BYTES;
        let what = match &read {
            Ok(true) => "ok",
            Ok(false) => "error",
            Err(_) => "panic",
        };
        errors += u64::from(what == "error");
        ok += u64::from(what == "ok");
        panics += u64::from(what == "panic");
        slow += u64::from(took > SLOW);
        large += u64::from(too_large);
        if read.is_err() || took > SLOW || too_large {
            let faults = panics + slow + large;
            let kept = options.keep.join(format!("{}-{n}.{}", target.name, target.ending));
            if faults <= 20 {
                std::fs::create_dir_all(&options.keep)?;
                std::fs::write(&kept, &input)?;
            }
            if first.is_empty() {
                first = format!("{what} {took:?} {bytes} bytes: {}", kept.display());
            }
        }
    }
    let _ = std::fs::remove_file(&path);
    Ok(json!({
        "inputs": options.inputs, "errors": errors, "ok": ok, "panics": panics, "aborts": 0, "slow": slow, "large": large,
        "max_ms": longest.as_millis() as u64, "max_bytes": most, "first": first,
    }))
}

/// When the current input began, in milliseconds since the process did.
static STARTED: AtomicU64 = AtomicU64::new(0);

fn milliseconds() -> u64 {
    static BEGIN: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
    BEGIN.get_or_init(Instant::now).elapsed().as_millis() as u64
}

/// Ends the process when an input takes too long.
fn watch() {
    STARTED.store(milliseconds(), Ordering::Relaxed);
    std::thread::spawn(|| {
        loop {
            std::thread::sleep(Duration::from_millis(500));
            if milliseconds().saturating_sub(STARTED.load(Ordering::Relaxed)) > HANGS.as_millis() as u64 {
                eprintln!("no end after {HANGS:?}");
                std::process::exit(3);
            }
        }
    });
}
