//! `convert` and `info`: every intensity stays where it is in the world, whatever changes around it.

use super::*;
use brainmesh_core::{Grid, LabelTable, Orientation, Silent, Structure, Surface, Volume, VoxelPoint, WorldPoint};
use brainmesh_formats::{
    Scaling, StoredType, SurfaceFormat, VolumeOptions, VolumeWriter, read_surface, read_volume, volume_info,
    write_surface,
};
use glam::{DAffine3, DMat3, DQuat, DVec3};

const SHAPE: [usize; 3] = [7, 6, 5];

/// Oblique, with voxels of three sizes; sheared as by a tilted gantry where asked for.
fn grid(tilt_degrees: f64) -> Grid {
    let turn = DQuat::from_euler(glam::EulerRot::XYZ, 0.2, -0.3, 0.1);
    let (sin, cos) = tilt_degrees.to_radians().sin_cos();
    let columns = [DVec3::X * 0.8, DVec3::Y * 1.25, DVec3::new(0.0, 2.5 * sin, 2.5 * cos)].map(|c| turn * c);
    let m = DMat3::from_cols(columns[0], columns[1], columns[2]);
    Grid::new(SHAPE, DAffine3::from_mat3_translation(m, DVec3::new(-17.25, 30.5, 4.75)), "scanner").unwrap()
}

fn point(grid: &Grid, n: usize) -> WorldPoint {
    let [ni, nj, _] = grid.shape();
    grid.world_from_voxel(VoxelPoint::new((n % ni) as f64, (n / ni % nj) as f64, (n / ni / nj) as f64))
}

/// Without any symmetry.
fn phantom(grid: Grid, time: usize) -> Volume<i16> {
    let values = (0..grid.voxel_count()).map(|n| ((n * 37 + n * n % 11 + time * 1000) % 9973) as i16 - 300).collect();
    Volume::new(grid, values).unwrap()
}

/// Every voxel of `new` has the intensity that `old` has at its point of the world.
fn assert_same_at_world_points(old: &Volume<f32>, new: &Volume<f32>) {
    for (n, &value) in new.data().iter().enumerate() {
        let voxel = old.grid().voxel_from_world(point(new.grid(), n)).0;
        assert!((voxel - voxel.round()).length() < 1e-4, "{voxel}");
        let [i, j, k] = voxel.round().to_array().map(|c| c as usize);
        assert_eq!(Some(value), old.get(i, j, k), "at {voxel}");
    }
}

/// A volume in a file of its own, as stored int16 with a slope and an intercept.
fn scaled_file(folder: &Path) -> PathBuf {
    let path = folder.join("scaled.nii");
    let writer = VolumeWriter::default().with_scaling(0.25, -7.5);
    writer.write(&path, &[phantom(grid(0.0), 0)], &Silent).unwrap();
    path
}

/// Stored values, of a type that must be int16.
fn stored(path: &Path) -> Vec<i16> {
    VolumeOptions::default().open(path).unwrap().map::<i16>().unwrap().values().to_vec()
}

#[test]
fn all_orientations_keep_intensities_where_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let source = scaled_file(folder.path());
    let old = read_volume(&source).unwrap();
    for (n, orientation) in Orientation::all().enumerate() {
        let out = folder.path().join(format!("{n}.nii"));
        ok(&brainmesh(&["convert", text(&source), text(&out), "--reorient", &orientation.to_string()]));
        let new = read_volume(&out).unwrap();
        assert_eq!(new.grid().orientation(), orientation);
        assert_eq!(new.data().len(), old.data().len());
        assert_same_at_world_points(&old, &new);
        // Nothing was computed on the way.
        let mut values = [stored(&source), stored(&out)];
        values.iter_mut().for_each(|v| v.sort_unstable());
        assert_eq!(values[0], values[1]);
    }
}

#[test]
fn stored_values_and_scaling_stay_bit_for_bit() {
    let folder = tempfile::tempdir().unwrap();
    let source = scaled_file(folder.path());
    for name in ["copy.nii.gz", "copy.hdr"] {
        let out = folder.path().join(name);
        ok(&brainmesh(&["convert", text(&source), text(&out)]));
        let info = volume_info(&out).unwrap();
        assert_eq!((info.stored, info.scaling), (StoredType::Int16, Scaling::Linear { slope: 0.25, intercept: -7.5 }));
        let back = folder.path().join("back.nii");
        ok(&brainmesh(&["convert", text(&out), text(&back), "--force"]));
        // All bytes but those of the quaternion, which is computed anew from the same matrix.
        let [back, source] = [&back, &source].map(|path| std::fs::read(path).unwrap());
        assert!(back[..256] == source[..256] && back[268..] == source[268..], "{name}");
    }
}

