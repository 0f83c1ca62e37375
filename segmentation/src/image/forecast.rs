use super::layout::working_bytes;
use super::placement::Placement;
use crate::Result;
use crate::manifest::{ImageOutput, ImageTask};
use brainmesh_core::Grid;

/// Memory that segmenting a volume takes, but for what the network's engine uses inside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Forecast {
    /// The input, in single precision.
    pub input_bytes: u64,
    /// The result, on the network's grid and, where that is another, on the input's.
    pub output_bytes: u64,
    /// Planes in which windows are blended.
    pub slab_bytes: u64,
    /// Input and output of one window.
    pub window_bytes: u64,
}

impl Forecast {
    /// For a volume on `grid`; the box of a locator is not known yet, and counts as the whole.
    ///
    /// # Errors
    /// As segmenting it.
    pub fn new(task: &ImageTask, grid: &Grid) -> Result<Self> {
        let placement = Placement::new(grid, task, None)?;
        let (slab_bytes, window_bytes) = working_bytes(task, placement.model_shape());
        let value = match task.output {
            ImageOutput::Labels { .. } if task.near_centre.is_some() => 5,
            ImageOutput::Labels { .. } if task.values.iter().any(|&value| value > 255) => 3,
            ImageOutput::Labels { .. } => 1,
            ImageOutput::Probability { .. } => 4,
        };
        let voxels = |shape: [usize; 3]| shape.iter().map(|&length| length as u64).product::<u64>();
        let (here, there) = (voxels(grid.shape()), voxels(placement.model_shape()));
        Ok(Self {
            input_bytes: here * task.channels.len() as u64 * 4,
            output_bytes: value * (here + if placement.is_identity() { 0 } else { there }),
            slab_bytes,
            window_bytes,
        })
    }

    /// All of it.
    pub fn total_bytes(&self) -> u64 {
        self.input_bytes + self.output_bytes + self.slab_bytes + self.window_bytes
    }
}
