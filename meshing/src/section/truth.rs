use super::domain::WHITE;
use super::field::Field;
use super::trace::Chord;
use brainmesh_core::{BOUNDARY_COUNT, LAYER_COUNT};
use glam::DVec2;

/// Distance of the places at which a chord asks for labels, in pixels.
const STEP: f64 = 0.1;
/// Most of a chord that labels out of order, or holes among them, may take.
const MOST_ASTRAY: f64 = 0.05;

/// Why a streamline gives no ray.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum NoRay {
    /// It does not reach both ends.
    Lost,
    /// It strays from the straight line between its ends.
    Bent,
    /// Labels do not follow each other from the pia down, or holes interrupt them.
    Disordered,
    /// The straight line crosses that of another.
    Crossing,
    /// No pia is drawn, and the ray begins far below the others: at a cut edge or a tear.
    Short,
}

impl NoRay {
    /// Stable name used in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Lost => "lost",
            Self::Bent => "bent",
            Self::Disordered => "disordered",
            Self::Crossing => "crossing",
            Self::Short => "short",
        }
    }
}

/// A chord whose ends lie on the outer and the deep border of the labelled cortex.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cut {
    /// In pixels.
    pub outer: DVec2,
    pub inner: DVec2,
    /// Places of the boundaries, 0 at `outer` and 1 at `inner`; NaN where the labels do not tell.
    pub boundaries: [f64; BOUNDARY_COUNT],
}

/// Reads the boundaries on a chord. `margin` is how far its ends may be from the borders, in pixels.
pub(super) fn cut(labels: &Field<u8>, chord: &Chord, margin: f64) -> Result<Cut, NoRay> {
    let down = (chord.inner - chord.outer).try_normalize().ok_or(NoRay::Lost)?;
    let length = chord.outer.distance(chord.inner);
    let (outer, above) = border(labels, chord.outer, -down, margin, length / 4.0).ok_or(NoRay::Lost)?;
    let (inner, below) = border(labels, chord.inner, down, margin, length / 4.0).ok_or(NoRay::Lost)?;
    let steps = ((inner - outer).dot(down) / STEP).round() as usize;
    if steps < 10 {
        return Err(NoRay::Lost);
    }
    let found: Vec<u8> =
        (0..steps).map(|i| label(labels, outer.lerp(inner, (i as f64 + 0.5) / steps as f64)).unwrap_or(0)).collect();
    let most = (MOST_ASTRAY * steps as f64) as usize;
    let is_layer = |l: &u8| (1..WHITE).contains(l);
    let (Some(&first), Some(&last)) = (found.iter().find(|l| is_layer(l)), found.iter().rfind(|l| is_layer(l))) else {
        return Err(NoRay::Lost);
    };
    if found.iter().filter(|l| **l == 0).count() > most {
        return Err(NoRay::Disordered);
    }
    let mut boundaries = [f64::NAN; BOUNDARY_COUNT];
    for (k, boundary) in boundaries.iter_mut().enumerate() {
        let (place, astray) = divide(&found, k as u8);
        if astray > most {
            return Err(NoRay::Disordered);
        }
        let k = k as u8;
        // White matter has a label of its own or that of the outside, which says no more than that layer VI ends.
        let ends = below == Some(WHITE) || (below == Some(0) && last == LAYER_COUNT as u8);
        let is_known = match k {
            0 => above == Some(0) && first == 1,
            6 => ends,
            _ => {
                labels.data.contains(&k)
                    && first <= k
                    && (last > k || below == Some(WHITE))
                    && (labels.data.contains(&(k + 1)))
            }
        };
        if is_known {
            *boundary = place / steps as f64;
        }
    }
    Ok(Cut { outer, inner, boundaries })
}

fn label(labels: &Field<u8>, p: DVec2) -> Option<u8> {
    labels.get(p.x.round() as isize, p.y.round() as isize)
}

/// From a chord's end to the border of the cortex: outward to where the cortex ends, or back to where it begins. Also the
/// label beyond, none where the picture ends.
fn border(labels: &Field<u8>, end: DVec2, outward: DVec2, margin: f64, most_back: f64) -> Option<(DVec2, Option<u8>)> {
    let at = |walked: f64| label(labels, end + outward * walked);
    let is_cortex = |l: Option<u8>| l.is_some_and(|l| (1..WHITE).contains(&l));
    let mut walked = 0.0;
    if is_cortex(at(0.0)) {
        while is_cortex(at(walked)) {
            walked += STEP;
            if walked > margin {
                return None;
            }
        }
    } else {
        while !is_cortex(at(walked - STEP)) {
            walked -= STEP;
            if -walked > most_back {
                return None;
            }
        }
    }
    Some((end + outward * (walked - STEP / 2.0), at(walked)))
}

/// Where to divide labels so that fewest lie on the wrong side of boundary `k` (labels up to `k` above it, larger ones
/// below), the middle of equally good places; and how many do. Holes count for neither.
fn divide(found: &[u8], k: u8) -> (f64, usize) {
    let mut wrong = found.iter().filter(|l| (1..=k).contains(*l)).count();
    let (mut best, mut first, mut last) = (wrong, 0, 0);
    for (i, label) in found.iter().enumerate() {
        match label {
            0 => {}
            l if *l > k => wrong += 1,
            _ => wrong -= 1,
        }
        if wrong < best {
            (best, first, last) = (wrong, i + 1, i + 1);
        } else if wrong == best && last == i {
            last = i + 1;
        }
    }
    ((first + last) as f64 / 2.0, best)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_divided_where_fewest_are_wrong() {
        assert_eq!(divide(&[1, 1, 2, 2, 2, 3], 1), (2.0, 0));
        assert_eq!(divide(&[1, 2, 1, 1, 2, 2], 1), (4.0, 1));
        // A hole between two layers: its middle.
        assert_eq!(divide(&[1, 1, 0, 0, 2, 2], 1), (3.0, 0));
        assert_eq!(divide(&[1, 1, 2], 0), (0.0, 0));
        assert_eq!(divide(&[1, 1, 2], 6), (3.0, 0));
    }
}
