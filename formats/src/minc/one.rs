use super::Source;
use super::attributes::{Attributes, numbers, unpadded};
use super::axis::{Axis, Dimension};
use super::image::Image;
use super::scale::Limit;
use crate::input::Input;
use crate::stored_type::StoredType;
use crate::{Error, Result, fault};
use brainmesh_core::LabelTable;
use netcdf_reader::classic::ClassicFile;
use netcdf_reader::{NcFormat, NcType, NcVariable};
use std::path::Path;

/// A variable of the file.
struct Variable<'a> {
    file: &'a ClassicFile,
    variable: &'a NcVariable,
    /// The file holds no more content than this.
    most_bytes: u64,
}

impl Attributes for Variable<'_> {
    fn numbers(&self, path: &Path, name: &str) -> Result<Option<Vec<f64>>> {
        let Some(found) = self.variable.attribute(name) else { return Ok(None) };
        let field = format!("{}:{name}", self.variable.name);
        let wrong = || fault::invalid(path, field, "numbers", format!("{:?}", found.value));
        found.value.as_f64_vec().ok_or_else(wrong).map(Some)
    }

    fn text(&self, path: &Path, name: &str) -> Result<Option<String>> {
        let Some(found) = self.variable.attribute(name) else { return Ok(None) };
        let field = format!("{}:{name}", self.variable.name);
        let wrong = || fault::invalid(path, field, "text", format!("{:?}", found.value));
        found.value.as_string().ok_or_else(wrong).map(|text| Some(unpadded(&text)))
    }
}

impl Dimension for Variable<'_> {
    fn values(&self, path: &Path) -> Result<Vec<f64>> {
        let (name, dimensions) = (&self.variable.name, &self.variable.dimensions);
        let count = dimensions.iter().try_fold(1u64, |n, d| n.checked_mul(d.size));
        if count.is_none_or(|n| n > self.most_bytes) {
            let shape: Vec<_> = dimensions.iter().map(|d| d.size).collect();
            let expected = format!("no more than {} bytes", self.most_bytes);
            return Err(fault::invalid(path, name, expected, format!("{shape:?}")));
        }
        let values = self.file.read_variable_as_f64(name);
        let values = values.map_err(|e| fault::invalid(path, name, "numbers that can be read", e))?;
        Ok(values.into_iter().collect())
    }
}

/// Opens a netCDF-3 file, gzipped or not, that should be MINC1.
pub(super) fn open(input: Input) -> Result<Image> {
    let path = input.path().to_path_buf();
    let most = input.most_bytes();
    let bytes = input.into_bytes(most)?;
    let most_bytes = bytes.len() as u64;
    let format = match bytes.get(3) {
        Some(1) => NcFormat::Classic,
        Some(2) => NcFormat::Offset64,
        Some(5) => NcFormat::Cdf5,
        found => return Err(fault::unsupported(&path, "netCDF version", format!("{found:?}"), "1, 2, 5")),
    };
    let file = ClassicFile::from_vec(bytes, format)
        .map_err(|e| fault::invalid(&path, "netCDF header", "an intact header", e))?;
    let variable = |name: &str| {
        let variable = file.root_group().variables.iter().find(|v| v.name == name)?;
        Some(Variable { file: &file, variable, most_bytes })
    };
    let image = variable("image").ok_or_else(|| Error::NotRecognised {
        path: path.clone(),
        found: "netCDF without the variable `image` of MINC1".into(),
    })?;
    let kind = &image.variable.dtype;
    // Bytes are unsigned and the others signed, where `signtype` does not say.
    let unsigned = match image.text(&path, "signtype")?.as_deref() {
        None => *kind == NcType::Byte,
        Some("unsigned") => true,
        Some("signed__") => false,
        Some(other) => return Err(fault::invalid(&path, "image:signtype", "signed__ or unsigned", other)),
    };
    let stored = match (kind, unsigned) {
        (NcType::Byte, false) => StoredType::Int8,
        (NcType::Byte, true) => StoredType::Uint8,
        (NcType::Short, false) => StoredType::Int16,
        (NcType::Short, true) => StoredType::Uint16,
        (NcType::Int, false) => StoredType::Int32,
        (NcType::Int, true) => StoredType::Uint32,
        (NcType::Float, _) => StoredType::Float32,
        (NcType::Double, _) => StoredType::Float64,
        (other, _) => {
            let supported = "byte, short, int, float, double";
            return Err(fault::unsupported(&path, "type of image", format!("{other:?}"), supported));
        }
    };
    let mut warnings = Vec::new();
    let axes = image.variable.dimensions.iter();
    let axes = axes.map(|d| Axis::new(&path, &d.name, d.size, variable(&d.name).as_ref(), &mut warnings));
    let axes = axes.collect::<Result<Vec<_>>>()?;
    let valid_range = match numbers(&path, &image, "image", "valid_range")? {
        Some(range) => Some(range),
        None => {
            let bound = |name| numbers::<1>(&path, &image, "image", name);
            bound("valid_min")?.zip(bound("valid_max")?).map(|([low], [high])| [low, high])
        }
    };
    let limit = |name| variable(name).map(|found| limit(&path, &found)).transpose();
    let (minimum, maximum) = (limit("image-min")?, limit("image-max")?);
    Ok(Image {
        format: "MINC1",
        axes,
        stored,
        valid_range,
        minimum,
        maximum,
        is_unscaled: false,
        labels: LabelTable::default(),
        warnings,
        most_bytes,
        path,
        source: Source::One(Box::new(file)),
    })
}

fn limit(path: &Path, found: &Variable) -> Result<Limit> {
    let axes = found.variable.dimensions.iter().map(|d| d.name.clone()).collect();
    Ok(Limit { axes, values: found.values(path)? })
}
