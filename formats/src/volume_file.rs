//! One door for every volume format: told by content, read as RAS+ mm.

use crate::input::Input;
use crate::{
    Error, Result, VolumeInfo, VolumeOptions, VolumeReader, analyze, dicom, meta_image, mgh, minc, nifti, nrrd,
    ome_zarr, png_slices, slices, tiff_stack,
};
use brainmesh_core::Volume;
use std::path::Path;

/// Reads a volume as intensities: NIfTI-1 and -2, ANALYZE, MINC1 and MINC2, MGH, NRRD, MetaImage, DICOM (a folder or
/// a file), OME-Zarr (a folder), TIFF stacks, and folders of TIFF or PNG slices.
///
/// The format is told by its content, the name is only used to find the other half of a pair. World space is RAS+ mm,
/// integer voxel coordinates are voxel centres, `i` runs fastest, the file's scaling is applied. Of several volumes in a
/// file the first is read; [`VolumeOptions`] chooses another.
///
/// # Errors
/// Where the file cannot be read, is no volume, is damaged, or leaves open where its voxels lie.
pub fn read_volume(path: &Path) -> Result<Volume<f32>> {
    VolumeOptions::default().read(path)
}

/// Describes a volume from its headers alone.
///
/// # Errors
/// As [`read_volume`], as far as the headers show it.
pub fn volume_info(path: &Path) -> Result<VolumeInfo> {
    Ok(VolumeOptions::default().open(path)?.info().clone())
}

pub(crate) fn open_with(path: &Path, options: &VolumeOptions) -> Result<VolumeReader> {
    if path.is_dir() {
        if ome_zarr::is_zarr(path) {
            return ome_zarr::open(path, options);
        }
        let images = slices::images_of(path)?;
        if !images.is_empty() {
            return slices::open(path, images, options);
        }
        return dicom::open(path, options);
    }
    let input = Input::open(path)?;
    if nifti::is_nifti(input.head()) {
        return nifti::open(input);
    }
    if minc::is_minc(input.head()) {
        return minc::open(input);
    }
    // Before TIFF, whose head may stand in the preamble of a DICOM file (PS3.10, 7.1).
    if dicom::is_dicom(input.head()) {
        return dicom::open(path, options);
    }
    if tiff_stack::is_tiff(input.head()) {
        return tiff_stack::open(path, options);
    }
    if png_slices::is_png(input.head()) {
        return png_slices::open(path, &[path.into()], options);
    }
    if nrrd::is_nrrd(input.head()) {
        return nrrd::open(input);
    }
    if mgh::is_mgh(input.head()) {
        return mgh::open(input);
    }
    if analyze::is_analyze(input.head()) {
        return analyze::open(&input);
    }
    if meta_image::is_meta_image(input.head()) {
        return meta_image::open(input);
    }
    // The image of a pair has no magic number; its header has.
    if let Some(header) = nifti::header_of_image(path) {
        let input = Input::open(&header)?;
        if nifti::is_nifti(input.head()) {
            return nifti::open(input);
        }
        if analyze::is_analyze(input.head()) {
            return analyze::open(&input);
        }
    }
    let shown = &input.head()[..input.head().len().min(8)];
    Err(Error::NotRecognised { path: path.into(), found: format!("a file that begins with {}", shown.escape_ascii()) })
}
