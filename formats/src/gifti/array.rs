use crate::numbers::{NumberType, Values};
use brainmesh_core::Structure;
use std::collections::BTreeMap;

/// Metadata: name to value, in a fixed order so that output is deterministic.
pub(crate) type Metadata = BTreeMap<String, String>;

/// `AnatomicalStructurePrimary`: the key that names the part of the brain.
pub(super) const STRUCTURE_KEY: &str = "AnatomicalStructurePrimary";

/// One `DataArray`, decoded: `rows * columns` values in row-major order.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct DataArray {
    /// NIfTI intent, as `NIFTI_INTENT_POINTSET`.
    pub intent: String,
    /// `Dim0`.
    pub rows: usize,
    /// Product of the other dimensions.
    pub columns: usize,
    /// The values.
    pub values: Values,
    /// Metadata of this array.
    pub metadata: Metadata,
    /// `DataSpace` of the first coordinate system.
    pub data_space: Option<String>,
    /// Whether one of its coordinate systems has a matrix other than the identity.
    pub moves: bool,
}

/// `DataType` by the name of the NIfTI type. GIFTI 1.0 allows UINT8, INT32 and FLOAT32; others occur in the wild.
pub(super) fn number_type(name: &str) -> Option<NumberType> {
    Some(match name {
        "NIFTI_TYPE_INT8" => NumberType::I8,
        "NIFTI_TYPE_UINT8" => NumberType::U8,
        "NIFTI_TYPE_INT16" => NumberType::I16,
        "NIFTI_TYPE_UINT16" => NumberType::U16,
        "NIFTI_TYPE_INT32" => NumberType::I32,
        "NIFTI_TYPE_UINT32" => NumberType::U32,
        "NIFTI_TYPE_INT64" => NumberType::I64,
        "NIFTI_TYPE_UINT64" => NumberType::U64,
        "NIFTI_TYPE_FLOAT32" => NumberType::F32,
        "NIFTI_TYPE_FLOAT64" => NumberType::F64,
        _ => return None,
    })
}

/// The structure a metadata value names.
pub(super) fn structure_from(metadata: &Metadata) -> Option<Structure> {
    match metadata.get(STRUCTURE_KEY)?.as_str() {
        "CortexLeft" => Some(Structure::CortexLeft),
        "CortexRight" => Some(Structure::CortexRight),
        _ => None,
    }
}

/// The metadata value of a structure; none where it is not known.
pub(super) fn structure_name(structure: Structure) -> Option<&'static str> {
    match structure {
        Structure::CortexLeft => Some("CortexLeft"),
        Structure::CortexRight => Some("CortexRight"),
        Structure::Unknown => None,
    }
}
