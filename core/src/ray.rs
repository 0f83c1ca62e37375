use crate::{Error, Result, WorldPoint};

/// One straight ray per ribbon vertex, from outside the pia to past the white surface.
///
/// Position on a ray is `t`: 0 at its outer end, 1 at its inner end. Sample `i` of `n` lies at `t = i / (n - 1)`.
/// Rays that cover only the ribbon have `pial_t = 0` and `white_t = 1`.
#[derive(Debug, Clone, PartialEq)]
pub struct RaySet {
    outer: Vec<WorldPoint>,
    inner: Vec<WorldPoint>,
    pial_t: Vec<f64>,
    white_t: Vec<f64>,
}

impl RaySet {
    /// # Errors
    /// Lengths that differ, or `0 <= pial_t <= white_t <= 1` broken.
    pub fn new(outer: Vec<WorldPoint>, inner: Vec<WorldPoint>, pial_t: Vec<f64>, white_t: Vec<f64>) -> Result<Self> {
        for (field, found) in
            [("ray inner ends", inner.len()), ("ray pial_t", pial_t.len()), ("ray white_t", white_t.len())]
        {
            if found != outer.len() {
                return Err(Error::Length { field, expected: outer.len(), found });
            }
        }
        for ray in 0..outer.len() {
            let (p, w) = (pial_t[ray], white_t[ray]);
            if !(0.0 <= p && p <= w && w <= 1.0) {
                return Err(Error::Invalid {
                    field: "ray",
                    expected: "0 <= pial_t <= white_t <= 1".into(),
                    found: format!("pial_t {p}, white_t {w} at ray {ray}"),
                });
            }
        }
        Ok(Self { outer, inner, pial_t, white_t })
    }

    /// Number of rays.
    pub fn len(&self) -> usize {
        self.outer.len()
    }

    /// Whether there are no rays.
    pub fn is_empty(&self) -> bool {
        self.outer.is_empty()
    }

    /// World position at `t` on a ray.
    pub fn point(&self, ray: usize, t: f64) -> WorldPoint {
        self.outer[ray].lerp(self.inner[ray], t)
    }

    /// Length of a ray.
    pub fn length_mm(&self, ray: usize) -> f64 {
        self.outer[ray].distance_mm(self.inner[ray])
    }

    /// Where the given pial surface crosses the ray.
    pub fn pial_t(&self, ray: usize) -> f64 {
        self.pial_t[ray]
    }

    /// Where the given white surface crosses the ray.
    pub fn white_t(&self, ray: usize) -> f64 {
        self.white_t[ray]
    }

    /// `t` of sample `i` of `n`.
    pub fn t_of_sample(i: f64, n: usize) -> f64 {
        i / (n.max(2) - 1) as f64
    }
}
