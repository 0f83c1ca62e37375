"""Scores of `brainmesh evaluate` against scikit-image, SciPy, Pillow and the training package's own arithmetic."""

import ast
import importlib.util
import json
import sys
from pathlib import Path

import numpy as np
import pytest

nib = pytest.importorskip("nibabel")
tifffile = pytest.importorskip("tifffile")
ndimage = pytest.importorskip("scipy.ndimage")
distance = pytest.importorskip("scipy.spatial.distance")
metrics = pytest.importorskip("skimage.metrics")
Image = pytest.importorskip("PIL.Image")
ImageDraw = pytest.importorskip("PIL.ImageDraw")

TRAINING = Path(__file__).resolve().parents[2] / "training" / "brainmesh_training"
THRESHOLDS = np.arange(1, 20) / 20


def training(name):
    """A module of the training package that needs nothing but numpy and SciPy."""
    spec = importlib.util.spec_from_file_location(f"of_training_{name}", TRAINING / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    # Its dataclasses look their module up.
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def evaluated(brainmesh, *arguments):
    return json.loads(brainmesh("evaluate", *arguments, "--json"))


def cells(seed, size=(60, 75)):
    """Numbers of Voronoi cells, 0 on lines between them, and a noisy probability of their inside."""
    rng = np.random.default_rng(seed)
    seeds = np.zeros(size, int)
    for number in range(1, 16):
        seeds[rng.integers(size[0]), rng.integers(size[1])] = number
    y, x = ndimage.distance_transform_edt(seeds == 0, return_distances=False, return_indices=True)
    whole = seeds[y, x]
    border = ndimage.maximum_filter(whole, 3) != ndimage.minimum_filter(whole, 3)
    truth = np.where(border, 0, whole)
    blurred = ndimage.gaussian_filter((truth > 0).astype(float), 1.0)
    noise = ndimage.gaussian_filter(rng.normal(size=size), 2.0)
    return truth, np.clip(blurred + 1.2 * noise, 0, 1).astype(np.float32)


@pytest.fixture(scope="module")
def membrane(brainmesh, tmp_path_factory):
    folder = tmp_path_factory.mktemp("membrane")
    pairs = [cells(seed) for seed in range(3)]
    # Cells that touch at corners only are apart: numbers of parts, not of Voronoi seeds.
    truths = [training("partition").objects(truth > 0) for truth, _ in pairs]
    probabilities = [probability for _, probability in pairs]
    inside = np.stack([255 * (t > 0) for t in truths]).astype(np.uint8)
    tifffile.imwrite(folder / "truth.tif", inside, photometric="minisblack")
    tifffile.imwrite(folder / "found.tif", np.stack(probabilities), photometric="minisblack")
    scores = evaluated(brainmesh, "membrane", "--found", folder / "found.tif", "--truth", folder / "truth.tif")
    return folder, truths, probabilities, scores


def test_cells_are_scored_as_in_training(membrane):
    _, truths, probabilities, scores = membrane
    partition = training("partition")
    rows = []
    for truth, probability in zip(truths, probabilities, strict=True):
        row = []
        for threshold in THRESHOLDS:
            inside = probability > threshold
            parts = partition.objects(inside)
            thinned = partition.agreement(truth, partition.thin_borders(parts))
            plain = partition.agreement(truth, parts)
            pixel = partition.pixel_f(truth > 0, inside)
            row.append((thinned.v_rand, thinned.v_info, 1 - pixel, 1 - plain.v_rand))
        rows.append(row)
    names = ("v_rand", "v_info", "pixel_error", "rand_error")
    expected = np.array(rows)
    mean = expected.mean(0)
    # Something to be scored, not all perfect or all wrong.
    assert 0.3 < mean[9, 0] < 0.99
    got = np.array([[row[name] for name in names] for row in scores["thresholds"]])
    np.testing.assert_allclose(got, mean, atol=1e-9)
    for at, name in enumerate(names):
        best = mean[:, at].argmax() if at < 2 else mean[:, at].argmin()
        assert scores["pooled"]["threshold"][name] == pytest.approx(THRESHOLDS[best])
        assert scores["pooled"]["best"][name] == pytest.approx(mean[best, at], abs=1e-9)
        for case, values in zip(scores["cases"], expected, strict=True):
            assert case["best"][name] == pytest.approx(values[best, at], abs=1e-9)
            assert case["at_half"][name] == pytest.approx(values[9, at], abs=1e-9)


def test_rand_and_variation_of_information_are_those_of_scikit_image(membrane):
    _, truths, probabilities, scores = membrane
    partition = training("partition")
    for case, truth, probability in zip(scores["cases"], truths, probabilities, strict=True):
        thinned = partition.thin_borders(partition.objects(probability > 0.5))
        error, _, _ = metrics.adapted_rand_error(truth, thinned, ignore_labels=(0,))
        assert case["at_half"]["adapted_rand_error"] == pytest.approx(error, abs=1e-9)
        split, merge = metrics.variation_of_information(truth, thinned, ignore_labels=(0,))
        assert case["at_half"]["vi_split"] == pytest.approx(split, abs=1e-9)
        assert case["at_half"]["vi_merge"] == pytest.approx(merge, abs=1e-9)
        assert split != pytest.approx(merge, abs=1e-3)


def warped_mismatches(truth, probability, threshold):
    """Jain's warping, point by point, with SciPy's parts of each pixel's surroundings."""
    warped = np.pad(truth > 0, 1)
    wanted = np.pad(probability > threshold, 1)
    sides, all_eight = ndimage.generate_binary_structure(2, 1), np.ones((3, 3))

    def is_simple(y, x):
        around = warped[y - 1 : y + 2, x - 1 : x + 2].copy()
        around[1, 1] = False
        inside = ndimage.label(around, sides)[0]
        touching = {inside[0, 1], inside[1, 0], inside[1, 2], inside[2, 1]} - {0}
        outside = ~around
        outside[1, 1] = False
        # Joined along sides and corners, of those that touch: all eight do.
        return len(touching) == 1 and ndimage.label(outside, all_eight)[1] == 1

    sure = np.abs(np.pad(probability, 1).astype(float) - threshold)
    while True:
        wrong = [(x, y) for x, y in zip(*np.nonzero((warped != wanted).T), strict=True)]
        wrong.sort(key=lambda p: -sure[p[1], p[0]])
        for x, y in wrong:
            if is_simple(y, x):
                warped[y, x] = ~warped[y, x]
        if np.count_nonzero(warped != wanted) == len(wrong):
            return len(wrong)


def test_warping_leaves_as_many_pixels_as_one_by_one(membrane):
    _, truths, probabilities, scores = membrane
    for case, truth, probability in zip(scores["cases"], truths, probabilities, strict=True):
        left = warped_mismatches(truth, probability, 0.5)
        assert left > 0
        assert case["at_half"]["warping_error"] * truth.size == pytest.approx(left)


def test_pictures_of_a_folder_and_bytes_give_the_same(membrane, brainmesh, tmp_path):
    _, truths, probabilities, scores = membrane
    for part in ("found", "truth"):
        (tmp_path / part).mkdir()
    for number, truth, probability in zip((9, 10, 200), truths, probabilities, strict=True):
        Image.fromarray((truth > 0).astype(np.uint8)).save(tmp_path / "truth" / f"{number}.png")
        tifffile.imwrite(tmp_path / "found" / f"{number}.tif", probability)
    again = evaluated(brainmesh, "membrane", "--found", tmp_path / "found", "--truth", tmp_path / "truth")
    assert [case["name"] for case in again["cases"]] == ["9", "10", "200"]
    assert again["pooled"] == scores["pooled"]
    rounded = np.rint(np.stack(probabilities) * 65535).astype(np.uint16)
    tifffile.imwrite(tmp_path / "found.tif", rounded, photometric="minisblack")
    numbers = np.stack(truths).astype(np.uint16)
    tifffile.imwrite(tmp_path / "numbers.tif", numbers, photometric="minisblack")
    words = ["--found", tmp_path / "found.tif", "--truth", tmp_path / "numbers.tif", "--truth-instances"]
    for name, value in evaluated(brainmesh, "membrane", *words)["pooled"]["best"].items():
        assert value == pytest.approx(scores["pooled"]["best"][name], abs=2e-3), name


def ellipse(rng, size=(70, 80)):
    y, x = np.mgrid[: size[0], : size[1]]
    cy, cx = rng.uniform(25, 45, 2)
    a, b = rng.uniform(6, 20, 2)
    return ((y - cy) / a) ** 2 + ((x - cx) / b) ** 2 < 1


def outline(mask):
    inner = ndimage.binary_erosion(mask, ndimage.generate_binary_structure(2, 1))
    return np.argwhere(mask & ~inner)


def save_mask(path, mask):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.where(mask, 255, 0).astype(np.uint8)).save(path)


