use crate::input::Input;
use crate::{Result, fault};
use std::io::{BufRead, BufReader, Read, Take};
use std::path::{Path, PathBuf};

/// Longer than any header: Slicer's largest segmentations stay below 1 MiB.
const MOST_HEADER_BYTES: u64 = 16 << 20;

/// The lines of a text header in front of binary data.
pub(crate) struct HeaderLines {
    path: PathBuf,
    content: BufReader<Take<Input>>,
    at: u64,
}

impl HeaderLines {
    pub fn new(input: Input) -> Self {
        let path = input.path().to_path_buf();
        Self { path, content: BufReader::new(input.take(MOST_HEADER_BYTES)), at: 0 }
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The next line without its end; none at the end of the file. Bytes that are no UTF-8 are replaced.
    pub fn next(&mut self) -> Result<Option<String>> {
        let mut line = Vec::new();
        let taken = self.content.read_until(b'\n', &mut line).map_err(fault::io(&self.path))?;
        self.at += taken as u64;
        if self.at >= MOST_HEADER_BYTES {
            let expected = format!("at most {MOST_HEADER_BYTES} bytes");
            return Err(fault::invalid(&self.path, "header", expected, "more"));
        }
        if taken == 0 {
            return Ok(None);
        }
        let text = String::from_utf8_lossy(&line);
        Ok(Some(text.trim_end_matches(['\n', '\r']).into()))
    }

    /// Bytes read so far.
    pub fn at(&self) -> u64 {
        self.at
    }
}
