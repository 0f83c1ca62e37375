use super::VolumeConversionPlan;
use super::plan::{Change, Values};
use super::scale::spread;
use crate::resample::{Part, region_under};
use crate::volume_reader::Region;
use crate::volume_writer::Slabs;
use crate::voxel::with_voxel;
use crate::{Result, VolumeWriter, Voxel, fault, memory};
use brainmesh_core::{Monitor, Stage, Volume};
use std::ops::Range;

impl VolumeConversionPlan<'_> {
    /// Reads, converts and writes, whole or not at all.
    ///
    /// # Errors
    /// As reading and writing; an intensity that the type asked for cannot hold; cancelled.
    pub fn run(&self, monitor: &dyn Monitor) -> Result<()> {
        if self.volumes.len() > 1 || self.values == Values::Spread || self.is_large() {
            self.reader.load()?;
        }
        let scaling = match self.values {
            Values::Stored(scaling) => scaling,
            Values::Intensities => None,
            Values::Spread => Some(self.spread(monitor)?),
        };
        let is_series = self.volumes.len() > 1;
        let writer = VolumeWriter {
            scaling,
            labels: self.reader.labels().clone(),
            extensions: self.reader.extensions().to_vec(),
            time_step_s: self.reader.info().time_step_s.filter(|_| is_series),
            ..VolumeWriter::default()
        };
        with_voxel!(self.stored, T => {
            let make = |volume: usize, k: Range<usize>, monitor: &dyn Monitor| self.slab::<T>(volume, k, scaling, monitor);
            let slabs = Slabs { grid: &self.grid, volumes: self.volumes.len(), slices: self.slices(), make: &make };
            writer.write_slabs(&self.path, self.format, &slabs, monitor)
        })
    }

    /// Slices of the result that are made at a time: all of them where it is small, or where every part costs a whole file.
    fn slices(&self) -> usize {
        let [ni, nj, nk] = self.grid.shape();
        if !self.reader.reads_parts() || !self.is_large() {
            return nk;
        }
        (self.slab_bytes / (ni * nj * self.stored.size_bytes())).clamp(1, nk)
    }

    fn is_large(&self) -> bool {
        self.grid.voxel_count().saturating_mul(self.stored.size_bytes()) > 4 * self.slab_bytes
    }

    /// Slices `k` of the `n`th volume of the result.
    fn slab<T: Voxel>(
        &self,
        n: usize,
        k: Range<usize>,
        scaling: Option<(f64, f64)>,
        monitor: &dyn Monitor,
    ) -> Result<Volume<T>> {
        let index = self.volumes[n];
        match self.values {
            Values::Stored(_) => {
                let read = |region: &Region| self.reader.read_stored_region::<T>(index, region, monitor);
                self.placed(k, read, monitor)
            }
            Values::Intensities => {
                self.placed(k, |region| self.reader.read_region::<T>(index, region, monitor), monitor)
            }
            Values::Spread => {
                let (slope, intercept) = scaling.unwrap_or((1.0, 0.0));
                let read = |region: &Region| self.reader.read_region::<f64>(index, region, monitor);
                let (grid, intensities) = self.placed(k, read, monitor)?.into_parts();
                let mut data = memory::zeros::<T>(&self.path, intensities.len())?;
                for (value, intensity) in data.iter_mut().zip(intensities) {
                    // Casts saturate: rounding cannot lead out of the type.
                    *value = T::of(((intensity - intercept) / slope).round()).0;
                }
                Volume::new(grid, data).map_err(fault::core(&self.path))
            }
        }
    }

    /// Slices `k` of the result, from what `read` gives for a part of the file.
    fn placed<T: Voxel>(
        &self,
        k: Range<usize>,
        read: impl Fn(&Region) -> Result<Volume<T>>,
        monitor: &dyn Monitor,
    ) -> Result<Volume<T>> {
        let [ni, nj, _] = self.grid.shape();
        let new = [0..ni, 0..nj, k];
        let within = |part: Region| -> Region {
            [0, 1, 2].map(|n: usize| self.region[n].start + part[n].start..self.region[n].start + part[n].end)
        };
        match self.change {
            Change::Swap(swap) => {
                let mut part = [const { 0..0 }; 3];
                for (n, range) in new.into_iter().enumerate() {
                    let length = self.grid.shape()[n];
                    part[swap.from[n]] = if swap.flipped[n] { length - range.end..length - range.start } else { range };
                }
                let volume = read(&within(part))?;
                if swap.is_identity() { Ok(volume) } else { volume.swapped(swap).map_err(fault::core(&self.path)) }
            }
            Change::Resample(interpolation) => {
                let grid = self.grid.cropped(&new).map_err(fault::core(&self.path))?;
                let (fill, fits) = T::of(self.fill);
                if !fits {
                    let expected = format!("a value of type {}", T::STORED);
                    return Err(fault::invalid(&self.path, "fill", expected, self.fill));
                }
                let Some(region) = region_under(&self.part, &grid) else {
                    let data = vec![fill; grid.voxel_count()];
                    return Volume::new(grid, data).map_err(fault::core(&self.path));
                };
                let volume = read(&within(region.clone()))?;
                let part = Part { whole: &self.part, region, data: volume.data() };
                part.resample(&self.path, &grid, interpolation, fill, monitor)
            }
        }
    }

    /// Slope and intercept for all intensities of the result.
    fn spread(&self, monitor: &dyn Monitor) -> Result<(f64, f64)> {
        let source = self.reader.path();
        let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
        if matches!(self.change, Change::Resample(_)) {
            // Means lie between what they are made of.
            (low, high) = (self.fill, self.fill);
        }
        let [ri, rj, rk] = &self.region;
        let thickness = if self.reader.reads_parts() {
            (self.slab_bytes / (8 * ri.len() * rj.len())).clamp(1, rk.len())
        } else {
            rk.len()
        };
        monitor.stage("measuring intensities", (self.part.voxel_count() * self.volumes.len()) as u64);
        for &volume in &self.volumes {
            for start in rk.clone().step_by(thickness) {
                let region = [ri.clone(), rj.clone(), start..(start + thickness).min(rk.end)];
                let slab = self.reader.read_region::<f64>(volume, &region, &Stage(monitor))?;
                if let Some(value) = slab.data().iter().find(|value| !value.is_finite()) {
                    let expected = format!("finite ones, to scale them to {}", self.stored);
                    return Err(fault::invalid(source, "intensities", expected, value));
                }
                low = slab.data().iter().copied().fold(low, f64::min);
                high = slab.data().iter().copied().fold(high, f64::max);
            }
        }
        spread(source, self.stored, low, high)
    }
}