def test_masks_are_scored_as_in_training_and_by_scipy(brainmesh, tmp_path):
    rng = np.random.default_rng(3)
    contours = training("contours")
    spacing = (1.25, 1.6)
    frames = {}
    for patient in ("SC-N-1", "SC-HF-2"):
        for number in (7, 20, 27):
            truth = ellipse(rng)
            # Near the truth, but for one frame of each patient.
            found = ellipse(rng) if number == 7 else np.roll(ndimage.binary_erosion(truth), (2, -1), (0, 1))
            save_mask(tmp_path / "truth" / "Part1" / f"{patient}-IM-0001-{number:04}.dcm.png", truth)
            save_mask(tmp_path / "found" / patient / f"IM-0001-{number:04}.png", found)
            frames[patient, f"IM-0001-{number:04}"] = truth, found
    words = ["--found", tmp_path / "found", "--truth", tmp_path / "truth", "--spacing-mm", "1.25,1.6"]
    got = evaluated(brainmesh, "ventricle", *words)
    assert len(got["cases"]) == 6 and got["spacing"] == "given"
    for case in got["cases"]:
        truth, found = frames[case["patient"], case["frame"]]
        assert case["dice"] == pytest.approx(contours.dice(truth, found))
        assert case["apd_mm"] == pytest.approx(contours.average_distance_mm(truth, found, spacing))
        apart = distance.cdist(outline(truth) * spacing, outline(found) * spacing)
        both = apart.min(0).mean(), apart.min(1).mean()
        assert case["apd_symmetric_mm"] == pytest.approx(np.mean(both))
        sides = outline(truth) * spacing, outline(found) * spacing
        hausdorff = max(distance.directed_hausdorff(*pair)[0] for pair in (sides, sides[::-1]))
        assert case["hausdorff_mm"] == pytest.approx(hausdorff)
        assert case["good"] == (case["apd_mm"] < 5)
    good = [[c for c in got["cases"] if c["patient"] == p and c["good"]] for p in ("SC-HF-2", "SC-N-1")]
    assert got["pooled"]["good"] == pytest.approx(np.mean([len(cases) / 3 for cases in good]))
    assert all(good)
    means = [np.mean([c["apd_mm"] for c in cases]) for cases in good]
    assert got["pooled"]["apd_mm"] == pytest.approx(np.mean(means))
    assert got["pooled"]["dice_all"] == pytest.approx(np.mean([c["dice"] for c in got["cases"]]))


