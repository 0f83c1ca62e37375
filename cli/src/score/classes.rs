use brainmesh_core::{BOUNDARY_COUNT, LAYER_COUNT};
use ndarray::ArrayView1;
use serde::Serialize;

/// Classes of a sample: 0 outside, 1..=6 layers, 7 white matter.
const CLASSES: usize = LAYER_COUNT + 2;
const WHITE: usize = LAYER_COUNT + 1;

/// Class of a sample at `t` between boundaries: 0 outside, 1..=6 layers, 7 white. A layer without thickness has no
/// samples; a sample exactly on a boundary belongs below it.
pub fn class_at(t: f64, boundaries: ArrayView1<f64>) -> usize {
    (0..BOUNDARY_COUNT).filter(|&k| t >= boundaries[k]).count()
}

/// Like [`class_at`], where some boundaries may be unknown (NaN): `None` where the class depends on those.
pub fn class_between(t: f64, boundaries: ArrayView1<f64>) -> Option<usize> {
    let above = (0..BOUNDARY_COUNT).rev().find(|&k| t >= boundaries[k]).map_or(0, |k| k + 1);
    let below = (0..BOUNDARY_COUNT).find(|&k| t < boundaries[k]).unwrap_or(BOUNDARY_COUNT);
    (above == below).then_some(above)
}

/// Classes with white matter as 7, where it may be written as 7 or as 0 behind the layers.
pub fn with_white(labels: &[u8]) -> Vec<usize> {
    let mut in_cortex = false;
    let class = |&label: &u8| {
        in_cortex |= label > 0;
        if in_cortex && label == 0 { WHITE } else { usize::from(label) }
    };
    labels.iter().map(class).collect()
}

/// Positions of the seven boundaries, in samples, from a class for each sample of a ray: half-way between the samples
/// they part. White matter may be written as 7, or as 0 behind the layers. A boundary beyond either end of the ray is
/// unknown (NaN); all are where the classes do not follow one another.
pub fn boundaries_of(labels: &[u8]) -> [f64; BOUNDARY_COUNT] {
    let mut found = [f64::NAN; BOUNDARY_COUNT];
    let mut before = None;
    for (i, class) in with_white(labels).into_iter().enumerate() {
        let last = before.replace(class).unwrap_or(class);
        if class < last || class > WHITE {
            return [f64::NAN; BOUNDARY_COUNT];
        }
        found[last..class].fill(i as f64 - 0.5);
    }
    found
}

/// The samples of one ray by true and found class.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct RayClasses {
    counts: [[u16; CLASSES]; CLASSES],
    margins: [f32; CLASSES],
}

impl RayClasses {
    /// Counts one sample. `margin` is the probability of the class found less that of the next best, 0 where there are
    /// no probabilities.
    pub fn add(&mut self, truth: usize, found: usize, margin: f32) {
        self.counts[truth][found] += 1;
        self.margins[found] += margin;
    }
}

/// Pooled confusion of classes over samples.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Confusion {
    classes: usize,
    counts: Vec<u64>,
}

impl Confusion {
    /// No samples yet.
    pub fn new(classes: usize) -> Self {
        Self { classes, counts: vec![0; classes * classes] }
    }

    /// Counts one sample.
    pub fn add(&mut self, truth: usize, found: usize) {
        self.add_many(truth, found, 1);
    }

    fn add_many(&mut self, truth: usize, found: usize, samples: u64) {
        self.counts[truth * self.classes + found] += samples;
    }

    fn at(&self, truth: usize, found: usize) -> u64 {
        self.counts[truth * self.classes + found]
    }

    /// Share of samples whose class was found.
    pub fn accuracy(&self) -> f64 {
        let right: u64 = (0..self.classes).map(|c| self.at(c, c)).sum();
        right as f64 / self.counts.iter().sum::<u64>() as f64
    }

    /// Intersection over union of each class; NaN for a class that is neither there nor found.
    pub fn jaccard(&self) -> Vec<f64> {
        (0..self.classes)
            .map(|c| {
                let truth: u64 = (0..self.classes).map(|f| self.at(c, f)).sum();
                let found: u64 = (0..self.classes).map(|t| self.at(t, c)).sum();
                self.at(c, c) as f64 / (truth + found - self.at(c, c)) as f64
            })
            .collect()
    }
}

/// How well classes along the rays were found, over all samples.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ClassScores {
    /// Samples that were compared.
    pub samples: u64,
    /// Share with the right class, of eight.
    pub accuracy: f64,
    /// Intersection over union of outside, I..VI, white; null for a class neither there nor found.
    pub jaccard: Vec<f64>,
    /// Mean over the classes that are there.
    pub jaccard_mean: f64,
    /// Share with the right class when outside and white are one, as in the tutorial.
    pub accuracy_seven: f64,
    /// Intersection over union of outside and white together, I..VI.
    pub jaccard_seven: Vec<f64>,
    /// Mean over the classes that are there.
    pub jaccard_seven_mean: f64,
    /// Mean of best less second-best probability over the samples found to be of each of the eight classes, where there
    /// are probabilities.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub confidence: Option<Vec<f64>>,
}