#[cfg(test)]
mod tests {
    use crate::{StoredType, VolumeConversion, VolumeOptions, VolumeWriter};
    use brainmesh_core::{Grid, Silent, Volume};
    use flate2::{Compression, write::GzEncoder};
    use glam::{DAffine3, DMat3, DVec3};
    use std::io::Write;
    use std::path::Path;

    fn read(path: &Path) -> Vec<Volume<f64>> {
        let file = VolumeOptions::default().open(path).unwrap();
        (0..file.info().volumes).map(|n| file.read(n, &Silent).unwrap()).collect()
    }

    #[test]
    fn slabs_give_what_the_whole_gives() {
        let m = DMat3::from_cols(DVec3::new(0.9, 0.1, 0.0), DVec3::new(-0.1, 1.1, 0.2), DVec3::new(0.1, 0.6, 2.1));
        let grid = Grid::new([9, 8, 7], DAffine3::from_mat3_translation(m, DVec3::ONE), "scanner").unwrap();
        let values = |t: usize| (0..504).map(|n| ((n * 31 + t * 7) % 211) as i16 - 50).collect::<Vec<_>>();
        let volumes = [0, 1].map(|t| Volume::new(grid.clone(), values(t)).unwrap());
        let folder = tempfile::tempdir().unwrap();
        let plain = folder.path().join("plain.nii");
        VolumeWriter::default().with_scaling(0.5, 3.0).write(&plain, &volumes, &Silent).unwrap();
        // One member, which can only be read from its start.
        let stream = folder.path().join("stream.nii.gz");
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(&std::fs::read(&plain).unwrap()).unwrap();
        std::fs::write(&stream, encoder.finish().unwrap()).unwrap();

        let none = VolumeConversion::default();
        let conversions = [
            none.clone(),
            VolumeConversion { orientation: Some("SLP".parse().unwrap()), ..none.clone() },
            VolumeConversion { region: Some([1..8, 0..3, 2..7]), orthonormal: true, fill: -1.0, ..none.clone() },
            VolumeConversion { stored: Some(StoredType::Uint8), scale: true, ..none.clone() },
            VolumeConversion { spacing_mm: Some([0.7; 3]), volume_index: Some(1), ..none },
        ];
        for (n, conversion) in conversions.iter().enumerate() {
            for source in [&plain, &stream] {
                for name in ["new.nii", "new.nii.gz", "new.hdr"] {
                    let [whole, slabs] = [1 << 30, 100].map(|slab_bytes| {
                        let out = folder.path().join(name);
                        let file = VolumeOptions::default().open(source).unwrap();
                        let mut plan = conversion.plan(&file, &out).unwrap();
                        plan.slab_bytes = slab_bytes;
                        plan.run(&Silent).unwrap();
                        read(&out)
                    });
                    assert_eq!(whole.len(), slabs.len());
                    for (a, b) in whole.iter().zip(&slabs) {
                        assert_eq!(a.grid(), b.grid());
                        let worst = a.data().iter().zip(b.data()).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
                        // Places between voxels are rounded differently.
                        assert!(worst < 1e-4, "conversion {n} into {name}: {worst}");
                    }
                }
            }
        }
    }
}
