use super::{
    BOUNDARY_NAMES, BoundaryError, Calibration, ClassScores, Detection, RayClasses, RegionScores, Scores, ScoresByPart,
    ThicknessError, fractions, parcel_correlation,
};
use brainmesh_core::{BOUNDARY_COUNT, LAYER_COUNT, LAYER_NAMES};
use ndarray::{Array2, Axis, concatenate};
use std::collections::BTreeMap;

/// Found and true boundaries of the same rays, ready to be scored. Every list is as long as there are rays.
#[derive(Debug, Clone)]
pub struct Comparison {
    /// Signed errors `[rays, 7]` in mm, positive when found too deep; NaN where either side is unknown.
    pub signed_mm: Array2<f64>,
    /// Their standard deviations `[rays, 7]` in mm; NaN where there are none.
    pub sd_mm: Array2<f64>,
    /// Thickness of the six layers as found `[rays, 6]` in mm, NaN where unknown.
    pub found_mm: Array2<f64>,
    /// True thickness `[rays, 6]` in mm, NaN where unknown.
    pub truth_mm: Array2<f64>,
    /// Thickness of the given ribbon in mm where the others are scaled to the true one, else NaN.
    pub ribbon_mm: Vec<f64>,
    /// Classes of samples between the boundaries found, where they were compared.
    pub classes: Vec<Option<RayClasses>>,
    /// Classes of samples by the network alone, where it was run.
    pub network: Vec<Option<RayClasses>>,
    /// Whether to score the ray at all: not the medial wall, nor what a mask leaves out.
    pub scored: Vec<bool>,
    /// Whether the ray was refused for what was seen on it: missing, or filled from its neighbours.
    pub refused: Vec<bool>,
    /// Whether no ray stood there: its boundaries come from measured rays elsewhere, and nothing was seen of its tissue.
    pub interpolated: Vec<bool>,
    /// Whether tissue is missing on the ray, where the truth says so.
    pub damaged: Vec<Option<bool>>,
    /// Number of the region, 0 for none.
    pub region: Vec<i32>,
    /// Names of regions that have one.
    pub region_names: BTreeMap<i32, String>,
}

impl Comparison {
    /// So many rays of which nothing is known yet: all scored, none refused, in no region.
    pub fn with_rays(rays: usize) -> Self {
        let unknown = |columns: usize| Array2::from_elem((rays, columns), f64::NAN);
        Self {
            signed_mm: unknown(BOUNDARY_COUNT),
            sd_mm: unknown(BOUNDARY_COUNT),
            found_mm: unknown(LAYER_COUNT),
            truth_mm: unknown(LAYER_COUNT),
            ribbon_mm: vec![f64::NAN; rays],
            classes: vec![None; rays],
            network: vec![None; rays],
            scored: vec![true; rays],
            refused: vec![false; rays],
            interpolated: vec![false; rays],
            damaged: vec![None; rays],
            region: vec![0; rays],
            region_names: BTreeMap::new(),
        }
    }

    /// Number of rays.
    pub fn len(&self) -> usize {
        self.scored.len()
    }

    /// Whether there are no rays.
    pub fn is_empty(&self) -> bool {
        self.scored.is_empty()
    }

    /// Sets positions of one ray in mm along it, found and true, and the standard deviations of the first. What is not
    /// known is NaN.
    pub fn set_boundaries(
        &mut self,
        ray: usize,
        found_mm: &[f64; BOUNDARY_COUNT],
        truth_mm: &[f64; BOUNDARY_COUNT],
        sd_mm: &[f64; BOUNDARY_COUNT],
    ) {
        for k in 0..BOUNDARY_COUNT {
            self.signed_mm[[ray, k]] = found_mm[k] - truth_mm[k];
            self.sd_mm[[ray, k]] = sd_mm[k];
        }
        for k in 0..LAYER_COUNT {
            self.found_mm[[ray, k]] = found_mm[k + 1] - found_mm[k];
            self.truth_mm[[ray, k]] = truth_mm[k + 1] - truth_mm[k];
        }
    }

