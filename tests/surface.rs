//! `surface`: what its commands write and print, on spheres.

use super::*;
use brainmesh_formats::{
    SurfaceFormat, VertexValues, read_morphometry, read_shape_gifti, read_surface, read_vertex_maps,
};

fn pial(phantom: &Path) -> String {
    text(&phantom.join("pial.surf.gii")).to_owned()
}

fn white(phantom: &Path) -> String {
    text(&phantom.join("white.surf.gii")).to_owned()
}

fn radius(path: &Path) -> f64 {
    let surface = read_surface(path).unwrap();
    surface.vertices().iter().map(|v| v.0.length()).sum::<f64>() / surface.vertices().len() as f64
}

fn printed(output: &Output) -> serde_json::Value {
    ok(output);
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn a_sphere_is_described() {
    let folder = tempfile::tempdir().unwrap();
    let phantom = sphere(folder.path());
    let info = printed(&brainmesh(&["surface", "info", &pial(&phantom), "--json"]));
    let r = radius(&phantom.join("pial.surf.gii"));
    assert!((info["area_mm2"].as_f64().unwrap() / (4.0 * std::f64::consts::PI * r * r) - 1.0).abs() < 0.02);
    assert_eq!(info["euler_characteristic"], 2);
    assert_eq!(info["closed"], true);
    assert_eq!(info["self_intersecting_triangles"], 0);
    let output = brainmesh(&["surface", "info", &pial(&phantom)]);
    ok(&output);
    assert!(String::from_utf8_lossy(&output.stdout).contains("Euler characteristic 2, one part"));
}

#[test]
fn maps_are_written_in_every_format() {
    let folder = tempfile::tempdir().unwrap();
    let phantom = sphere(folder.path());
    let (pial, white) = (pial(&phantom), white(&phantom));
    let gap = radius(&phantom.join("pial.surf.gii")) - radius(&phantom.join("white.surf.gii"));
    let file = |name: &str| folder.path().join(name);
    for name in ["t.shape.gii", "t.func.gii", "t.mz3", "t.vtk", "t.vtp", "t.ply", "lh.thickness"] {
        let out = file(name);
        let summary = printed(&brainmesh(&["surface", "thickness", &pial, &white, "-o", text(&out), "--json"]));
        let mean = summary["maps"][0]["values"]["mean"].as_f64().unwrap();
        assert!((mean - gap).abs() < 0.03 * gap, "{mean} {gap}");
        let VertexValues::Shape(map) = &read_vertex_maps(&out).unwrap()[0] else { panic!("{name} holds labels") };
        assert!(map.values.iter().all(|mm| (f64::from(*mm) - gap).abs() < 0.03 * gap), "{name}");
    }
    for name in ["t.npy", "t.txt"] {
        ok(&brainmesh(&["surface", "thickness", &pial, &white, "--method", "both", "-o", text(&file(name))]));
        let matrix = brainmesh_formats::read_profile_matrix(&file(name)).unwrap();
        assert_eq!(matrix.ncols(), 2);
    }
    // Two maps do not fit into FreeSurfer's format.
    let two = brainmesh(&["surface", "thickness", &pial, &white, "--method", "both", "-o", text(&file("lh.curv"))]);
    fails(&two, 2, &["lh.curv", "one map", "found 2"]);
    assert!(!file("lh.curv").exists());
}

#[test]
fn area_curvature_and_smoothing_know_the_sphere() {
    let folder = tempfile::tempdir().unwrap();
    let phantom = sphere(folder.path());
    let (pial, r) = (pial(&phantom), radius(&phantom.join("pial.surf.gii")));
    let file = |name: &str| text(&folder.path().join(name)).to_owned();
    ok(&brainmesh(&["surface", "curvature", &pial, "--kind", "both", "-o", &file("c.shape.gii")]));
    let maps = read_shape_gifti(&folder.path().join("c.shape.gii")).unwrap();
    assert_eq!(maps.iter().map(|m| m.name.as_str()).collect::<Vec<_>>(), ["mean_curvature", "gaussian_curvature"]);
    assert!(maps[0].values.iter().all(|h| (f64::from(*h) * r - 1.0).abs() < 0.05));
    assert!(maps[1].values.iter().all(|k| (f64::from(*k) * r * r - 1.0).abs() < 0.1));

    ok(&brainmesh(&["surface", "area", &pial, "-o", &file("lh.area")]));
    let areas = read_morphometry(&folder.path().join("lh.area")).unwrap();
    let sum: f64 = areas.iter().map(|a| f64::from(*a)).sum();
    assert!((sum / read_surface(pial.as_ref()).unwrap().area_mm2() - 1.0).abs() < 1e-5);

    // A constant stays, and keeps out what is no number.
    let mut values = vec![2.5f32; areas.len()];
    values[3] = f32::NAN;
    brainmesh_formats::write_morphometry(&folder.path().join("lh.curv"), &values, 1).unwrap();
    let smooth = |fwhm: &str, map: &str| {
        brainmesh(&["surface", "smooth-map", &pial, map, "--fwhm-mm", fwhm, "-o", &file("s.shape.gii")])
    };
    ok(&smooth("4", &file("lh.curv")));
    let smoothed = &read_shape_gifti(&folder.path().join("s.shape.gii")).unwrap()[0].values;
    assert!(smoothed.iter().enumerate().all(|(v, value)| if v == 3 { value.is_nan() } else { *value == 2.5 }));
    fails(&smooth("-1", &file("lh.curv")), 2, &["--fwhm-mm", "-1"]);
    brainmesh_formats::write_morphometry(&folder.path().join("short.curv"), &values[1..], 1).unwrap();
    fails(&smooth("1", &file("short.curv")), 3, &["short.curv", "values"]);
    fails(&brainmesh(&["surface", "area", &pial, "-o", &file("a.xyz")]), 2, &["a.xyz", ".shape.gii"]);
}

#[test]
fn finer_surfaces_go_on_corresponding() {
    let folder = tempfile::tempdir().unwrap();
    let phantom = sphere(folder.path());
    let out = folder.path().join("fine");
    ok(&brainmesh(&["surface", "subdivide", &pial(&phantom), &white(&phantom), "--out", text(&out)]));
    let fine = [out.join("pial.surf.gii"), out.join("white.surf.gii")].map(|path| read_surface(&path).unwrap());
    assert_eq!(fine[0].triangles(), fine[1].triangles());
    assert_eq!(fine[0].triangles().len(), 4 * read_surface(pial(&phantom).as_ref()).unwrap().triangles().len());
    let twice = brainmesh(&["surface", "subdivide", &pial(&phantom), &pial(&phantom), "--out", text(&out)]);
    fails(&twice, 2, &["pial.surf.gii twice"]);
}

#[test]
fn a_remeshed_ribbon_still_corresponds() {
    let folder = tempfile::tempdir().unwrap();
    let phantom = sphere(folder.path());
    let out = folder.path().join("even");
    let remesh = |edge_mm: &str| {
        brainmesh(&["surface", "remesh", &pial(&phantom), &white(&phantom), "--edge-mm", edge_mm, "-o", text(&out)])
    };
    ok(&remesh("1.0"));
    let [new_pial, new_white] =
        [out.join("pial.surf.gii"), out.join("white.surf.gii")].map(|path| read_surface(&path).unwrap());
    assert_eq!(new_pial.triangles(), new_white.triangles());
    assert_eq!(new_pial.euler_characteristic(), 2);
    let edge = |t: &[u32; 3]| {
        let middle = |v: u32| new_pial.vertices()[v as usize].0.midpoint(new_white.vertices()[v as usize].0);
        middle(t[0]).distance(middle(t[1]))
    };
    let mean = new_pial.triangles().iter().map(edge).sum::<f64>() / new_pial.triangles().len() as f64;
    assert!((mean - 1.0).abs() < 0.15, "{mean}");
    fails(&remesh("0"), 2, &["--edge-mm", "more than 0"]);
}

#[test]
fn fewer_triangles_keep_the_sphere() {
    let folder = tempfile::tempdir().unwrap();
    let phantom = sphere(folder.path());
    let out = folder.path().join("few.ply");
    let cut = |more: &[&str]| brainmesh(&[&["surface", "decimate", &pial(&phantom), "-o", text(&out)], more].concat());
    let before = read_surface(pial(&phantom).as_ref()).unwrap();
    let summary = printed(&cut(&["--share", "0.25", "--json"]));
    let after = read_surface(&out).unwrap();
    assert_eq!(summary["triangles"], after.triangles().len());
    assert!(after.triangles().len() <= before.triangles().len() / 4 + 2 && after.euler_characteristic() == 2);
    assert!((after.signed_volume_mm3() / before.signed_volume_mm3() - 1.0).abs() < 0.02);
    fails(&cut(&[]), 2, &["--triangles"]);
    fails(&cut(&["--share", "0"]), 2, &["--share"]);
    fails(&cut(&["--share", "0.5", "--max-error-mm", "-1"]), 2, &["--max-error-mm"]);
}

#[test]
fn contours_are_circles_in_every_format() {
    let folder = tempfile::tempdir().unwrap();
    let phantom = sphere(folder.path());
    let (pial, white) = (pial(&phantom), white(&phantom));
    let file = |name: &str| text(&folder.path().join(name)).to_owned();
    let volume = text(&phantom.join("volume.nii.gz")).to_owned();
    ok(&brainmesh(&[
        "surface",
        "contours",
        &pial,
        &white,
        "--plane",
        "z=1",
        "--volume",
        &volume,
        "-o",
        &file("a.svg"),
        "-o",
        &file("a.json"),
        "-o",
        &file("a.csv"),
    ]));
    let found = json(&folder.path().join("a.json"));
    assert_eq!(found["plane"]["normal"], serde_json::json!([0.0, 0.0, 1.0]));
    for (n, name) in ["pial.surf.gii", "white.surf.gii"].into_iter().enumerate() {
        let r = radius(&phantom.join(name));
        let exact = std::f64::consts::TAU * (r * r - 1.0).sqrt();
        let lines = found["surfaces"][n]["contours"].as_array().unwrap();
        assert_eq!((lines.len(), &lines[0]["closed"]), (1, &serde_json::json!(true)));
        assert!((lines[0]["length_mm"].as_f64().unwrap() / exact - 1.0).abs() < 0.01);
    }
    let svg = std::fs::read_to_string(file("a.svg")).unwrap();
    assert_eq!((svg.matches("<path d=\"M").count(), svg.matches(" Z\"/>").count()), (5, 2));
    assert!(svg.contains("data:image/png;base64,iVBOR"));
    let csv = std::fs::read_to_string(file("a.csv")).unwrap();
    let points = found["surfaces"].as_array().unwrap().iter();
    let points: usize = points.map(|s| s["contours"][0]["points_mm"].as_array().unwrap().len()).sum();
    assert_eq!(csv.lines().count(), points + 1);

    let cut = |more: &[&str]| brainmesh(&[&["surface", "contours", &pial], more].concat());
    let svg = file("b.svg");
    ok(&cut(&["--plane-normal", "-1,2,0.5", "--plane-point", "0,1,-1", "-o", &svg]));
    for (more, code, words) in [
        (&["--plane", "z=1000", "-o", &svg][..], 3, &["no surface meets", "z = 1000 mm"][..]),
        (&["--plane", "w=1", "-o", &svg], 2, &["--plane", "w=1"]),
        (&["--plane-normal", "0,0,0", "-o", &svg], 2, &["--plane-normal", "direction"]),
        (&["--plane-normal", "1,0", "-o", &svg], 2, &["--plane-normal", "three numbers"]),
        (&["--plane", "z=0", "-o", &file("a.png")], 2, &["a.png", ".svg"]),
        (&["--plane", "z=0", "--volume", &volume, "--window", "3,1", "-o", &svg], 2, &["--window"]),
    ] {
        fails(&cut(more), code, words);
    }
    assert_eq!(SurfaceFormat::from_path(pial.as_ref()), Some(SurfaceFormat::Gifti));
}
