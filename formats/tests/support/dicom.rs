//! Changed copies of the DICOM fixtures.

use dicom_core::{Tag, VR};
use dicom_dictionary_std::tags;
use dicom_object::{DefaultDicomObject, open_file};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// A file of `tests/data/dicom`.
pub fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/dicom").join(name)
}

/// A series of which each slice, given by its position along the stack, has been changed.
pub fn changed(name: &str, change: impl Fn(usize, &mut DefaultDicomObject)) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let mut slices: Vec<_> = std::fs::read_dir(fixture(name)).unwrap().map(|f| f.unwrap().path()).collect();
    slices.sort_by_cached_key(|path| number(&open_file(path).unwrap(), tags::INSTANCE_NUMBER) as i64);
    for (k, path) in slices.iter().enumerate() {
        let mut object = open_file(path).unwrap();
        change(k, &mut object);
        object.write_to_file(folder.path().join(path.file_name().unwrap())).unwrap();
    }
    folder
}

pub fn number(object: &DefaultDicomObject, tag: Tag) -> f64 {
    object.element(tag).unwrap().to_float64().unwrap()
}

pub fn put(object: &mut DefaultDicomObject, tag: Tag, vr: VR, value: &str) {
    object.put_str(tag, vr, value);
}
