use serde::Serialize;

/// How well damaged rays were told from sound ones: refused (missing or filled from neighbours) against truly damaged.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Detection {
    /// Rays whose truth says that tissue is missing.
    pub damaged: usize,
    /// Rays that were refused.
    pub refused: usize,
    /// Damaged rays that were refused.
    pub found: usize,
    /// Share of the refused rays that are damaged; null without refused rays.
    pub precision: f64,
    /// Share of the damaged rays that were refused; null without damaged rays.
    pub recall: f64,
    /// Harmonic mean of the two, 2 found / (damaged + refused); null without either.
    pub f1: f64,
}

impl Detection {
    /// From (damaged, refused) of every ray.
    pub fn over(rays: impl Iterator<Item = (bool, bool)>) -> Self {
        let (mut damaged, mut refused, mut found) = (0, 0, 0);
        for (is_damaged, is_refused) in rays {
            damaged += usize::from(is_damaged);
            refused += usize::from(is_refused);
            found += usize::from(is_damaged && is_refused);
        }
        let share = |part: usize, whole: usize| part as f64 / whole as f64;
        Self {
            damaged,
            refused,
            found,
            precision: share(found, refused),
            recall: share(found, damaged),
            f1: share(2 * found, damaged + refused),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seven_rays_by_hand() {
        let [yes, no] = [true, false];
        let rays = [(yes, yes), (yes, yes), (yes, no), (no, yes), (no, yes), (no, no), (yes, yes)];
        let found = Detection::over(rays.into_iter());
        assert_eq!((found.damaged, found.refused, found.found), (4, 5, 3));
        assert_eq!((found.precision, found.recall), (0.6, 0.75));
        // 2 * .6 * .75 / (.6 + .75)
        assert!((found.f1 - 0.9 / 1.35).abs() < 1e-12);
        assert!(Detection::over([(no, no)].into_iter()).f1.is_nan());
    }
}
