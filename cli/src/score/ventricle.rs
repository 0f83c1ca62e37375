use super::{OutlineScores, conformity};
use serde::Serialize;
use std::collections::BTreeMap;

/// One frame of a patient.
#[derive(Debug, Clone, Serialize)]
pub struct FrameScores {
    /// Whose.
    pub patient: String,
    /// Which.
    pub frame: String,
    /// Pixels of the truth.
    pub true_pixels: usize,
    /// What was compared.
    #[serde(flatten)]
    pub scores: OutlineScores,
}

/// Means over the frames of a patient; those over good contours are `None` where none is good.
#[derive(Debug, Clone, Serialize)]
pub struct PatientScores {
    /// Frames with a truth.
    pub frames: usize,
    /// Share of good contours.
    pub good: f64,
    /// Mean Dice of good contours.
    pub dice_good: Option<f64>,
    /// Mean distance of good contours.
    pub apd_mm: Option<f64>,
    /// Mean symmetric distance of good contours.
    pub apd_symmetric_mm: Option<f64>,
    /// Mean Hausdorff distance of good contours.
    pub hausdorff_mm: Option<f64>,
    /// Mean conformity of good contours.
    pub conformity_good: Option<f64>,
    /// Mean Dice of all frames.
    pub dice_all: f64,
}

/// As the challenge has it: means per patient, then over patients. Frames without overlap count.
#[derive(Debug, Clone, Serialize)]
pub struct VentricleScores {
    /// Frames with a truth.
    pub frames: usize,
    /// Mean over patients of their share of good contours.
    pub good: f64,
    /// Mean over patients (with a good contour) of the Dice of good contours.
    pub dice_good: Option<f64>,
    /// The same of the distance.
    pub apd_mm: Option<f64>,
    /// The same of the symmetric distance.
    pub apd_symmetric_mm: Option<f64>,
    /// The same of the Hausdorff distance.
    pub hausdorff_mm: Option<f64>,
    /// Mean conformity over all good contours.
    pub conformity_good: Option<f64>,
    /// Mean Dice over all frames.
    pub dice_all: f64,
    /// Frames of which nothing was met: Dice 0.
    pub missed: usize,
    /// The patient with the lowest mean Dice over all of its frames.
    pub worst_patient: String,
    /// Each patient.
    pub patients: BTreeMap<String, PatientScores>,
}

impl VentricleScores {
    /// `None` without frames.
    pub fn new(frames: &[FrameScores]) -> Option<Self> {
        let mut by_patient: BTreeMap<&str, Vec<&OutlineScores>> = BTreeMap::new();
        for frame in frames {
            by_patient.entry(&frame.patient).or_default().push(&frame.scores);
        }
        let patients: BTreeMap<String, PatientScores> =
            by_patient.into_iter().map(|(name, scores)| (name.into(), patient(&scores))).collect();
        let worst = patients.iter().min_by(|a, b| a.1.dice_all.total_cmp(&b.1.dice_all))?.0.clone();
        let over = |of: fn(&PatientScores) -> Option<f64>| mean(patients.values().filter_map(of));
        let all: Vec<&OutlineScores> = frames.iter().map(|frame| &frame.scores).collect();
        let pooled = patient(&all);
        Some(Self {
            frames: frames.len(),
            good: over(|p| Some(p.good))?,
            dice_good: over(|p| p.dice_good),
            apd_mm: over(|p| p.apd_mm),
            apd_symmetric_mm: over(|p| p.apd_symmetric_mm),
            hausdorff_mm: over(|p| p.hausdorff_mm),
            conformity_good: pooled.conformity_good,
            dice_all: pooled.dice_all,
            missed: all.iter().filter(|scores| scores.dice == 0.0).count(),
            worst_patient: worst,
            patients,
        })
    }
}

fn patient(scores: &[&OutlineScores]) -> PatientScores {
    let good: Vec<&OutlineScores> = scores.iter().copied().filter(|scores| scores.good).collect();
    let of = |value: fn(&OutlineScores) -> Option<f64>| mean(good.iter().filter_map(|scores| value(scores)));
    PatientScores {
        frames: scores.len(),
        good: good.len() as f64 / scores.len() as f64,
        dice_good: of(|s| Some(s.dice)),
        apd_mm: of(|s| s.apd_mm),
        apd_symmetric_mm: of(|s| s.apd_symmetric_mm),
        hausdorff_mm: of(|s| s.hausdorff_mm),
        conformity_good: of(|s| conformity(s.dice)),
        dice_all: scores.iter().map(|s| s.dice).sum::<f64>() / scores.len() as f64,
    }
}

fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (sum, count) = values.fold((0.0, 0usize), |(sum, count), value| (sum + value, count + 1));
    (count > 0).then(|| sum / count as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(patient: &str, dice: f64, apd_mm: Option<f64>) -> FrameScores {
        let good = apd_mm.is_some_and(|mm| mm < super::super::GOOD_MM);
        let scores = OutlineScores { dice, apd_mm, apd_symmetric_mm: apd_mm, hausdorff_mm: apd_mm, good };
        FrameScores { patient: patient.into(), frame: String::new(), true_pixels: 9, scores }
    }

    #[test]
    fn means_are_per_patient_and_then_over_patients() {
        let frames = [frame("A", 0.9, Some(1.0)), frame("A", 0.0, None), frame("B", 0.8, Some(3.0))];
        let got = VentricleScores::new(&frames).unwrap();
        let close = |found: f64, expected: f64| assert!((found - expected).abs() < 1e-12, "{found}, not {expected}");
        close(got.good, 0.75);
        close(got.dice_good.unwrap(), 0.85);
        close(got.apd_mm.unwrap(), 2.0);
        close(got.dice_all, 1.7 / 3.0);
        close(got.conformity_good.unwrap(), (0.7 / 0.9 + 0.4 / 0.8) / 2.0);
        assert_eq!((got.missed, got.worst_patient.as_str(), got.frames), (1, "A", 3));
    }

    #[test]
    fn a_patient_without_a_good_contour_has_no_distance() {
        let frames = [frame("A", 0.9, Some(1.0)), frame("B", 0.1, Some(5.0))];
        let got = VentricleScores::new(&frames).unwrap();
        assert_eq!((got.good, got.apd_mm, got.patients["B"].apd_mm), (0.5, Some(1.0), None));
        assert!(VentricleScores::new(&[]).is_none());
    }
}