def ring(rng):
    """A closed contour in halves of pixels, as experts draw them."""
    angle = np.sort(rng.uniform(0, 2 * np.pi, 60))
    radius = rng.uniform(12, 14, 60)
    points = np.stack([40 + radius * np.cos(angle), 35 + 0.8 * radius * np.sin(angle)], 1)
    return np.rint(points * 2) / 2


def write_contour(path, points):
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savetxt(path, points, fmt="%.2f")


def drawn(points, size=(70, 80)):
    """Pillow's polygon with its outline, each point rounded down."""
    image = Image.new("L", size[::-1])
    corners = [tuple(int(v) for v in point) for point in np.floor(points)]
    draw = ImageDraw.Draw(image)
    draw.polygon(corners, fill=1)
    draw.polygon(corners, outline=1)
    return np.asarray(image) > 0


def to_ring(points, line):
    """Distances from points to the closed line through others."""
    ends = np.roll(line, -1, 0)
    along = ends - line
    share = ((points[:, None] - line) * along).sum(2) / np.maximum((along**2).sum(1), 1e-30)
    nearest = line + np.clip(share, 0, 1)[:, :, None] * along
    return np.sqrt(((points[:, None] - nearest) ** 2).sum(2)).min(1)


def test_contours_are_compared_as_lines_and_drawn_as_pillow_draws(brainmesh, tmp_path):
    rng = np.random.default_rng(5)
    pairs = {}
    for number in (48, 59, 100):
        truth, found = ring(rng), ring(rng) + 1.5
        write_contour(tmp_path / "SC-HF-I-1" / "i-contours" / f"IM-0001-{number:04}-icontour-manual.txt", truth)
        write_contour(tmp_path / "SC-HF-I-1" / "o-contours" / f"IM-0001-{number:04}-ocontour-manual.txt", truth * 1.2)
        write_contour(tmp_path / "SCD0000101" / f"{number}-icontour-auto.txt", found)
        save_mask(tmp_path / "masks" / f"IM-0001-{number:04}.png", drawn(truth))
        pairs[f"IM-0001-{number:04}"] = truth, found
    truth_folder = tmp_path / "SC-HF-I-1"
    words = ["--found", tmp_path / "SCD0000101", "--truth", truth_folder, "--one-patient", "--spacing-mm", 1.5]
    got = evaluated(brainmesh, "ventricle", *words)
    assert len(got["cases"]) == 3
    for case in got["cases"]:
        truth, found = pairs[case["frame"]]
        there, back = to_ring(found * 1.5, truth * 1.5), to_ring(truth * 1.5, found * 1.5)
        assert case["apd_mm"] == pytest.approx(there.mean())
        assert case["apd_symmetric_mm"] == pytest.approx((there.mean() + back.mean()) / 2)
        assert case["hausdorff_mm"] == pytest.approx(max(there.max(), back.max()))
        one, other = drawn(truth), drawn(found)
        assert case["dice"] == pytest.approx(2 * (one & other).sum() / (one.sum() + other.sum()))
    # A mask against a contour: the contour is drawn.
    words = ["--found", tmp_path / "masks", "--truth", truth_folder, "--one-patient"]
    same = evaluated(brainmesh, "ventricle", *words)
    assert same["spacing"] == "nominal"
    assert all(case["dice"] == 1 and case["apd_mm"] == 0 for case in same["cases"])


