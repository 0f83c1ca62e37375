use super::Checker;
use super::document::RefineDocument;
use crate::Result;

/// Boundaries between some classes moved to where the intensities of the volume at hand change.
#[derive(Debug, Clone, PartialEq)]
pub struct Refinement {
    /// Positions of the classes that share anew what the network gave to them together.
    pub classes: Vec<usize>,
    /// Power of the network's probabilities beside the likelihood of an intensity.
    pub prior: f32,
    /// Standard deviation of the Gaussian that the mean intensity of a class is taken over, in voxels of the network's grid.
    pub reach_voxels: f64,
    /// Times that intensities are measured anew.
    pub rounds: usize,
}

impl Refinement {
    /// More classes than any model refines.
    pub(crate) const MOST_CLASSES: usize = 8;

    pub(super) fn check(settings: RefineDocument, classes: &[String], checker: &Checker) -> Result<Self> {
        let field = "config.brainmesh.refine";
        let mut places = Vec::new();
        for name in &settings.classes {
            let place = classes.iter().position(|class| class == name).filter(|place| !places.contains(place));
            let expected = || format!("each of {} once at most", classes.join(", "));
            places.push(place.ok_or_else(|| checker.wrong(field, expected(), name))?);
        }
        let refinement = Self {
            classes: places,
            prior: settings.prior.unwrap_or(2.0),
            reach_voxels: settings.reach.unwrap_or(20.0),
            rounds: settings.rounds.unwrap_or(2),
        };
        let is_usable = (2..=Self::MOST_CLASSES).contains(&refinement.classes.len())
            && (0.0..=10.0).contains(&refinement.prior)
            && (1.0..=200.0).contains(&refinement.reach_voxels)
            && (1..=20).contains(&refinement.rounds);
        let expected = "2 to 8 classes, a prior of 0 to 10, a reach of 1 to 200 voxels, 1 to 20 rounds";
        checker.require(is_usable, field, expected, format!("{refinement:?}"))?;
        Ok(refinement)
    }
}
