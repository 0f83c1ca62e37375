use super::array::{DataArray, Metadata, STRUCTURE_KEY, structure_from, structure_name};
use super::write::{Block, BlockValues, write_gifti};
use super::{GiftiFile, read_file};
use crate::numbers::{Values, narrow};
use crate::{Result, VertexValues, fault};
use brainmesh_core::{LabelTable, Structure};
use std::path::Path;

const SURFACE_INTENTS: [&str; 2] = ["NIFTI_INTENT_POINTSET", "NIFTI_INTENT_TRIANGLE"];
const LABEL_INTENT: &str = "NIFTI_INTENT_LABEL";

/// Values per vertex, read from a GIFTI shape, functional or time-series file.
#[derive(Debug, Clone, PartialEq)]
pub struct ShapeMap {
    /// `Name` of the array; empty where it has none.
    pub name: String,
    /// One value a vertex; NaN where the file says NaN.
    pub values: Vec<f32>,
    /// Part of the brain.
    pub structure: Structure,
}

/// One label per vertex, with names and colours.
#[derive(Debug, Clone, PartialEq)]
pub struct LabelMap {
    /// `Name` of the array; empty where it has none.
    pub name: String,
    /// One label a vertex.
    pub labels: Vec<i32>,
    /// Names and colours.
    pub table: LabelTable,
    /// Part of the brain.
    pub structure: Structure,
}

/// Every map of a shape file (`.shape.gii`, `.func.gii`), in the order of the file. A two-dimensional array becomes one
/// map a column.
///
/// # Errors
/// An unreadable file, no map, or maps of different lengths.
pub fn read_shape_gifti(path: &Path) -> Result<Vec<ShapeMap>> {
    let file = read_file(path)?;
    let maps = file.maps().map(|array| shapes(path, &file, array)).collect::<Result<Vec<_>>>()?.concat();
    let Some(first) = maps.first() else {
        return Err(fault::invalid(path, "DataArray", "at least one map of values a vertex", "none"));
    };
    let expected = first.values.len();
    if let Some(map) = maps.iter().find(|m| m.values.len() != expected) {
        return Err(fault::invalid(path, "map length", expected.to_string(), map.values.len()));
    }
    Ok(maps)
}

/// The first label array of a label file (`.label.gii`), or of a file of plain integers, with the file's label table.
///
/// # Errors
/// An unreadable file, or no array of integers.
pub fn read_label_gifti(path: &Path) -> Result<LabelMap> {
    let file = read_file(path)?;
    let candidates = || file.maps().filter(|a| a.columns == 1);
    let array = candidates().find(|a| a.intent == LABEL_INTENT).or_else(|| candidates().next());
    let array = array.ok_or_else(|| fault::invalid(path, "DataArray", "one column of labels", "none"))?;
    labels(path, &file, array)
}

/// Every map of a decoded file: labels where the intent says so, numbers otherwise.
pub(crate) fn values_from(path: &Path, file: &GiftiFile) -> Result<Vec<VertexValues>> {
    let mut maps = Vec::new();
    for array in file.maps() {
        match array.intent == LABEL_INTENT && array.columns == 1 {
            true => maps.push(VertexValues::Labels(labels(path, file, array)?)),
            false => maps.extend(shapes(path, file, array)?.into_iter().map(VertexValues::Shape)),
        }
    }
    Ok(maps)
}

impl GiftiFile {
    /// The arrays that are maps.
    fn maps(&self) -> impl Iterator<Item = &DataArray> {
        self.arrays.iter().filter(|a| !SURFACE_INTENTS.contains(&a.intent.as_str()))
    }
}

/// One map a column.
fn shapes(path: &Path, file: &GiftiFile, array: &DataArray) -> Result<Vec<ShapeMap>> {
    let values = array.values.to_f64();
    // An empty array may declare any number of columns; it holds no map.
    let columns = if values.is_empty() { 0 } else { array.columns };
    let map = |column| {
        let values = values.iter().skip(column).step_by(columns).map(|&v| narrow(path, "Data", v));
        Ok(ShapeMap {
            name: array_name(array),
            values: values.collect::<Result<_>>()?,
            structure: structure(file, array),
        })
    };
    (0..columns).map(map).collect()
}

