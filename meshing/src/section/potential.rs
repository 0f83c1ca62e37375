use super::domain::{Domain, Face};
use super::field::{FACES, Field};
use crate::Result;
use brainmesh_core::Monitor;
use glam::DVec2;

/// Relative residual at which the potential is found.
const TOLERANCE: f64 = 1e-7;
const MOST_ITERATIONS: usize = 20_000;

/// The harmonic potential between the outer end (0) and the deep end (1) of the cortex; cut edges let nothing through
/// (Jones et al. 2000, Human Brain Mapping 11). NaN outside the cortex and a rim of two pixels.
pub(super) struct Potential {
    pub values: Field<f64>,
    pub inside: Field<bool>,
}

impl Potential {
    /// Five-point Laplacian; an end lies on the face of a pixel, half a pixel from its centre. Conjugate gradients with
    /// the diagonal as preconditioner (Saad 2003, algorithm 9.1).
    pub fn new(domain: &Domain, monitor: &dyn Monitor) -> Result<Self> {
        let faces = &domain.faces;
        let pixels: Vec<usize> = (0..faces.data.len()).filter(|&i| faces.data[i].is_some()).collect();
        let mut number = vec![usize::MAX; faces.data.len()];
        pixels.iter().enumerate().for_each(|(n, &i)| number[i] = n);
        let mut diagonal = vec![0.0f64; pixels.len()];
        let mut source = vec![0.0f64; pixels.len()];
        let mut around = vec![[usize::MAX; 4]; pixels.len()];
        for (n, &pixel) in pixels.iter().enumerate() {
            for (f, face) in faces.data[pixel].unwrap_or([Face::Wall; 4]).into_iter().enumerate() {
                match face {
                    Face::Cortex => {
                        around[n][f] = faces.step(pixel, FACES[f]).map_or(usize::MAX, |i| number[i]);
                        diagonal[n] += f64::from(around[n][f] != usize::MAX);
                    }
                    Face::Pia => diagonal[n] += 2.0,
                    Face::Deep => {
                        diagonal[n] += 2.0;
                        source[n] += 2.0;
                    }
                    Face::Wall => {}
                }
            }
        }
        let solution = solve(&diagonal, &around, &source, monitor)?;
        let mut values = Field::filled(faces.width, faces.height, f64::NAN);
        let mut inside = Field::filled(faces.width, faces.height, false);
        for (&pixel, value) in pixels.iter().zip(solution) {
            values.data[pixel] = value;
            inside.data[pixel] = true;
        }
        add_rim(domain, &mut values, &inside);
        Ok(Self { values, inside })
    }

    /// Bilinear between pixel centres; NaN away from the cortex.
    pub fn at(&self, p: DVec2) -> f64 {
        let low = p.floor();
        let f = p - low;
        let value = |dx, dy| self.values.get(low.x as isize + dx, low.y as isize + dy).unwrap_or(f64::NAN);
        let row = |dy| {
            let (a, b) = (value(0, dy), value(1, dy));
            if f.x > 0.0 { a + f.x * (b - a) } else { a }
        };
        if f.y > 0.0 { row(0) + f.y * (row(1) - row(0)) } else { row(0) }
    }

    /// The direction into the depth; none where the potential is flat or unknown.
    pub fn downward(&self, p: DVec2) -> Option<DVec2> {
        let slope = |d: DVec2| {
            let (ahead, here, behind) = (self.at(p + d), self.at(p), self.at(p - d));
            // At the rim one side may be unknown.
            match (ahead.is_nan(), behind.is_nan()) {
                (false, false) => (ahead - behind) / 2.0,
                (false, true) => ahead - here,
                (true, false) => here - behind,
                (true, true) => f64::NAN,
            }
        };
        DVec2::new(slope(DVec2::X * 0.5), slope(DVec2::Y * 0.5)).try_normalize()
    }
}

fn solve(diagonal: &[f64], around: &[[usize; 4]], source: &[f64], monitor: &dyn Monitor) -> Result<Vec<f64>> {
    let apply = |x: &[f64], out: &mut [f64]| {
        for (n, out) in out.iter_mut().enumerate() {
            *out = diagonal[n] * x[n] - around[n].iter().filter_map(|&m| x.get(m)).sum::<f64>();
        }
    };
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let mut x = vec![0.5; diagonal.len()];
    let mut product = vec![0.0; x.len()];
    apply(&x, &mut product);
    let mut residual: Vec<f64> = source.iter().zip(&product).map(|(s, p)| s - p).collect();
    let precondition =
        |r: &[f64]| r.iter().zip(diagonal).map(|(r, d)| if *d > 0.0 { r / d } else { 0.0 }).collect::<Vec<_>>();
    let mut direction = precondition(&residual);
    let mut energy = dot(&residual, &direction);
    let enough = energy * TOLERANCE * TOLERANCE;
    for _ in 0..MOST_ITERATIONS {
        if energy <= enough {
            break;
        }
        monitor.check()?;
        apply(&direction, &mut product);
        let step = energy / dot(&direction, &product);
        x.iter_mut().zip(&direction).for_each(|(x, d)| *x += step * d);
        residual.iter_mut().zip(&product).for_each(|(r, p)| *r -= step * p);
        let next = precondition(&residual);
        let after = dot(&residual, &next);
        direction.iter_mut().zip(&next).for_each(|(d, z)| *d = z + after / energy * *d);
        energy = after;
    }
    Ok(x)
}

/// Values beyond the cortex that give the faces what they hold: the end's own value, or no flow.
fn add_rim(domain: &Domain, values: &mut Field<f64>, inside: &Field<bool>) {
    let mut rim = vec![(0.0, 0.0f64); values.data.len()];
    for pixel in 0..values.data.len() {
        for (f, face) in domain.faces.data[pixel].unwrap_or([Face::Cortex; 4]).into_iter().enumerate() {
            let beyond = match face {
                Face::Cortex => continue,
                Face::Wall => values.data[pixel],
                Face::Pia => -values.data[pixel],
                Face::Deep => 2.0 - values.data[pixel],
            };
            if let Some(i) = values.step(pixel, FACES[f]) {
                rim[i].0 += beyond;
                rim[i].1 += 1.0;
            }
        }
    }
    for (pixel, (sum, count)) in rim.into_iter().enumerate() {
        if count > 0.0 && !inside.data[pixel] {
            values.data[pixel] = sum / count;
        }
    }
    // Corners, which only a diagonal joins to the cortex, and a last step beyond the end.
    let known = values.clone();
    for pixel in 0..values.data.len() {
        if known.data[pixel].is_nan() {
            let near: Vec<f64> = FACES
                .iter()
                .filter_map(|s| known.step(pixel, *s))
                .map(|i| known.data[i])
                .filter(|v| v.is_finite())
                .collect();
            if !near.is_empty() {
                values.data[pixel] = near.iter().sum::<f64>() / near.len() as f64;
            }
        }
    }
}
