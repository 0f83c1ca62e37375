use crate::{Result, fault};
use std::collections::HashSet;
use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::Path;

/// Bytes of a value of each type (TIFF 6.0, section 2; BigTIFF adds 16 to 18).
const TYPE_BYTES: [u64; 19] = [0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4, 0, 0, 8, 8, 8];

/// Refuses directories with values that are longer than the file, and chains of them that lead back: the library takes
/// memory for 32 bytes a value before it reads any.
pub(super) fn check(path: &Path, file: &File) -> Result<()> {
    let file_bytes = file.metadata().map_err(fault::io(path))?.len();
    let mut reader = Reader { inner: BufReader::new(file), big_endian: false, is_big: false };
    let mut order = [0; 2];
    reader.inner.rewind().and_then(|()| reader.inner.read_exact(&mut order)).map_err(fault::io(path))?;
    reader.big_endian = &order == b"MM";
    let Ok(mut directory) = reader.first_directory() else { return Ok(()) };
    let mut seen = HashSet::new();
    while directory != 0 {
        if !seen.insert(directory) {
            return Err(fault::invalid(path, "directories", "a chain with an end", "one that leads back to itself"));
        }
        let mut entries = Vec::new();
        let next = reader.directory(directory, &mut entries);
        for (tag, kind, count) in entries {
            let width = TYPE_BYTES.get(usize::from(kind)).copied().unwrap_or(0);
            if count.saturating_mul(width.max(1)) > file_bytes {
                let expected = format!("at most the {file_bytes} bytes of the file");
                return Err(fault::invalid(path, format!("tag {tag}"), expected, format!("{count} values")));
            }
        }
        // A directory cut short is the library's to name, which has taken memory for its entries by then.
        let Ok(next) = next else { return Ok(()) };
        directory = next;
    }
    Ok(())
}

struct Reader<'a> {
    inner: BufReader<&'a File>,
    big_endian: bool,
    is_big: bool,
}

/// Tag, type and number of values.
type Entry = (u16, u16, u64);

impl Reader<'_> {
    fn number(&mut self, bytes: usize) -> std::io::Result<u64> {
        let mut read = [0; 8];
        self.inner.read_exact(&mut read[..bytes])?;
        if self.big_endian {
            read[..bytes].reverse();
        }
        Ok(u64::from_le_bytes(read))
    }

    fn first_directory(&mut self) -> std::io::Result<u64> {
        self.is_big = self.number(2)? == 43;
        if self.is_big {
            self.number(4)?;
            return self.number(8);
        }
        self.number(4)
    }

    /// Adds the entries, as far as the file goes; where the next directory is.
    fn directory(&mut self, at: u64, entries: &mut Vec<Entry>) -> std::io::Result<u64> {
        self.inner.seek(SeekFrom::Start(at))?;
        let (count_bytes, word) = if self.is_big { (8, 8) } else { (2, 4) };
        for _ in 0..self.number(count_bytes)? {
            let (tag, kind, count) = (self.number(2)? as u16, self.number(2)? as u16, self.number(word)?);
            self.number(word)?;
            entries.push((tag, kind, count));
        }
        self.number(word)
    }
}
