use crate::{AxisSwap, Error, Grid, Result};

/// Voxels along an edge of the blocks that axes are swapped in.
const TILE: usize = 32;

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

    /// The same volume with its axes in another order or direction: every intensity stays where it is in the world.
    ///
    /// ```
    /// use brainmesh_core::{Grid, Volume};
    /// use glam::DAffine3;
    /// let row = Volume::new(Grid::new([3, 1, 1], DAffine3::IDENTITY, "scanner")?, vec![7, 8, 9])?; // to the right
    /// let left = row.swapped(row.grid().orientation().swap_to("LAS".parse()?))?;
    /// assert_eq!(left.data(), [9, 8, 7]);
    /// assert_eq!(left.grid().affine().translation.x, 2.0);
    /// # Ok::<(), brainmesh_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Grid::swapped`].
    pub fn swapped(&self, swap: AxisSwap) -> Result<Self> {
        let grid = self.grid.swapped(swap)?;
        let old_shape = self.grid.shape();
        let old_steps = [1, old_shape[0], old_shape[0] * old_shape[1]];
        // Where voxel (a, b, c) of the new grid lies in the old data: the sum of one place for each axis.
        let places = [0, 1, 2].map(|n: usize| {
            let (axis, length) = (swap.from[n], old_shape[swap.from[n]]);
            let place = |p: usize| old_steps[axis] * if swap.flipped[n] { length - 1 - p } else { p };
            (0..length).map(place).collect::<Vec<_>>()
        });
        let [ni, nj, nk] = grid.shape();
        // In tiles, so that neighbours in the old data are taken while they are in the cache, whichever axis they lie along.
        let tiles = |length: usize| (0..length).step_by(TILE).map(move |start| start..(start + TILE).min(length));
        let mut data = self.data.clone();
        for (rk, rj, ri) in tiles(nk).flat_map(|rk| {
            tiles(nj).flat_map(move |rj| {
                let rk = rk.clone();
                tiles(ni).map(move |ri| (rk.clone(), rj.clone(), ri))
            })
        }) {
            for k in rk {
                for j in rj.clone() {
                    let row = ni * (j + nj * k);
                    let slower = places[1][j] + places[2][k];
                    for (value, place) in data[row + ri.start..row + ri.end].iter_mut().zip(&places[0][ri.clone()]) {
                        *value = self.data[slower + place];
                    }
                }
            }
        }
        Self::new(grid, data)
    }

    /// Takes the volume apart.
    pub fn into_parts(self) -> (Grid, Vec<T>) {
        (self.grid, self.data)
    }
}
