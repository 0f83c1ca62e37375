//! `segment membrane`: slices in, probabilities and cells of the same pixels out. The network's answer is worked out here
//! (`segmentation/tests/data/make_membrane.py` says what it is).

use super::*;
use brainmesh_core::{Grid, Silent, Volume};
use brainmesh_formats::{VolumeWriter, Voxel, read_volume, volume_info, write_png, write_volume};
use glam::{DAffine3, DVec3};

fn model() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../segmentation/tests/data/made-membrane")
}

/// No size of the network's, so that slices are padded.
const SHAPE: [usize; 3] = [42, 27, 3];

/// Spacing in mm along the rows and columns; 1 is what formats take for not known.
fn grid(shape: [usize; 3], mm: f64) -> Grid {
    Grid::new(shape, DAffine3::from_scale(DVec3::new(mm, mm, 1.0)), "unregistered").unwrap()
}

/// 0 to 255 without any symmetry, and brighter from slice to slice.
fn grey(n: usize) -> u8 {
    ((n * 7919 + n / 1134 * 401) % 200 + n / 1134 * 20) as u8
}

fn stack<T: Copy>(value: impl Fn(u8) -> T) -> Volume<T> {
    Volume::new(grid(SHAPE, 1.0), (0..SHAPE.iter().product()).map(|n| value(grey(n))).collect()).unwrap()
}

/// What the network gives for a slice of `width` pixels, over its mirror images where `flips`.
fn answer(slice: &[f32], width: usize, flips: bool) -> Vec<f64> {
    let height = slice.len() / width;
    let values: Vec<f64> = slice.iter().map(|&value| f64::from(value)).collect();
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    let sd = (values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / values.len() as f64).sqrt();
    let z = |x: isize, y: isize| {
        let is_inside = (0..width as isize).contains(&x) && (0..height as isize).contains(&y);
        if is_inside { (values[x as usize + width * y as usize] - mean) / (sd + 1e-6) } else { 0.0 }
    };
    let steps: &[[isize; 2]] = if flips { &[[-1, -1], [1, -1], [-1, 1], [1, 1]] } else { &[[-1, -1]] };
    let pixel = |n: usize| {
        let (x, y) = ((n % width) as isize, (n / width) as isize);
        let sum: f64 =
            steps.iter().map(|[dx, dy]| 1.0 / (1.0 + (-4.0 * z(x, y) - 2.0 * z(x + dx, y) - z(x, y + dy)).exp())).sum();
        sum / steps.len() as f64
    };
    (0..slice.len()).map(pixel).collect()
}

fn answers(volume: &Volume<f32>, flips: bool) -> Vec<f64> {
    let [ni, nj, _] = volume.grid().shape();
    volume.data().chunks(ni * nj).flat_map(|slice| answer(slice, ni, flips)).collect()
}

fn worst(found: &[f32], expected: &[f64]) -> f64 {
    assert_eq!(found.len(), expected.len());
    found.iter().zip(expected).map(|(&a, b)| (f64::from(a) - b).abs()).fold(0.0, f64::max)
}

/// Runs the system with the made network and the built-in engine.
fn segment(words: &[&str]) -> Output {
    let model = model();
    let mut all = vec!["segment", "membrane", "--model", text(&model), "--device", "builtin"];
    all.extend(words);
    brainmesh(&all)
}

/// Grey values as red, green and blue: the pictures that this workspace can write.
fn write_grey(path: &Path, volume: &Volume<u8>, slice: usize) {
    let [ni, nj, _] = volume.grid().shape();
    let values = &volume.data()[slice * ni * nj..(slice + 1) * ni * nj];
    write_png(path, [ni, nj], &values.iter().flat_map(|&value| [value; 3]).collect::<Vec<_>>()).unwrap();
}

