use crate::manifest::AxisSize;

/// Windows along one axis: where they start, and what each of their voxels weighs.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Windows {
    /// Voxels of the axis.
    pub length: usize,
    /// Voxels of a window.
    pub size: usize,
    pub starts: Vec<usize>,
    halo: usize,
}

/// Standard deviation of the weights, as a share of the window (Isensee et al. 2021, nnU-Net; MONAI).
const SIGMA: f64 = 0.125;

impl Windows {
    /// Covers an axis of `length` voxels by windows of `window` voxels, of which each neighbour covers `overlap` again.
    /// Starts are multiples of the network's step, so that its strides fall on the same voxels as in one piece.
    pub fn new(length: usize, window: usize, size: AxisSize, halo: usize, overlap: f64) -> Self {
        let step = match size {
            AxisSize::Fixed(_) => 1,
            AxisSize::Steps { step, .. } => step,
        };
        if length <= window {
            let size = match size {
                AxisSize::Fixed(size) => size,
                AxisSize::Steps { min, step } => min + length.saturating_sub(min).div_ceil(step) * step,
            };
            return Self { length, size, starts: vec![0], halo };
        }
        let asked = (window as f64 * (1.0 - overlap)) as usize;
        let stride = (asked.min(window - 2 * halo) / step * step).max(step).min(window);
        let last = (length - window).div_ceil(step) * step;
        let mut starts: Vec<usize> = (0..last).step_by(stride).collect();
        starts.push(last);
        Self { length, size: window, starts, halo }
    }

    /// One window a voxel: slices.
    pub fn slices(length: usize) -> Self {
        Self { length, size: 1, starts: (0..length).collect(), halo: 0 }
    }

    /// Weights of the voxels of a window: a Gaussian, 0 in the halo where the window ends inside the volume.
    pub fn weights(&self, start: usize) -> Vec<f32> {
        let (centre, sigma) = ((self.size - 1) as f64 / 2.0, self.size as f64 * SIGMA);
        /// The Gaussian of the farthest corner would vanish in single precision.
        const LEAST: f64 = 1e-3;
        (0..self.size)
            .map(|n| {
                let in_halo =
                    (n < self.halo && start > 0) || (n + self.halo >= self.size && start + self.size < self.length);
                let gauss = (-0.5 * ((n as f64 - centre) / sigma).powi(2)).exp().max(LEAST);
                if in_halo || self.starts.len() == 1 { f32::from(u8::from(!in_halo)) } else { gauss as f32 }
            })
            .collect()
    }

    /// Sum of the weights at each voxel of the axis. Over several axes they multiply, as windows form a lattice.
    pub fn totals(&self) -> Vec<f32> {
        let mut totals = vec![0.0; self.length];
        for &start in &self.starts {
            for (n, weight) in self.weights(start).into_iter().enumerate().take(self.length.saturating_sub(start)) {
                totals[start + n] += weight;
            }
        }
        totals
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_cover_every_voxel_with_weight_whatever_the_sizes() {
        for size in [AxisSize::Fixed(16), AxisSize::Steps { min: 8, step: 8 }, AxisSize::Steps { min: 4, step: 1 }] {
            for halo in [0, 3, 4, 7] {
                // As manifests must have it: two halos and a step.
                if matches!(size, AxisSize::Steps { step, .. } if 2 * halo + step > 16) {
                    continue;
                }
                for overlap in [0.0, 0.25, 0.5, 0.9] {
                    for length in 1..80 {
                        let windows = Windows::new(length, 16, size, halo, overlap);
                        let totals = windows.totals();
                        assert!(totals.iter().all(|&total| total > 0.0), "{size:?} {halo} {overlap} {length}");
                        assert!(windows.starts.is_sorted_by(|a, b| a < b));
                        if let AxisSize::Steps { min, step } = size {
                            assert!(windows.starts.iter().all(|start| start % step == 0));
                            assert_eq!((windows.size - min) % step, 0);
                        }
                    }
                }
            }
        }
    }
}
