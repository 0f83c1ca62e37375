use crate::{Error, Result};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// A folder of results that appears whole or not at all.
///
/// Files are written into a hidden folder beside the final one and moved at the end. Dropped before
/// [`Staging::publish`], nothing remains.
pub struct Staging {
    hidden: TempDir,
    target: PathBuf,
}

impl Staging {
    /// Prepares `target`; fails at once when its place cannot be written.
    ///
    /// # Errors
    /// [`Error::Usage`] when `target` is a file or its parent cannot be written.
    pub fn new(target: &Path) -> Result<Self> {
        let unwritable = |source: std::io::Error| {
            Error::Usage(format!("--out {}: expected a folder that can be written: {source}", target.display()))
        };
        if target.as_os_str().is_empty() {
            return Err(Error::Usage("--out: expected a folder, found nothing".into()));
        }
        if target.exists() && !target.is_dir() {
            return Err(Error::Usage(format!("--out {}: expected a folder, found a file", target.display())));
        }
        let parent = match target.parent() {
            Some(p) if !p.as_os_str().is_empty() => p.to_path_buf(),
            _ => PathBuf::from("."),
        };
        // An existing target is staged inside itself, so that a folder in a parent that cannot be written works too.
        let place = if target.is_dir() { target.to_path_buf() } else { parent };
        if !place.is_dir() {
            return Err(Error::Usage(format!(
                "--out {}: the folder {} does not exist",
                target.display(),
                place.display()
            )));
        }
        let hidden = tempfile::Builder::new().prefix(".brainmesh-").tempdir_in(&place).map_err(unwritable)?;
        Ok(Self { hidden, target: target.to_path_buf() })
    }

    /// Where to write for now.
    pub fn path(&self) -> &Path {
        self.hidden.path()
    }

    /// Moves everything to the target, replacing files of the same name. Returns the final paths, sorted.
    ///
    /// # Errors
    /// [`Error::Write`] with the file that could not be moved.
    pub fn publish(self) -> Result<Vec<PathBuf>> {
        let failed = |path: &Path| {
            let path = path.to_path_buf();
            move |source| Error::Write { path, source }
        };
        std::fs::create_dir_all(&self.target).map_err(failed(&self.target))?;
        let mut published = Vec::new();
        publish_folder(self.hidden.path(), &self.target, &mut published)?;
        published.sort();
        Ok(published)
    }
}

fn publish_folder(from: &Path, to: &Path, published: &mut Vec<PathBuf>) -> Result<()> {
    let failed = |path: &Path| {
        let path = path.to_path_buf();
        move |source| Error::Write { path, source }
    };
    for entry in std::fs::read_dir(from).map_err(failed(from))? {
        let entry = entry.map_err(failed(from))?;
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            std::fs::create_dir_all(&target).map_err(failed(&target))?;
            publish_folder(&entry.path(), &target, published)?;
        } else {
            std::fs::rename(entry.path(), &target).map_err(failed(&target))?;
            published.push(target);
        }
    }
    Ok(())
}

/// Writes a text whole or not at all.
///
/// # Errors
/// [`Error::Write`] with the file.
pub(crate) fn write_text(path: &Path, text: &str) -> Result<()> {
    let failed = |source| Error::Write { path: path.into(), source };
    let io = |source| brainmesh_formats::Error::Io { path: path.into(), source };
    brainmesh_formats::write_atomically(path, |file| file.write_all(text.as_bytes()).map_err(io))
        .map_err(|error| failed(std::io::Error::other(error)))
}

/// Writes pretty JSON with a final newline, whole or not at all.
///
/// # Errors
/// [`Error::Write`] with the file.
pub(crate) fn write_json(path: &Path, value: &impl serde::Serialize) -> Result<()> {
    write_text(path, &json_text(path, value)?)
}

/// What [`write_json`] writes.
///
/// # Errors
/// [`Error::Write`] for a value that JSON does not know.
pub(crate) fn json_text(path: &Path, value: &impl serde::Serialize) -> Result<String> {
    let text = serde_json::to_string_pretty(value);
    Ok(text.map_err(|error| Error::Write { path: path.into(), source: error.into() })? + "\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_remains_when_dropped_and_all_appears_when_published() {
        let root = tempfile::tempdir().unwrap();
        let target = root.path().join("out");
        let staging = Staging::new(&target).unwrap();
        std::fs::write(staging.path().join("a"), "1").unwrap();
        drop(staging);
        assert_eq!(std::fs::read_dir(root.path()).unwrap().count(), 0);

        let staging = Staging::new(&target).unwrap();
        std::fs::create_dir(staging.path().join("deep")).unwrap();
        std::fs::write(staging.path().join("deep/a"), "2").unwrap();
        assert_eq!(staging.publish().unwrap(), [target.join("deep/a")]);
        assert_eq!(std::fs::read_dir(root.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_file_is_not_a_folder() {
        let file = tempfile::NamedTempFile::new().unwrap();
        assert!(matches!(Staging::new(file.path()), Err(Error::Usage(_))));
    }
}
