use crate::volume_reader::Voxels;
use crate::{Result, VolumeReader, Voxel, memory, png_slices};
use brainmesh_core::{Monitor, Uncounted};

/// The rows of a slice from the top, each decoded once: for pictures that are larger than memory. See [`VolumeReader::rows`].
pub struct PictureRows<'a> {
    reader: &'a VolumeReader,
    volume: usize,
    slice: usize,
    next: usize,
    /// PNG pictures have no other way than from their first row on.
    png: Option<png_slices::Rows>,
}

impl VolumeReader {
    /// The rows of slice `slice` (`k`) of volume `volume`, from the first on.
    ///
    /// # Errors
    /// As [`read_region`](Self::read_region).
    pub fn rows(&self, volume: usize, slice: usize) -> Result<PictureRows<'_>> {
        self.load()?;
        let png = match &self.voxels {
            Voxels::Png(slices) => slices.rows(volume, slice)?,
            _ => None,
        };
        Ok(PictureRows { reader: self, volume, slice, next: 0, png })
    }
}

impl PictureRows<'_> {
    /// The next `count` rows, or those that are left; empty at the end.
    ///
    /// # Errors
    /// As [`VolumeReader::read_region`].
    pub fn next<T: Voxel>(&mut self, count: usize, monitor: &dyn Monitor) -> Result<Vec<T>> {
        let [width, height, _] = self.reader.grid().shape();
        let rows = self.next..height.min(self.next.saturating_add(count));
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        self.next = rows.end;
        let Some(png) = &mut self.png else {
            let region = [0..width, rows, self.slice..self.slice + 1];
            return Ok(self.reader.read_region(self.volume, &region, &Uncounted(monitor))?.into_parts().1);
        };
        let mut values = memory::zeros(self.reader.path(), width * rows.len())?;
        for row in values.chunks_exact_mut(width) {
            monitor.check()?;
            png.next(row)?;
        }
        Ok(values)
    }
}

#[cfg(test)]
mod tests {
    use crate::{VolumeOptions, VolumeWriter, write_png};
    use brainmesh_core::{Grid, Silent, Volume};
    use glam::DAffine3;

    #[test]
    fn rows_are_those_of_the_whole_in_every_format_that_has_its_own_way() {
        let folder = tempfile::tempdir().unwrap();
        let grid = Grid::new([5, 7, 1], DAffine3::IDENTITY, "unregistered").unwrap();
        let values: Vec<u16> = (0..35).map(|n| n * n).collect();
        let mut paths = Vec::new();
        for name in ["a.tif", "a.nii.gz", "a.zarr"] {
            let path = folder.path().join(name);
            let volume = Volume::new(grid.clone(), values.clone()).unwrap();
            VolumeWriter::default().write(&path, &[volume], &Silent).unwrap();
            paths.push((path, 0));
        }
        // The second of three samples.
        let rgb: Vec<u8> = (0..35_u8).flat_map(|n| [0, n, 9]).collect();
        paths.push((folder.path().join("rgb.png"), 1));
        write_png(&paths[3].0, [5, 7], &rgb).unwrap();
        for (path, volume) in paths {
            let reader = VolumeOptions::default().open(&path).unwrap();
            let whole = reader.read::<f32>(volume, &Silent).unwrap();
            assert_eq!(whole.data()[34], if volume == 0 { 34.0 * 34.0 } else { 34.0 });
            let mut rows = reader.rows(volume, 0).unwrap();
            let mut found = Vec::new();
            for count in [3, 3, 3, 3] {
                found.push(rows.next::<f32>(count, &Silent).unwrap());
            }
            assert_eq!(found.iter().map(Vec::len).collect::<Vec<_>>(), [15, 15, 5, 0], "{}", path.display());
            assert_eq!(found.concat(), whole.data(), "{}", path.display());
        }
    }
}
