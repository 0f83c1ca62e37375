use serde::Serialize;

/// Classes of tissue by their number; fluid is that of the ventricles.
pub const TISSUE_CLASSES: [&str; 4] = ["background", "csf", "grey_matter", "white_matter"];

/// The class of a FreeSurfer label (aseg, and the parcels of aparc+aseg); `None` for a number not known here.
///
/// The same classes as those that the tissue network is trained on: brainstem, ventral diencephalon, optic chiasm, corpus
/// callosum, vessels and lesions are white matter, choroid plexus and cavum fluid. Fluid outside the brain (24) is
/// background, as are skull and skin (165, 258, 259, and 500 to 530 of SynthSeg's label maps).
pub fn tissue_of_freesurfer(label: i32) -> Option<u8> {
    match label {
        0 | 24 | 165 | 258 | 259 | 500..=530 => Some(0),
        4 | 5 | 14 | 15 | 31 | 43 | 44 | 63 | 72 | 136 | 137 | 163 | 164 => Some(1),
        3 | 8 | 10..=13 | 17 | 18 | 26 | 42 | 47 | 49..=54 | 58 => Some(2),
        // Parcels of the cortex: Desikan-Killiany, Destrieux.
        1000..=1035 | 2000..=2035 | 11100..=11175 | 12100..=12175 => Some(2),
        2 | 7 | 16 | 25 | 28 | 30 | 41 | 46 | 57 | 60 | 62 | 77 | 85 | 251..=255 => Some(3),
        // White matter below the parcels.
        3000..=3035 | 4000..=4035 | 5001 | 5002 => Some(3),
        _ => None,
    }
}

/// Counts of voxels `[truth][found]` of [`TISSUE_CLASSES`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(transparent)]
pub struct TissueConfusion(pub [[u64; 4]; 4]);

/// Scores of one class.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct TissueScore {
    /// Which.
    pub class: &'static str,
    /// 2 both / (truth + found); 1 where the class is in neither.
    pub dice: f64,
    /// Both / either; 1 where the class is in neither.
    pub jaccard: f64,
    /// Voxels of the truth.
    pub true_voxels: u64,
    /// Voxels found.
    pub found_voxels: u64,
}

impl TissueConfusion {
    /// Counts one more voxel.
    pub fn add(&mut self, truth: u8, found: u8) {
        self.0[usize::from(truth)][usize::from(found)] += 1;
    }

    /// Both counts together.
    #[must_use]
    pub fn with(mut self, other: &Self) -> Self {
        self.0.iter_mut().flatten().zip(other.0.iter().flatten()).for_each(|(sum, n)| *sum += n);
        self
    }

    /// Share of all voxels that have the right class.
    pub fn accuracy(&self) -> f64 {
        self.share(0)
    }

    /// The same over voxels that the truth has in the brain (not background); `None` where there are none.
    pub fn accuracy_in_brain(&self) -> Option<f64> {
        let share = self.share(1);
        share.is_finite().then_some(share)
    }

    /// Share of right voxels in the rows from `first` on.
    fn share(&self, first: usize) -> f64 {
        let right: u64 = (first..4).map(|class| self.0[class][class]).sum();
        let all: u64 = self.0[first..].iter().flatten().sum();
        right as f64 / all as f64
    }

    /// Scores of each class.
    pub fn classes(&self) -> [TissueScore; 4] {
        std::array::from_fn(|class| {
            let both = self.0[class][class];
            let true_voxels: u64 = self.0[class].iter().sum();
            let found_voxels: u64 = self.0.iter().map(|row| row[class]).sum();
            let sizes = true_voxels + found_voxels;
            let ratio = |part: u64, whole: u64| if sizes == 0 { 1.0 } else { part as f64 / whole as f64 };
            TissueScore {
                class: TISSUE_CLASSES[class],
                dice: ratio(2 * both, sizes),
                jaccard: ratio(both, sizes - both),
                true_voxels,
                found_voxels,
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(truth: &[u8], found: &[u8]) -> TissueConfusion {
        let mut counts = TissueConfusion::default();
        truth.iter().zip(found).for_each(|(&t, &f)| counts.add(t, f));
        counts
    }

    #[test]
    fn scores_by_hand() {
        let counts = of(&[0, 0, 0, 2, 2, 2, 2, 3, 3, 3], &[0, 0, 2, 2, 2, 2, 3, 3, 3, 2]);
        assert_eq!(counts.accuracy(), 0.7);
        // Of seven voxels of the brain five are right.
        assert_eq!(counts.accuracy_in_brain(), Some(5.0 / 7.0));
        let [background, csf, grey, white] = counts.classes();
        assert_eq!((background.dice, background.jaccard), (4.0 / 5.0, 2.0 / 3.0));
        // Grey: 3 in both, 4 true, 5 found. White: 2 in both, 3 and 3.
        assert_eq!((grey.dice, grey.jaccard, grey.true_voxels, grey.found_voxels), (6.0 / 9.0, 3.0 / 6.0, 4, 5));
        assert_eq!((white.dice, white.jaccard), (4.0 / 6.0, 2.0 / 4.0));
        // In neither: nothing is wrong with it.
        assert_eq!((csf.dice, csf.jaccard, csf.true_voxels), (1.0, 1.0, 0));
    }

    #[test]
    fn cases_are_pooled_by_their_voxels() {
        let (one, other) = (of(&[2], &[2]), of(&[2, 2, 2], &[0, 0, 0]));
        assert_eq!(one.with(&other).classes()[2].dice, 2.0 / 5.0);
        assert_eq!(of(&[0], &[0]).accuracy_in_brain(), None);
    }

    #[test]
    fn numbers_of_freesurfer_have_their_classes_and_others_none() {
        let classes = [4, 3, 1012, 2, 251, 24, 0, 16].map(|label| tissue_of_freesurfer(label).unwrap());
        assert_eq!(classes, [1, 2, 2, 3, 3, 0, 0, 3]);
        assert_eq!([1, 9, 99, -1, 1999].map(tissue_of_freesurfer), [None; 5]);
    }
}
