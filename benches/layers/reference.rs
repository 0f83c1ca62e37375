//! The procedure of Wagstyl 2020 on the same probabilities: argmax, first sample of each class, sort, and for each
//! layer alone smoothing by 1 mm and rounding to a sample.

use brainmesh_core::{BOUNDARY_COUNT, ClassProbabilities, LAYER_COUNT, RaySet, Ribbon, Silent};
use brainmesh_meshing::Diffusion;
use ndarray::{Array1, Array2, ArrayView1, s};

/// Positions `t` `[rays, 7]`; `fwhm_mm` 0 leaves the smoothing out.
pub fn reference(probabilities: &ClassProbabilities, ribbon: &Ribbon, usable: &[bool], fwhm_mm: f64) -> Array2<f64> {
    let (rays, classes, samples) = probabilities.values().dim();
    let mut first = Array2::<f32>::zeros((rays, BOUNDARY_COUNT));
    for ray in 0..rays {
        let labels: Vec<usize> = (0..samples).map(|i| argmax(probabilities.values().slice(s![ray, .., i]))).collect();
        let mut indices: Vec<f32> = (1..=BOUNDARY_COUNT)
            .map(|class| {
                // The last boundary is the first white sample; with seven classes white is 0 again, after layer VI.
                let found = if class < classes {
                    labels.iter().position(|&l| l == class)
                } else {
                    labels.iter().rposition(|&l| l == LAYER_COUNT).map(|i| i + 1)
                };
                found.unwrap_or(0) as f32
            })
            .collect();
        indices.sort_by(f32::total_cmp);
        first.row_mut(ray).assign(&Array1::from(indices));
    }
    if fwhm_mm > 0.0 {
        let flow = Diffusion::new(ribbon.pial(), |v| usable[v]);
        first = flow.smooth(&first, fwhm_mm, &Silent).unwrap_or(first);
    }
    first.mapv(|index| RaySet::t_of_sample(f64::from(index).round(), samples))
}

/// The most probable class.
pub fn argmax(classes: ArrayView1<f32>) -> usize {
    classes.iter().enumerate().fold(0, |best, (c, p)| if *p > classes[best] { c } else { best })
}