    /// Adds the rays of another comparison. Its regions stay apart from those already here.
    ///
    /// # Errors
    /// Lists that are not as long as there are rays.
    pub fn append(&mut self, other: Self) -> Result<(), ndarray::ShapeError> {
        let offset = self.region.iter().copied().max().unwrap_or(0);
        for (matrix, more) in [
            (&mut self.signed_mm, &other.signed_mm),
            (&mut self.sd_mm, &other.sd_mm),
            (&mut self.found_mm, &other.found_mm),
            (&mut self.truth_mm, &other.truth_mm),
        ] {
            *matrix = concatenate(Axis(0), &[matrix.view(), more.view()])?;
        }
        self.ribbon_mm.extend(other.ribbon_mm);
        self.classes.extend(other.classes);
        self.network.extend(other.network);
        self.scored.extend(other.scored);
        self.refused.extend(other.refused);
        self.interpolated.extend(other.interpolated);
        self.damaged.extend(other.damaged);
        self.region.extend(other.region.iter().map(|&r| if r == 0 { 0 } else { r + offset }));
        self.region_names.extend(other.region_names.into_iter().map(|(r, name)| (r + offset, name)));
        Ok(())
    }

    /// Scores of everything and of its parts.
    pub fn scores(&self) -> ScoresByPart {
        let scored: Vec<usize> = (0..self.len()).filter(|&ray| self.scored[ray]).collect();
        let places = [fractions(self.found_mm.view()), fractions(self.truth_mm.view())];
        let part = |keep: &dyn Fn(usize) -> bool| {
            let rays: Vec<usize> = scored.iter().copied().filter(|&ray| keep(ray)).collect();
            self.scores_of(&rays, &places)
        };
        let some = |keep: &dyn Fn(usize) -> bool| scored.iter().any(|&ray| keep(ray)).then(|| part(keep));
        let mut regions: Vec<i32> = scored.iter().map(|&ray| self.region[ray]).filter(|r| *r != 0).collect();
        regions.sort_unstable();
        regions.dedup();
        let name = |region: i32| self.region_names.get(&region).cloned().unwrap_or_else(|| region.to_string());
        let region_scores =
            |&region: &i32| RegionScores { region: name(region), scores: part(&|ray| self.region[ray] == region) };
        ScoresByPart {
            all: part(&|_| true),
            measured: part(&|ray| !self.refused[ray] && !self.interpolated[ray]),
            refused: some(&|ray| self.refused[ray]),
            interpolated: some(&|ray| self.interpolated[ray]),
            regions: regions.iter().map(region_scores).collect(),
        }
    }

    fn scores_of(&self, rays: &[usize], places: &[Array2<f64>; 2]) -> Scores {
        let known = |ray: usize, k: usize| self.signed_mm[[ray, k]].is_finite();
        let examined = || rays.iter().filter(|&&ray| !self.interpolated[ray]);
        let damage = || {
            let known = examined().filter_map(|&ray| Some((self.damaged[ray]?, self.refused[ray])));
            Detection::over(known)
        };
        Scores {
            rays: rays.len(),
            compared: rays.iter().filter(|&&ray| (0..BOUNDARY_COUNT).any(|k| known(ray, k))).count(),
            boundaries: (0..BOUNDARY_COUNT).filter_map(|k| self.boundary(k, rays, places)).collect(),
            thickness: (0..=LAYER_COUNT).filter_map(|layer| self.thickness(layer, rays)).collect(),
            ribbon_ratio: self.ribbon_ratio(rays),
            classes: ClassScores::over(rays.iter().filter_map(|&ray| self.classes[ray].as_ref())),
            network: ClassScores::over(rays.iter().filter_map(|&ray| self.network[ray].as_ref())),
            damage: examined().any(|&ray| self.damaged[ray].is_some()).then(damage),
        }
    }

    fn ribbon_ratio(&self, rays: &[usize]) -> Option<f64> {
        let pairs = rays.iter().map(|&ray| (self.ribbon_mm[ray], self.truth_mm.row(ray).sum()));
        let known = pairs.filter(|(given, truth)| given.is_finite() && truth.is_finite());
        let (given, truth) = known.fold((0.0, 0.0), |sum, pair| (sum.0 + pair.0, sum.1 + pair.1));
        (truth > 0.0).then(|| given / truth)
    }

