"""Real scans with labels: pairs of files, numbering of labels, grids."""

import json
from pathlib import Path

import nibabel
import numpy as np
import pytest
import torch

from brainmesh_training import scans, tissue
from brainmesh_training.augment import Augmentation
from brainmesh_training.image_experiment import ImageExperiment
from brainmesh_training.tissue_volume import score_scans

#: Background, fluid, grey and white by FreeSurfer's numbers.
FREESURFER = np.array([0, 4, 3, 2])


def balls(shape=(30, 36, 32)):
    """White in grey in nothing, with a ventricle to the left of the middle, in RAS."""
    at = np.stack(np.meshgrid(*[np.arange(n) - (n - 1) / 2 for n in shape], indexing="ij"), -1)
    radius = np.linalg.norm(at, axis=-1)
    classes = np.select([radius < 8, radius < 12], [3, 2], 0)
    classes[np.linalg.norm(at + [5, 0, 0], axis=-1) < 2.5] = 1
    return classes


def save(path: Path, values: np.ndarray, affine=None, axes="RAS") -> None:
    image = nibabel.Nifti1Image(values, np.eye(4) if affine is None else affine)
    nibabel.save(image.as_reoriented(nibabel.orientations.axcodes2ornt(axes)) if axes != "RAS" else image, path)


def write_pair(folder: Path, subject: str, axes=("RAS", "RAS"), numbers=np.arange(4), ends=scans.PAIRS[0]) -> np.ndarray:
    folder.mkdir(exist_ok=True, parents=True)
    classes = balls()
    grey = np.array([0, 40, 90, 140])[classes] + np.random.default_rng(1).normal(size=classes.shape) * (classes > 0)
    save(folder / f"{subject}{ends[0]}.nii.gz", grey.astype(np.float32), axes=axes[0])
    labels = numbers[classes].astype(np.int16)
    if (numbers > 3).any():
        labels[0, 0, :2] = [41, 42]  # the other side occurs too
    save(folder / f"{subject}{ends[1]}.nii.gz", labels, axes=axes[1])
    return classes


@pytest.mark.parametrize(("axes", "ends"), [(("RAS", "RAS"), 0), (("LIA", "PSR"), 1)])
def test_pairs_come_in_ras_whatever_their_axes(tmp_path, axes, ends):
    classes = write_pair(tmp_path / "deep", "s1", axes, ends=scans.PAIRS[ends])
    [scan] = scans.read(tmp_path)
    assert scan.name == "s1"
    np.testing.assert_array_equal(scan.classes, classes)
    assert scan.image[classes == 3].mean() > 0.9 > scan.image[classes == 2].mean() > scan.image[classes == 1].mean()
    assert (scan.image[classes == 0] == 0).all()


def test_labels_are_never_renumbered_by_what_occurs():
    # The course's code numbered the labels of each subject anew: without a ventricle, grey matter became 1.
    classes = balls()
    classes[classes == 1] = 3
    table = {10: 1, 150: 2, 250: 3}
    labels = np.array([0, 10, 150, 250])[classes]
    np.testing.assert_array_equal(scans.classes_of(labels, table, Path("x")), classes)
    np.testing.assert_array_equal(scans.classes_of(classes, None, Path("x")), classes)
    with pytest.raises(ValueError, match="labels.json, found also .7"):
        scans.classes_of(np.array([10, 7]), table, Path("x"))
    with pytest.raises(ValueError, match="labels.json, found .0, 150, 250"):
        scans.classes_of(labels, None, Path("x"))


def test_a_table_and_freesurfers_numbers(tmp_path):
    write_pair(tmp_path / "a", "s1", numbers=FREESURFER)
    [scan] = scans.read(tmp_path / "a")
    assert (scan.classes == balls()).mean() > 0.9999  # but the two voxels of the other side
    write_pair(tmp_path / "b", "s1", numbers=np.array([0, 10, 150, 250]))
    table = {10: "csf", 150: "grey_matter", 250: "white_matter", 41: "background", 42: "background"}
    (tmp_path / "b/labels.json").write_text(json.dumps(table))
    [scan] = scans.read(tmp_path / "b")
    np.testing.assert_array_equal(scan.classes, balls())


def test_other_spacings_are_resampled_to_1_mm(tmp_path):
    ramp = np.broadcast_to(np.arange(10.0)[:, None, None], (10, 8, 8)).astype(np.float32)
    save(tmp_path / "x.nii.gz", ramp, np.diag([2, 1, 1, 1.0]))
    data, affine = scans.at_1mm(tmp_path / "x.nii.gz", 1)
    assert data.shape == (20, 8, 8)
    # A voxel of 2 mm around 4 mm spans 3 to 5: its halves have centres at 3.5 and 4.5, the ramp there 1.75 and 2.25.
    np.testing.assert_allclose(data[4:6, 0, 0], [1.75, 2.25], atol=1e-5)
    np.testing.assert_allclose(affine @ [4, 0, 0, 1], [3.5, 0, 0, 1], atol=1e-6)