#[test]
fn a_part_lies_where_it_lay() {
    let folder = tempfile::tempdir().unwrap();
    let source = scaled_file(folder.path());
    let out = folder.path().join("part.nii.gz");
    ok(&brainmesh(&["convert", text(&source), text(&out), "--crop", "2:6,:,1:", "--reorient", "ILP"]));
    let (old, new) = (read_volume(&source).unwrap(), read_volume(&out).unwrap());
    assert_eq!(new.data().len(), 4 * 6 * 4);
    assert_same_at_world_points(&old, &new);
    // Its first voxel is the corner of the part that lies highest, right, anterior.
    let corner = old.grid().world_from_voxel(VoxelPoint::new(5.0, 5.0, 4.0));
    assert!(point(new.grid(), 0).distance_mm(corner) < 1e-4);
    let beyond = brainmesh(&["convert", text(&source), text(&out), "--force", "--crop", "2:8,:,:"]);
    fails(&beyond, 3, &["scaled.nii", "region", "[7, 6, 5]"]);
    fails(&brainmesh(&["convert", text(&source), text(&out), "--crop", "2:8"]), 2, &["--crop"]);
}

#[test]
fn resampling_reproduces_what_is_linear_in_the_world() {
    let folder = tempfile::tempdir().unwrap();
    let source = folder.path().join("tilted.nii");
    let tilted = grid(18.0);
    let ramp = |p: DVec3| 500.0 + 3.0 * p.x - 2.0 * p.y + 0.5 * p.z;
    let values = (0..tilted.voxel_count()).map(|n| ramp(point(&tilted, n).0)).collect();
    brainmesh_formats::write_volume(&source, &Volume::<f64>::new(tilted.clone(), values).unwrap()).unwrap();
    for (spacing, least_inside) in [(None, 70), (Some("0.6,0.7,0.8"), 700)] {
        let out = folder.path().join("straight.nii");
        let mut command = vec!["convert", text(&source), text(&out), "--orthonormal", "--fill=-5", "--force"];
        command.extend(["--reorient", "LPS"]);
        command.extend(spacing.into_iter().flat_map(|spacing| ["--spacing", spacing]));
        ok(&brainmesh(&command));
        let new = VolumeOptions::default().read_as::<f64>(&out).unwrap();
        assert!(new.grid().is_orthogonal());
        assert_eq!(new.grid().orientation().to_string(), "LPS");
        let last = DVec3::from_array(SHAPE.map(|n| (n - 1) as f64));
        let (mut inside, mut outside) = (0, 0);
        for (n, &value) in new.data().iter().enumerate() {
            let p = point(new.grid(), n);
            let voxel = tilted.voxel_from_world(p).0;
            // The header holds float32.
            if voxel.cmpge(DVec3::splat(1e-3)).all() && voxel.cmple(last - 1e-3).all() {
                assert!((value - ramp(p.0)).abs() < 1e-3, "{value}, {} expected", ramp(p.0));
                inside += 1;
            } else if voxel.cmplt(DVec3::splat(-0.501)).any() || voxel.cmpgt(last + 0.501).any() {
                assert_eq!(value, -5.0);
                outside += 1;
            }
        }
        assert!(inside >= least_inside && outside > 0, "{inside} {outside}");
    }
}

