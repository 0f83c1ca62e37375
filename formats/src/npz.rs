//! NumPy .npz archives: a zip of .npy files, stored or deflated.

use crate::npy::{Element, NpyArray, decode, encode};
use crate::npy_header::{NPY_MAGIC, NpyHeader};
use crate::{Result, fault};
use ndarray::ArrayD;
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipArchive, ZipWriter};

/// First bytes of a zip file.
pub(crate) const ZIP_MAGIC: &[u8] = b"PK\x03\x04";

/// Longest header read before its data: numpy refuses headers above 10,000 bytes unless told otherwise.
pub(crate) const HEADER_LIMIT_BYTES: usize = 1 << 16;

/// Writes named arrays as a deflated .npz, whole or not at all; the same input gives the same bytes.
///
/// ```
/// # use brainmesh_formats::{write_npz, read_npz};
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("a.npz");
/// let raw = ndarray::arr2(&[[1.0f32, 2.0], [3.0, 4.0]]);
/// write_npz(&path, &[("raw", (&raw).into())])?;
/// assert_eq!(read_npz(&path, "raw")?, raw.into_dyn());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// Two arrays of one name, or a folder that cannot be written.
pub fn write_npz(path: &Path, arrays: &[(&str, NpyArray<'_>)]) -> Result<()> {
    crate::write_atomically(path, |w| {
        let mut archive = ZipWriter::new(w);
        for (name, array) in arrays {
            let options = SimpleFileOptions::default()
                .compression_method(CompressionMethod::Deflated)
                .last_modified_time(DateTime::default())
                .large_file(true);
            archive.start_file(format!("{name}.npy"), options).map_err(|e| zip_error(path, e))?;
            encode(&mut archive, array).map_err(fault::io(path))?;
        }
        archive.finish().map_err(|e| zip_error(path, e)).map(|_| ())
    })
}

/// Names of the arrays of a .npz, in the order of the file.
///
/// # Errors
/// An unreadable file, or one that is not a zip archive.
pub fn npz_names(path: &Path) -> Result<Vec<String>> {
    let archive = open(path)?;
    let names = archive.file_names().map(|n| n.map(|n| n.trim_end_matches(".npy").to_owned()));
    names.collect::<std::result::Result<_, _>>().map_err(|e| zip_error(path, e))
}

/// One array of a .npz as float32; other real types are converted.
///
/// # Errors
/// No array of that name, a truncated one, or an element type that is not real.
pub fn read_npz(path: &Path, name: &str) -> Result<ArrayD<f32>> {
    read_entry(path, name)
}

/// One array of a .npz in the element type wanted.
pub(crate) fn read_entry<T: Element>(path: &Path, name: &str) -> Result<ArrayD<T>> {
    let mut archive = open(path)?;
    let names = npz_names(path)?;
    let mut entry = archive.by_name(&format!("{name}.npy")).map_err(|e| match e {
        zip::result::ZipError::FileNotFound => fault::invalid(path, "array", name, format!("{names:?}")),
        other => zip_error(path, other),
    })?;
    let mut bytes = Vec::new();
    let unpack = |e| fault::invalid(path, name, "a stored or deflated entry", e);
    entry.by_ref().take(HEADER_LIMIT_BYTES as u64).read_to_end(&mut bytes).map_err(unpack)?;
    if !bytes.starts_with(NPY_MAGIC) {
        return Err(fault::invalid(path, name, "a .npy array", "other bytes"));
    }
    let header = NpyHeader::parse(path, &bytes)?;
    // Only what the header declares is unpacked, so an entry cannot expand beyond its own claim; memory grows with what
    // really comes out.
    let rest = header.data_offset.saturating_add(header.data_bytes()).saturating_sub(bytes.len());
    entry.take(rest as u64).read_to_end(&mut bytes).map_err(unpack)?;
    decode(path, &bytes)
}

/// Header of one array, without its data.
pub(crate) fn entry_header(path: &Path, name: &str) -> Result<NpyHeader> {
    let mut archive = open(path)?;
    let mut bytes = Vec::new();
    let entry = archive.by_name(&format!("{name}.npy")).map_err(|e| zip_error(path, e))?;
    let unpack = |e| fault::invalid(path, name, "a stored or deflated entry", e);
    entry.take(HEADER_LIMIT_BYTES as u64).read_to_end(&mut bytes).map_err(unpack)?;
    NpyHeader::parse(path, &bytes)
}

fn open(path: &Path) -> Result<ZipArchive<BufReader<File>>> {
    let file = File::open(path).map_err(fault::io(path))?;
    ZipArchive::new(BufReader::new(file)).map_err(|e| zip_error(path, e))
}

fn zip_error(path: &Path, error: zip::result::ZipError) -> crate::Error {
    match error {
        zip::result::ZipError::Io(source) => fault::io(path)(source),
        other => fault::invalid(path, "zip", "an archive of .npy arrays", other),
    }
}
