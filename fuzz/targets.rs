//! What is fuzzed: families of readers, each with the small files it starts from. Shared by `mutate.rs` and by libFuzzer.

use brainmesh_core::Silent;
use brainmesh_formats as formats;
use std::path::{Path, PathBuf};

/// Readers and their seeds.
pub struct Target {
    pub name: &'static str,
    /// Ending of the name under which an input is read.
    pub ending: &'static str,
    /// Seeds: files of this folder of `formats/tests/data` with one of these endings, or of one of these names.
    folders: &'static [&'static str],
    endings: &'static [&'static str],
    pub read: fn(&Path) -> bool,
}

/// Every family; the fuzz targets in `fuzz_targets/` have the same names.
pub const TARGETS: &[Target] = &[
    target("nifti", "nii", &["volumes", "agree"], &[".nii"], volume),
    target("nifti-gz", "nii.gz", &["volumes", "agree"], &[".nii.gz"], volume),
    target("minc1", "mnc", &["volumes", "agree"], &["minc1*.mnc", "minc1.mnc.gz", "tiny.mnc"], volume),
    target("minc2", "mnc", &["volumes", "agree"], &["minc2*.mnc", "small.mnc"], volume),
    target("dicom", "dcm", &["dicom", "dicom/series", "dicom/echoes", "agree/dicom"], &[".dcm"], volume),
    target("tiff", "tif", &["tiff", "agree"], &[".tif"], volume),
    target("png", "png", &["tiff/png"], &[".png"], volume),
    target("gifti", "gii", &["surfaces"], &[".gii"], surface),
    target("freesurfer", "white", &["surfaces"], &["lh.*", "rh.*"], surface),
    target("surfaces", "surface", &["surfaces"], &[".ply", ".obj"], surface),
    target("numpy", "npy", &["surfaces"], &[".npy"], array),
    target("npz", "npz", &["surfaces"], &[".npz"], array),
];

const fn target(
    name: &'static str,
    ending: &'static str,
    folders: &'static [&'static str],
    endings: &'static [&'static str],
    read: fn(&Path) -> bool,
) -> Target {
    Target { name, ending, folders, endings, read }
}

/// Larger fixtures make every input slower and find nothing more.
const LARGEST_SEED_BYTES: u64 = 48 << 10;

impl Target {
    /// The files to start from, in the order of their names.
    pub fn seeds(&self) -> Vec<PathBuf> {
        let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../formats/tests/data");
        let entries = self.folders.iter().filter_map(|folder| std::fs::read_dir(data.join(folder)).ok());
        let mut files: Vec<_> = entries.flatten().flatten().map(|entry| entry.path()).collect();
        files.retain(|path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let matches = |pattern: &&str| match pattern.split_once('*') {
                Some((start, end)) => name.starts_with(start) && name.ends_with(end),
                None => name.ends_with(pattern),
            };
            let small = path.metadata().is_ok_and(|m| m.is_file() && m.len() <= LARGEST_SEED_BYTES);
            small && self.endings.iter().any(|pattern| matches(&pattern))
        });
        files.sort();
        files
    }
}

/// Everything that is read of a volume; whether it was read at all.
fn volume(path: &Path) -> bool {
    let Ok(file) = formats::VolumeOptions::default().open(path) else { return false };
    let volumes = file.info().volumes;
    let [ni, nj, nk] = file.grid().shape();
    let _ = file.map::<i16>().map(|mapped| mapped.values().last().copied());
    let _ = file.read_region::<f64>(volumes - 1, &[ni / 2..ni, nj / 2..nj, nk / 2..nk], &Silent);
    let whole = file.read::<f32>(0, &Silent).is_ok();
    let _ = formats::VolumeOptions::default().with_repair(true).open(path);
    whole
}

/// Surfaces, and what comes with them.
fn surface(path: &Path) -> bool {
    let surface = formats::read_surface(path).is_ok();
    let info = formats::surface_info(path).is_ok();
    let maps = formats::read_shape_gifti(path).is_ok() | formats::read_label_gifti(path).is_ok();
    let values = formats::read_morphometry(path).is_ok() | formats::read_annot(path).is_ok();
    surface | info | maps | values | formats::read_vertex_mask(path, 5).is_ok()
}

/// Arrays.
fn array(path: &Path) -> bool {
    let names = formats::npz_names(path);
    let members = names.iter().flatten().filter(|name| formats::read_npz(path, name).is_ok()).count();
    let array = formats::read_npy(path).is_ok();
    array | (members > 0) | formats::array_info(path).is_ok() | formats::read_profile_matrix(path).is_ok()
}
