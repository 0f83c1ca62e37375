use crate::{Error, Grid, Result};

/// A scalar volume: a [`Grid`] and its data, `i` fastest.
///
/// For `f32` volumes every scaling of the file (NIfTI slope, MINC image-min/max, DICOM rescale) is already applied.
#[derive(Debug, Clone, PartialEq)]
pub struct Volume<T> {
    grid: Grid,
    data: Vec<T>,
}

impl<T: Copy> Volume<T> {
    /// `data[i + ni * (j + nj * k)]` is voxel `(i, j, k)`.
    ///
    /// # Errors
    /// When the number of values is not the number of voxels.
    pub fn new(grid: Grid, data: Vec<T>) -> Result<Self> {
        if data.len() != grid.voxel_count() {
            return Err(Error::Length { field: "volume values", expected: grid.voxel_count(), found: data.len() });
        }
        Ok(Self { grid, data })
    }

    /// Where the voxels lie.
    pub fn grid(&self) -> &Grid {
        &self.grid
    }

    /// Values, `i` fastest.
    pub fn data(&self) -> &[T] {
        &self.data
    }

    /// Values to change in place, `i` fastest.
    pub fn data_mut(&mut self) -> &mut [T] {
        &mut self.data
    }

    /// Value of voxel `(i, j, k)`, `None` outside.
    pub fn get(&self, i: usize, j: usize, k: usize) -> Option<T> {
        let [ni, nj, nk] = self.grid.shape();
        (i < ni && j < nj && k < nk).then(|| self.data[i + ni * (j + nj * k)])
    }

    /// Takes the volume apart.
    pub fn into_parts(self) -> (Grid, Vec<T>) {
        (self.grid, self.data)
    }
}