#[test]
fn every_slice_is_normalised_by_itself_and_stays_in_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    fn put<T: Voxel>(path: &Path, volume: &Volume<T>) {
        write_volume(path, volume).unwrap();
    }
    put(&path("bytes.tif"), &stack(|value| value));
    put(&path("words.tif"), &stack(|value| u16::from(value) * 250 + 13));
    put(&path("floats.nrrd"), &stack(|value| f32::from(value) * 12.5 - 700.0));
    // Time points are slices too.
    let plane = SHAPE[0] * SHAPE[1];
    let all = stack(|value| value);
    let frames = all.data().chunks(plane).map(|values| Volume::new(grid([42, 27, 1], 1.0), values.to_vec()).unwrap());
    VolumeWriter::default().write(&path("frames.tif"), &frames.collect::<Vec<_>>(), &Silent).unwrap();
    // Pictures in the order of their numbers, of which some are missing.
    std::fs::create_dir(path("pages")).unwrap();
    for (slice, name) in ["2.png", "10.png", "11.png"].into_iter().enumerate() {
        write_grey(&path("pages").join(name), &all, slice);
    }
    let expected = answers(&stack(f32::from), true);
    for input in ["bytes.tif", "words.tif", "floats.nrrd", "frames.tif", "pages"] {
        let (input, out) = (path(input), path("out.tif"));
        let stated: &[&str] = if input.ends_with("floats.nrrd") { &["--pixel-nm", "4"] } else { &[] };
        let mut words = vec![text(&input), "-o", text(&out), "--force"];
        words.extend(stated);
        let done = segment(&words);
        ok(&done);
        let warned =
            String::from_utf8_lossy(&done.stderr).contains("the size of a pixel is not known: taken as 4.000 nm");
        assert_eq!(warned, stated.is_empty());
        let info = volume_info(&out).unwrap();
        assert_eq!((info.shape, info.stored.to_string().as_str()), (SHAPE, "float32"));
        let found = read_volume(&out).unwrap();
        assert!(worst(found.data(), &expected) < 1e-5, "{}", input.display());
    }
    let (input, out) = (path("bytes.tif"), path("out.tif"));
    ok(&segment(&[text(&input), "-o", text(&out), "--force", "--flips", "false"]));
    let once = answers(&stack(f32::from), false);
    assert!(worst(read_volume(&out).unwrap().data(), &once) < 1e-5);
    assert!(expected.iter().zip(&once).any(|(a, b)| (a - b).abs() > 0.1));
}

#[test]
fn pixels_of_another_size_are_brought_to_the_networks_and_back() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    // Each pixel of 4 nm as four of 2 nm: brought back, they are what they were.
    let coarse: Vec<f32> = (0..20 * 16).map(|n| f32::from(grey(n))).collect();
    let fine = (0..40 * 32).map(|n| coarse[n % 40 / 2 + 20 * (n / 40 / 2)]).collect();
    write_volume(&path("fine.tif"), &Volume::<f32>::new(grid([40, 32, 1], 2e-6), fine).unwrap()).unwrap();
    let (input, out) = (path("fine.tif"), path("out.tif"));
    let done = segment(&[text(&input), "-o", text(&out), "--json"]);
    ok(&done);
    let summary: serde_json::Value = serde_json::from_slice(&done.stdout).unwrap();
    assert!((summary["pixel_nm"][0].as_f64().unwrap() - 2.0).abs() < 1e-9);
    assert!((summary["network_pixel_nm"][1].as_f64().unwrap() - 4.0).abs() < 1e-9);

    let expected = answer(&coarse, 20, true);
    // Centres of small pixels lie a quarter of a large one beside its centre.
    let mix = |n: usize, length: usize| {
        let (near, far) =
            (n / 2, if n.is_multiple_of(2) { (n / 2).saturating_sub(1) } else { (n / 2 + 1).min(length - 1) });
        [(near, 0.75), (far, 0.25)]
    };
    let between = |n: usize| -> f64 {
        let (x, y) = (mix(n % 40, 20), mix(n / 40, 16));
        x.iter()
            .flat_map(|(x, a)| y.iter().map(move |(y, b)| (x + 20 * y, a * b)))
            .map(|(at, w)| expected[at] * w)
            .sum()
    };
    let expected: Vec<f64> = (0..40 * 32).map(between).collect();
    let found = read_volume(&out).unwrap();
    assert!(worst(found.data(), &expected) < 1e-5);
    assert!((found.grid().spacing_mm()[0] - 2e-6).abs() < 1e-12);
}

