use super::Source;
use super::attributes::{Attributes, numbers, unpadded};
use super::axis::Axis;
use super::image::{Image, Limit};
use crate::input::Input;
use crate::stored_type::StoredType;
use crate::{Error, Result, fault};
use netcdf_reader::classic::ClassicFile;
use netcdf_reader::{NcFormat, NcType, NcVariable};
use std::path::Path;

impl Attributes for &NcVariable {
    fn numbers(&self, path: &Path, name: &str) -> Result<Option<Vec<f64>>> {
        let Some(found) = self.attribute(name) else { return Ok(None) };
        let wrong = || fault::invalid(path, format!("{}:{name}", self.name), "numbers", format!("{:?}", found.value));
        found.value.as_f64_vec().ok_or_else(wrong).map(Some)
    }

    fn text(&self, path: &Path, name: &str) -> Result<Option<String>> {
        let Some(found) = self.attribute(name) else { return Ok(None) };
        let wrong = || fault::invalid(path, format!("{}:{name}", self.name), "text", format!("{:?}", found.value));
        found.value.as_string().ok_or_else(wrong).map(|text| Some(unpadded(&text)))
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
    let image = variable(&file, "image").ok_or_else(|| Error::NotRecognised {
        path: path.clone(),
        found: "netCDF without the variable `image` of MINC1".into(),
    })?;
    let kind = image.dtype.clone();
    // Bytes are unsigned and the others signed, where `signtype` does not say.
    let unsigned = match image.text(&path, "signtype")?.as_deref() {
        None => kind == NcType::Byte,
        Some("unsigned") => true,
        Some("signed__") => false,
        Some(other) => return Err(fault::invalid(&path, "image:signtype", "signed__ or unsigned", other)),
    };
    let stored = match (&kind, unsigned) {
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
    let axes = image.dimensions.iter().map(|d| Axis::new(&path, &d.name, d.size, variable(&file, &d.name).as_ref()));
    let axes = axes.collect::<Result<Vec<_>>>()?;
    let valid_range = match numbers(&path, &image, "image", "valid_range")? {
        Some(range) => Some(range),
        None => {
            let bound = |name| numbers::<1>(&path, &image, "image", name);
            bound("valid_min")?.zip(bound("valid_max")?).map(|([low], [high])| [low, high])
        }
    };
    Ok(Image {
        format: "MINC1",
        axes,
        stored,
        valid_range,
        minimum: limit(&path, &file, "image-min", most_bytes)?,
        maximum: limit(&path, &file, "image-max", most_bytes)?,
        most_bytes,
        path,
        source: Source::One { file: Box::new(file), kind, unsigned },
    })
}

fn variable<'a>(file: &'a ClassicFile, name: &str) -> Option<&'a NcVariable> {
    file.root_group().variables.iter().find(|v| v.name == name)
}

fn limit(path: &Path, file: &ClassicFile, name: &str, most_bytes: u64) -> Result<Option<Limit>> {
    let Some(found) = variable(file, name) else { return Ok(None) };
    let count = found.dimensions.iter().try_fold(1u64, |n, d| n.checked_mul(d.size));
    if count.is_none_or(|n| n > most_bytes) {
        let shape: Vec<_> = found.dimensions.iter().map(|d| d.size).collect();
        return Err(fault::invalid(path, name, format!("no more than {most_bytes} bytes"), format!("{shape:?}")));
    }
    let values = file.read_variable_as_f64(name);
    let values = values.map_err(|e| fault::invalid(path, name, "numbers that can be read", e))?;
    let axes = found.dimensions.iter().map(|d| d.name.clone()).collect();
    Ok(Some(Limit { axes, values: values.into_iter().collect() }))
}
