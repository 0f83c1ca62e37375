//! Against torchvision's own result, which `mask_rcnn_fixture.py` of the training package wrote.

use super::align::cut_out;
use super::detect::{Detection, Heads, detect};
use super::input::Input;
use super::paste::Pasted;
use super::proposals::Answers;
use crate::backend::Backend;
use crate::{Device, Error, Manifest, MaskRcnnTask, Model, SessionOptions, Task};
use brainmesh_core::Silent;
use ndarray::{Array1, Array2, Array3, Array4, ArrayD, Axis, s};
use ndarray_npy::{ReadableElement, read_npy};

const FOLDER: &str = "tests/data/mask_rcnn";

fn read<T: ReadableElement, D: ndarray::Dimension>(file: &str) -> ndarray::Array<T, D> {
    read_npy(format!("{FOLDER}/{file}.npy")).unwrap()
}

fn picture(name: &str) -> Array3<f32> {
    read::<u8, ndarray::Ix3>(&format!("{name}/image")).mapv(|value| f32::from(value) / 255.0)
}

fn task() -> MaskRcnnTask {
    match Manifest::open(FOLDER).unwrap().task {
        Task::MaskRcnn(task) => *task,
        other => panic!("{other:?}"),
    }
}

/// The graphs on each engine that is here.
fn engines() -> Vec<(Device, Backend, Heads)> {
    let model = Model::open(FOLDER).unwrap();
    let open = |device| {
        let mut session = SessionOptions::default().with_device(device).with_threads(1).open(&model).ok()?;
        let heads = session.heads.take().unwrap();
        Some((device, session.backend, heads))
    };
    let found: Vec<_> = [Device::Builtin, Device::Cpu].into_iter().filter_map(open).collect();
    assert!(found.iter().any(|(device, ..)| *device == Device::Builtin));
    if found.len() < 2 {
        eprintln!("skipped: ONNX Runtime is not installed");
    }
    found
}

fn largest<'a>(found: impl IntoIterator<Item = &'a f32>, expected: impl IntoIterator<Item = &'a f32>) -> f32 {
    let (found, expected): (Vec<_>, Vec<_>) = (found.into_iter().collect(), expected.into_iter().collect());
    assert_eq!(found.len(), expected.len());
    found.iter().zip(expected).map(|(a, b)| (*a - b).abs()).fold(0.0, f32::max)
}

#[test]
fn the_picture_is_what_torchvision_gives_its_network() {
    let expected: Array3<f32> = read("plain/input");
    let input = Input::new(picture("plain").view(), &task().settings);
    assert_eq!(input.resized, [112, 151]);
    assert_eq!(input.tensor.dim(), (1, 3, 128, 160));
    let found = input.tensor.slice(s![0, .., ..;9, ..]);
    assert!(largest(found, &expected) < 1e-5);
    // The larger side decides: 48 of 40 / 150 * 180.
    let long = Input::new(picture("long").view(), &task().settings);
    assert_eq!((long.resized, long.tensor.dim()), ([48, 180], (1, 3, 64, 192)));
}

#[test]
fn proposals_and_their_features_are_torchvisions() {
    let settings = task().settings;
    let expected: Array2<f32> = read("plain/proposals");
    for (device, mut detector, _) in engines() {
        let input = Input::new(picture("plain").view(), &settings);
        let outputs = detector.run_all(input.tensor.view().into_dyn(), &Silent).unwrap();
        let answers = Answers::new(&outputs, &settings).unwrap();
        let found = answers.proposals(&settings, [128, 160], input.resized);
        assert_eq!(found.len(), expected.nrows());
        let far = largest(found.iter().flatten(), &expected);
        assert!(far < 0.05, "{device}: {far}");
        let features = cut_out(&answers.features, &found[..6], &settings.regions, 7);
        let far = largest(&features, &read::<f32, ndarray::Ix4>("plain/box_regions"));
        assert!(far < 1e-3, "{device}: {far}");
    }
}

