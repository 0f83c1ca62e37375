use super::system::{CSF, GREY, WHITE};
use crate::{Error, Result};
use brainmesh_core::Volume;
use rayon::prelude::*;

/// Grey and white matter together below this is no brain.
const LEAST_ML: f64 = 300.0;
/// A scan of less than this has no skull, and most of it is brain: .77 to .94 of those that were segmented, .17 with
/// inverted contrast.
const STRIPPED_ML: f64 = 2500.0;
const LEAST_SHARE: f64 = 0.4;
/// Tissue fills .79 to .92 of what it surrounds in brains (16 label maps, and scans that were segmented), .64 in a scan of
/// inverted contrast, whose white matter is taken for something else.
const LEAST_FILLED: f64 = 0.72;

/// Millilitres of each tissue, and its median intensity in the scan.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TissueVolumes {
    /// Fluid, grey and white matter.
    pub ml: [f64; 3],
    /// Of the same; NaN where there is none.
    pub medians: [f32; 3],
    /// Voxels with a label, as a share of those between the first and the last along lines of voxels; mean of three axes.
    pub filled: f64,
    /// Millilitres of the scan that are not its background.
    pub scan_ml: f64,
}

impl TissueVolumes {
    /// Of labels on the grid of a scan; `seen` is the scan with a background of 0.
    pub fn measure(labels: &Volume<u8>, scan: &Volume<f32>, seen: &Volume<f32>) -> Self {
        let voxel_ml = labels.grid().affine().matrix3.determinant().abs() / 1000.0;
        let of = |label: u8| {
            let pairs = labels.data().par_iter().zip(scan.data());
            let mut values: Vec<f32> =
                pairs.filter(|(found, value)| **found == label && value.is_finite()).map(|(_, value)| *value).collect();
            let middle = values.len() / 2;
            if values.is_empty() {
                (0.0, f32::NAN)
            } else {
                let count = values.len();
                (count as f64 * voxel_ml, *values.select_nth_unstable_by(middle, f32::total_cmp).1)
            }
        };
        let found = [CSF, GREY, WHITE].map(of);
        let scan_ml = seen.data().par_iter().filter(|value| **value != 0.0).count() as f64 * voxel_ml;
        Self { ml: found.map(|(ml, _)| ml), medians: found.map(|(_, median)| median), filled: filled(labels), scan_ml }
    }
}

fn filled(labels: &Volume<u8>) -> f64 {
    let [ni, nj, nk] = labels.grid().shape();
    // First and last along each line of each axis.
    let mut lines = [nj * nk, ni * nk, ni * nj].map(|count| vec![(usize::MAX, 0); count]);
    let mut count = 0_usize;
    for (voxel, _) in labels.data().iter().enumerate().filter(|(_, label)| **label > 0) {
        let (i, j, k) = (voxel % ni, voxel / ni % nj, voxel / (ni * nj));
        count += 1;
        for (lines, (line, at)) in lines.iter_mut().zip([(j + nj * k, i), (i + ni * k, j), (i + ni * j, k)]) {
            let (first, last): &mut (usize, usize) = &mut lines[line];
            (*first, *last) = ((*first).min(at), (*last).max(at));
        }
    }
    let share = |lines: &Vec<(usize, usize)>| {
        let between: usize =
            lines.iter().filter(|(first, last)| first <= last).map(|(first, last)| last - first + 1).sum();
        count as f64 / between.max(1) as f64
    };
    lines.iter().map(share).sum::<f64>() / 3.0
}

