use super::patient::{SAME_PLACE_MM, along_mm};
use brainmesh_formats::DicomPicture;

/// Distances of slices may differ by this part.
const SAME_STEP: f64 = 0.05;

/// Which slice and which phase each picture of a stack shows.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Phases {
    /// Of each picture, from 0 along the normal.
    pub slice: Vec<usize>,
    /// Of each picture, from 0 in the order of time.
    pub phase: Vec<usize>,
    /// Place of each slice along the normal, mm.
    pub places_mm: Vec<f64>,
    /// Phases of a slice; the most, where they differ.
    pub count: usize,
    /// Mean time of each phase after the R wave, where all pictures tell it.
    pub times_ms: Option<Vec<f64>>,
    /// Distance of slices; or why slices and phases give no volumes.
    pub step_mm: std::result::Result<f64, String>,
}

impl Phases {
    /// Sorts pictures into slices and phases.
    pub fn of(pictures: &[&DicomPicture]) -> Self {
        let along: Option<Vec<f64>> = pictures.iter().map(|picture| along_mm(picture)).collect();
        let mut problem = along.is_none().then(|| "not all pictures say where they lie".to_owned());
        let along = along.unwrap_or_else(|| vec![0.0; pictures.len()]);
        let mut order: Vec<usize> = (0..pictures.len()).collect();
        order.sort_by(|&a, &b| along[a].total_cmp(&along[b]));
        let slices: Vec<Vec<usize>> =
            order.chunk_by(|&a, &b| along[b] - along[a] < SAME_PLACE_MM).map(<[usize]>::to_vec).collect();
        let mut found = Self {
            slice: vec![0; pictures.len()],
            phase: vec![0; pictures.len()],
            places_mm: slices.iter().filter_map(|slice| slice.first().map(|&n| along[n])).collect(),
            count: slices.iter().map(Vec::len).max().unwrap_or(0),
            times_ms: None,
            step_mm: Ok(0.0),
        };
        for (number, mut slice) in slices.iter().cloned().enumerate() {
            if !sort_by_time(pictures, &mut slice) {
                problem.get_or_insert_with(|| format!("two pictures of slice {} have one time", number + 1));
            }
            for (phase, &picture) in slice.iter().enumerate() {
                (found.slice[picture], found.phase[picture]) = (number, phase);
            }
        }
        let uneven = slices.iter().position(|slice| slice.len() != found.count);
        if let Some(slice) = uneven {
            problem.get_or_insert_with(|| {
                format!("slice {} has {} phases, others {}", slice + 1, slices[slice].len(), found.count)
            });
        }
        found.times_ms = found.times(pictures, |picture| picture.trigger_ms).map(|times| means(&times));
        let of_beat = |picture: &DicomPicture| {
            let interval_ms = picture.interval_ms.filter(|&interval| interval > 0.0)?;
            Some(picture.trigger_ms? / interval_ms)
        };
        if let Some(times) = found.times(pictures, of_beat)
            && uneven.is_none()
            && !agree(&times)
        {
            problem.get_or_insert_with(|| "phases of slices lie at different times of the heartbeat".into());
        }
        found.step_mm = problem.map_or_else(|| step_mm(&found.places_mm), Err);
        found
    }

    /// Times of the pictures of each phase.
    fn times(&self, pictures: &[&DicomPicture], time: impl Fn(&DicomPicture) -> Option<f64>) -> Option<Vec<Vec<f64>>> {
        let mut times = vec![Vec::new(); self.count];
        for (picture, &phase) in pictures.iter().zip(&self.phase) {
            times[phase].push(time(picture)?);
        }
        Some(times)
    }
}

fn means(times: &[Vec<f64>]) -> Vec<f64> {
    times.iter().map(|times| times.iter().sum::<f64>() / times.len().max(1) as f64).collect()
}

/// Whether the times of each phase lie nearer together than two phases do.
fn agree(times: &[Vec<f64>]) -> bool {
    let means = means(times);
    let gap = means.windows(2).map(|pair| pair[1] - pair[0]).fold(f64::INFINITY, f64::min);
    times.iter().zip(&means).all(|(times, mean)| times.iter().all(|time| (time - mean).abs() <= gap / 2.0))
}

/// By the first of trigger time, temporal position and instance number that tells all apart; `false` where none does.
fn sort_by_time(pictures: &[&DicomPicture], slice: &mut [usize]) -> bool {
    let keys: [fn(&DicomPicture) -> Option<f64>; 3] = [
        |picture| picture.trigger_ms,
        |picture| picture.temporal_position.map(|position| position as f64),
        |picture| picture.instance.map(|number| number as f64 + picture.frame as f64 * 1e-6),
    ];
    for key in keys {
        let mut keyed: Vec<(f64, usize)> = slice.iter().filter_map(|&n| Some((key(pictures[n])?, n))).collect();
        keyed.sort_by(|a, b| a.0.total_cmp(&b.0));
        if keyed.len() == slice.len() && keyed.windows(2).all(|pair| pair[0].0 < pair[1].0) {
            slice.iter_mut().zip(keyed).for_each(|(n, (_, sorted))| *n = sorted);
            return true;
        }
    }
    slice.len() == 1
}

fn step_mm(places_mm: &[f64]) -> std::result::Result<f64, String> {
    let steps: Vec<f64> = places_mm.windows(2).map(|pair| pair[1] - pair[0]).collect();
    if steps.is_empty() {
        return Err("there is one slice only".into());
    }
    let least = steps.iter().copied().fold(f64::INFINITY, f64::min);
    let most = steps.iter().copied().fold(0.0, f64::max);
    if most > least * (1.0 + SAME_STEP) {
        let at = steps.iter().position(|&step| step == most).unwrap_or(0);
        return Err(format!(
            "slices are {least:.2} mm apart, but {} and {} {most:.2} mm (one missing?)",
            at + 1,
            at + 2
        ));
    }
    Ok(steps.iter().sum::<f64>() / steps.len() as f64)
}
