//! Images and volumes through small networks whose answers follow from arithmetic.

#![allow(clippy::unwrap_used, clippy::panic, reason = "these are tests")]

mod support;

use brainmesh_core::{Grid, Orientation, Silent, Volume};
use brainmesh_segmentation::{Device, Error, Forecast, Model, SegmentOptions, Segmentation, Session};
use glam::{DAffine3, DMat3, DVec3};
use std::path::Path;
use support::here;

fn model(name: &str) -> Model {
    Model::open(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name)).unwrap()
}

fn session(name: &str) -> Session {
    Session::open(&model(name), Device::Builtin, 2).unwrap()
}

/// A grid whose axes lead to R, A, S with this spacing.
fn grid(shape: [usize; 3], spacing_mm: [f64; 3]) -> Grid {
    let matrix = DMat3::from_diagonal(DVec3::from_array(spacing_mm));
    Grid::new(shape, DAffine3::from_mat3_translation(matrix, DVec3::new(-20.0, 5.0, 11.0)), "scanner").unwrap()
}

fn made(grid: Grid, value: impl Fn(usize, usize, usize) -> f32) -> Volume<f32> {
    let [ni, nj, nk] = grid.shape();
    let mut data = Vec::new();
    for k in 0..nk {
        for j in 0..nj {
            data.extend((0..ni).map(|i| value(i, j, k)));
        }
    }
    Volume::new(grid, data).unwrap()
}

/// Numbers without a pattern, in 0..1.
fn noise(i: usize, j: usize, k: usize) -> f32 {
    let mut state = ((i * 73_856_093) ^ (j * 19_349_663) ^ (k * 83_492_791)) as u32;
    state = (state ^ (state >> 16)).wrapping_mul(0x45d9_f3b5);
    state = (state ^ (state >> 15)).wrapping_mul(0x45d9_f3b5);
    (state >> 8) as f32 / (1 << 24) as f32
}

fn labels(session: &mut Session, volume: &Volume<f32>, options: &SegmentOptions) -> Volume<u8> {
    match session.segment(std::slice::from_ref(volume), options, &Silent).unwrap().segmentation {
        Segmentation::Labels(labels) => labels,
        other => panic!("{other:?}"),
    }
}