impl ClassScores {
    /// Over rays; `None` without samples.
    pub fn over<'a>(rays: impl Iterator<Item = &'a RayClasses>) -> Option<Self> {
        let (mut eight, mut seven) = (Confusion::new(CLASSES), Confusion::new(CLASSES - 1));
        let (mut found, mut margins) = ([0u64; CLASSES], [0f64; CLASSES]);
        let merged = |class: usize| if class == WHITE { 0 } else { class };
        for ray in rays {
            for (t, row) in ray.counts.iter().enumerate() {
                for (f, &n) in row.iter().enumerate() {
                    eight.add_many(t, f, u64::from(n));
                    seven.add_many(merged(t), merged(f), u64::from(n));
                    found[f] += u64::from(n);
                }
            }
            margins.iter_mut().zip(ray.margins).for_each(|(sum, margin)| *sum += f64::from(margin));
        }
        let samples = found.iter().sum::<u64>();
        let (jaccard, jaccard_seven) = (eight.jaccard(), seven.jaccard());
        let confidence = || margins.iter().zip(found).map(|(margin, n)| margin / n as f64).collect();
        (samples > 0).then(|| Self {
            samples,
            accuracy: eight.accuracy(),
            jaccard_mean: mean_of_finite(&jaccard),
            jaccard,
            accuracy_seven: seven.accuracy(),
            jaccard_seven_mean: mean_of_finite(&jaccard_seven),
            jaccard_seven,
            confidence: margins.iter().any(|m| *m > 0.0).then(confidence),
        })
    }
}

fn mean_of_finite(values: &[f64]) -> f64 {
    let finite = || values.iter().filter(|v| v.is_finite());
    finite().sum::<f64>() / finite().count() as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::{Array1, array};

    #[test]
    fn confusion_counts_by_hand() {
        let mut confusion = Confusion::new(2);
        for (truth, found) in [(0, 0), (0, 1), (1, 1), (1, 1)] {
            confusion.add(truth, found);
        }
        assert_eq!(confusion.accuracy(), 0.75);
        assert_eq!(confusion.jaccard(), [0.5, 2.0 / 3.0]);
    }

    #[test]
    fn classes_lie_between_boundaries() {
        let boundaries = array![0.2, 0.3, 0.4, 0.4, 0.5, 0.6, 0.8];
        let at = [0.1, 0.2, 0.35, 0.4, 0.79, 0.9];
        assert_eq!(at.map(|t| class_at(t, boundaries.view())), [0, 1, 2, 4, 6, 7]);
        assert_eq!(at.map(|t| class_between(t, boundaries.view())), [0, 1, 2, 4, 6, 7].map(Some));
    }

    #[test]
    fn a_class_next_to_an_unknown_boundary_is_unknown() {
        // The boundary between II and III is not known: from .3 to .4 a sample may be of either.
        let boundaries = array![0.2, 0.3, f64::NAN, 0.4, 0.5, 0.6, f64::NAN];
        let found = [0.1, 0.25, 0.35, 0.45, 0.55, 0.7].map(|t| class_between(t, boundaries.view()));
        assert_eq!(found, [Some(0), Some(1), None, Some(4), Some(5), None]);
        let none = Array1::from_elem(7, f64::NAN);
        assert_eq!(class_between(0.5, none.view()), None);
    }

    #[test]
    fn boundaries_lie_half_way_between_labels() {
        let all = [0.5, 2.5, 3.5, 4.5, 5.5, 6.5, 8.5];
        assert_eq!(boundaries_of(&[0, 1, 1, 2, 3, 4, 5, 6, 6, 7]), all);
        // White matter written as outside.
        assert_eq!(boundaries_of(&[0, 1, 1, 2, 3, 4, 5, 6, 6, 0, 0]), all);
        // Layer IV is absent: both of its boundaries stand at one place.
        assert_eq!(boundaries_of(&[0, 1, 2, 3, 5, 6, 7]), [0.5, 1.5, 2.5, 3.5, 3.5, 4.5, 5.5]);
        // The ray begins in layer III and ends in V.
        let part = boundaries_of(&[3, 3, 4, 5]);
        assert_eq!((part[3], part[4]), (1.5, 2.5));
        assert!([0, 1, 2, 5, 6].iter().all(|&k| part[k].is_nan()), "{part:?}");
        for bad in [&[0, 2, 1, 3][..], &[0, 1, 9], &[9, 9], &[0, 1, 2, 0, 3]] {
            assert!(boundaries_of(bad).iter().all(|b| b.is_nan()), "{bad:?}");
        }
    }

    #[test]
    fn scores_of_two_rays_by_hand() {
        let (mut one, mut two) = (RayClasses::default(), RayClasses::default());
        // Truth 0 0 1 7, found 0 1 1 7, then truth 1 7, found 1 0.
        for (truth, found, margin) in [(0, 0, 0.9), (0, 1, 0.1), (1, 1, 0.5), (7, 7, 0.8)] {
            one.add(truth, found, margin);
        }
        two.add(1, 1, 0.6);
        two.add(7, 0, 0.3);
        let scores = ClassScores::over([&one, &two].into_iter()).unwrap();
        assert_eq!(scores.samples, 6);
        assert!((scores.accuracy - 4.0 / 6.0).abs() < 1e-12);
        // Outside: one of 0 0 | 0 (found for white); I: two of three; white: one of two.
        assert_eq!((scores.jaccard[0], scores.jaccard[1], scores.jaccard[7]), (1.0 / 3.0, 2.0 / 3.0, 0.5));
        assert!(scores.jaccard[2].is_nan());
        assert!((scores.jaccard_mean - (1.0 / 3.0 + 2.0 / 3.0 + 0.5) / 3.0).abs() < 1e-12);
        // With outside and white as one only the second sample is wrong: three of four, two of three.
        assert!((scores.accuracy_seven - 5.0 / 6.0).abs() < 1e-12);
        assert_eq!((scores.jaccard_seven[0], scores.jaccard_seven[1]), (0.75, 2.0 / 3.0));
        let confidence = scores.confidence.unwrap();
        assert!((confidence[0] - 0.6).abs() < 1e-6 && (confidence[1] - 0.4).abs() < 1e-6);
        assert!((confidence[7] - 0.8).abs() < 1e-6 && confidence[3].is_nan());
        assert_eq!(ClassScores::over(std::iter::empty()), None);
    }
}
