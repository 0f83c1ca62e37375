use crate::gzip::read_at;
use std::fs::File;
use std::io::{Error, ErrorKind, Read, Result, Seek, SeekFrom};
use std::sync::Arc;

/// A TIFF file seen as if one of its pages were the first: the decoder then starts there, instead of walking through all
/// pages before it. Several may read at once.
#[derive(Debug)]
pub(super) struct PageView {
    file: Arc<File>,
    length: u64,
    /// The file's first bytes, with the place of the page in them.
    head: [u8; 16],
    at: u64,
}

impl PageView {
    /// A view that begins with the page whose directory lies at `page`; with none, at the file's own first.
    pub fn new(file: &Arc<File>, page: Option<u64>) -> Result<Self> {
        let length = file.metadata()?.len();
        let mut head = [0; 16];
        read_at(file, &mut head[..length.min(16) as usize], 0)?;
        if let Some(page) = page {
            let is_big_endian = head.starts_with(b"MM");
            // Version 43, BigTIFF, has 8 bytes for it.
            let place = if head[2] == 43 || head[3] == 43 { 8..16 } else { 4..8 };
            let bytes = page.to_le_bytes();
            let target = &mut head[place];
            target.copy_from_slice(&bytes[..target.len()]);
            if is_big_endian {
                target.reverse();
            }
        }
        Ok(Self { file: file.clone(), length, head, at: 0 })
    }
}

impl PageView {
    /// Bytes of the whole file.
    pub fn length(&self) -> u64 {
        self.length
    }
}

impl Read for PageView {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        let left = self.length.saturating_sub(self.at);
        let count = left.min(buffer.len() as u64) as usize;
        let from_head = self.head.get(self.at as usize..).filter(|rest| !rest.is_empty() && self.at < 16);
        let count = match from_head {
            Some(rest) => {
                let count = count.min(rest.len());
                buffer[..count].copy_from_slice(&rest[..count]);
                count
            }
            None => {
                read_at(&self.file, &mut buffer[..count], self.at)?;
                count
            }
        };
        self.at += count as u64;
        Ok(count)
    }
}

impl Seek for PageView {
    fn seek(&mut self, position: SeekFrom) -> Result<u64> {
        let at = match position {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
            SeekFrom::End(by) => self.length.checked_add_signed(by),
        };
        self.at = at.ok_or_else(|| Error::from(ErrorKind::InvalidInput))?;
        Ok(self.at)
    }
}
