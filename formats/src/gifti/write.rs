use super::array::Metadata;
use crate::Result;
use crate::atomic::write_io;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use brainmesh_core::LabelTable;
use flate2::Compression;
use flate2::write::ZlibEncoder;
use quick_xml::escape::escape;
use std::io::{self, Write};
use std::path::Path;

/// Values to write; the two types that every GIFTI reader knows.
pub(super) enum BlockValues<'a> {
    F32(&'a [f32]),
    I32(&'a [i32]),
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
    for block in blocks {
        write_block(w, block)?;
    }
    writeln!(w, "</GIFTI>")
}

fn write_block(w: &mut (impl Write + ?Sized), block: &Block<'_>) -> io::Result<()> {
    let (stored, count) = match block.values {
        BlockValues::F32(v) => ("NIFTI_TYPE_FLOAT32", v.len()),
        BlockValues::I32(v) => ("NIFTI_TYPE_INT32", v.len()),
    };
    let (dimensions, columns) = match block.columns {
        Some(columns) => (2, columns.max(1)),
        None => (1, 1),
    };
    write!(w, r#"<DataArray Intent="{}" DataType="{stored}" ArrayIndexingOrder="RowMajorOrder""#, block.intent)?;
    write!(w, r#" Dimensionality="{dimensions}" Dim0="{}""#, count / columns)?;
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
    write!(w, "<Data>")?;
    let mut packed = ZlibEncoder::new(Vec::new(), Compression::default());
    match block.values {
        BlockValues::F32(v) => v.iter().try_for_each(|v| packed.write_all(&v.to_le_bytes()))?,
        BlockValues::I32(v) => v.iter().try_for_each(|v| packed.write_all(&v.to_le_bytes()))?,
    }
    w.write_all(STANDARD.encode(packed.finish()?).as_bytes())?;
    writeln!(w, "</Data>\n</DataArray>")
}

fn write_metadata(w: &mut (impl Write + ?Sized), metadata: &Metadata) -> io::Result<()> {
    writeln!(w, "<MetaData>")?;
    for (name, value) in metadata {
        let (name, value) = (escape(name.as_str()), escape(value.as_str()));
        writeln!(w, "<MD><Name>{name}</Name><Value>{value}</Value></MD>")?;
    }
    writeln!(w, "</MetaData>")
}
