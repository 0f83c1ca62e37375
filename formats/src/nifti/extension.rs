use crate::{Result, fault};
use std::path::Path;

/// A NIfTI header extension (`nifti1_extension` in `nifti1.h`), kept as it is: DICOM headers, AFNI and CIFTI XML, comments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extension {
    /// Registered code of its kind, such as 6 for a comment.
    pub code: i32,
    /// Its content, with any padding.
    pub data: Vec<u8>,
}

/// Size and code come before the content.
const HEAD_BYTES: usize = 8;
/// Extensions take multiples of this.
const ALIGNMENT: usize = 16;

/// Extensions in `bytes`, which begin with the four bytes after the header (`extender`) and end where voxels begin.
pub(super) fn parse(path: &Path, bytes: &[u8], little_endian: bool) -> Result<Vec<Extension>> {
    let mut extensions = Vec::new();
    let Some((flag, mut rest)) = bytes.split_first_chunk::<4>() else { return Ok(extensions) };
    if flag[0] == 0 {
        return Ok(extensions);
    }
    while let Some((head, _)) = rest.split_first_chunk::<HEAD_BYTES>() {
        let int = |at: usize| {
            let bytes = [head[at], head[at + 1], head[at + 2], head[at + 3]];
            if little_endian { i32::from_le_bytes(bytes) } else { i32::from_be_bytes(bytes) }
        };
        let size = usize::try_from(int(0)).ok().filter(|&n| n >= HEAD_BYTES && n <= rest.len());
        let Some(size) = size else {
            let expected = format!("{HEAD_BYTES} to {} bytes", rest.len());
            return Err(fault::invalid(path, "size of a header extension", expected, int(0)));
        };
        extensions.push(Extension { code: int(4), data: rest[HEAD_BYTES..size].to_vec() });
        rest = &rest[size..];
    }
    Ok(extensions)
}

/// The bytes between header and voxels, in this machine's order.
pub(super) fn bytes_of(extensions: &[Extension]) -> Vec<u8> {
    let mut bytes = vec![u8::from(!extensions.is_empty()), 0, 0, 0];
    for extension in extensions {
        let size = (HEAD_BYTES + extension.data.len()).next_multiple_of(ALIGNMENT);
        bytes.extend((size as i32).to_ne_bytes());
        bytes.extend(extension.code.to_ne_bytes());
        bytes.extend(&extension.data);
        bytes.resize(bytes.len() + size - HEAD_BYTES - extension.data.len(), 0);
    }
    bytes
}
