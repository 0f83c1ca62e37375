//! `equivolume` on concentric spheres: radii, files, refusals.

use super::*;
use brainmesh_formats::{read_shape_gifti, read_surface};

fn equivolume(phantom: &Path, out: &Path, more: &[&str]) -> Output {
    let (pial, white) = (phantom.join("pial.surf.gii"), phantom.join("white.surf.gii"));
    brainmesh(&[&["equivolume", "--pial", text(&pial), "--white", text(&white), "--out", text(out)], more].concat())
}

#[test]
fn spheres_of_the_fractions_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let phantom = sphere(folder.path());
    let out = folder.path().join("out");
    ok(&equivolume(&phantom, &out, &["--fractions", "0.9,0.5", "--format", "ply"]));
    let radius = |path: &Path| {
        let surface = read_surface(path).unwrap();
        let radii: Vec<f64> = surface.vertices().iter().map(|v| v.0.length()).collect();
        radii.iter().sum::<f64>() / radii.len() as f64
    };
    let (pial, white) = (radius(&phantom.join("pial.surf.gii")), radius(&phantom.join("white.surf.gii")));
    let depths = read_shape_gifti(&out.join("depths.shape.gii")).unwrap();
    for (map, fraction) in depths.iter().zip([0.5, 0.9]) {
        let name = format!("equivolume{fraction}");
        assert_eq!(map.name, name);
        let exact = (pial.powi(3) - fraction * (pial.powi(3) - white.powi(3))).cbrt();
        for extension in ["surf.gii", "ply"] {
            // The model's own error on a sphere this thick is about 3 um (meshing/tests).
            let found = radius(&out.join(format!("{name}.{extension}")));
            assert!((found - exact).abs() < 0.005, "{found} for {exact}");
        }
        let depth = f64::from(map.values[7]);
        assert!((depth - (pial - exact) / (pial - white)).abs() < 0.003, "{depth}");
    }
    let report = json(&out.join("report.json"));
    assert_eq!(report["schema"], "brainmesh-equivolume-1");
    assert_eq!(report["checked_fractions"], serde_json::json!([0.0, 0.5, 0.9, 1.0]));
    assert_eq!(report["certificate"]["crossing_triangles"], serde_json::json!([0, 0, 0]));
    assert_eq!(report["certificate"]["self_intersecting_triangles"], serde_json::json!([0, 0, 0, 0]));
    assert_eq!(report["surfaces"][0]["volume_fraction"], 0.5);

    let layers = folder.path().join("layers");
    ok(&equivolume(&phantom, &layers, &["--layers", "3", "--area-fwhm-mm", "2"]));
    let names: Vec<_> = entries(&layers).iter().map(|p| p.file_name().unwrap().to_str().unwrap().to_owned()).collect();
    assert_eq!(names, ["depths.shape.gii", "equivolume0.3333.surf.gii", "equivolume0.6667.surf.gii", "report.json"]);
}

#[test]
fn what_cannot_be_made_is_refused_before_anything_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let phantom = sphere(folder.path());
    let out = folder.path().join("out");
    for (more, code, words) in [
        (&["--fractions", "0.5,1.2"][..], 2, &["--fractions", "1.2"][..]),
        (&["--fractions", "0.5,nan"], 2, &["--fractions", "NaN"]),
        (&["--fractions", "0.5,0.50001"], 2, &["--fractions", "0.50001"]),
        (&["--fractions", "0.5", "--layers", "3"], 2, &["--layers"]),
        (&[], 2, &["--fractions"]),
        (&["--layers", "1"], 2, &["--layers"]),
        (&["--layers", "3", "--area-fwhm-mm", "-1"], 2, &["--area-fwhm-mm"]),
        (&["--layers", "3", "--format", "doc"], 2, &["--format", "doc"]),
        (&["--layers", "3", "--min-thickness-mm", "50"], 3, &["no vertex is used", "50"]),
        (&["--layers", "3", "--mask", "absent.txt"], 3, &["absent.txt"]),
    ] {
        let output = equivolume(&phantom, &out, more);
        fails(&output, code, words);
        assert!(!out.exists(), "{more:?}");
    }
}
