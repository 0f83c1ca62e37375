use crate::{Error, Result};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

const PREFIX: &str = ".brainmesh-slicer-";
/// Held open by the process that fills the folder.
const LOCK: &str = "lock";
/// The same before it is held.
const NEW_LOCK: &str = "lock.new";
/// Times that another program may take a folder for one that was left behind.
const ATTEMPTS: usize = 8;

/// Files of several folders that appear under their names together, or not at all.
///
/// Each is written into a hidden folder beside its place and moved at the end. Slicer kills a program that is cancelled,
/// so a hidden folder may stay behind: the next one in the same place takes away those that nobody holds any more.
#[derive(Default)]
pub(super) struct Outputs {
    folders: BTreeMap<PathBuf, Hidden>,
    files: Vec<(PathBuf, PathBuf)>,
}

struct Hidden {
    folder: PathBuf,
    /// Held until the end.
    lock: Option<File>,
}

impl Outputs {
    /// Where to write, for now, what belongs at `target`.
    ///
    /// # Errors
    /// A folder that does not exist or cannot be written.
    pub(super) fn stage(&mut self, target: &Path) -> Result<PathBuf> {
        let failed = |source| Error::Write { path: target.into(), source };
        let parent = target.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let name = target.file_name().ok_or_else(|| failed(ErrorKind::InvalidFilename.into()))?;
        if !self.folders.contains_key(parent) {
            clear(parent);
            self.folders.insert(parent.into(), Hidden::new(parent).map_err(failed)?);
        }
        // Numbered, so that no file can take the name of the lock.
        let folder = self.folders[parent].folder.join(self.files.len().to_string());
        std::fs::create_dir(&folder).map_err(failed)?;
        let staged = folder.join(name);
        self.files.push((staged.clone(), target.into()));
        Ok(staged)
    }

    /// Moves every file to its place.
    ///
    /// # Errors
    /// [`Error::Write`] with the file that could not be moved.
    pub(super) fn publish(self) -> Result<()> {
        for (staged, target) in &self.files {
            std::fs::rename(staged, target).map_err(|source| Error::Write { path: target.clone(), source })?;
        }
        Ok(())
    }
}

impl Hidden {
    fn new(parent: &Path) -> std::io::Result<Self> {
        let mut attempt = Self::attempt(parent);
        for _ in 1..ATTEMPTS {
            match attempt {
                Err(error) if error.kind() == ErrorKind::NotFound => attempt = Self::attempt(parent),
                done => return done,
            }
        }
        attempt
    }

    fn attempt(parent: &Path) -> std::io::Result<Self> {
        let folder = tempfile::Builder::new().prefix(PREFIX).tempdir_in(parent)?;
        let [new, held] = [NEW_LOCK, LOCK].map(|name| folder.path().join(name));
        let lock = File::create(&new)?;
        lock.lock()?;
        std::fs::rename(new, held)?;
        Ok(Self { folder: folder.keep(), lock: Some(lock) })
    }
}

impl Drop for Hidden {
    fn drop(&mut self) {
        drop(self.lock.take());
        take_away(&self.folder);
    }
}

/// Takes away hidden folders of programs that were killed.
fn clear(parent: &Path) {
    let Ok(entries) = std::fs::read_dir(parent) else { return };
    for entry in entries.flatten().filter(|entry| entry.file_name().to_string_lossy().starts_with(PREFIX)) {
        let folder = entry.path();
        match File::open(folder.join(LOCK)) {
            Ok(lock) if lock.try_lock().is_ok() => take_away(&folder),
            // Killed before it held its lock. One that is about to keeps its folder, which is not empty, or tries again.
            Err(error) if error.kind() == ErrorKind::NotFound => {
                let _ = std::fs::remove_file(folder.join(NEW_LOCK));
                let _ = std::fs::remove_dir(folder);
            }
            _ => {}
        }
    }
}

/// The lock last, so that a program that is killed meanwhile leaves a folder that is known by it.
fn take_away(folder: &Path) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_name() != LOCK {
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
    let _ = std::fs::remove_file(folder.join(LOCK));
    let _ = std::fs::remove_dir(folder);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_appear_together_and_what_a_killed_program_left_is_taken_away() {
        let root = tempfile::tempdir().unwrap();
        let names = || {
            let mut names: Vec<_> = std::fs::read_dir(root.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
            names.sort();
            names
        };
        let mut left = Outputs::default();
        std::fs::write(left.stage(&root.path().join("a.vtp")).unwrap(), "half").unwrap();
        // Killed: the folder stays, the lock goes.
        let mut hidden = left.folders.pop_first().unwrap().1;
        drop(hidden.lock.take());
        std::mem::forget(hidden);
        // Killed earlier still.
        std::fs::create_dir(root.path().join(format!("{PREFIX}early"))).unwrap();

        let mut outputs = Outputs::default();
        let mut others = Outputs::default();
        std::fs::write(others.stage(&root.path().join("c.vtp")).unwrap(), "c").unwrap();
        for name in ["a.vtp", "lock"] {
            std::fs::write(outputs.stage(&root.path().join(name)).unwrap(), name).unwrap();
        }
        assert_eq!(names().len(), 2, "one of each that is at work");
        outputs.publish().unwrap();
        drop(others);
        assert_eq!(names(), ["a.vtp", "lock"]);
        assert_eq!(std::fs::read(root.path().join("a.vtp")).unwrap(), b"a.vtp");
    }

    #[test]
    fn a_folder_that_is_not_there_is_an_error_with_its_file() {
        let error = Outputs::default().stage(Path::new("/nowhere/at/all/a.vtp")).unwrap_err();
        assert!(error.to_string().contains("/nowhere/at/all/a.vtp"), "{error}");
    }
}
