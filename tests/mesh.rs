//! `mesh`: files of labels and values become surfaces, surfaces become labels, and what cannot be meshed says why.

use super::*;
use brainmesh_core::{Grid, LabelTable, Silent, Volume};
use brainmesh_formats::{VolumeOptions, VolumeWriter, read_scene, read_surface, write_volume};
use glam::{DAffine3, DVec3};

const RADIUS: f64 = 10.0;

/// A ball of label 3 with a core of label 300, in voxels of 0.5 mm whose first axis runs to the left.
fn ball(folder: &Path) -> PathBuf {
    let affine =
        DAffine3 { translation: DVec3::new(12.0, -12.0, -12.0), ..DAffine3::from_scale(DVec3::new(-0.5, 0.5, 0.5)) };
    let grid = Grid::new([49; 3], affine, "scanner").unwrap();
    let label = |n: usize| {
        let p = DVec3::new((n % 49) as f64, (n / 49 % 49) as f64, (n / 2401) as f64) * 0.5 - 12.0;
        if p.length() < RADIUS / 2.0 { 300 } else { u16::from(p.length() < RADIUS) * 3 }
    };
    let volume = Volume::new(grid, (0..49 * 49 * 49).map(label).collect::<Vec<u16>>()).unwrap();
    let mut table = LabelTable::default();
    table.insert(3, "outer part/left", [0.1, 0.2, 0.3, 1.0]);
    table.insert(300, "core", [0.4, 0.5, 0.6, 1.0]);
    let path = folder.join("labels.seg.nrrd");
    VolumeWriter::default().with_labels(table).write(&path, &[volume], &Silent).unwrap();
    path
}

fn sphere_mm3(radius: f64) -> f64 {
    4.0 / 3.0 * std::f64::consts::PI * radius.powi(3)
}

#[test]
fn labels_become_closed_surfaces() {
    let folder = tempfile::tempdir().unwrap();
    let (labels, out) = (ball(folder.path()), folder.path().join("out"));
    ok(&brainmesh(&["mesh", text(&labels), "-o", text(&out), "--format", "gii,vtp"]));
    let report = json(&out.join("report.json"));
    let surfaces = report["surfaces"].as_array().unwrap();
    assert_eq!(surfaces.len(), 2);
    assert!(surfaces.iter().all(|s| s["closed"] == true));
    let core = read_surface(&out.join("label-300-core.surf.gii")).unwrap();
    let volume = core.signed_volume_mm3();
    // Voxels whose centres are inside make up a little less than the ball.
    assert!((volume / sphere_mm3(5.0) - 1.0).abs() < 0.02, "{volume}");
    let shell = read_surface(&out.join("label-3-outer-part-left.vtp")).unwrap();
    // Two spheres, one inside the other: its hollow is left out.
    assert_eq!(shell.euler_characteristic(), 4);
    let volume = shell.signed_volume_mm3();
    assert!((volume / (sphere_mm3(10.0) - sphere_mm3(5.0)) - 1.0).abs() < 0.01, "{volume}");
}

#[test]
fn one_file_holds_all_or_one() {
    let folder = tempfile::tempdir().unwrap();
    let labels = ball(folder.path());
    let scene = folder.path().join("all.glb");
    ok(&brainmesh(&["mesh", text(&labels), "-o", text(&scene)]));
    assert_eq!(read_scene(&scene).unwrap().len(), 2);
    let one = folder.path().join("core.ply");
    ok(&brainmesh(&[
        "mesh",
        text(&labels),
        "-o",
        text(&one),
        "--labels",
        "300",
        "--decimate",
        "0.25",
        "--smooth",
        "10",
    ]));
    let surface = read_surface(&one).unwrap();
    assert!((surface.signed_volume_mm3() / sphere_mm3(5.0) - 1.0).abs() < 0.03);
    let half = folder.path().join("above.stl");
    ok(&brainmesh(&["mesh", text(&labels), "-o", text(&half), "--isovalue", "1.5"]));
    assert!((read_surface(&half).unwrap().signed_volume_mm3() / sphere_mm3(10.0) - 1.0).abs() < 0.02);
}

#[test]
fn threads_do_not_change_a_byte() {
    let folder = tempfile::tempdir().unwrap();
    let labels = ball(folder.path());
    let [one, three] = ["1", "3"].map(|threads| {
        let out = folder.path().join(format!("t{threads}"));
        ok(&brainmesh(&["mesh", text(&labels), "-o", text(&out), "--threads", threads, "--decimate", "0.5"]));
        entries(&out).iter().map(|path| std::fs::read(path).unwrap()).collect::<Vec<_>>()
    });
    assert_eq!(one, three);
}