#[test]
fn labels_are_never_mixed() {
    let folder = tempfile::tempdir().unwrap();
    let (source, out) = (folder.path().join("labels.nii.gz"), folder.path().join("new.nii.gz"));
    let values = (0..210).map(|n: usize| [0u8, 40, 200][n % 3]).collect();
    let volume = Volume::new(grid(18.0), values).unwrap();
    brainmesh_formats::write_volume(&source, &volume).unwrap();
    let command = ["convert", text(&source), text(&out), "--spacing", "0.5", "--interpolation", "nearest"];
    ok(&brainmesh(&command));
    let new = VolumeOptions::default().read_as::<u8>(&out).unwrap();
    assert_eq!(volume_info(&out).unwrap().stored, StoredType::Uint8);
    assert!(new.data().iter().all(|v| [0, 40, 200].contains(v)));
    for (n, &value) in new.data().iter().enumerate() {
        let voxel = volume.grid().voxel_from_world(point(new.grid(), n)).0;
        let [i, j, k] = voxel.round().to_array();
        let is_clear = (voxel - voxel.round()).abs().max_element() < 0.49;
        if is_clear && i >= 0.0 && j >= 0.0 && k >= 0.0 {
            assert_eq!(value, volume.get(i as usize, j as usize, k as usize).unwrap_or(0));
        }
    }
}

#[test]
fn scaling_moves_no_intensity_by_more_than_half_a_step() {
    let folder = tempfile::tempdir().unwrap();
    let source = folder.path().join("floats.nii");
    let values: Vec<f32> = (0..210).map(|n| (n as f32 * 0.7).sin() * 37.7 + 100.1).collect();
    brainmesh_formats::write_volume(&source, &Volume::new(grid(0.0), values.clone()).unwrap()).unwrap();
    for stored in ["int8", "uint8", "int16", "uint16", "int32"] {
        let out = folder.path().join(format!("{stored}.nii.gz"));
        ok(&brainmesh(&["convert", text(&source), text(&out), "--type", stored, "--scale"]));
        let info = volume_info(&out).unwrap();
        assert_eq!(info.stored.name(), stored);
        let Scaling::Linear { slope, .. } = info.scaling else { panic!("{:?}", info.scaling) };
        let back = VolumeOptions::default().read_as::<f64>(&out).unwrap();
        let worst = values.iter().zip(back.data()).map(|(&a, b)| (f64::from(a) - b).abs()).fold(0.0, f64::max);
        assert!(worst <= slope / 2.0 + 1e-12, "{stored}: {worst} of {slope}");
        // The whole range of the type is used.
        assert!(
            slope < 1.02 * 75.4 / (2f64.powi(8 * info.stored.size_bytes() as i32) - 1.0) + 1e-9,
            "{stored} {slope}"
        );
    }
    let out = folder.path().join("whole.nii");
    let refused = brainmesh(&["convert", text(&source), text(&out), "--type", "int16"]);
    fails(&refused, 3, &["floats.nii", "int16", "--scale"]);
    assert!(!out.exists());
    fails(&brainmesh(&["convert", text(&source), text(&out), "--type", "float32", "--scale"]), 2, &["--scale"]);
}

#[test]
fn whole_numbers_change_type_exactly_or_not_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let source = folder.path().join("whole.nii");
    brainmesh_formats::write_volume(&source, &phantom(grid(0.0), 0)).unwrap();
    let out = folder.path().join("new.nii");
    ok(&brainmesh(&["convert", text(&source), text(&out), "--type", "int32"]));
    assert_eq!(volume_info(&out).unwrap().stored, StoredType::Int32);
    assert_eq!(read_volume(&out).unwrap().data(), read_volume(&source).unwrap().data());
    let negative = brainmesh(&["convert", text(&source), text(&out), "--type", "uint16", "--force"]);
    fails(&negative, 3, &["whole.nii", "uint16", "-300"]);
}

#[test]
fn time_points_labels_and_extensions_are_carried() {
    let folder = tempfile::tempdir().unwrap();
    let (source, out) = (folder.path().join("bold.nii.gz"), folder.path().join("new.nii"));
    let volumes: Vec<_> = (0..4).map(|time| phantom(grid(0.0), time)).collect();
    let mut labels = LabelTable::default();
    labels.insert(1, "cortex", [1.0, 0.0, 0.0, 1.0]);
    VolumeWriter::default().with_time_step_s(Some(0.72)).with_labels(labels).write(&source, &volumes, &Silent).unwrap();
    ok(&brainmesh(&["convert", text(&source), text(&out), "--reorient", "PIR"]));
    let file = VolumeOptions::default().open(&out).unwrap();
    assert_eq!((file.info().volumes, file.info().time_step_s.map(|s| (s * 1000.0).round())), (4, Some(720.0)));
    for (time, volume) in volumes.iter().enumerate() {
        let old: Vec<f32> = volume.data().iter().map(|&v| v.into()).collect();
        let old = Volume::new(volume.grid().clone(), old).unwrap();
        assert_same_at_world_points(&old, &file.read(time, &Silent).unwrap());
    }
    ok(&brainmesh(&["convert", text(&source), text(&out), "--volume", "2", "--force"]));
    assert_eq!(read_volume(&out).unwrap().data(), volumes[2].data().iter().map(|&v| f32::from(v)).collect::<Vec<_>>());
    assert_eq!(volume_info(&out).unwrap().volumes, 1);
    let beyond = brainmesh(&["convert", text(&source), text(&out), "--volume", "4", "--force"]);
    fails(&beyond, 3, &["volume index", "below 4"]);
}