fn probability(session: &mut Session, volume: &Volume<f32>, options: &SegmentOptions) -> Volume<f32> {
    match session.segment(std::slice::from_ref(volume), options, &Silent).unwrap().segmentation {
        Segmentation::Probability(values) => values,
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_voxel_gets_the_label_of_its_own_intensity() {
    let mut session = session("above-half");
    for shape in [[1, 1, 1], [5, 3, 2], [16, 16, 1], [41, 23, 7], [17, 70, 3]] {
        let volume = made(grid(shape, [1.0, 2.0, 0.5]), noise);
        let found = labels(&mut session, &volume, &SegmentOptions::default());
        assert_eq!(found.grid(), volume.grid());
        let expected: Vec<u8> = volume.data().iter().map(|&value| u8::from(value > 0.5)).collect();
        assert!(found.data() == expected, "{shape:?}");
    }
}

#[test]
fn a_network_sees_the_axes_it_was_made_for_whatever_the_orientation_of_the_file() {
    let mut session = session("rises-right");
    // Intensity grows to the right, then falls again.
    let ras = made(grid([20, 11, 4], [1.0; 3]), |i, _, _| if i < 10 { i as f32 } else { (19 - i) as f32 });
    let expected = labels(&mut session, &ras, &SegmentOptions::default());
    assert_eq!(expected.data()[3], 1);
    assert_eq!(expected.data()[15], 2);
    for orientation in Orientation::all() {
        let turned = ras.swapped(ras.grid().orientation().swap_to(orientation)).unwrap();
        let found = labels(&mut session, &turned, &SegmentOptions::default());
        assert_eq!(found.grid(), turned.grid());
        let back = found.swapped(orientation.swap_to(ras.grid().orientation())).unwrap();
        assert!(back.data() == expected.data(), "{orientation}");
    }
}

#[test]
fn windows_give_what_the_whole_gives() {
    for (name, device, shape) in
        [("strided-2d", Device::Builtin, [53, 41, 3]), ("strided-3d", Device::Cpu, [30, 22, 41])]
    {
        let Some(mut session) = here(Session::open(&model(name), device, 2)) else { continue };
        let volume = made(grid(shape, [1.0; 3]), noise);
        let axes = if name == "strided-2d" { 2 } else { 3 };
        let whole = probability(&mut session, &volume, &SegmentOptions::default().with_window(vec![64; axes]));
        let spread = whole.data().iter().fold((1.0_f32, 0.0_f32), |(low, high), &v| (low.min(v), high.max(v)));
        assert!(spread.0 < 0.2 && spread.1 > 0.8, "the network should tell voxels apart: {spread:?}");
        for window in [12, 16, 30] {
            for overlap in [0.0, 0.25, 0.5] {
                let options = SegmentOptions::default().with_window(vec![window; axes]).with_overlap(overlap);
                let tiled = probability(&mut session, &volume, &options);
                let worst = whole.data().iter().zip(tiled.data()).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
                assert!(worst <= 1e-5, "{name}, windows of {window}, overlap {overlap}: {worst}");
            }
        }
    }
}

#[test]
fn mirrored_inputs_are_averaged() {
    let mut session = session("strided-2d");
    let volume = made(grid([24, 18, 1], [1.0; 3]), noise);
    let plain = SegmentOptions::default().with_window([64, 64]).with_flips(false);
    let mut mean = vec![0.0; volume.data().len()];
    for (x, y) in [(false, false), (true, false), (false, true), (true, true)] {
        let swap = brainmesh_core::AxisSwap { from: [0, 1, 2], flipped: [x, y, false] };
        let turned = probability(&mut session, &volume.swapped(swap).unwrap(), &plain).swapped(swap).unwrap();
        mean.iter_mut().zip(turned.data()).for_each(|(mean, &value)| *mean += value / 4.0);
    }
    let found = probability(&mut session, &volume, &plain.with_flips(true));
    let worst = mean.iter().zip(found.data()).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(worst < 1e-6, "{worst}");
    let once = probability(&mut session, &volume, &SegmentOptions::default().with_window([64, 64]));
    assert!(once.data().iter().zip(found.data()).any(|(a, b)| (a - b).abs() > 0.01), "the network is not symmetric");
}

#[test]
fn a_network_that_gives_probabilities_of_one_class_can_give_labels() {
    let mut session = session("strided-2d");
    let volume = made(grid([24, 18, 2], [1.0; 3]), noise);
    let found = labels(&mut session, &volume, &SegmentOptions::default().with_output("labels"));
    let of = |session: &mut Session, class: &str| {
        probability(session, &volume, &SegmentOptions::default().with_output(format!("probability:{class}")))
    };
    let classes = ["background", "one", "two"].map(|class| of(&mut session, class));
    for (voxel, &label) in found.data().iter().enumerate() {
        let values = [0, 1, 2].map(|n: usize| classes[n].data()[voxel]);
        assert!((values.iter().sum::<f32>() - 1.0).abs() < 1e-5);
        assert!(values.iter().all(|&value| value <= values[usize::from(label)] + 1e-6), "{values:?} {label}");
    }
}

#[test]
fn what_does_not_fit_is_refused() {
    let volume = made(grid([8, 8, 2], [1.0; 3]), noise);
    let mut flat = session("above-half");
    let mut error = |channels: &[Volume<f32>], options: SegmentOptions| {
        flat.segment(channels, &options, &Silent).unwrap_err().to_string()
    };
    let plain = SegmentOptions::default;
    assert!(error(&[], plain()).contains("channels"));
    assert!(error(&[volume.clone(), volume.clone()], plain()).contains("1 (t1), found 2"));
    assert!(error(std::slice::from_ref(&volume), plain().with_overlap(1.0)).contains("0 to 0.9"));
    assert!(error(std::slice::from_ref(&volume), plain().with_window([0, 8])).contains("window"));
    assert!(error(std::slice::from_ref(&volume), plain().with_output("probability:bone")).contains("tissue"));
    let mut odd = session("strided-2d");
    let found = odd.segment(std::slice::from_ref(&volume), &plain().with_window([15, 16]), &Silent).unwrap_err();
    assert!(matches!(found, Error::Option { option: "window", .. }), "{found}");
    let mut rays = Session::open(&Model::named("cortical-layers").unwrap(), Device::Builtin, 1).unwrap();
    let found = rays.segment(std::slice::from_ref(&volume), &plain(), &Silent).unwrap_err();
    assert!(matches!(found, Error::Task { .. }), "{found}");
}

#[test]
fn voxels_that_are_no_numbers_are_counted_and_said() {
    let mut volume = made(grid([8, 8, 1], [1.0; 3]), |_, _, _| 1.0);
    volume.data_mut()[5] = f32::NAN;
    volume.data_mut()[6] = f32::INFINITY;
    let found = session("above-half").segment(&[volume], &SegmentOptions::default(), &Silent).unwrap();
    assert!(found.notes[0].starts_with("2 voxels"), "{:?}", found.notes);
    let Segmentation::Labels(labels) = found.segmentation else { panic!() };
    assert_eq!(labels.data().iter().filter(|&&label| label == 0).count(), 2);
}

#[test]
fn a_forecast_counts_input_result_and_slab() {
    let model = model("above-half");
    let task = model.manifest().image().unwrap();
    let forecast = Forecast::new(task, &grid([100, 80, 30], [1.0; 3])).unwrap();
    assert_eq!(forecast.input_bytes, 100 * 80 * 30 * 4);
    assert_eq!(forecast.output_bytes, 100 * 80 * 30);
    // One slice, one class.
    assert_eq!(forecast.slab_bytes, 100 * 80 * 4);
    assert_eq!(forecast.window_bytes, 16 * 16 * 2 * 4);
}

fn array(name: &str) -> Vec<f32> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/views-2d").join(name);
    let values: ndarray::ArrayD<f32> = ndarray_npy::read_npy(path).unwrap();
    values.into_raw_vec_and_offset().0
}

fn with_all(session: &mut Session, volume: &Volume<f32>) -> Vec<Volume<f32>> {
    let options = SegmentOptions::default().with_probabilities(true);
    session.segment(std::slice::from_ref(volume), &options, &Silent).unwrap().probabilities
}

/// The expected values are those of ONNX Runtime slice by slice, averaged by numpy (`make_image_networks.py`).
#[test]
fn views_are_averaged_as_slices_across_each_axis_one_by_one() {
    let volume = Volume::new(grid([14, 17, 12], [1.0; 3]), array("whole_input.npy")).unwrap();
    let expected = array("whole_output.npy");
    let mut session = session("views-2d");
    let found: Vec<f32> =
        with_all(&mut session, &volume).iter().flat_map(|class| class.data().iter().copied()).collect();
    assert_eq!(found.len(), expected.len());
    let worst = found.iter().zip(&expected).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(worst < 1e-5, "{worst}");

    // The labels are the likeliest classes, and `probability:` is one of them.
    let likeliest = labels(&mut session, &volume, &SegmentOptions::default());
    let voxels = volume.data().len();
    for (n, &label) in likeliest.data().iter().enumerate() {
        let of = |class: usize| found[class * voxels + n];
        assert!((0..3).all(|class| of(class) <= of(usize::from(label))), "{n}");
    }
    let one = probability(&mut session, &volume, &SegmentOptions::default().with_output("probability:one"));
    assert!(one.data() == &found[voxels..2 * voxels]);

    // A file with other axes gives the same at the same places.
    for orientation in Orientation::all() {
        let here = volume.grid().orientation();
        let turned = with_all(&mut session, &volume.swapped(here.swap_to(orientation)).unwrap());
        let back = turned[2].swapped(orientation.swap_to(here)).unwrap();
        assert!(back.data() == &found[2 * voxels..], "{orientation}");
    }
}

#[test]
fn emptiness_around_a_volume_changes_nothing() {
    let inner = Volume::new(grid([14, 17, 12], [1.0; 3]), array("whole_input.npy")).unwrap();
    let mut session = session("views-2d");
    let within = |session: &mut Session, border: usize| {
        let shape = inner.grid().shape().map(|length| length + 2 * border);
        let at = |i: usize, j: usize, k: usize| {
            let [x, y, z] = [i, j, k].map(|n| n.wrapping_sub(border));
            if x < 14 && y < 17 && z < 12 { inner.data()[x + 14 * (y + 17 * z)] } else { 0.0 }
        };
        let [none, one, two] = with_all(session, &made(grid(shape, [1.0; 3]), at)).try_into().unwrap();
        let cut = |volume: &Volume<f32>| {
            let each = |n: usize| {
                let (x, y, z) = (n % 14 + border, n / 14 % 17 + border, n / (14 * 17) + border);
                volume.data()[x + shape[0] * (y + shape[1] * z)]
            };
            (0..14 * 17 * 12).map(each).collect::<Vec<f32>>()
        };
        // Far outside there is nothing.
        if border > 16 {
            assert_eq!([none.data()[0], one.data()[0], two.data()[0]], [1.0, 0.0, 0.0]);
        }
        [cut(&none), cut(&one), cut(&two)]
    };
    let near = within(&mut session, 16);
    assert!(near == within(&mut session, 31));
    assert!(near == within(&mut session, 50));
}

#[test]
fn views_bring_every_axis_to_the_spacing_of_the_network() {
    let model = model("views-2d");
    let task = model.manifest().image().unwrap();
    assert_eq!(task.views, [2, 1, 0]);
    // The network's grid of 1 mm has 28 x 17 x 6 voxels.
    let forecast = Forecast::new(task, &grid([14, 17, 12], [2.0, 1.0, 0.5])).unwrap();
    assert_eq!(forecast.output_bytes, 14 * 17 * 12 + 28 * 17 * 6);
    // More than memory holds is refused before it is asked for.
    let huge = made(grid([8, 8, 8], [400.0; 3]), noise);
    let refused = session("views-2d").segment(&[huge], &SegmentOptions::default(), &Silent).unwrap_err();
    assert!(matches!(refused, Error::Input { field: "volume", .. }), "{refused}");
    // The largest slice and the sums of all views, of three classes.
    assert_eq!(forecast.slab_bytes, (28 * 17 + 28 * 17 * 6) * 3 * 4);
}

/// Label of a voxel of a ball of white matter in grey matter.
fn ball(i: usize, j: usize, k: usize) -> u8 {
    let offsets = [i as f32 - 30.0, j as f32 - 28.0, k as f32 - 26.0];
    match offsets.map(|d| d * d).iter().sum::<f32>().sqrt() {
        r if r < 14.0 => 3,
        r if r < 24.0 => 2,
        _ => 0,
    }
}

/// The network of `made-tissue` parts grey from white at 82.5. This scan is a tenth brighter than what it was made for: its
/// grey matter reaches from 69 to 85, its white from 91 to 107.
#[test]
fn refined_boundaries_follow_the_intensities_of_the_scan() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/made-tissue");
    let folder = tempfile::tempdir().unwrap();
    for entry in std::fs::read_dir(&source).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), folder.path().join(entry.file_name())).unwrap();
    }
    let shape = [60, 56, 52];
    let volume = made(grid(shape, [1.0; 3]), |i, j, k| match ball(i, j, k) {
        3 => 99.0 + 16.0 * noise(i, j, k) - 8.0,
        2 => 77.0 + 16.0 * noise(i, j, k) - 8.0,
        _ => 0.0,
    });
    let truth: Vec<u8> = (0..volume.data().len())
        .map(|n| ball(n % shape[0], n / shape[0] % shape[1], n / (shape[0] * shape[1])))
        .collect();
    let wrong_share = |refine: Option<serde_json::Value>| {
        let text = std::fs::read_to_string(source.join("rdf.yaml")).unwrap();
        let mut manifest: serde_json::Value = serde_json::from_str(&text).unwrap();
        if let Some(refine) = refine {
            manifest["config"]["brainmesh"]["refine"] = refine;
        }
        std::fs::write(folder.path().join("rdf.yaml"), manifest.to_string()).unwrap();
        let mut session = Session::open(&Model::open(folder.path()).unwrap(), Device::Builtin, 2).unwrap();
        let found = labels(&mut session, &volume, &SegmentOptions::default());
        let inside = truth.iter().filter(|&&label| label > 0).count();
        let wrong = found.data().iter().zip(&truth).filter(|(found, truth)| found != truth).count();
        wrong as f64 / inside as f64
    };
    let plain = wrong_share(None);
    // The sixth of the grey matter that is above 82.5.
    assert!((plain - 0.124).abs() < 0.01, "{plain}");
    let classes = ["grey_matter", "white_matter"];
    let refined = wrong_share(Some(serde_json::json!({"classes": classes, "rounds": 4})));
    assert!(refined < 0.002, "{plain}, {refined}");
    // There is no fluid to measure: nothing is changed.
    let unknown = serde_json::json!({"classes": ["csf", "white_matter"]});
    assert_eq!(wrong_share(Some(unknown)), plain);
}

