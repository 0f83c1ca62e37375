use crate::{Error, Result, fault, gzip};
use std::fs::File;
use std::path::PathBuf;

/// Plain files that share an array evenly, one after the other: slices, as a rule.
#[derive(Debug)]
pub(crate) struct Parts {
    /// Each with the byte from which its share begins.
    files: Vec<(PathBuf, u64)>,
    share_bytes: u64,
}

impl Parts {
    /// Of an array of that many bytes; every file must be long enough.
    pub fn new(files: Vec<(PathBuf, u64)>, array_bytes: u128) -> Result<Self> {
        let share_bytes = u64::try_from(array_bytes / files.len().max(1) as u128).unwrap_or(u64::MAX);
        for (file, start) in &files {
            let found_bytes = std::fs::metadata(file).map_err(fault::io(file))?.len();
            let expected_bytes = start.saturating_add(share_bytes);
            if expected_bytes > found_bytes {
                return Err(Error::Truncated { path: file.clone(), expected_bytes, found_bytes });
            }
        }
        Ok(Self { files, share_bytes })
    }

    /// What all of them hold.
    pub fn bytes(&self) -> u64 {
        self.share_bytes.saturating_mul(self.files.len() as u64)
    }

    /// Fills `out` from byte `at` of the array. Files are opened anew, because there may be thousands.
    pub fn read(&self, at: u64, out: &mut [u8]) -> Result<()> {
        let (mut at, mut out) = (at, out);
        while !out.is_empty() {
            let (index, within) = ((at / self.share_bytes) as usize, at % self.share_bytes);
            let Some((path, start)) = self.files.get(index) else { return Ok(()) };
            let taken = out.len().min((self.share_bytes - within) as usize);
            let (filled, rest) = out.split_at_mut(taken);
            let file = File::open(path).map_err(fault::io(path))?;
            gzip::read_at(&file, filled, start + within).map_err(fault::io(path))?;
            (at, out) = (at + taken as u64, rest);
        }
        Ok(())
    }
}