#[test]
fn layers_become_labels() {
    let folder = tempfile::tempdir().unwrap();
    let phantom = sphere(folder.path());
    let layers = folder.path().join("layers");
    std::fs::create_dir(&layers).unwrap();
    let (pial, white) =
        (read_surface(&phantom.join("pial.surf.gii")).unwrap(), read_surface(&phantom.join("white.surf.gii")).unwrap());
    let mut radii = Vec::new();
    for k in 0..7 {
        let vertices: Vec<_> =
            pial.vertices().iter().zip(white.vertices()).map(|(p, w)| p.lerp(*w, f64::from(k) / 6.0)).collect();
        radii.push(vertices.iter().map(|v| v.0.length()).sum::<f64>() / vertices.len() as f64);
        let path = layers.join(format!("layer{k}.surf.gii"));
        let surface = pial.with_vertices(vertices).unwrap();
        brainmesh_formats::write_surface(&path, &surface, brainmesh_formats::SurfaceFormat::Gifti, None).unwrap();
    }
    let (like, out) = (phantom.join("volume.nii.gz"), folder.path().join("layers.nii.gz"));
    ok(&brainmesh(&["mesh", text(&layers), "--label-volume", "--like", text(&like), "-o", text(&out)]));
    let found = VolumeOptions::default().open(&out).unwrap().read::<u8>(0, &Silent).unwrap();
    let shares = folder.path().join("shares.nii.gz");
    ok(&brainmesh(&[
        "mesh",
        text(&layers),
        "--label-volume",
        "--like",
        text(&like),
        "-o",
        text(&shares),
        "--partial-volume",
    ]));
    let shares = VolumeOptions::default().open(&shares).unwrap();
    assert_eq!(shares.info().volumes, 6);
    let voxel_mm3 = found.grid().affine().matrix3.determinant().abs();
    for k in 1..=6u8 {
        let expected = sphere_mm3(radii[usize::from(k) - 1]) - sphere_mm3(radii[usize::from(k)]);
        let voxels = found.data().iter().filter(|&&l| l == k).count() as f64 * voxel_mm3;
        assert!((voxels / expected - 1.0).abs() < 0.03, "layer {k}: {voxels} mm3, expected {expected}");
        let share = shares.read::<f32>(usize::from(k) - 1, &Silent).unwrap();
        let share = share.data().iter().map(|&s| f64::from(s)).sum::<f64>() * voxel_mm3;
        assert!((share / expected - 1.0).abs() < 0.01, "layer {k}: {share} mm3, expected {expected}");
    }

    // Where the result says that there are no layers, as right of the middle here, its surfaces mean nothing.
    let thickness: Vec<f32> = pial.vertices().iter().map(|v| if v.0.x > 0.0 { f32::NAN } else { 3.0 }).collect();
    let map = [("total", thickness.as_slice())];
    brainmesh_formats::write_shape_gifti(&layers.join("thickness.shape.gii"), &map, pial.structure()).unwrap();
    ok(&brainmesh(&["mesh", text(&layers), "--label-volume", "--like", text(&like), "-o", text(&out)]));
    let left = VolumeOptions::default().open(&out).unwrap().read::<u8>(0, &Silent).unwrap();
    let [ni, nj, nk] = left.grid().shape();
    let (mut all, mut kept) = (0, 0);
    for (n, (&label, &before)) in left.data().iter().zip(found.data()).enumerate() {
        let [i, j, k] = [n % ni, n / ni % nj, n / ni / nj].map(|n| n as f64);
        let x = left.grid().world_from_voxel(brainmesh_core::VoxelPoint::new(i, j, k)).0.x;
        assert!(nk > 0 && (label == 0 || (x < 0.1 && label == before)), "label {label} at x = {x} mm, {before} before");
        all += usize::from(before > 0);
        kept += usize::from(label > 0);
    }
    // Half of the sphere but for the triangles at its middle.
    assert!(kept * 2 < all && kept * 5 > all * 2, "{kept} of {all}");
}

#[test]
fn what_cannot_be_meshed_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let grid = Grid::new([4, 4, 4], DAffine3::IDENTITY, "scanner").unwrap();
    let labels = ball(folder.path());
    write_volume(&at("float.nii"), &Volume::new(grid.clone(), vec![0.5f32; 64]).unwrap()).unwrap();
    write_volume(&at("negative.nii"), &Volume::new(grid.clone(), vec![-3i16; 64]).unwrap()).unwrap();
    write_volume(&at("empty.nii"), &Volume::new(grid.clone(), vec![0u8; 64]).unwrap()).unwrap();
    let times = vec![Volume::new(grid, vec![1u8; 64]).unwrap(); 2];
    VolumeWriter::default().write(&at("times.nii"), &times, &Silent).unwrap();
    let many = Grid::new([200, 200, 1], DAffine3::IDENTITY, "scanner").unwrap();
    write_volume(&at("many.nii"), &Volume::new(many, (0..40_000).collect::<Vec<i32>>()).unwrap()).unwrap();
    let out = at("out");
    let mesh = |input: &Path, more: &[&str]| {
        let mut arguments = vec!["mesh", text(input), "-o", text(&out)];
        arguments.extend(more);
        let output = brainmesh(&arguments);
        assert!(!out.exists());
        output
    };
    fails(&mesh(&at("float.nii"), &[]), 3, &["float.nii", "0.5"]);
    fails(&mesh(&at("negative.nii"), &[]), 3, &["negative.nii", "-3"]);
    fails(&mesh(&at("empty.nii"), &[]), 3, &["empty.nii", "found none"]);
    fails(&mesh(&at("times.nii"), &[]), 3, &["times.nii", "expected 1 volume, found 2", "--volume"]);
    fails(&mesh(&at("many.nii"), &[]), 3, &["many.nii", "at most 20000"]);
    fails(&mesh(&labels, &["--labels", "7"]), 3, &["labels.seg.nrrd", "label 7"]);
    fails(&mesh(&labels, &["--labels", "0"]), 2, &["background"]);
    fails(&mesh(&labels, &["--isovalue", "1000"]), 3, &["labels.seg.nrrd", "found none"]);
    fails(&mesh(&labels, &["--decimate", "0"]), 2, &["--decimate", "found 0"]);
    fails(&mesh(&labels, &["--label-volume", "--like", text(&labels)]), 2, &["--out"]);
    let volume = at("layers.nii.gz");
    let arguments = ["mesh", text(folder.path()), "--label-volume", "--like", text(&labels), "-o", text(&volume)];
    fails(&brainmesh(&arguments), 3, &["layer0"]);
    let one = at("all.ply");
    fails(&brainmesh(&["mesh", text(&labels), "-o", text(&one)]), 2, &["holds one surface"]);
    assert!(!volume.exists() && !one.exists());
}
