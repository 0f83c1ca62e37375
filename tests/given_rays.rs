//! `rays2surface --rays`: rays at some vertices alone, with places of their own.

use super::*;
use brainmesh_formats::{read_label_gifti, read_shape_gifti, read_surface, write_npz};
use ndarray::Array2;

/// Ends of the rays of every eighth vertex of a sphere, 0.6 mm beyond both surfaces.
fn ends(phantom: &Path) -> [Array2<f64>; 2] {
    let points = |name: &str| read_surface(&phantom.join(name)).unwrap().vertices().to_vec();
    let (pial, white) = (points("pial.surf.gii"), points("white.surf.gii"));
    let n = pial.len().div_ceil(8);
    let end = |from: &[brainmesh_core::WorldPoint], to: &[brainmesh_core::WorldPoint]| {
        Array2::from_shape_fn((n, 3), |(ray, axis)| {
            let (from, to) = (from[8 * ray].0, to[8 * ray].0);
            (from + (from - to).normalize() * 0.6).to_array()[axis]
        })
    };
    [end(&pial, &white), end(&white, &pial)]
}

fn rays2surface(phantom: &Path, rays: &Path, out: &Path, more: &[&str]) -> Output {
    let (pial, white) = (phantom.join("pial.surf.gii"), phantom.join("white.surf.gii"));
    let mut arguments = vec!["rays2surface", "--pial", text(&pial), "--white", text(&white)];
    arguments.extend(["--rays", text(rays), "--out", text(out)]);
    arguments.extend(more);
    brainmesh(&arguments)
}

#[test]
fn layers_stand_at_every_vertex_from_an_eighth_of_the_rays() {
    let folder = tempfile::tempdir().unwrap();
    let phantom = sphere(folder.path());
    let [outer, mut inner] = ends(&phantom);
    // One of the rays lies outside every ribbon.
    let (mut far, last) = (outer.clone(), outer.nrows() - 1);
    (0..3).for_each(|axis| (far[[last, axis]], inner[[last, axis]]) = (500.0, 503.0));
    let rays = folder.path().join("rays.npz");
    write_npz(&rays, &[("outer", (&far).into()), ("inner", (&inner).into())]).unwrap();
    let (volume, out) = (phantom.join("volume.nii.gz"), folder.path().join("out"));
    ok(&rays2surface(&phantom, &rays, &out, &["--volume", text(&volume)]));

    let report = json(&out.join("report.json"));
    assert_eq!(report["given_rays"]["too_far"], 1);
    assert_eq!(report["given_rays"]["attached"].as_u64().unwrap() as usize, last);
    let labels = read_label_gifti(&out.join("defects.label.gii")).unwrap().labels;
    assert!(labels.iter().enumerate().filter(|(v, _)| v % 8 != 0).all(|(_, label)| *label == 17));
    for map in ["thickness.shape.gii", "uncertainty.shape.gii"] {
        let maps = read_shape_gifti(&out.join(map)).unwrap();
        assert!(maps.iter().all(|m| m.values.iter().all(|v| v.is_finite() && *v >= 0.0)), "{map}");
    }
    // Concentric spheres: interpolated vertices lie as far from the middle as measured ones.
    for k in 0..7 {
        let surface = read_surface(&out.join(format!("layer{k}.surf.gii"))).unwrap();
        let mean = |standing: bool| {
            let chosen = surface.vertices().iter().enumerate().filter(|(v, _)| (v % 8 == 0) == standing);
            let radii: Vec<f64> = chosen.map(|(_, p)| p.0.length()).collect();
            radii.iter().sum::<f64>() / radii.len() as f64
        };
        assert!((mean(true) - mean(false)).abs() < 0.03, "layer {k}: {} and {}", mean(true), mean(false));
    }
}

#[test]
fn bad_rays_are_refused_with_the_file_and_what_is_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let phantom = sphere(folder.path());
    let [outer, inner] = ends(&phantom);
    let (rays, out) = (folder.path().join("rays.npz"), folder.path().join("out"));
    let refused = |arrays: &[(&str, &Array2<f64>)], words: &[&str]| {
        let arrays: Vec<_> = arrays.iter().map(|(name, array)| (*name, (*array).into())).collect();
        write_npz(&rays, &arrays).unwrap();
        fails(&rays2surface(&phantom, &rays, &out, &[]), 3, words);
        assert!(!out.exists());
    };
    let values = Array2::<f64>::ones((outer.nrows(), 50));
    let wide = Array2::<f64>::ones((outer.nrows(), 4));
    let far = outer.mapv(|x| x + 1000.0);
    refused(&[("outer", &outer)], &["rays.npz", "inner"]);
    refused(&[("outer", &outer), ("inner", &inner)], &["rays.npz", "end points alone", "--volume"]);
    refused(&[("outer", &wide), ("inner", &inner)], &["outer", "[rays, 3]"]);
    refused(
        &[("outer", &outer), ("inner", &inner), ("values", &values.slice(ndarray::s![1.., ..]).to_owned())],
        &["values"],
    );
    refused(&[("outer", &far), ("inner", &far), ("values", &values)], &["none of the", "further than 1 mm"]);
}
