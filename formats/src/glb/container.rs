use crate::atomic::write_io;
use crate::{Result, fault};
use std::path::Path;

const MAGIC: &[u8; 4] = b"glTF";
const JSON: &[u8; 4] = b"JSON";
const BINARY: &[u8; 4] = b"BIN\0";
const HEADER_BYTES: usize = 12;

/// The JSON and the binary chunk of a file; the latter is empty where there is none.
pub(super) fn split<'b>(path: &Path, bytes: &'b [u8]) -> Result<(&'b [u8], &'b [u8])> {
    let word = |at: usize| {
        let word: Option<[u8; 4]> = bytes.get(at..).and_then(|b| b.first_chunk()).copied();
        word.ok_or_else(|| fault::truncated(path, at + 4, bytes.len()))
    };
    if &word(0)? != MAGIC {
        return Err(fault::invalid(path, "magic number", "glTF", "another"));
    }
    let (version, length) = (u32::from_le_bytes(word(4)?), u32::from_le_bytes(word(8)?) as usize);
    if version != 2 {
        return Err(fault::unsupported(path, "glTF version", version, "2"));
    }
    if length > bytes.len() {
        return Err(fault::truncated(path, length, bytes.len()));
    }
    let (mut json, mut binary, mut at) = (None, None, HEADER_BYTES);
    while at < length {
        let (size, kind) = (u32::from_le_bytes(word(at)?) as usize, word(at + 4)?);
        let start = at + 8;
        let end = start.saturating_add(size);
        let chunk = bytes[..length].get(start..end).ok_or_else(|| fault::truncated(path, end, length))?;
        match &kind {
            JSON if json.is_none() => json = Some(chunk),
            BINARY if binary.is_none() => binary = Some(chunk),
            JSON | BINARY => return Err(fault::invalid(path, "chunks", "one of a kind", "two")),
            _ => {} // section 4.4.3: unknown chunks are to be ignored
        }
        at = end;
    }
    let json = json.ok_or_else(|| fault::invalid(path, "chunks", "JSON", "none"))?;
    Ok((json, binary.unwrap_or_default()))
}

/// Writes the two chunks; an empty binary chunk is left out.
pub(super) fn join(path: &Path, mut json: Vec<u8>, mut binary: Vec<u8>) -> Result<()> {
    json.resize(json.len().next_multiple_of(4), b' ');
    binary.resize(binary.len().next_multiple_of(4), 0);
    let chunks = HEADER_BYTES + 8 + json.len() + if binary.is_empty() { 0 } else { 8 + binary.len() };
    let total = u32::try_from(chunks)
        .map_err(|_| fault::unsupported(path, "scene", format!("{chunks} bytes"), "below 4 GB in glTF-binary"))?;
    write_io(path, |w| {
        w.write_all(MAGIC)?;
        w.write_all(&2u32.to_le_bytes())?;
        w.write_all(&total.to_le_bytes())?;
        for (kind, chunk) in [(JSON, &json), (BINARY, &binary)] {
            if !chunk.is_empty() {
                w.write_all(&(chunk.len() as u32).to_le_bytes())?;
                w.write_all(kind)?;
                w.write_all(chunk)?;
            }
        }
        Ok(())
    })
}