#[test]
fn a_series_becomes_nifti_with_its_parameters_beside_it() {
    let folder = tempfile::tempdir().unwrap();
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../formats/tests/data/agree/dicom");
    let out = folder.path().join("brain.nii.gz");
    ok(&brainmesh(&["convert", text(&source), text(&out), "--reorient", "RAS"]));
    assert_same_at_world_points(&read_volume(&source).unwrap(), &read_volume(&out).unwrap());
    assert_eq!(json(&folder.path().join("brain.json"))["ConversionSoftware"], "brainmesh");
    std::fs::remove_file(&out).unwrap();
    fails(&brainmesh(&["convert", text(&source), text(&out)]), 2, &["brain.json", "--force"]);
}

#[test]
fn what_a_format_cannot_hold_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let source = scaled_file(folder.path());
    let old = read_volume(&source).unwrap();
    // No place for a slope: the intensities themselves.
    for name in ["a.mgz", "a.nrrd", "a.mha"] {
        let out = folder.path().join(name);
        let done = brainmesh(&["convert", text(&source), text(&out)]);
        ok(&done);
        assert!(String::from_utf8_lossy(&done.stdout).contains("int16 becomes float32"));
        assert_eq!(volume_info(&out).unwrap().stored, StoredType::Float32);
        assert_same_at_world_points(&old, &read_volume(&out).unwrap());
        let scaled = brainmesh(&["convert", text(&source), text(&out), "--type", "int16", "--scale", "--force"]);
        fails(&scaled, 3, &["scaling", "NIfTI"]);
    }
    let wide = folder.path().join("wide.nii");
    let values = (0..210).map(|n| u32::MAX - n).collect();
    brainmesh_formats::write_volume(&wide, &Volume::<u32>::new(grid(0.0), values).unwrap()).unwrap();
    fails(&brainmesh(&["convert", text(&wide), text(&folder.path().join("wide.mgz"))]), 3, &["uint32", "int32"]);
}

#[test]
fn surfaces_keep_their_shape() {
    let folder = tempfile::tempdir().unwrap();
    let p = WorldPoint::new;
    let vertices = vec![p(1.5, 2.0, 3.0), p(11.0, 2.25, 3.0), p(1.0, 12.0, 3.5), p(1.0, 2.0, 13.75)];
    let tetrahedron =
        Surface::new(vertices, vec![[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]], Structure::CortexLeft).unwrap();
    let source = folder.path().join("lh.pial.surf.gii");
    write_surface(&source, &tetrahedron, SurfaceFormat::Gifti, None).unwrap();
    for (name, format) in [("a.ply", None), ("a.obj", None), ("lh.white", None), ("b.obj", Some("mni-obj"))] {
        let out = folder.path().join(name);
        let mut command = vec!["convert", text(&source), text(&out)];
        command.extend(format.into_iter().flat_map(|format| ["--format", format]));
        ok(&brainmesh(&command));
        let new = read_surface(&out).unwrap();
        assert_eq!(new.triangles(), tetrahedron.triangles(), "{name}");
        for (a, b) in new.vertices().iter().zip(tetrahedron.vertices()) {
            assert!(a.distance_mm(*b) < 1e-5, "{name}");
        }
    }
    // Maps go where there is a place for them.
    let mut maps = brainmesh_formats::VertexMaps::default();
    maps.push("thickness", vec![1.5, 2.5, 3.5, 4.5]).unwrap();
    let with_maps = folder.path().join("maps.ply");
    write_surface(&with_maps, &tetrahedron, SurfaceFormat::Ply, Some(&maps)).unwrap();
    let out = folder.path().join("maps.vtp");
    ok(&brainmesh(&["convert", text(&with_maps), text(&out)]));
    let found = brainmesh_formats::read_vertex_maps(&out).unwrap();
    let [brainmesh_formats::VertexValues::Shape(map)] = &found[..] else { panic!("{found:?}") };
    assert_eq!((map.name.as_str(), &map.values[..]), ("thickness", &[1.5, 2.5, 3.5, 4.5][..]));
    let out = folder.path().join("a.xyz");
    fails(&brainmesh(&["convert", text(&source), text(&out)]), 2, &["a.xyz", "--format"]);
    fails(&brainmesh(&["convert", text(&source), text(&out), "--crop", ":,:,:"]), 2, &["--crop", "surface"]);
}

