//! NRRD (`.nrrd`, `.nhdr`) and 3D Slicer's segmentations (`.seg.nrrd`), after teem's "Definition of NRRD File Format" and
//! Slicer's `vtkMRMLSegmentationStorageNode`.
//!
//! - **Axes**: the first is stored fastest. Axes of space must follow one another; those before them (colour, vector, list) are
//!   the values of a voxel and read as planes, those after them (time, list) count volumes. Fewer than three axes of space are
//!   completed with length 1.
//! - **Placement**: `space directions` and `space origin`, the centre of the first sample whatever `centerings` say, from the
//!   `space` (RAS, LAS, LPS, each also with time) to RAS+ mm. `space units` are turned to mm. Spaces that name no directions,
//!   and files without any, are taken as left-posterior-superior, as ITK does, called `unregistered` and warned of. Without
//!   `space directions` there are `spacings`, `axis mins` and `axis maxs`, with cells unless `centerings` say node, as in ITK.
//! - **Values**: raw, gzip, ascii, hex; data after the header, in one file, a list or a numbered pattern, which must lie in the
//!   header's folder or below; `line skip`, `byte skip` (-1 for raw). No scaling; `old min` and `old max` are not applied.
//! - **Segmentations**: names, colours and values of `Segment{n}_...` become the label table; layers are planes. A value that
//!   means two things in two layers keeps the first name in the table, with a warning.
//! - **Ignored**: `measurement frame` (components of vectors stay as they are), `thicknesses`, other keys and comments.
//! - **Not supported**: bzip2, block types, axes of another kind between those of space.
//!
//! Written as NRRD0004 in left-posterior-superior (`unregistered`: space dimension alone), as one gzip member because pynrrd
//! reads no more; several volumes as a list axis at the end. The world's name and the opacity of labels have no place.

mod axes;
mod header;
mod read;
mod segments;
mod space;
mod write;

pub(crate) use read::open;
pub(crate) use write::write;

/// Whether a file begins like NRRD.
pub(crate) fn is_nrrd(head: &[u8]) -> bool {
    head.starts_with(b"NRRD0")
}