fn labels(path: &Path, file: &GiftiFile, array: &DataArray) -> Result<LabelMap> {
    let label = |v: i64| i32::try_from(v).map_err(|_| fault::invalid(path, "label", "a 32-bit integer", v));
    let labels = match &array.values {
        Values::Integer(v) => v.iter().map(|&v| label(v)).collect::<Result<_>>()?,
        // Some programs store labels as floats; only whole numbers are labels.
        Values::Float(v) => v
            .iter()
            .map(|&v| match v.fract() == 0.0 && v.abs() <= f64::from(i32::MAX) {
                true => label(v as i64),
                false => Err(fault::invalid(path, "label", "a whole number", v)),
            })
            .collect::<Result<_>>()?,
    };
    Ok(LabelMap { name: array_name(array), labels, table: file.labels.clone(), structure: structure(file, array) })
}

/// Every map of a file, shape or label, for summaries: intent, name and values.
pub(crate) fn read_any_maps(file: &GiftiFile) -> impl Iterator<Item = (&DataArray, String)> {
    file.maps().map(|a| (a, array_name(a)))
}

/// Writes values per vertex as NIFTI_INTENT_SHAPE float32, one array a map; NaN is kept.
///
/// # Errors
/// Maps of different lengths, or a folder that cannot be written.
pub fn write_shape_gifti(path: &Path, maps: &[(&str, &[f32])], structure: Structure) -> Result<()> {
    write_maps(path, "NIFTI_INTENT_SHAPE", maps, structure)
}

fn write_maps(path: &Path, intent: &'static str, maps: &[(&str, &[f32])], structure: Structure) -> Result<()> {
    let expected = maps.first().map_or(0, |m| m.1.len());
    if let Some((_, values)) = maps.iter().find(|m| m.1.len() != expected) {
        return Err(fault::invalid(path, "map length", expected.to_string(), values.len()));
    }
    let blocks: Vec<Block<'_>> =
        maps.iter().map(|(name, values)| map_block(intent, name, BlockValues::F32(values))).collect();
    write_gifti(path, &file_metadata(structure), &LabelTable::default(), &blocks)
}

/// Writes a time series per vertex (`.func.gii`) as NIFTI_INTENT_TIME_SERIES float32, one array a time point; NaN is kept.
///
/// The time between the points is not written: programs disagree about the unit of GIFTI's `TimeStep`.
///
/// # Errors
/// Time points of different lengths, or a folder that cannot be written.
pub fn write_func_gifti(path: &Path, time_points: &[&[f32]], structure: Structure) -> Result<()> {
    let maps: Vec<(String, &[f32])> = time_points.iter().enumerate().map(|(t, v)| (format!("#{t}"), *v)).collect();
    let maps: Vec<(&str, &[f32])> = maps.iter().map(|(name, values)| (name.as_str(), *values)).collect();
    write_maps(path, "NIFTI_INTENT_TIME_SERIES", &maps, structure)
}

/// Writes one label per vertex as NIFTI_INTENT_LABEL int32 with its label table.
///
/// # Errors
/// A label that the table does not name, or a folder that cannot be written.
pub fn write_label_gifti(
    path: &Path,
    name: &str,
    labels: &[i32],
    table: &LabelTable,
    structure: Structure,
) -> Result<()> {
    if let Some(missing) = labels.iter().find(|&&l| table.get(l).is_none()) {
        return Err(fault::invalid(path, "label table", "an entry for every label used", missing));
    }
    let block = map_block(LABEL_INTENT, name, BlockValues::I32(labels));
    write_gifti(path, &file_metadata(structure), table, &[block])
}

fn map_block<'a>(intent: &'static str, name: &str, values: BlockValues<'a>) -> Block<'a> {
    let metadata = Metadata::from([("Name".to_owned(), name.to_owned())]);
    Block { intent, columns: None, values, metadata, coordinate_system: false }
}

/// Connectome Workbench looks for the structure of a map in the file's metadata.
fn file_metadata(structure: Structure) -> Metadata {
    structure_name(structure).map(|name| (STRUCTURE_KEY.to_owned(), name.to_owned())).into_iter().collect()
}

fn array_name(array: &DataArray) -> String {
    array.metadata.get("Name").cloned().unwrap_or_default()
}

fn structure(file: &GiftiFile, array: &DataArray) -> Structure {
    structure_from(&array.metadata).or_else(|| structure_from(&file.metadata)).unwrap_or_default()
}