#[test]
fn nothing_is_replaced_or_left_behind_unasked() {
    let folder = tempfile::tempdir().unwrap();
    let source = scaled_file(folder.path());
    let out = folder.path().join("out.nii");
    std::fs::write(&out, "mine").unwrap();
    let convert = |extra: &[&str]| brainmesh(&[&["convert", text(&source), text(&out)], extra].concat());
    fails(&convert(&[]), 2, &["out.nii", "--force"]);
    ok(&convert(&["--force", "--dry-run"]));
    assert_eq!(std::fs::read(&out).unwrap(), b"mine");
    fails(&brainmesh(&["convert", text(&source), text(&source), "--force"]), 2, &["another file"]);
    let unknown = folder.path().join("out.xyz");
    fails(&brainmesh(&["convert", text(&source), text(&unknown)]), 2, &["out.xyz", ".nii.gz"]);
    let nowhere = folder.path().join("no/out.nii");
    fails(&brainmesh(&["convert", text(&source), text(&nowhere)]), 2, &["does not exist"]);
    fails(&convert(&["--force", "--reorient", "LRS"]), 2, &["--reorient", "LRS"]);
    fails(&convert(&["--force", "--type", "int12"]), 2, &["--type", "int12"]);
    fails(&convert(&["--force", "--spacing", "0"]), 2, &["--spacing"]);
    // Damage that shows only when voxels are read.
    let whole = folder.path().join("whole.nii.gz");
    ok(&brainmesh(&["convert", text(&source), text(&whole)]));
    let mut bytes = std::fs::read(&whole).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0x55;
    let damaged = folder.path().join("damaged.nii.gz");
    std::fs::write(&damaged, bytes).unwrap();
    let before = entries(folder.path());
    fails(&brainmesh(&["convert", text(&damaged), text(&out), "--force"]), 3, &["damaged.nii.gz"]);
    assert_eq!(entries(folder.path()), before);
    assert_eq!(std::fs::read(&out).unwrap(), b"mine");
}

#[test]
fn info_says_what_a_volume_is() {
    let folder = tempfile::tempdir().unwrap();
    let source = scaled_file(folder.path());
    let output = brainmesh(&["info", text(&source), "--json", "--stats"]);
    ok(&output);
    let info: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let intensities: Vec<f64> = phantom(grid(0.0), 0).data().iter().map(|&v| f64::from(v) * 0.25 - 7.5).collect();
    assert_eq!(info["kind"], "volume");
    assert_eq!(info["shape"], serde_json::json!([7, 6, 5]));
    assert_eq!(info["stored"], "int16");
    assert_eq!(info["scaling"], serde_json::json!({"kind": "linear", "slope": 0.25, "intercept": -7.5}));
    assert_eq!(info["orientation"], "RAS");
    assert_eq!(info["stats"]["min"], intensities.iter().copied().fold(f64::INFINITY, f64::min));
    assert_eq!(info["stats"]["max"], intensities.iter().copied().fold(f64::NEG_INFINITY, f64::max));
    let mean = intensities.iter().sum::<f64>() / 210.0;
    assert!((info["stats"]["mean"].as_f64().unwrap() - mean).abs() < 1e-9);
    assert_eq!(info["stats"]["nan"], 0);
    let output = brainmesh(&["info", text(&source)]);
    let shown = String::from_utf8_lossy(&output.stdout);
    for words in ["7 x 6 x 5", "0.8 x 1.25 x 2.5 mm", "RAS (scanner space)", "int16, intensity = 0.25 x stored + -7.5"]
    {
        assert!(shown.contains(words), "{words:?} in {shown}");
    }
}
