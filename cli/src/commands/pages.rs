use crate::{Error, Result};
use brainmesh_core::Monitor;
use brainmesh_formats::{StoredType, VolumeOptions, VolumeReader, Voxel};
use std::path::{Path, PathBuf};

/// One picture of a stack or a folder: `values[x + width * y]`, rows from the top.
pub(super) struct Page<T> {
    /// The file's name without its ending, or the page's number from 0.
    pub name: String,
    /// Width and height in pixels.
    pub size: [usize; 2],
    pub values: Vec<T>,
}

/// Pictures in their order, and how they are stored.
pub(super) struct Pages<T> {
    pub pages: Vec<Page<T>>,
    /// Of the first; a folder may mix types of whole numbers, not whole numbers and fractions.
    pub stored: StoredType,
    /// Whether names are those of files.
    pub named: bool,
}

/// Reads the pages of a stack (any volume, slice by slice along its third axis), or the PNG and TIFF pictures of a folder in
/// the order of the numbers in their names; there numbers may be missing.
pub(super) fn read_pages<T: Voxel + PartialEq>(path: &Path, monitor: &dyn Monitor) -> Result<Pages<T>> {
    let pictures = pictures_of(path)?;
    let named = !pictures.is_empty();
    let files = if named { pictures } else { vec![path.to_path_buf()] };
    let mut all = Pages { pages: Vec::new(), stored: StoredType::Uint8, named };
    for file in &files {
        let reader = VolumeOptions::default().open(file)?;
        if all.pages.is_empty() {
            all.stored = reader.stored();
        } else if is_fraction(all.stored) != is_fraction(reader.stored())
            || all.stored.size_bytes() != reader.stored().size_bytes()
        {
            return Err(Error::Unusable(format!(
                "{}: expected values of type {} as in the first picture, found {}",
                file.display(),
                all.stored,
                reader.stored()
            )));
        }
        let data = read_grey::<T>(&reader, monitor)?;
        let [width, height, slices] = reader.grid().shape();
        let stem = file.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        for (k, values) in data.chunks(width * height).enumerate() {
            let name = match (named, slices) {
                (true, 1) => stem.clone(),
                (true, _) => format!("{stem}/{k}"),
                (false, _) => k.to_string(),
            };
            all.pages.push(Page { name, size: [width, height], values: values.to_vec() });
        }
    }
    Ok(all)
}

/// Whether values of this type are no whole numbers.
pub(super) fn is_fraction(stored: StoredType) -> bool {
    matches!(stored, StoredType::Float32 | StoredType::Float64)
}

/// The values of a grey picture; colours are taken where they are all the same.
pub(super) fn read_grey<T: Voxel + PartialEq>(reader: &VolumeReader, monitor: &dyn Monitor) -> Result<Vec<T>> {
    let info = reader.info();
    let refused = |found: String| {
        Err(Error::Unusable(format!("{}: expected grey pictures, found {found}", reader.path().display())))
    };
    let colours = info.planes.iter().filter(|name| *name != "alpha").count().max(1);
    if info.volumes != info.planes.len().max(1) {
        return refused(format!("{} volumes", info.volumes));
    }
    let (_, grey) = reader.read::<T>(0, monitor)?.into_parts();
    for plane in 1..colours {
        if reader.read::<T>(plane, monitor)?.data() != grey {
            return refused(format!("colours ({})", info.planes.join(", ")));
        }
    }
    Ok(grey)
}

/// The PNG and TIFF files of a folder that holds nothing else visible, by the numbers in their names; none for other paths.
fn pictures_of(path: &Path) -> Result<Vec<PathBuf>> {
    if !path.is_dir() {
        return Ok(Vec::new());
    }
    let io = |source| brainmesh_formats::Error::Io { path: path.into(), source };
    let mut pictures = Vec::new();
    for entry in std::fs::read_dir(path).map_err(io)? {
        let file = entry.map_err(io)?.path();
        let is_hidden = file.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
        if is_hidden {
            continue;
        }
        let ending = file.extension().map(|e| e.to_string_lossy().to_ascii_lowercase()).unwrap_or_default();
        if file.is_dir() || !matches!(ending.as_str(), "png" | "tif" | "tiff") {
            return Ok(Vec::new());
        }
        pictures.push(file);
    }
    pictures.sort_by_cached_key(|file| natural(&file.file_stem().unwrap_or_default().to_string_lossy()));
    Ok(pictures)
}

/// A key by which `b2` comes before `b10`.
pub(super) fn natural(name: &str) -> Vec<(String, u64)> {
    let mut key = Vec::new();
    let mut rest = name;
    while !rest.is_empty() {
        let text = rest.find(|c: char| c.is_ascii_digit()).unwrap_or(rest.len());
        let (before, from) = rest.split_at(text);
        let digits = from.find(|c: char| !c.is_ascii_digit()).unwrap_or(from.len());
        let (number, after) = from.split_at(digits);
        key.push((before.into(), number.parse().unwrap_or(u64::MAX)));
        rest = after;
    }
    key
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_count_as_numbers() {
        let mut names = ["b10", "b2", "a11-3", "a11-20", "b"];
        names.sort_by_cached_key(|name| natural(name));
        assert_eq!(names, ["a11-3", "a11-20", "b2", "b10", "b"]);
    }
}
