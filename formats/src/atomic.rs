use crate::{Result, fault};
use std::io::{self, BufWriter, Seek, Write};
use std::path::Path;

/// Writes a file whole or not at all: `write` fills a temporary file in the same folder, which then takes the name.
///
/// When `write` fails, or the process is stopped by a panic, nothing stays behind and an older file keeps its content.
/// The file is not synced to disk: a power cut may lose it, but never leaves half of it under its name.
///
/// # Errors
/// Those of `write`, and [`Error::Io`](crate::Error::Io) when the folder cannot be written.
pub fn write_atomically<T>(path: &Path, write: impl FnOnce(&mut dyn WriteSeek) -> Result<T>) -> Result<T> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".brainmesh-");
    // Temporary files are private by default; the result must have the permissions of any other new file.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let mut file = builder.tempfile_in(parent(path)).map_err(fault::io(path))?;
    let mut buffered = BufWriter::with_capacity(1 << 16, file.as_file_mut());
    let value = write(&mut buffered)?;
    buffered.flush().map_err(fault::io(path))?;
    drop(buffered);
    file.persist(path).map_err(|e| fault::io(path)(e.error))?;
    Ok(value)
}

/// What [`write_atomically`] hands to its closure.
pub trait WriteSeek: Write + Seek {}

impl<W: Write + Seek> WriteSeek for W {}

/// Writes a folder whole or not at all, as [`write_atomically`] does a file: `write` fills a new one, which then takes the
/// name. A folder of that name is replaced only where `is_ours` recognises it.
pub(crate) fn write_folder(
    path: &Path,
    is_ours: impl FnOnce(&Path) -> bool,
    write: impl FnOnce(&Path) -> Result<()>,
) -> Result<()> {
    let is_there = path.symlink_metadata().is_ok();
    if is_there && !(path.is_dir() && (is_ours(path) || std::fs::read_dir(path).is_ok_and(|mut d| d.next().is_none())))
    {
        let expected = "no file or folder of another kind";
        return Err(fault::invalid(path, "name", expected, "one that would be replaced"));
    }
    let hidden = tempfile::Builder::new().prefix(".brainmesh-").tempdir_in(parent(path)).map_err(fault::io(path))?;
    // Within the private one, so that it has the permissions of any other new folder.
    let [new, old] = ["new", "old"].map(|name| hidden.path().join(name));
    std::fs::create_dir(&new).map_err(fault::io(path))?;
    write(&new)?;
    if is_there {
        std::fs::rename(path, &old).map_err(fault::io(path))?;
    }
    std::fs::rename(&new, path).map_err(fault::io(path))
}

fn parent(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// [`write_atomically`] where only writing can fail.
pub(crate) fn write_io(path: &Path, write: impl FnOnce(&mut dyn WriteSeek) -> io::Result<()>) -> Result<()> {
    write_atomically(path, |w| write(w).map_err(fault::io(path)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_write_leaves_the_old_file_and_no_other() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.bin");
        write_io(&path, |w| w.write_all(b"old")).unwrap();
        let failed = write_atomically(&path, |w| {
            w.write_all(b"half").unwrap();
            Err::<(), _>(fault::invalid(&path, "test", "success", "failure"))
        });
        assert!(failed.is_err());
        assert_eq!(std::fs::read(&path).unwrap(), b"old");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[cfg(unix)]
    #[test]
    fn the_result_has_the_permissions_of_an_ordinary_new_file() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let (ours, plain) = (folder.path().join("ours"), folder.path().join("plain"));
        write_io(&ours, |w| w.write_all(b"x")).unwrap();
        std::fs::write(&plain, b"x").unwrap();
        let mode = |p| std::fs::metadata(p).unwrap().permissions().mode();
        assert_eq!(mode(&ours), mode(&plain));
    }
}