#[test]
fn cells_are_numbered_through_all_slices_in_a_file_of_their_own() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    write_volume(&path("in.tif"), &stack(|value| value)).unwrap();
    let (input, out, cells) = (path("in.tif"), path("prob.tif"), path("prob_cells.tif"));
    let done =
        segment(&[text(&input), "-o", text(&out), "--instances", "--keep-borders", "--threshold", "0.6", "--json"]);
    ok(&done);
    let summary: serde_json::Value = serde_json::from_slice(&done.stdout).unwrap();
    assert_eq!(summary["cells"], text(&cells));
    assert_eq!(volume_info(&cells).unwrap().stored.to_string(), "uint16");
    let (probability, kept) = (read_volume(&out).unwrap(), read_volume(&cells).unwrap());
    let is_inside = |(&p, &label): (&f32, &f32)| (p > 0.6) == (label > 0.0);
    assert!(probability.data().iter().zip(kept.data()).all(is_inside));

    fails(&segment(&[text(&input), "-o", text(&out), "--instances"]), 2, &["prob.tif", "--force"]);
    let again = [text(&input), "-o", text(&out), "--instances", "--threshold", "0.6", "--force", "--report"];
    ok(&segment(&again));
    let page = std::fs::read_to_string(path("prob_report.html")).unwrap();
    assert!([&input, &out, &cells].iter().all(|file| page.contains(&sha256(file))));
    assert!(page.contains(&format!("<dd>{}</dd>", summary["cell_count"])) && page.contains("<figcaption>Slice 0<"));
    let named = path("named.nii.gz");
    let instances = format!("--instances={}", text(&named));
    ok(&segment(&[text(&input), "-o", text(&out), "--force", &instances, "--threshold", "0.6"]));
    let grown = read_volume(&named).unwrap();
    assert!(grown.data().iter().all(|&label| label > 0.0), "cells touch");
    assert!(grown.data().iter().zip(kept.data()).all(|(&grown, &kept)| kept == 0.0 || grown == kept));
    let count = summary["cell_count"].as_u64().unwrap();
    let mut last = 0.0;
    for slice in grown.data().chunks(SHAPE[0] * SHAPE[1]) {
        let (low, high) = slice.iter().fold((f32::MAX, 0_f32), |(low, high), &label| (low.min(label), high.max(label)));
        assert_eq!(low, last + 1.0, "numbers go on from slice to slice");
        last = high;
    }
    assert_eq!(last as u64, count);
}

#[test]
fn many_inputs_go_into_a_folder_and_a_run_goes_on_where_it_stopped() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    write_volume(&path("a.tif"), &stack(|value| value)).unwrap();
    std::fs::write(path("broken.tif"), b"II*\0 nothing").unwrap();
    std::fs::create_dir(path("c")).unwrap();
    write_grey(&path("c/1.png"), &stack(|value| value), 1);
    std::fs::create_dir(path("out")).unwrap();
    let (a, b, c, out) = (path("a.tif"), path("broken.tif"), path("c"), path("out"));
    let words = [text(&a), text(&b), text(&c), "-o", text(&out), "--instances"];
    fails(&segment(&words), 3, &["broken.tif"]);
    let results = |names: &[&str]| names.iter().map(|name| out.join(name)).collect::<Vec<_>>();
    assert_eq!(entries(&out), results(&["a_cells.tif", "a_membrane.tif"]));
    let mut again = words.to_vec();
    again.extend(["--skip-existing", "--keep-going"]);
    let done = segment(&again);
    assert_eq!(done.status.code(), Some(3));
    assert!(String::from_utf8_lossy(&done.stderr).contains("broken.tif"));
    assert_eq!(entries(&out), results(&["a_cells.tif", "a_membrane.tif", "c_cells.tif", "c_membrane.tif"]));
    assert_eq!(volume_info(&out.join("c_membrane.tif")).unwrap().shape, [42, 27, 1]);
    let file = format!("--instances={}", text(&path("cells.tif")));
    fails(&segment(&[text(&a), text(&c), "-o", text(&out), &file, "--force"]), 2, &["several inputs"]);
}