#[test]
fn detections_are_torchvisions() {
    let settings = task().settings;
    for (device, mut detector, mut heads) in engines() {
        for name in ["plain", "long"] {
            let picture = picture(name);
            let found = detect(&mut detector, &mut heads, &settings, picture.view(), &Silent).unwrap();
            let boxes: Array2<f32> = read(&format!("{name}/boxes"));
            let scores: Array1<f32> = read(&format!("{name}/scores"));
            let labels: Array1<i32> = read(&format!("{name}/labels"));
            assert_eq!(found.len(), labels.len());
            assert!(found.iter().zip(&labels).all(|(one, label)| one.class == *label as usize));
            let far = largest(found.iter().flat_map(|one| &one.region), &boxes);
            assert!(far < 0.05, "{device}, {name}: {far} px");
            let far = largest(found.iter().map(|one| &one.score), &scores);
            assert!(far < 1e-3, "{device}, {name}: {far}");
            if name == "plain" {
                let far = largest(found.iter().flat_map(|one| &one.mask), &read::<f32, ndarray::Ix3>("plain/masks"));
                assert!(far < 1e-3, "{device}: {far}");
                let pasted: Array3<f32> = read("plain/pasted");
                for (one, expected) in found.iter().zip(pasted.outer_iter()) {
                    let mask = Pasted::new(one, [80, 108]);
                    let whole = Array2::from_shape_fn((80, 108), |(y, x)| mask.at(x, y));
                    let far = largest(whole.slice(s![..;2, ..]), expected);
                    assert!(far < 1e-3, "{device}: {far}");
                }
            }
        }
    }
}

#[test]
fn pictures_of_any_size_are_looked_at() {
    let mut settings = task().settings;
    let (_, mut detector, mut heads) = engines().remove(0);
    for (height, width) in [(1, 1), (1, 4000), (3000, 2), (33, 65)] {
        let picture = Array3::from_shape_fn((3, height, width), |(c, y, x)| ((c + 3 * y + 7 * x) % 11) as f32 / 11.0);
        let found = detect(&mut detector, &mut heads, &settings, picture.view(), &Silent).unwrap();
        for one in found {
            let [left, top, right, bottom] = one.region;
            assert!(0.0 <= left && left < right && right <= width as f32 + 1e-3, "{:?}", one.region);
            assert!(0.0 <= top && top < bottom && bottom <= height as f32 + 1e-3, "{:?}", one.region);
            let mask = Pasted::new(&Detection { ..one }, [height, width]);
            assert!(mask.values.nrows() <= height && mask.values.ncols() <= width);
        }
    }
    let empty = Array3::zeros((3, 0, 5));
    let error = detect(&mut detector, &mut heads, &settings, empty.view(), &Silent).unwrap_err();
    assert!(matches!(error, Error::Input { .. }), "{error}");
    // No proposals, and proposals without anything found.
    let picture = picture("plain");
    settings.detections.least_score = 1.0;
    assert!(detect(&mut detector, &mut heads, &settings, picture.view(), &Silent).unwrap().is_empty());
    settings.proposals.least_size_px = 5000.0;
    assert!(detect(&mut detector, &mut heads, &settings, picture.view(), &Silent).unwrap().is_empty());
}

#[test]
fn answers_that_are_no_numbers_or_of_other_sizes_are_refused() {
    let settings = task().settings;
    let (_, mut detector, mut heads) = engines().remove(0);
    let mut broken = picture("plain");
    broken[[1, 40, 50]] = f32::NAN;
    let error = detect(&mut detector, &mut heads, &settings, broken.view(), &Silent).unwrap_err();
    assert!(matches!(error, Error::Input { .. }), "{error}");

    let input = Array4::<f32>::zeros((1, 3, 64, 96));
    let outputs = detector.run_all(input.view().into_dyn(), &Silent).unwrap();
    assert!(Answers::new(&outputs, &settings).is_ok());
    let refused = |outputs: &[ArrayD<f32>]| match Answers::new(outputs, &settings) {
        Err(Error::Shape { expected, found }) => (expected, found),
        other => panic!("{:?}", other.err()),
    };
    assert_eq!(refused(&outputs[1..]).0, "14 tensors");
    for number in 0..outputs.len() {
        let mut cut = outputs.clone();
        cut[number] = cut[number].slice_axis(Axis(3), (1..).into()).to_owned();
        refused(&cut);
    }
    for number in 0..outputs.len() {
        let mut broken = outputs.clone();
        *broken[number].iter_mut().last().unwrap() = f32::NAN;
        assert!(matches!(Answers::new(&broken, &settings), Err(Error::Output { .. })), "{number}");
    }
    // 60 regions of 7 x 7 and so many channels would not fit into a gigabyte.
    let of = |channels: usize| {
        let sizes = [vec![channels; 4], vec![3; 5], vec![12; 5]].concat();
        sizes.into_iter().map(|size| ArrayD::zeros(vec![1, size, 1, 1])).collect::<Vec<_>>()
    };
    assert!(Answers::new(&of(1000), &settings).is_ok());
    assert!(refused(&of(100_000)).0.contains("channels, for so many regions"));
    let mut fewer = settings.clone();
    fewer.anchors_px[2].pop();
    assert!(matches!(Answers::new(&outputs, &fewer), Err(Error::Shape { .. })));
}