    fn boundary(&self, k: usize, rays: &[usize], [found, truth]: &[Array2<f64>; 2]) -> Option<BoundaryError> {
        let pairs =
            || rays.iter().map(|&ray| (self.signed_mm[[ray, k]], self.sd_mm[[ray, k]])).filter(|p| p.0.is_finite());
        let signed: Vec<f64> = pairs().map(|(error, _)| error).collect();
        let mut error = BoundaryError::from_signed_mm(BOUNDARY_NAMES[k], &signed)?;
        error.calibration = Calibration::from_pairs(pairs());
        if (1..LAYER_COUNT).contains(&k) {
            let place = |&ray: &usize| (self.region[ray], found[[ray, k - 1]], truth[[ray, k - 1]]);
            error.parcel_correlation = parcel_correlation(rays.iter().map(place));
        }
        Some(error)
    }

    /// Of layer 1..=6, or of all (0).
    fn thickness(&self, layer: usize, rays: &[usize]) -> Option<ThicknessError> {
        let of = |mm: &Array2<f64>, ray: usize| if layer == 0 { mm.row(ray).sum() } else { mm[[ray, layer - 1]] };
        let name = if layer == 0 { "total" } else { LAYER_NAMES[layer - 1] };
        let pair = |&ray: &usize| (of(&self.found_mm, ray), of(&self.truth_mm, ray));
        let mut error = ThicknessError::from_pairs(name, rays.iter().map(pair))?;
        let with_region = |ray: &usize| {
            let (found, truth) = pair(ray);
            (self.region[*ray], found, truth)
        };
        error.parcel_correlation = parcel_correlation(rays.iter().map(with_region));
        Some(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Layers of .5 mm below a pia at 0, moved by an offset.
    fn even(offset_mm: f64) -> [f64; BOUNDARY_COUNT] {
        std::array::from_fn(|k| 0.5 * k as f64 + offset_mm)
    }

    #[test]
    fn errors_thickness_and_damage_of_four_rays_by_hand() {
        let mut rays = Comparison::with_rays(5);
        // Too deep by 30 um, the first two with a standard deviation of 20 um; a boundary that moves alone; one ray of
        // which nothing is known; one that is not scored.
        rays.set_boundaries(0, &even(0.03), &even(0.0), &[0.02; 7]);
        rays.set_boundaries(1, &even(0.01), &even(0.0), &[0.02; 7]);
        let mut moved = even(0.0);
        moved[3] += 0.1;
        rays.set_boundaries(2, &moved, &even(0.0), &[f64::NAN; 7]);
        rays.set_boundaries(4, &even(9.0), &even(0.0), &[0.02; 7]);
        rays.scored[4] = false;
        rays.damaged[..4].copy_from_slice(&[Some(false), Some(true), None, Some(true)]);
        rays.refused[2] = true;
        rays.refused[3] = true;

        let scores = rays.scores();
        let all = &scores.all;
        assert_eq!((all.rays, all.compared, all.boundaries.len()), (4, 3, 7));
        let third = &all.boundaries[3];
        assert_eq!((third.boundary.as_str(), third.errors.rays), ("III-IV", 3));
        assert!((third.errors.mean_um - 140.0 / 3.0).abs() < 1e-9 && (third.errors.bias_um - 140.0 / 3.0).abs() < 1e-9);
        let calibration = third.calibration.as_ref().unwrap();
        // 30 of 20 um is beyond one but within 1.645 standard deviations.
        assert_eq!((calibration.rays, calibration.within_one_sd, calibration.coverage_90), (2, 0.5, 1.0));
        // Moving one boundary makes III thicker and IV thinner by .1 mm, and no ray as a whole.
        let layer = |name: &str| all.thickness.iter().find(|l| l.layer == name).unwrap();
        assert!((layer("III").errors.bias_um - 100.0 / 3.0).abs() < 1e-9);
        assert!((layer("IV").ratio - (1.4 / 1.5)).abs() < 1e-12);
        assert!(layer("total").errors.mean_um < 1e-9 && (layer("total").mean_mm - 3.0).abs() < 1e-12);
        // Ray 2 was refused, but nobody knows whether it is damaged.
        let damage = all.damage.as_ref().unwrap();
        assert_eq!((damage.damaged, damage.refused, damage.found), (2, 1, 1));
        assert_eq!((scores.measured.rays, scores.refused.as_ref().unwrap().rays), (2, 2));
        assert!(scores.regions.is_empty() && all.classes.is_none() && all.network.is_none());
        assert!(scores.interpolated.is_none());
        // Where no ray stood nothing was seen: ray 1 is neither measured nor a damaged one that was overlooked.
        rays.interpolated[1] = true;
        let scores = rays.scores();
        assert_eq!((scores.measured.rays, scores.interpolated.unwrap().rays), (1, 1));
        assert_eq!(scores.all.damage.unwrap().damaged, 1);
    }

    #[test]
    fn an_unknown_boundary_is_left_out_alone() {
        let mut rays = Comparison::with_rays(1);
        let mut truth = even(0.0);
        truth[2] = f64::NAN;
        rays.set_boundaries(0, &even(0.01), &truth, &[0.02; 7]);
        let all = rays.scores().all;
        let names: Vec<&str> = all.boundaries.iter().map(|b| b.boundary.as_str()).collect();
        assert_eq!(names, ["pia", "I-II", "III-IV", "IV-V", "V-VI", "white"]);
        // Neither of the layers beside it has a thickness, nor has their sum.
        let names: Vec<&str> = all.thickness.iter().map(|l| l.layer).collect();
        assert_eq!(names, ["I", "IV", "V", "VI"]);
    }

    #[test]
    fn regions_of_joined_comparisons_stay_apart() {
        let part = |offset: f64| {
            let mut part = Comparison::with_rays(3);
            for ray in 0..3 {
                part.set_boundaries(ray, &even(offset), &even(0.0), &[0.0; 7]);
            }
            part.region = vec![1, 2, 0];
            part
        };
        let mut both = part(0.01);
        let mut other = part(0.05);
        other.region_names.insert(2, "second".into());
        both.append(other).unwrap();
        let scores = both.scores();
        let regions: Vec<(&str, usize)> = scores.regions.iter().map(|r| (r.region.as_str(), r.scores.rays)).collect();
        assert_eq!(regions, [("1", 1), ("2", 1), ("3", 1), ("second", 1)]);
        assert!((scores.regions[3].scores.boundaries[0].errors.mean_um - 50.0).abs() < 1e-9);
        assert!((scores.all.boundaries[0].errors.mean_um - 30.0).abs() < 1e-9);
        // Given boundaries (standard deviation 0) say nothing about calibration.
        assert!(scores.all.boundaries[0].calibration.is_none());
    }

    #[test]
    fn places_between_pia_and_white_correlate_over_regions() {
        let mut rays = Comparison::with_rays(3);
        for (ray, share) in [0.1, 0.3, 0.2].into_iter().enumerate() {
            let mut found = even(0.0);
            let mut truth = even(0.0);
            // Boundary I-II: found where it truly is. Boundary II-III: the order of regions turned round.
            (found[1], truth[1]) = (share, share);
            (found[2], truth[2]) = (1.0 + share, 1.0 - share);
            rays.set_boundaries(ray, &found, &truth, &[0.0; 7]);
            rays.region[ray] = ray as i32 + 1;
        }
        let boundaries = rays.scores().all.boundaries;
        assert!((boundaries[1].parcel_correlation.unwrap() - 1.0).abs() < 1e-12);
        assert!((boundaries[2].parcel_correlation.unwrap() + 1.0).abs() < 1e-12);
        assert_eq!((boundaries[3].parcel_correlation, boundaries[0].parcel_correlation), (None, None));
        // The true ribbons are 3 mm thick; of the third nothing is said.
        assert_eq!(rays.scores().all.ribbon_ratio, None);
        rays.ribbon_mm = vec![2.4, 3.0, f64::NAN];
        assert!((rays.scores().all.ribbon_ratio.unwrap() - 0.9).abs() < 1e-12);
    }
}