def test_pixel_sizes_come_from_dicom(brainmesh, tmp_path, dicom_picture):
    save_mask(tmp_path / "found" / "A-IM-0001-0007.png", np.eye(8, dtype=bool))
    truth = np.zeros((8, 8), bool)
    truth[0, :2] = True
    found = np.zeros((8, 8), bool)
    found[3, :2] = True
    save_mask(tmp_path / "truth" / "A" / "IM-0001-0007.png", truth)
    save_mask(tmp_path / "found" / "A-IM-0001-0007.png", found)
    dicom_picture(tmp_path / "dicom" / "A" / "7.dcm", (1.5, 2.5))
    words = ["--found", tmp_path / "found", "--truth", tmp_path / "truth", "--dicom", tmp_path / "dicom"]
    got = evaluated(brainmesh, "ventricle", *words)
    # Three rows apart; PixelSpacing gives rows first.
    assert got["cases"][0]["apd_mm"] == pytest.approx(4.5)


@pytest.fixture
def dicom_picture():
    pydicom = pytest.importorskip("pydicom")
    from pydicom.dataset import FileDataset, FileMetaDataset
    from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage, generate_uid

    def write(path, spacing):
        path.parent.mkdir(parents=True)
        meta = FileMetaDataset()
        meta.TransferSyntaxUID, meta.MediaStorageSOPClassUID = ExplicitVRLittleEndian, MRImageStorage
        meta.MediaStorageSOPInstanceUID = generate_uid()
        data = FileDataset(path, {}, file_meta=meta, preamble=b"\0" * 128)
        data.SOPClassUID, data.SOPInstanceUID = meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID
        data.SeriesInstanceUID, data.Modality = generate_uid(), "MR"
        data.Rows = data.Columns = 8
        data.PixelSpacing, data.SliceThickness = list(spacing), 8
        data.ImagePositionPatient, data.ImageOrientationPatient = [0, 0, 0], [1, 0, 0, 0, 1, 0]
        data.SamplesPerPixel, data.PhotometricInterpretation = 1, "MONOCHROME2"
        data.BitsAllocated = data.BitsStored = 16
        data.HighBit, data.PixelRepresentation = 15, 1
        data.PixelData = np.arange(64, dtype=np.int16).tobytes()
        pydicom.dcmwrite(path, data)

    return write


