use super::phases::Phases;
use serde::Serialize;

/// Fewer phases of a heartbeat need not hold its fullest and its emptiest.
const LEAST_PHASES: usize = 8;

/// Volumes of the cavity, and what follows of them.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub(super) struct Volumes {
    /// Of each phase: the sum of areas, times the distance of slices.
    pub phases_ml: Vec<f64>,
    pub function: Option<Function>,
    /// Why there are no volumes, or no ejection fraction.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_given: Option<String>,
}

/// How the ventricle pumps; phases count from 1.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Function {
    pub end_diastole_phase: usize,
    pub end_diastole_ml: f64,
    pub end_systole_phase: usize,
    pub end_systole_ml: f64,
    pub stroke_ml: f64,
    pub ejection_fraction: f64,
}

impl Volumes {
    /// Of the areas of all pictures, where they are known.
    pub fn of(phases: &Phases, areas_mm2: &[Option<f64>], two_phases: bool) -> Self {
        let none = |why: &str| Self { not_given: Some(why.into()), ..Self::default() };
        let step_mm = match &phases.step_mm {
            Ok(step_mm) => *step_mm,
            Err(why) => return none(&format!("no volumes: {why}")),
        };
        let mut phases_ml = vec![0.0; phases.count];
        for (area, &phase) in areas_mm2.iter().zip(&phases.phase) {
            let Some(area) = area else {
                return none("no volumes: not all pictures tell the distance of their pixels");
            };
            phases_ml[phase] += area * step_mm / 1000.0;
        }
        let most = (0..phases_ml.len()).rev().max_by(|&a, &b| phases_ml[a].total_cmp(&phases_ml[b])).unwrap_or(0);
        let least = (0..phases_ml.len()).min_by(|&a, &b| phases_ml[a].total_cmp(&phases_ml[b])).unwrap_or(0);
        let why = match phases_ml.len() {
            2 if two_phases => None,
            count if two_phases => Some(format!("--two-phases: expected two, found {count}")),
            2 => Some("two phases need not be end-diastole and end-systole; --two-phases says that they are".into()),
            count if count < LEAST_PHASES => Some(format!(
                "{count} phases need not hold the fullest and the emptiest; expected {LEAST_PHASES} or more"
            )),
            _ => None,
        };
        let full_ml = phases_ml[most];
        let why = why.or_else(|| (full_ml <= 0.0).then(|| "no ventricle was found".into()));
        if let Some(why) = why {
            return Self { phases_ml, function: None, not_given: Some(format!("no ejection fraction: {why}")) };
        }
        let stroke_ml = full_ml - phases_ml[least];
        let function = Function {
            end_diastole_phase: most + 1,
            end_diastole_ml: full_ml,
            end_systole_phase: least + 1,
            end_systole_ml: phases_ml[least],
            stroke_ml,
            ejection_fraction: stroke_ml / full_ml,
        };
        Self { phases_ml, function: Some(function), not_given: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two slices 8 mm apart.
    fn phases(count: usize) -> Phases {
        let numbers = || (0..2 * count).map(move |n| (n / count, n % count));
        Phases {
            slice: numbers().map(|(slice, _)| slice).collect(),
            phase: numbers().map(|(_, phase)| phase).collect(),
            places_mm: vec![0.0, 8.0],
            count,
            times_ms: None,
            step_mm: Ok(8.0),
        }
    }

    #[test]
    fn a_volume_is_the_sum_of_areas_times_the_distance_of_slices() {
        // Ten phases; both slices shrink from 1000 to 500 mm2 at the fifth phase and grow again.
        let area = |phase: usize| 500.0 + 100.0 * (phase as f64 - 5.0).abs();
        let areas: Vec<Option<f64>> = (0..20).map(|n| Some(area(n % 10))).collect();
        let found = Volumes::of(&phases(10), &areas, false);
        assert_eq!(found.phases_ml[0], 16.0);
        let function = found.function.unwrap();
        assert_eq!((function.end_diastole_phase, function.end_systole_phase), (1, 6));
        assert_eq!((function.end_diastole_ml, function.end_systole_ml, function.stroke_ml), (16.0, 8.0, 8.0));
        assert_eq!(function.ejection_fraction, 0.5);
    }

    #[test]
    fn two_phases_are_a_heartbeat_only_where_somebody_says_so() {
        let areas = [Some(400.0), Some(1000.0), Some(600.0), Some(1500.0)];
        let found = Volumes::of(&phases(2), &areas, false);
        assert_eq!((found.phases_ml.as_slice(), &found.function), ([8.0, 20.0].as_slice(), &None));
        assert!(found.not_given.unwrap().contains("--two-phases"));
        let function = Volumes::of(&phases(2), &areas, true).function.unwrap();
        assert_eq!((function.end_diastole_phase, function.ejection_fraction), (2, 0.6));
        assert!(Volumes::of(&phases(3), &[Some(1.0); 6], true).not_given.unwrap().contains("found 3"));
        let unknown = Volumes::of(&phases(2), &[Some(1.0), None, Some(1.0), Some(1.0)], true);
        assert!(unknown.phases_ml.is_empty() && unknown.not_given.unwrap().contains("distance of their pixels"));
        let empty = Volumes::of(&phases(2), &[Some(0.0); 4], true);
        assert!(empty.function.is_none() && empty.not_given.unwrap().contains("no ventricle"));
        let gap = Phases { step_mm: Err("one missing".into()), ..phases(2) };
        assert_eq!(Volumes::of(&gap, &areas, true).not_given.unwrap(), "no volumes: one missing");
    }
}
