use super::array::Metadata;
use crate::Result;
use crate::atomic::write_io;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use brainmesh_core::LabelTable;
use libdeflater::{CompressionLvl, Compressor};
use quick_xml::escape::escape;
use rayon::prelude::*;
use std::borrow::Cow;
use std::io::{self, Write};
use std::path::Path;

/// Deflate level: higher ones take much longer for coordinates that hardly become smaller.
const LEVEL: i32 = 1;

/// Values to write; the two types that every GIFTI reader knows.
pub(super) enum BlockValues<'a> {
    F32(&'a [f32]),
    I32(&'a [i32]),
    /// Encoded before, for a file that has them in common with others.
    Encoded(&'a Encoded),
}

/// The content of a `Data` element.
#[derive(Clone)]
pub(super) struct Encoded {
    stored: &'static str,
    count: usize,
    text: String,
}

impl BlockValues<'_> {
    fn encoded(&self) -> io::Result<Cow<'_, Encoded>> {
        match self {
            Self::F32(values) => Encoded::f32(values).map(Cow::Owned),
            Self::I32(values) => Encoded::i32(values).map(Cow::Owned),
            Self::Encoded(shared) => Ok(Cow::Borrowed(shared)),
        }
    }
}

impl Encoded {
    pub fn i32(values: &[i32]) -> io::Result<Self> {
        Self::new("NIFTI_TYPE_INT32", values.len(), values.iter().flat_map(|v| v.to_le_bytes()).collect())
    }

    fn f32(values: &[f32]) -> io::Result<Self> {
        Self::new("NIFTI_TYPE_FLOAT32", values.len(), values.iter().flat_map(|v| v.to_le_bytes()).collect())
    }

    fn new(stored: &'static str, count: usize, bytes: Vec<u8>) -> io::Result<Self> {
        let mut compressor = Compressor::new(CompressionLvl::new(LEVEL).unwrap_or_default());
        let mut packed = vec![0; compressor.zlib_compress_bound(bytes.len())];
        let length = compressor.zlib_compress(&bytes, &mut packed).map_err(io::Error::other)?;
        Ok(Self { stored, count, text: STANDARD.encode(&packed[..length]) })
    }
}

/// One `DataArray` to write.
pub(super) struct Block<'a> {
    pub intent: &'static str,
    /// `Dim1`; none for a one-dimensional array.
    pub columns: Option<usize>,
    pub values: BlockValues<'a>,
    pub metadata: Metadata,
    /// Whether to state an identity coordinate system (scanner space).
    pub coordinate_system: bool,
}

/// Writes GZipBase64Binary, little endian, row major; the same input gives the same bytes.
pub(super) fn write_gifti(path: &Path, metadata: &Metadata, labels: &LabelTable, blocks: &[Block<'_>]) -> Result<()> {
    write_io(path, |w| write_document(w, metadata, labels, blocks))
}

fn write_document(
    w: &mut (impl Write + ?Sized),
    metadata: &Metadata,
    labels: &LabelTable,
    blocks: &[Block<'_>],
) -> io::Result<()> {
    writeln!(w, r#"<?xml version="1.0" encoding="UTF-8"?>"#)?;
    writeln!(w, r#"<!DOCTYPE GIFTI SYSTEM "http://www.nitrc.org/frs/download.php/115/gifti.dtd">"#)?;
    writeln!(w, r#"<GIFTI Version="1.0" NumberOfDataArrays="{}">"#, blocks.len())?;
    write_metadata(w, metadata)?;
    writeln!(w, "<LabelTable>")?;
    for (key, label) in &labels.0 {
        let [red, green, blue, alpha] = label.rgba;
        let name = escape(label.name.as_str());
        writeln!(w, r#"<Label Key="{key}" Red="{red}" Green="{green}" Blue="{blue}" Alpha="{alpha}">{name}</Label>"#)?;
    }
    writeln!(w, "</LabelTable>")?;
    let encoded: Vec<Cow<'_, Encoded>> =
        blocks.par_iter().map(|block| block.values.encoded()).collect::<io::Result<_>>()?;
    for (block, data) in blocks.iter().zip(&encoded) {
        write_block(w, block, data)?;
    }
    writeln!(w, "</GIFTI>")
}

fn write_block(w: &mut (impl Write + ?Sized), block: &Block<'_>, data: &Encoded) -> io::Result<()> {
    let (dimensions, columns) = match block.columns {
        Some(columns) => (2, columns.max(1)),
        None => (1, 1),
    };
    write!(w, r#"<DataArray Intent="{}" DataType="{}" ArrayIndexingOrder="RowMajorOrder""#, block.intent, data.stored)?;
    write!(w, r#" Dimensionality="{dimensions}" Dim0="{}""#, data.count / columns)?;
    if dimensions == 2 {
        write!(w, r#" Dim1="{columns}""#)?;
    }
    write!(w, r#" Encoding="GZipBase64Binary" Endian="LittleEndian""#)?;
    writeln!(w, r#" ExternalFileName="" ExternalFileOffset="0">"#)?;
    write_metadata(w, &block.metadata)?;
    if block.coordinate_system {
        writeln!(w, "<CoordinateSystemTransformMatrix>")?;
        writeln!(w, "<DataSpace>NIFTI_XFORM_SCANNER_ANAT</DataSpace>")?;
        writeln!(w, "<TransformedSpace>NIFTI_XFORM_SCANNER_ANAT</TransformedSpace>")?;
        writeln!(w, "<MatrixData>1 0 0 0\n0 1 0 0\n0 0 1 0\n0 0 0 1</MatrixData>")?;
        writeln!(w, "</CoordinateSystemTransformMatrix>")?;
    }
    writeln!(w, "<Data>{}</Data>\n</DataArray>", data.text)
}

fn write_metadata(w: &mut (impl Write + ?Sized), metadata: &Metadata) -> io::Result<()> {
    writeln!(w, "<MetaData>")?;
    for (name, value) in metadata {
        let (name, value) = (escape(name.as_str()), escape(value.as_str()));
        writeln!(w, "<MD><Name>{name}</Name><Value>{value}</Value></MD>")?;
    }
    writeln!(w, "</MetaData>")
}