#[test]
fn views_and_refinement_that_make_no_sense_are_refused() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/made-tissue");
    let manifest: serde_json::Value = serde_json::from_slice(&std::fs::read(folder.join("rdf.yaml")).unwrap()).unwrap();
    let error = |change: &dyn Fn(&mut serde_json::Value)| {
        let mut manifest = manifest.clone();
        change(&mut manifest);
        brainmesh_segmentation::Manifest::parse(manifest.to_string().as_bytes(), &folder).unwrap_err().to_string()
    };
    for views in [serde_json::json!(["w"]), serde_json::json!(["x", "x"])] {
        assert!(error(&|manifest| manifest["config"]["brainmesh"]["views"] = views.clone()).contains("views"));
    }
    let uneven = error(&|manifest| manifest["inputs"][0]["axes"][2]["scale"] = 2.0.into());
    assert!(uneven.contains("views") && uneven.contains("same size, scale and halo"), "{uneven}");
    for refine in [
        serde_json::json!({"classes": ["grey_matter"]}),
        serde_json::json!({"classes": ["grey_matter", "bone"]}),
        serde_json::json!({"classes": ["grey_matter", "grey_matter"]}),
        serde_json::json!({"classes": ["grey_matter", "white_matter"], "reach": 0.0}),
        serde_json::json!({"classes": ["grey_matter", "white_matter"], "strength": 2.0}),
    ] {
        assert!(error(&|manifest| manifest["config"]["brainmesh"]["refine"] = refine.clone()).contains("refine"));
    }
}
