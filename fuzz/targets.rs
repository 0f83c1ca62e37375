//! What is fuzzed: families of readers, each with the small files it starts from. Shared by `mutate.rs` and by libFuzzer.

use crate::bundle;
use brainmesh_core::Silent;
use brainmesh_formats as formats;
use std::path::{Path, PathBuf};

/// Readers, and where they begin.
pub struct Target {
    pub name: &'static str,
    /// Ending of the name under which an input is read.
    pub ending: &'static str,
    pub seeds: Seeds,
    /// Whether the input was read as anything at all.
    pub read: fn(&Path) -> bool,
}

/// Where an input comes from.
pub enum Seeds {
    /// Files in folders of `formats/tests/data`, by patterns of their names.
    Files(&'static [&'static str], &'static [&'static str]),
    /// Headers in such folders, each in a bundle with the files of the same stem.
    Pairs(&'static [&'static str], &'static [&'static str]),
    /// The folders in a folder, each a bundle.
    Folders(&'static str),
    /// A small surface in formats that no fixture has.
    Surfaces(&'static [formats::SurfaceFormat]),
    /// One grey and one coloured slice.
    Png,
}

const fn target(name: &'static str, ending: &'static str, seeds: Seeds, read: fn(&Path) -> bool) -> Target {
    Target { name, ending, seeds, read }
}

use Seeds::{Files, Folders, Pairs, Png, Surfaces};
use formats::SurfaceFormat as Format;

const VOLUMES: &[&str] = &["volumes", "agree"];
const PLAIN: &[&str] = &["plain", "agree"];
const SLICES: &[&str] = &["dicom", "dicom/series", "dicom/echoes", "dicom/pixels", "agree/dicom"];

/// Every family; the fuzz targets in `fuzz_targets/` have the same names.
pub const TARGETS: &[Target] = &[
    target("nifti", "nii", Files(VOLUMES, &[".nii"]), volume),
    target("nifti-gz", "nii.gz", Files(VOLUMES, &[".nii.gz"]), volume),
    target("minc1", "mnc", Files(VOLUMES, &["minc1*.mnc", "minc1.mnc.gz", "tiny.mnc", "*minc1.mnc"]), volume),
    target("minc2", "mnc", Files(VOLUMES, &["minc2*.mnc", "small.mnc", "*minc2.mnc"]), volume),
    target("dicom", "dcm", Files(SLICES, &[".dcm"]), volume),
    target("mgh", "mgz", Files(PLAIN, &[".mgh", ".mgz"]), volume),
    target("nrrd", "nrrd", Files(PLAIN, &[".nrrd"]), volume),
    target("metaimage", "mha", Files(PLAIN, &[".mha"]), volume),
    target("pairs", "bundle", Pairs(&["plain", "volumes"], &[".hdr", ".nhdr", ".mhd"]), pair),
    target("tiff", "tif", Files(&["tiff", "agree"], &[".tif"]), volume),
    target("png", "png", Png, volume),
    target("zarr", "bundle", Folders("zarr"), folder),
    target("gifti", "gii", Files(&["surfaces"], &[".gii"]), surface),
    target("freesurfer", "white", Files(&["surfaces"], &["lh.*", "rh.*"]), surface),
    target("ply-obj", "surface", Files(&["surfaces"], &[".ply", ".obj"]), surface),
    target("mni-stl-mz3", "surface", Surfaces(&[Format::MniObj, Format::Stl, Format::Mz3]), surface),
    target("vtk", "vtk", Surfaces(&[Format::Vtk, Format::VtkAscii, Format::Vtp]), surface),
    target("glb", "glb", Surfaces(&[Format::Glb]), surface),
    target("numpy", "npy", Files(&["surfaces"], &[".npy"]), array),
    target("npz", "npz", Files(&["surfaces"], &[".npz"]), array),
];

/// Everything that is read of a volume.
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

/// The first file of a bundle, beside the others.
fn pair(path: &Path) -> bool {
    let unpacked = path.with_extension("unpacked");
    let first = std::fs::read(path).ok().and_then(|bytes| bundle::unpack(&bytes, &unpacked).into_iter().next());
    first.is_some_and(|name| volume(&unpacked.join(name)))
}

/// A bundle as a folder.
fn folder(path: &Path) -> bool {
    let unpacked: PathBuf = path.with_extension("unpacked");
    std::fs::read(path).is_ok_and(|bytes| !bundle::unpack(&bytes, &unpacked).is_empty()) && volume(&unpacked)
}

/// Surfaces, and what comes with them.
fn surface(path: &Path) -> bool {
    let surface = formats::read_surface(path).is_ok();
    let info = formats::surface_info(path).is_ok();
    let maps = formats::read_vertex_maps(path).is_ok() | formats::read_label_gifti(path).is_ok();
    let values = formats::read_morphometry(path).is_ok() | formats::read_annot(path).is_ok();
    let labels = formats::read_freesurfer_label(path).is_ok() | formats::read_vertex_mask(path, 5).is_ok();
    surface | info | maps | values | labels
}

/// Arrays.
fn array(path: &Path) -> bool {
    let names = formats::npz_names(path);
    let members = names.iter().flatten().filter(|name| formats::read_npz(path, name).is_ok()).count();
    let array = formats::read_npy(path).is_ok();
    array | (members > 0) | formats::array_info(path).is_ok() | formats::read_profile_matrix(path).is_ok()
}
