use crate::support::{Random, Stopped, assert_cancelled, icosphere, with_threads};
use brainmesh_core::Silent;
use brainmesh_meshing::{Diffusion, mean_curvature};
use ndarray::Array2;

/// Full width at half maximum of an impulse smoothed on a sphere, from its second moment: on a sphere of radius R heat
/// that started at a pole has `mean cos(angle) = exp(-2 t / R^2)` exactly, and the kernel is the Gaussian of variance
/// `2 t` along each axis.
fn measured_fwhm_mm(levels: usize, radius_mm: f64, fwhm_mm: f64, source: usize) -> f64 {
    let sphere = icosphere(levels, radius_mm);
    let flow = Diffusion::new(&sphere, |_| true);
    let mut impulse = Array2::<f32>::zeros((sphere.vertices().len(), 1));
    impulse[[source, 0]] = 1e4;
    let smooth = flow.smooth(&impulse, fwhm_mm, &Silent).unwrap();
    let pole = sphere.vertices()[source].0 / radius_mm;
    let (mut mass, mut cosine) = (0.0, 0.0);
    for (v, value) in smooth.iter().enumerate() {
        let weight = f64::from(*value) * flow.areas_mm2()[v];
        mass += weight;
        cosine += weight * sphere.vertices()[v].0.dot(pole) / radius_mm;
    }
    let time = -(cosine / mass).ln() * radius_mm * radius_mm / 2.0;
    (8.0 * 2f64.ln() * 2.0 * time).sqrt()
}

#[test]
fn smoothing_has_the_width_it_says() {
    // Level 5 on 20 mm: edges of about 0.7 mm; vertex 0 has five neighbours, vertex 500 six.
    for fwhm_mm in [1.4, 3.0, 6.0, 14.0] {
        for source in [0, 500] {
            let found = measured_fwhm_mm(5, 20.0, fwhm_mm, source);
            assert!((found / fwhm_mm - 1.0).abs() < 0.1, "{fwhm_mm} mm came out as {found} mm at vertex {source}");
        }
    }
}

#[test]
fn kernels_are_gaussians_that_never_overshoot() {
    let sphere = icosphere(5, 20.0);
    let flow = Diffusion::new(&sphere, |_| true);
    let mut impulse = Array2::<f32>::zeros((sphere.vertices().len(), 1));
    impulse[[500, 0]] = 1.0;
    for fwhm_mm in [4.0, 8.0, 12.0] {
        let smooth = flow.smooth(&impulse, fwhm_mm, &Silent).unwrap();
        assert!(smooth.iter().all(|v| (0.0..=1.0).contains(v)), "{fwhm_mm} mm overshoots");
        // On a sphere heat stays denser than on a plane by t / (3 R^2) to first order (Minakshisundaram and Pleijel 1949).
        let time = fwhm_mm * fwhm_mm / (16.0 * 2f64.ln());
        let peak = flow.areas_mm2()[500] / (4.0 * std::f64::consts::PI * time) * (1.0 + time / 1200.0);
        let found = f64::from(smooth[[500, 0]]) / peak;
        assert!((found - 1.0).abs() < 0.05, "{fwhm_mm} mm: {found} of a Gaussian's peak");
    }
}

#[test]
fn a_wide_kernel_is_a_narrower_one_smoothed_further() {
    let sphere = icosphere(4, 20.0);
    let flow = Diffusion::new(&sphere, |_| true);
    let mut random = Random(3);
    let values = Array2::from_shape_fn((sphere.vertices().len(), 1), |_| random.uniform() as f32);
    let narrow = flow.smooth(&values, 6.0, &Silent).unwrap();
    let further = flow.smooth(&narrow, 8.0, &Silent).unwrap();
    let whole = flow.smooth(&values, 10.0, &Silent).unwrap();
    let spread = |a: &Array2<f32>, b: &Array2<f32>| (a - b).iter().map(|d| d.abs()).fold(0.0, f32::max);
    assert!(spread(&further, &whole) < 0.1 * spread(&narrow, &whole), "{}", spread(&further, &whole));
}

#[test]
fn a_kernel_much_narrower_than_an_edge_does_little() {
    let sphere = icosphere(4, 20.0);
    let flow = Diffusion::new(&sphere, |_| true);
    let mut random = Random(1);
    let values = Array2::from_shape_fn((sphere.vertices().len(), 1), |_| random.uniform() as f32);
    let smooth = flow.smooth(&values, 0.163, &Silent).unwrap();
    let change = smooth.iter().zip(&values).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(change < 0.02, "{change}");
}

#[test]
fn constants_stay_and_unusable_vertices_neither_give_nor_receive() {
    let sphere = icosphere(4, 20.0);
    let unusable = |v: usize| v.is_multiple_of(7);
    let flow = Diffusion::new(&sphere, |v| !unusable(v));
    let values = Array2::from_shape_fn((sphere.vertices().len(), 2), |(v, c)| match (unusable(v), c) {
        (true, _) => -1e6,
        (false, 0) => 3.25,
        (false, _) => 0.1,
    });
    let smooth = flow.smooth(&values, 5.0, &Silent).unwrap();
    assert_eq!(smooth, values);
}

#[test]
fn smoothing_stops_and_does_not_depend_on_threads() {
    let sphere = icosphere(5, 20.0);
    let flow = Diffusion::new(&sphere, |_| true);
    let mut random = Random(2);
    let values = Array2::from_shape_fn((sphere.vertices().len(), 3), |_| random.uniform() as f32);
    assert_cancelled(flow.smooth(&values, 5.0, &Stopped));
    with_threads(|| flow.smooth(&values, 5.0, &Silent).unwrap());
}

#[test]
fn curvature_is_positive_where_the_surface_bulges_outward() {
    for radius in [5.0, 20.0] {
        let curvature = mean_curvature(&icosphere(4, radius));
        let mean = curvature.iter().sum::<f64>() / curvature.len() as f64;
        assert!((mean * radius - 1.0).abs() < 0.01, "{mean}");
    }
}