/// Refuses a segmentation that cannot be one of a T1-weighted scan of a brain; a warning where `is_lenient`.
///
/// # Errors
/// [`Error::Unusable`] with what was found.
pub fn check_found(found: &TissueVolumes, name: &str, is_lenient: bool) -> Result<Option<String>> {
    let [csf, grey, white] = found.medians;
    let brain_ml = found.ml[1] + found.ml[2];
    let doubt = if brain_ml < LEAST_ML {
        format!(
            "expected a brain, found {brain_ml:.0} ml of grey and white matter; is the orientation of the file right?"
        )
    } else if found.scan_ml < STRIPPED_ML && found.ml.iter().sum::<f64>() < LEAST_SHARE * found.scan_ml {
        format!(
            "expected a brain, found tissue in {:.0} of {:.0} ml, as where the contrast is not that of T1 weighting",
            found.ml.iter().sum::<f64>(),
            found.scan_ml
        )
    } else if found.filled < LEAST_FILLED {
        format!(
            "expected a brain, found tissue that fills {:.0} % of what it surrounds, as where the contrast is not that \
             of T1 weighting",
            100.0 * found.filled
        )
    } else if grey >= white || csf >= grey {
        // Without any fluid only the first can be asked.
        format!(
            "expected T1 weighting (fluid dark, grey matter darker than white), found median intensities of {csf:.0}, \
             {grey:.0} and {white:.0}"
        )
    } else {
        return Ok(None);
    };
    if is_lenient {
        Ok(Some(doubt))
    } else {
        Err(Error::Unusable(format!("{name}: {doubt}; --any-image takes it all the same")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use brainmesh_core::Grid;
    use glam::{DAffine3, DMat3};

    #[test]
    fn volumes_and_medians_are_those_of_each_label() {
        // Voxels of 8 mm3.
        let affine = DAffine3::from_mat3(DMat3::from_diagonal([2.0; 3].into()));
        let grid = Grid::new([5, 2, 1], affine, "scanner").unwrap();
        let labels = Volume::new(grid.clone(), vec![0, 1, 2, 2, 2, 3, 3, 3, 3, 3]).unwrap();
        let scan = Volume::new(grid, vec![9.0, 1.0, 5.0, 4.0, f32::NAN, 8.0, 6.0, 7.0, 9.0, 10.0]).unwrap();
        let found = TissueVolumes::measure(&labels, &scan, &scan);
        assert_eq!(found.medians, [1.0, 5.0, 8.0]);
        assert_eq!(found.filled, 1.0);
        for (ml, expected) in found.ml.into_iter().zip([0.008, 0.016, 0.04]) {
            assert!((ml - expected).abs() < 1e-12);
        }
    }

    #[test]
    fn what_is_filled_is_counted_along_each_axis() {
        let grid = Grid::new([5, 1, 2], DAffine3::IDENTITY, "scanner").unwrap();
        let labels = Volume::new(grid, vec![1, 0, 0, 0, 1, 0, 0, 0, 0, 3]).unwrap();
        // 3 of 6 along i, all along j and k.
        assert!((filled(&labels) - (0.5 + 1.0 + 1.0) / 3.0).abs() < 1e-12);
        assert_eq!(filled(&Volume::new(labels.grid().clone(), vec![0; 10]).unwrap()), 0.0);
    }

    #[test]
    fn only_t1_weighting_of_a_brain_passes() {
        let of = |ml, medians| {
            let found = TissueVolumes { ml, medians, filled: 0.8, scan_ml: 4000.0 };
            check_found(&found, "scan", false).map_err(|error| error.to_string())
        };
        assert_eq!(of([20.0, 600.0, 450.0], [20.0, 60.0, 100.0]), Ok(None));
        assert_eq!(of([0.0, 600.0, 450.0], [f32::NAN, 60.0, 100.0]), Ok(None));
        assert!(of([20.0, 600.0, 450.0], [200.0, 80.0, 60.0]).unwrap_err().contains("T1 weighting"));
        assert!(of([20.0, 600.0, 450.0], [70.0, 60.0, 100.0]).unwrap_err().contains("T1 weighting"));
        assert!(of([20.0, 40.0, 45.0], [20.0, 60.0, 100.0]).unwrap_err().contains("85 ml"));
        let holes =
            TissueVolumes { ml: [20.0, 600.0, 450.0], medians: [20.0, 60.0, 100.0], filled: 0.64, scan_ml: 4000.0 };
        assert!(check_found(&holes, "scan", false).unwrap_err().to_string().contains("64 %"));
        let little =
            TissueVolumes { ml: [1.7, 193.0, 175.0], medians: [20.0, 60.0, 100.0], filled: 0.8, scan_ml: 1887.0 };
        assert!(check_found(&little, "scan", false).unwrap_err().to_string().contains("370 of 1887 ml"));
        let strange = TissueVolumes { ml: [1.0; 3], medians: [3.0; 3], filled: 0.8, scan_ml: 4000.0 };
        assert!(check_found(&strange, "scan", true).unwrap().is_some());
    }
}
