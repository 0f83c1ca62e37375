//! What libFuzzer runs: the readers of `targets.rs`, each on a file that holds the input.

pub mod bundle;
mod targets;

pub use targets::TARGETS;

/// Reads `input` as the family `name` does. A panic is a finding, whatever it says.
pub fn run(name: &str, input: &[u8]) {
    let Some(target) = TARGETS.iter().find(|target| target.name == name) else { return };
    let memory = std::path::Path::new("/dev/shm");
    let folder = if memory.is_dir() { memory.to_path_buf() } else { std::env::temp_dir() };
    let path = folder.join(format!("brainmesh-fuzz-{}-{}.{}", name, std::process::id(), target.ending));
    let _ = std::fs::remove_file(&path);
    if std::fs::write(&path, input).is_ok() {
        (target.read)(&path);
    }
}
