use crate::{Error, Result};
use brainmesh_segmentation::Part;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

/// Numbers a part is kept as: corners, confidence, the way to the partner.
const NUMBERS: usize = 11;

/// What a run must share with one that it goes on with, by name; the first that differs is told.
pub(super) type Identity = Vec<(&'static str, Value)>;

/// What finished tiles held, a line each, beside the result: a run that was stopped goes on from there.
pub(super) struct Journal {
    path: PathBuf,
    file: File,
    /// Tissue and magnet parts by tile.
    pub done: BTreeMap<usize, [Vec<Part>; 2]>,
}

impl Journal {
    /// Begins anew, or goes on with one of the same `identity` (pictures, model, settings), if there is one.
    ///
    /// # Errors
    /// [`Error::Usage`] for one of something else, with the first thing that differs; [`Error::Unusable`] for a file that is
    /// none; [`Error::Write`].
    pub fn open(path: PathBuf, identity: &Identity, resume: bool) -> Result<Self> {
        let failed = |source| Error::Write { path: path.clone(), source };
        let known = if resume && path.exists() { Some(std::fs::read_to_string(&path).map_err(failed)?) } else { None };
        let mut done = BTreeMap::new();
        if let Some(text) = known {
            // The last line may have been cut short.
            let whole = text.rfind('\n').map_or("", |end| &text[..end]);
            let mut lines = whole.lines();
            let wrong = || Error::Unusable(format!("{}: expected tiles of a run that was stopped", path.display()));
            let head: Value = lines.next().and_then(|line| serde_json::from_str(line).ok()).ok_or_else(wrong)?;
            check_same(&path, identity, &head)?;
            for line in lines {
                let (tile, parts) = serde_json::from_str(line).ok().as_ref().and_then(read_tile).ok_or_else(wrong)?;
                done.insert(tile, parts);
            }
        }
        // Written anew, so that a line cut short is gone.
        let file = File::create(&path).map_err(failed)?;
        let mut journal = Self { path, file, done: BTreeMap::new() };
        let head: serde_json::Map<_, _> =
            identity.iter().map(|(name, value)| ((*name).into(), value.clone())).collect();
        journal.line(&head.into())?;
        for (tile, parts) in done {
            journal.keep(tile, parts)?;
        }
        Ok(journal)
    }

    /// Keeps what a tile held.
    ///
    /// # Errors
    /// [`Error::Write`].
    pub fn keep(&mut self, tile: usize, parts: [Vec<Part>; 2]) -> Result<()> {
        let numbers = parts.each_ref().map(|parts| parts.iter().map(numbers).collect::<Vec<_>>());
        self.line(&json!({ "tile": tile, "parts": numbers }))?;
        self.done.insert(tile, parts);
        Ok(())
    }

    fn line(&mut self, value: &Value) -> Result<()> {
        let written = self.file.write_all(format!("{value}\n").as_bytes());
        written.map_err(|source| Error::Write { path: self.path.clone(), source })
    }

    /// Its file, for messages.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Removes it: the result is there, or there is nothing worth keeping.
    pub fn remove(self) {
        let Self { path, file, .. } = self;
        drop(file);
        // What stays is only a file too many.
        let _ = std::fs::remove_file(path);
    }
}

fn check_same(path: &Path, identity: &Identity, head: &Value) -> Result<()> {
    match identity.iter().find(|(field, value)| head.get(field) != Some(value)) {
        None => Ok(()),
        Some((field, value)) => {
            let kept = head.get(field).unwrap_or(&Value::Null);
            let path = path.display();
            Err(Error::Usage(format!(
                "--resume: {path}: {field}: expected {value}, found {kept}; without --resume it begins anew"
            )))
        }
    }
}

/// Bit by bit, so that what is read back is what was found.
fn numbers(part: &Part) -> [u64; NUMBERS] {
    let toward = part.toward_px.unwrap_or([f64::NAN; 2]);
    let all = part.corners_px.iter().flatten().copied().chain([part.confidence]).chain(toward);
    let mut numbers = [0; NUMBERS];
    numbers.iter_mut().zip(all).for_each(|(to, from)| *to = from.to_bits());
    numbers
}

fn read_tile(line: &Value) -> Option<(usize, [Vec<Part>; 2])> {
    let tile = usize::try_from(line.get("tile")?.as_u64()?).ok()?;
    let kinds: [Vec<[u64; NUMBERS]>; 2] = serde_json::from_value(line.get("parts")?.clone()).ok()?;
    Some((tile, kinds.map(|parts| parts.into_iter().map(|bits| part(bits.map(f64::from_bits))).collect())))
}

fn part([ax, ay, bx, by, cx, cy, dx, dy, confidence, x, y]: [f64; NUMBERS]) -> Part {
    let toward_px = (!x.is_nan()).then_some([x, y]);
    Part { corners_px: [[ax, ay], [bx, by], [cx, cy], [dx, dy]], confidence, toward_px }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_kept_comes_back_and_nothing_of_another_run() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.magc.part");
        let identity = vec![("scale", json!(1.5)), ("model", json!("abc"))];
        let found = |x: f64, toward_px| Part { corners_px: [[x, 0.1]; 4], confidence: 1.0 / 3.0, toward_px };
        let parts = [vec![found(0.7, Some([1e-300, 5.0]))], vec![found(-1.0 / 7.0, None)]];
        let mut journal = Journal::open(path.clone(), &identity, false).unwrap();
        journal.keep(3, parts.clone()).unwrap();
        journal.keep(5, [vec![], vec![]]).unwrap();
        drop(journal);
        // As if stopped while a line was written.
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, format!("{text}{{\"tile\":6,\"pa")).unwrap();
        let journal = Journal::open(path.clone(), &identity, true).unwrap();
        assert_eq!(journal.done.get(&3), Some(&parts));
        assert_eq!(journal.done.keys().copied().collect::<Vec<_>>(), [3, 5]);
        assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
        drop(journal);

        let error = |identity: Identity| Journal::open(path.clone(), &identity, true).err().unwrap();
        let other = error(vec![("scale", json!(2.0)), ("model", json!("else"))]);
        assert!(other.to_string().contains("scale: expected 2.0, found 1.5"), "{other}");
        std::fs::write(&path, "{\"model\":\"abc\",\"scale\":1.5}\nsomething\n").unwrap();
        assert!(matches!(error(identity.clone()), Error::Unusable(_)));
        let anew = Journal::open(path.clone(), &identity, false).unwrap();
        assert!(anew.done.is_empty());
        anew.remove();
        assert!(!path.exists());
        // Nothing to go on with is no error.
        assert!(Journal::open(path, &identity, true).unwrap().done.is_empty());
    }
}