#[test]
fn what_is_no_micrograph_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let out = path("out.tif");
    let refused = |input: &str, words: &[&str]| {
        let input = path(input);
        fails(&segment(&[text(&input), "-o", text(&out)]), 3, words);
        assert!(!out.exists());
    };
    // A scan of a head: its pixels are millimetres.
    let scanner = Grid::new(SHAPE, DAffine3::from_scale(DVec3::splat(1.0)), "scanner").unwrap();
    let head = Volume::new(scanner, stack(|value| value).data().to_vec()).unwrap();
    write_volume(&path("head.nii.gz"), &head).unwrap();
    refused("head.nii.gz", &["head.nii.gz", "0.4 to 32 nm a pixel", "found 1 mm", "--pixel-nm"]);
    write_volume(&path("light.tif"), &Volume::new(grid(SHAPE, 1e-4), head.data().to_vec()).unwrap()).unwrap();
    refused("light.tif", &["0.4 to 32 nm", "found 100 nm"]);

    let colours: Vec<u8> = (0..42 * 27).flat_map(|n| [grey(n), grey(n) / 2, 255 - grey(n)]).collect();
    write_png(&path("colour.png"), [42, 27], &colours).unwrap();
    refused("colour.png", &["a colour picture (red, green, blue)", "--channel"]);
    let one = path("colour.png");
    ok(&segment(&[text(&one), "-o", text(&out), "--channel", "2"]));
    let blue: Vec<f32> = (0..42 * 27).map(|n| f32::from(255 - grey(n))).collect();
    assert!(worst(read_volume(&out).unwrap().data(), &answer(&blue, 42, true)) < 1e-5);
    std::fs::remove_file(&out).unwrap();
    fails(&segment(&[text(&one), "-o", text(&out), "--channel", "3"]), 3, &["one of 3"]);

    write_volume(&path("flat.tif"), &stack(|_| 90_u8)).unwrap();
    refused("flat.tif", &["one value"]);
    write_volume(&path("mask.tif"), &stack(|value| if value > 99 { 255_u8 } else { 0 })).unwrap();
    refused("mask.tif", &["expected a micrograph, found 2 values"]);
    let small = Volume::new(grid([42, 7, 1], 1.0), (0..42 * 7).map(grey).collect()).unwrap();
    write_volume(&path("small.tif"), &small).unwrap();
    refused("small.tif", &["small.tif", "at least 8 pixels", "42 x 7"]);
    std::fs::write(path("empty.tif"), b"").unwrap();
    refused("empty.tif", &["empty.tif"]);
    // A file without a page.
    std::fs::write(path("pageless.tif"), b"II*\0\0\0\0\0").unwrap();
    refused("pageless.tif", &["pageless.tif"]);
    std::fs::create_dir(path("nothing")).unwrap();
    refused("nothing", &["nothing"]);
}

#[test]
fn usage_is_checked_before_any_work() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    write_volume(&path("in.tif"), &stack(|value| value)).unwrap();
    let (input, out) = (path("in.tif"), path("out.tif"));
    let refused = |more: &[&str], words: &[&str]| {
        let mut all = vec![text(&input), "-o", text(&out)];
        all.extend(more);
        fails(&segment(&all), 2, words);
    };
    refused(&["--threshold", "1"], &["--threshold", "less than 1"]);
    refused(&["--threshold=-0.1"], &["--threshold"]);
    refused(&["--pixel-nm", "0"], &["--pixel-nm"]);
    refused(&["--keep-borders"], &["--instances"]);
    refused(&["--instances=no/such/cells.tif"], &["no/such"]);
    refused(&["--instances=cells.png"], &["--instances", "cells.png"]);
    let same = format!("--instances={}", text(&out));
    refused(&[same.as_str()], &["another file than --out"]);
    let png = path("out.png");
    fails(&segment(&[text(&input), "-o", text(&png)]), 2, &["--out", "out.png"]);
    let labels = Path::new(env!("CARGO_MANIFEST_DIR")).join("../segmentation/tests/data/above-half");
    let words = ["segment", "membrane", text(&input), "-o", text(&out), "--model", text(&labels)];
    fails(&brainmesh(&words), 2, &["above-half", "probability"]);
    assert!(!out.exists());
}

#[test]
fn blank_slices_and_bright_lines_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let mut volume = stack(|value| value);
    let plane = SHAPE[0] * SHAPE[1];
    volume.data_mut()[plane..2 * plane].fill(17);
    write_volume(&path("gap.tif"), &volume).unwrap();
    let (input, out) = (path("gap.tif"), path("out.tif"));
    let done = segment(&[text(&input), "-o", text(&out), "--instances"]);
    ok(&done);
    assert!(String::from_utf8_lossy(&done.stderr).contains("blank slices hold no cells: 1 of 3 (1)"));
    let (found, cells) = (read_volume(&out).unwrap(), read_volume(&path("out_cells.tif")).unwrap());
    for values in [found.data(), cells.data()] {
        assert!(values[plane..2 * plane].iter().all(|&value| value == 0.0));
        assert!(values[..plane].iter().any(|&value| value > 0.5));
    }

    // Lines of four pixels, every 24.
    let line = |n: usize| (n % 120 + n / 120 / 2) % 24 < 4;
    for (name, is_bright) in [("dark.tif", false), ("bright.tif", true)] {
        let value = |n: usize| (n * 7919 % 31) as u8 + if line(n) == is_bright { 180 } else { 20 };
        let volume = Volume::new(grid([120, 96, 1], 1.0), (0..120 * 96).map(value).collect()).unwrap();
        write_volume(&path(name), &volume).unwrap();
        let input = path(name);
        let done = segment(&[text(&input), "-o", text(&out), "--force"]);
        ok(&done);
        let warned = String::from_utf8_lossy(&done.stderr).contains("lines seem to be bright");
        assert_eq!(warned, is_bright, "{name}");
    }
}
