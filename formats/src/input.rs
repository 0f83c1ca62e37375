//! Opening a volume file: its first bytes, and its content with gzip taken off.

use crate::gzip::{self, DEFLATE_RATIO};
use crate::{Result, fault};
use flate2::read::MultiGzDecoder;
use std::fs::File;
use std::io::{BufReader, Cursor, ErrorKind, Read, Seek};
use std::path::{Path, PathBuf};

/// Enough for every magic number: NIfTI-2 headers are the longest with 540 bytes.
const HEAD_BYTES: u64 = 1024;
/// Content that begins with so much out of so little is counted before memory is taken for the rest.
const SUSPICIOUS_BYTES: u64 = 64 << 20;
const SUSPICIOUS_RATIO: u64 = 256;

/// An open file whose gzip members, where it has any, are decoded one after the other. Reads from the start of the content.
pub(crate) struct Input {
    path: PathBuf,
    head: Vec<u8>,
    most_bytes: u64,
    is_gzip: bool,
    /// Its position says how much of the file was read.
    file: File,
    content: Box<dyn Read>,
}

impl Input {
    /// Opens a file and reads its head. gzip is told by its first two bytes, not by the name.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let mut file = File::open(path).map_err(fault::io(path))?;
        let file_bytes = file.metadata().map_err(fault::io(path))?.len();
        let mut magic = Vec::new();
        file.by_ref().take(2).read_to_end(&mut magic).map_err(fault::io(path))?;
        let is_gzip = gzip::is_gzip(&magic);
        let whole = Cursor::new(magic).chain(file.try_clone().map_err(fault::io(path))?);
        let (mut content, most_bytes): (Box<dyn Read>, u64) = if is_gzip {
            let buffered = BufReader::with_capacity(1 << 16, whole);
            (Box::new(MultiGzDecoder::new(buffered)), file_bytes.saturating_mul(DEFLATE_RATIO))
        } else {
            (Box::new(whole), file_bytes)
        };
        let mut head = Vec::new();
        content.by_ref().take(HEAD_BYTES).read_to_end(&mut head).map_err(failed(path, is_gzip))?;
        let content = Box::new(Cursor::new(head.clone()).chain(content));
        Ok(Self { path: path.into(), head, most_bytes, is_gzip, file, content })
    }

    /// The file.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The first bytes of the content, fewer than 1024 only where it is shorter.
    pub(crate) fn head(&self) -> &[u8] {
        &self.head
    }

    /// Whether the content is gzipped in the file.
    pub(crate) fn is_gzip(&self) -> bool {
        self.is_gzip
    }

    /// More content than this cannot follow: the file's length, or what its gzip stream can hold at best. A header that
    /// declares more is wrong, which is known before any memory is taken.
    pub(crate) fn most_bytes(&self) -> u64 {
        self.most_bytes
    }

    /// Up to `limit_bytes` of the content from its start. Memory grows with what is decoded, not with the limit.
    pub(crate) fn into_bytes(self, limit_bytes: u64) -> Result<Vec<u8>> {
        let known_bytes = if self.is_gzip { 0 } else { limit_bytes.min(self.most_bytes) };
        let mut bytes = Vec::new();
        bytes
            .try_reserve_exact(usize::try_from(known_bytes).unwrap_or(usize::MAX))
            .map_err(|_| fault::io(&self.path)(ErrorKind::OutOfMemory.into()))?;
        let failed = || failed(&self.path, self.is_gzip);
        let mut content = self.content.take(limit_bytes);
        if self.is_gzip {
            content.by_ref().take(SUSPICIOUS_BYTES).read_to_end(&mut bytes).map_err(failed())?;
            let consumed = (&self.file).stream_position().map_err(fault::io(&self.path))?;
            if bytes.len() as u64 == SUSPICIOUS_BYTES && consumed.saturating_mul(SUSPICIOUS_RATIO) < SUSPICIOUS_BYTES {
                gzip::refuse_bomb(&self.path, gzip::content_bytes(&self.path)?, self.most_bytes / DEFLATE_RATIO)?;
            }
        }
        content.read_to_end(&mut bytes).map_err(failed())?;
        Ok(bytes)
    }
}

/// Damage of a gzip stream is the file's fault, not the system's.
fn failed(path: &Path, is_gzip: bool) -> impl FnOnce(std::io::Error) -> crate::Error {
    move |error| if is_gzip { gzip::damaged(path, "gzip data", error) } else { fault::io(path)(error) }
}

impl Read for Input {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        self.content.read(buffer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::{Compression, write::GzEncoder};
    use std::io::Write;

    fn gzip(content: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(content).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn members_follow_one_another_and_the_head_is_not_lost() {
        let content: Vec<u8> = (0..5000u32).map(|n| n as u8).collect();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("two-members");
        std::fs::write(&path, [gzip(&content[..1500]), gzip(&content[1500..])].concat()).unwrap();
        let input = Input::open(&path).unwrap();
        assert_eq!(input.head(), &content[..1024]);
        assert_eq!(input.into_bytes(u64::MAX).unwrap(), content);
        assert_eq!(Input::open(&path).unwrap().into_bytes(10).unwrap(), content[..10]);
    }

    #[test]
    fn no_gzip_stream_beats_the_bound() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("zeros");
        let zeros = vec![0; 4 << 20];
        std::fs::write(&path, gzip(&zeros)).unwrap();
        assert!(Input::open(&path).unwrap().most_bytes() >= zeros.len() as u64);
    }

    #[test]
    fn a_cut_gzip_stream_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cut");
        let noise: Vec<u8> = (0..9000u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
        let whole = gzip(&noise);
        std::fs::write(&path, &whole[..whole.len() / 2]).unwrap();
        assert!(Input::open(&path).and_then(|input| input.into_bytes(u64::MAX)).is_err());
    }
}