def labels_of_training():
    """LABELS_OF of `tissue_synthesis.py`, without importing what it needs."""
    tree = ast.parse((TRAINING / "tissue_synthesis.py").read_text())
    for node in tree.body:
        if isinstance(node, ast.Assign) and node.targets[0].id == "LABELS_OF":
            return ast.literal_eval(node.value)
    raise AssertionError("no LABELS_OF")


def save_labels(path, labels, affine=None):
    affine = np.diag([2.0, 1.0, 1.0, 1]) if affine is None else affine
    nib.save(nib.Nifti1Image(labels.astype(np.int16), affine), path)


def test_labels_of_freesurfer_have_the_classes_of_training(brainmesh, tmp_path):
    classes = {label: number for number, members in labels_of_training().items() for label in members}
    classes |= dict.fromkeys(range(251, 256), 3) | {0: 0}
    # Outer fluid counts as background.
    truth = np.array(sorted(classes))
    found = np.array([classes[label] % 4 for label in truth])
    for name, values in (("truth", truth), ("found", found)):
        save_labels(tmp_path / f"{name}.nii.gz", values.reshape(-1, 1, 1))
    words = ["--found", tmp_path / "found.nii.gz", "--truth", tmp_path / "truth.nii.gz", "--truth-labels", "freesurfer"]
    got = evaluated(brainmesh, "tissue", *words)["pooled"]
    assert got["accuracy"] == 1
    assert [c["true_voxels"] for c in got["classes"]] == np.bincount(found).tolist()


def test_tissue_is_scored_as_by_numpy_whatever_the_order_of_axes(brainmesh, tmp_path):
    rng = np.random.default_rng(8)
    words = {"--found": [], "--truth": []}
    pairs = []
    for case in range(2):
        truth = rng.integers(0, 4, (7, 8, 9))
        found = np.where(rng.random(truth.shape) < 0.8, truth, rng.integers(0, 4, truth.shape))
        image = nib.Nifti1Image(found.astype(np.int16), np.diag([2.0, 1.0, 1.0, 1]))
        turned = image.as_reoriented(nib.orientations.axcodes2ornt("PIR"))
        nib.save(turned, tmp_path / f"found{case}.nii.gz")
        save_labels(tmp_path / f"truth{case}.nii.gz", truth)
        for side in words:
            words[side].append(tmp_path / f"{side[2:]}{case}.nii.gz")
        pairs.append((truth, found))
    got = evaluated(brainmesh, "tissue", "--found", *words["--found"], "--truth", *words["--truth"])
    truth, found = (np.concatenate([pair[side].ravel() for pair in pairs]) for side in (0, 1))
    for result, t, f in [(got["pooled"], truth, found), (got["cases"][1], *(a.ravel() for a in pairs[1]))]:
        assert result["accuracy"] == pytest.approx((t == f).mean())
        assert result["accuracy_in_brain"] == pytest.approx((t == f)[t > 0].mean())
        counts = np.array([[np.sum((t == a) & (f == b)) for b in range(4)] for a in range(4)])
        assert result["confusion"] == counts.tolist()
        for number, row in enumerate(result["classes"]):
            both, either = np.sum((t == number) & (f == number)), np.sum((t == number) | (f == number))
            assert row["jaccard"] == pytest.approx(both / either)
            assert row["dice"] == pytest.approx(2 * both / (np.sum(t == number) + np.sum(f == number)))
            assert row["true_ml"] == pytest.approx(np.sum(t == number) * 2 / 1000)
