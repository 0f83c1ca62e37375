use crate::{AxisSwap, Error, Grid, Result};
use std::fmt;
use std::sync::Arc;

/// Voxels along an edge of the blocks that axes are swapped in.
const TILE: usize = 32;

/// A scalar volume: a [`Grid`] and its data, `i` fastest.
///
/// For `f32` volumes every scaling of the file (NIfTI slope, MINC image-min/max, DICOM rescale) is already applied.
#[derive(Debug, Clone)]
pub struct Volume<T> {
    grid: Grid,
    data: Values<T>,
}

/// Memory that a volume reads but does not own: the map of a file, an array of another language.
pub type SharedValues<T> = Arc<dyn AsRef<[T]> + Send + Sync>;

#[derive(Clone)]
enum Values<T> {
    Owned(Vec<T>),
    Shared(SharedValues<T>),
}

impl<T> Values<T> {
    fn as_slice(&self) -> &[T] {
        match self {
            Self::Owned(data) => data,
            Self::Shared(data) => (**data).as_ref(),
        }
    }
}

impl<T> fmt::Debug for Values<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let owner = if matches!(self, Self::Owned(_)) { "owned" } else { "shared" };
        write!(f, "{} {owner} values", self.as_slice().len())
    }
}

impl<T: PartialEq> PartialEq for Volume<T> {
    fn eq(&self, other: &Self) -> bool {
        self.grid == other.grid && self.data.as_slice() == other.data.as_slice()
    }
}

impl<T: Copy> Volume<T> {
    /// `data[i + ni * (j + nj * k)]` is voxel `(i, j, k)`.
    ///
    /// # Errors
    /// When the number of values is not the number of voxels.
    pub fn new(grid: Grid, data: Vec<T>) -> Result<Self> {
        Self::of(grid, Values::Owned(data))
    }

    /// A volume whose values stay where they are; nothing is copied. They must not change while the volume lives.
    ///
    /// ```
    /// use brainmesh_core::{Grid, Volume};
    /// use std::sync::Arc;
    /// let values = Arc::new(vec![1.0, 2.0]);
    /// let grid = Grid::new([2, 1, 1], glam::DAffine3::IDENTITY, "scanner")?;
    /// let volume = Volume::shared(grid, values.clone())?;
    /// assert_eq!(volume.data().as_ptr(), values.as_ptr());
    /// # Ok::<(), brainmesh_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Volume::new`].
    pub fn shared(grid: Grid, data: SharedValues<T>) -> Result<Self> {
        Self::of(grid, Values::Shared(data))
    }

    fn of(grid: Grid, data: Values<T>) -> Result<Self> {
        let found = data.as_slice().len();
        if found != grid.voxel_count() {
            return Err(Error::Length { field: "volume values", expected: grid.voxel_count(), found });
        }
        Ok(Self { grid, data })
    }

    /// Where the voxels lie.
    pub fn grid(&self) -> &Grid {
        &self.grid
    }

    /// Values, `i` fastest.
    pub fn data(&self) -> &[T] {
        self.data.as_slice()
    }

    /// Values to change in place, `i` fastest; those of shared memory are copied first.
    pub fn data_mut(&mut self) -> &mut [T] {
        if let Values::Shared(data) = &self.data {
            self.data = Values::Owned((**data).as_ref().to_vec());
        }
        match &mut self.data {
            Values::Owned(data) => data,
            Values::Shared(_) => &mut [],
        }
    }

    /// Value of voxel `(i, j, k)`, `None` outside.
    pub fn get(&self, i: usize, j: usize, k: usize) -> Option<T> {
        let [ni, nj, nk] = self.grid.shape();
        (i < ni && j < nj && k < nk).then(|| self.data()[i + ni * (j + nj * k)])
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
        let old = self.data();
        let mut data = old.to_vec();
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
                        *value = old[slower + place];
                    }
                }
            }
        }
        Self::new(grid, data)
    }

    /// Takes the volume apart; values of shared memory are copied.
    pub fn into_parts(self) -> (Grid, Vec<T>) {
        match self.data {
            Values::Owned(data) => (self.grid, data),
            Values::Shared(data) => (self.grid, (*data).as_ref().to_vec()),
        }
    }
}