@pytest.mark.parametrize("name", ["minc1-zxy", "minc2-xyz", "minc2-yxz"])
def test_minc_files_of_any_axis_order_come_in_ras(name):
    # Fixtures of brainmesh-formats: 1 + 1 i + 7 j + 31 k, i along the axis of the first letter; y runs backwards. Rounded a little.
    image = nibabel.as_closest_canonical(scans.open_volume(Path(__file__).parents[2] / f"formats/tests/data/volumes/{name}.mnc"))
    assert image.shape == (5, 4, 3)
    at = dict(zip("xyz", np.indices(image.shape), strict=True))
    at["y"] = 3 - at["y"]
    expected = 1 + sum(factor * at[axis] for factor, axis in zip((1, 7, 31), name[-3:], strict=True))
    np.testing.assert_allclose(np.asarray(image.dataobj), expected, atol=0.5)
    np.testing.assert_allclose(image.header.get_zooms(), (0.9, 1.1, 2.5), atol=1e-3)


def test_what_does_not_belong_together_is_refused(tmp_path):
    write_pair(tmp_path / "a", "s1")
    next((tmp_path / "a").glob("*variant*")).unlink()
    with pytest.raises(ValueError, match="s1_variant-seg_rsl.mnc or the like, found none"):
        scans.read(tmp_path / "a")
    write_pair(tmp_path / "b", "s1")
    save(tmp_path / "b/s1_variant-seg_rsl.nii.gz", balls().astype(np.int16), np.diag([1, 1, 1, 1]) + np.eye(4, k=3) * 5)
    with pytest.raises(ValueError, match="expected the grid of s1_T1w"):
        scans.read(tmp_path / "b")
    write_pair(tmp_path / "c/one", "s1")
    write_pair(tmp_path / "c/two", "s1")
    with pytest.raises(ValueError, match=r"several of \['s1'\]"):
        scans.read(tmp_path / "c")


def test_real_scans_can_be_trained_and_scored_on(tmp_path):
    for subject in ("s1", "s2"):
        write_pair(tmp_path, subject)
    cases = tissue.read(tmp_path)
    assert [case.name for case in cases] == ["s1", "s2"]
    changes = Augmentation(rotation_degrees=20, gain=0.1, noise=0.05)
    for seed in range(6):
        image, targets = tissue.crop(cases[0], changes, 32, np.random.default_rng(seed))
        assert image.shape == (1, 32, 32) and image.dtype == np.float32
        classes = targets["classes"]
        if (classes == 3).sum() > 20:
            assert image[0][classes == 3].mean() > 1.2 * image[0][classes == 2].mean()
    # A perfect answer scores 1.
    slices = tissue.looked_at(cases[0])
    given = [np.eye(5)[truth].transpose(2, 0, 1) for _, truth in slices]
    assert tissue.summary([tissue.score(cases[0], given)])["accuracy"] == 1


class Thresholds(torch.nn.Module):
    """Classes by grey values alone."""

    def forward(self, image):
        distances = [(image[:, 0] - level).abs() for level in (0, 0.2, 0.6, 0.98, 9)]
        return -100 * torch.stack(distances, 1)


def test_whole_scans_are_scored_in_every_view(tmp_path):
    write_pair(tmp_path, "s1")
    rows = score_scans([Thresholds()], scans.read(tmp_path), 8)
    assert set(rows) == {f"real scans, {view}" for view in ("axial", "coronal", "sagittal", "all")}
    assert rows["real scans, all"]["dice_white_matter"] > 0.95


def test_scans_make_a_run(tmp_path):
    from brainmesh_training.image_run import train

    for number in range(7):
        write_pair(tmp_path, f"s{number}")
    tiny = ImageExperiment.from_dict(
        {
            "name": "tiny",
            "system": "tissue",
            "network": {"kind": "unet", "widths": [4, 8]},
            "training": {"steps": 40, "batch": 2, "crop": 16, "check_every": 2, "patience": 1, "learning_rate": 1e-9},
            "augmentation": {},
        }
    )
    [network] = train(tiny, tissue.read(tmp_path), tmp_path / "run.pt")
    # A rate of next to nothing makes nothing better for long: the run stops before its end, and stays so.
    saved = torch.load(tmp_path / "run.pt", weights_only=True)["state"]
    assert saved["stopped"] and saved["step"] < 40
    [again] = train(tiny, tissue.read(tmp_path), tmp_path / "run.pt")
    for one, other in zip(network.state_dict().values(), again.state_dict().values(), strict=True):
        assert torch.equal(one, other)
