use super::tile::Tile;
use crate::{Manifest, MaskRcnnTask, Result, SectionsTask, Task, mask_rcnn};

/// A network that finds brain sections on wafers, of either kind: what a picture has to be made into for it.
#[derive(Debug, Clone, PartialEq)]
pub enum SectionFinder {
    /// By peaks of heat, and corners.
    Peaks(Box<SectionsTask>),
    /// By boxes and masks.
    MaskRcnn(Box<MaskRcnnTask>),
}

impl SectionFinder {
    /// The finder that a manifest describes.
    ///
    /// # Errors
    /// [`Error::Task`](crate::Error::Task) for a model of anything else.
    pub fn of(manifest: &Manifest) -> Result<Self> {
        match &manifest.task {
            Task::MaskRcnn(task) => Ok(Self::MaskRcnn(task.clone())),
            _ => Ok(Self::Peaks(Box::new(manifest.sections()?.clone()))),
        }
    }

    /// Grey values at these percentiles of intensity and fluorescence become -.5 and .5.
    #[must_use]
    pub fn percentiles(&self) -> [[f64; 2]; 2] {
        match self {
            Self::Peaks(task) => task.percentiles,
            Self::MaskRcnn(task) => task.percentiles,
        }
    }

    /// Least spread of grey values that is stretched, of 255.
    #[must_use]
    pub fn least_spread(&self) -> f64 {
        match self {
            Self::Peaks(task) => task.least_spread,
            Self::MaskRcnn(task) => task.least_spread,
        }
    }

    /// Lengths of tissue that it was trained on.
    #[must_use]
    pub fn tissue_length_px(&self) -> [f64; 2] {
        match self {
            Self::Peaks(task) => task.tissue_length_px,
            Self::MaskRcnn(task) => task.tissue_length_px,
        }
    }

    /// Tiles of a picture of `[width, height]` pixels. `edge` is the side of a core in pixels; a Mask R-CNN has its own.
    #[must_use]
    pub fn tiles(&self, size: [usize; 2], edge: usize) -> Vec<Tile> {
        match self {
            Self::Peaks(task) => Tile::cover(task, size, edge, 0),
            Self::MaskRcnn(task) => mask_rcnn::tiles(&task.settings, size),
        }
    }
}
