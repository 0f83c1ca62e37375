use crate::bytes::read_bytes;
use crate::profile_file::non_empty;
use crate::text_table::TextTable;
use crate::{Result, fault};
use ndarray::Array2;
use std::path::Path;

/// Labelled rays in the layout of the reference (Wagstyl 2020 and the 1-D FCN tutorial): a folder of text files, one
/// ray a line.
#[derive(Debug, Clone, PartialEq)]
pub struct TrainingSet {
    /// `training_raw.txt`, `[rays, samples]`: intensity as sampled.
    pub raw: Array2<f32>,
    /// `training_geo.txt`, `[rays, samples]`: intensity smoothed along the cortex ("geodesic").
    pub smoothed: Array2<f32>,
    /// `training_cls.txt`, `[rays, samples]`: 0 outside, 1..=6 layers, 7 white matter where it has a class of its own.
    pub classes: Array2<u8>,
    /// `training_regions.txt`, `[rays]`: the region each ray was taken from. None where the file is absent.
    pub regions: Option<Vec<i32>>,
    /// `training_cls_indices.txt`, `[rays, columns]`. The reference does not say what its columns mean, so they are
    /// handed over as stored. None where the file is absent.
    pub class_indices: Option<Array2<f32>>,
}

impl TrainingSet {
    /// Reads a folder.
    ///
    /// # Errors
    /// A missing `training_raw.txt`, `training_geo.txt` or `training_cls.txt`, files of different shapes, or classes
    /// other than the whole numbers 0 to 7.
    pub fn read(folder: &Path) -> Result<Self> {
        let raw = table(&folder.join("training_raw.txt"))?;
        let smoothed_path = folder.join("training_geo.txt");
        let smoothed = table(&smoothed_path)?;
        let classes_path = folder.join("training_cls.txt");
        let classes = table(&classes_path)?;
        for (path, found) in [(&smoothed_path, smoothed.dim()), (&classes_path, classes.dim())] {
            if found != raw.dim() {
                let expected = format!("{:?}, as training_raw.txt", raw.dim());
                return Err(fault::invalid(path, "[rays, samples]", expected, format!("{found:?}")));
            }
        }
        if let Some(bad) = classes.iter().find(|c| c.fract() != 0.0 || !(0.0..=7.0).contains(*c)) {
            return Err(fault::invalid(&classes_path, "class", "a whole number from 0 to 7", bad));
        }
        let regions_path = folder.join("training_regions.txt");
        let regions = match optional(&regions_path)? {
            None => None,
            Some(column) => Some(whole_numbers(&regions_path, &column, raw.nrows())?),
        };
        let indices_path = folder.join("training_cls_indices.txt");
        let class_indices = optional(&indices_path)?;
        if let Some(found) = class_indices.as_ref().map(Array2::nrows).filter(|&n| n != raw.nrows()) {
            return Err(fault::invalid(&indices_path, "rays", raw.nrows().to_string(), found));
        }
        Ok(Self { raw, smoothed, classes: classes.mapv(|c| c as u8), regions, class_indices })
    }
}

fn table(path: &Path) -> Result<Array2<f32>> {
    non_empty(path, TextTable::parse(path, &read_bytes(path)?)?.values)
}

fn optional(path: &Path) -> Result<Option<Array2<f32>>> {
    if path.exists() { table(path).map(Some) } else { Ok(None) }
}

/// A number a ray, on lines of their own or all on one line.
fn whole_numbers(path: &Path, values: &Array2<f32>, rays: usize) -> Result<Vec<i32>> {
    if values.len() != rays || !(values.nrows() == 1 || values.ncols() == 1) {
        return Err(fault::invalid(path, "regions", format!("{rays} numbers"), format!("{:?}", values.dim())));
    }
    // Whole numbers up to 2^24 are exact in float32, far above any count of regions.
    let whole = |&v: &f32| match v.fract() == 0.0 && v.abs() < 16_777_216.0 {
        true => Ok(v as i32),
        false => Err(fault::invalid(path, "region", "a whole number", v)),
    };
    values.iter().map(whole).collect()
}
