"""Made T1 slices and what the tissue network learns from them."""

import nibabel
import numpy as np
import pytest
import torch

from brainmesh_training import tissue
from brainmesh_training.augment import Augmentation
from brainmesh_training.tissue_synthesis import CLASSES, Priors, class_of, contrast, plane, render, stripped
from brainmesh_training.tissue_volume import DIFFICULTIES, made_scan, segment

LABELS = np.array([0, 2, 3, 4, 24, 507])


def write_head(path, axes="RAS"):
    """Shells in a box: skin 507, fluid 24, grey 3, white 2, a ventricle 4 to the left of the middle."""
    shape = (40, 48, 44)
    at = np.stack(np.meshgrid(*[np.arange(n) - n / 2 for n in shape], indexing="ij"), -1)
    radius = np.linalg.norm(at, axis=-1)
    labels = np.select([radius < 9, radius < 13, radius < 16, radius < 19], [2, 3, 24, 507], 0)
    labels[np.linalg.norm(at + [5, 0, 0], axis=-1) < 3] = 4
    image = nibabel.Nifti1Image(labels.astype(np.int16), np.eye(4))
    image = image.as_reoriented(nibabel.orientations.axcodes2ornt(axes)) if axes != "RAS" else image
    nibabel.save(image, path)


def priors():
    means, spreads = np.zeros((2, 2, 508))
    means[0][LABELS] = [0, 160, 96, 40, 40, 120]
    return Priors(means, spreads)


def test_classes_of_freesurfer_labels():
    labels = np.array([0, 2, 41, 3, 42, 4, 43, 24, 10, 13, 16, 8, 7, 253, 507, 136])
    assert class_of(labels).tolist() == [0, 3, 3, 2, 2, 1, 1, 4, 2, 2, 3, 2, 3, 3, 0, 1]


@pytest.mark.parametrize("axes", ["RAS", "LIA", "PSR"])
def test_heads_are_turned_to_ras_and_cut(tmp_path, axes):
    write_head(tmp_path / "head.nii.gz", axes)
    head = tissue.read_head(tmp_path / "head.nii.gz")
    assert head.values.tolist() == LABELS.tolist()
    assert head.labels.shape == (37, 37, 37)
    ventricle = np.argwhere(head.values[head.labels] == 4).mean(0)
    assert ventricle == pytest.approx([13.5, 18.5, 18.5], abs=1)  # low x is left


def test_a_plane_without_changes_is_a_slice_of_the_head(tmp_path):
    write_head(tmp_path / "head.nii.gz")
    head = tissue.read_head(tmp_path / "head.nii.gz")
    rng = np.random.default_rng(3)
    for view in range(3):
        indices, steps = plane(head, Augmentation(), 37, view, rng)
        across, down = [axis for axis in range(3) if axis != view]
        found = [np.take(head.labels, number, view) for number in range(37)]
        # Rows are the later axis.
        shifts = [np.roll(f.T, (r, c), (0, 1)) for f in found for r in (-1, 0, 1) for c in (-1, 0, 1)]
        assert any((indices[1] == shifted).all() for shifted in shifts)
        assert steps[1] == 0


def test_means_of_a_scan_share_classes_and_are_relative_to_white_matter(tmp_path):
    write_head(tmp_path / "head.nii.gz")
    head = tissue.read_head(tmp_path / "head.nii.gz")
    seen = [contrast(head, priors(), np.random.default_rng(seed))[0] for seed in range(40)]
    for means in seen:
        assert means[1] == pytest.approx(1)
        assert means[3] == pytest.approx(means[4])  # ventricle and outer fluid
    grey = np.array([means[2] for means in seen])
    assert np.isclose(grey, 0.6).mean() > 0.6  # the prior has no spread here; one in five is another contrast
    assert grey.max() <= 1


def test_stripping_leaves_the_brain_and_a_rim():
    brain = np.zeros((64, 64), bool)
    brain[20:44, 20:44] = True
    shares = []
    for seed in range(40):
        kept = stripped(brain, np.random.default_rng(seed))
        shares.append(kept[brain].mean())
        assert not kept[:8].any()
    assert np.mean(np.array(shares) == 1) > 0.6
    assert min(shares) > 0.75
    assert not stripped(brain & False, np.random.default_rng(0)).any()


def test_made_slices_show_their_classes(tmp_path):
    write_head(tmp_path / "head.nii.gz")
    head = tissue.read_head(tmp_path / "head.nii.gz")
    for seed in range(20):
        image, truth = render(head, priors(), Augmentation(), 48, seed % 3, np.random.default_rng(seed))
        if (truth == 3).sum() > 60 and (truth == 2).sum() > 60:
            assert image[truth == 3].mean() > 1.15 * image[truth == 2].mean()
        assert np.isfinite(image).all() and image.min() >= 0
        assert truth.max() < len(CLASSES)


def test_the_loss_of_the_truth_is_near_nothing():
    classes = torch.from_numpy(np.random.default_rng(0).integers(0, 5, (2, 12, 12)))
    logits = torch.nn.functional.one_hot(classes, 5).permute(0, 3, 1, 2) * 20.0
    assert tissue.loss(logits, {"classes": classes}, {}) < 1e-3
    assert tissue.loss(torch.zeros_like(logits), {"classes": classes}, {}) > 1.5


def test_scores_by_hand():
    truth, found = np.array([0, 1, 2, 3, 3, 4]), np.array([0, 1, 3, 3, 3, 0])
    got = tissue.summary([tissue.confusion(truth, found)])
    # Outer fluid is background: 5 of 6 right. White: 2 x 2 / (2 + 3).
    assert got["accuracy"] == pytest.approx(5 / 6)
    assert (got["dice_csf"], got["dice_grey_matter"], got["dice_white_matter"]) == pytest.approx((1, 0, 0.8))


class Bright(torch.nn.Module):
    """White matter where the normalised image is above 0.8, else background."""

    def forward(self, image):
        logits = torch.zeros(len(image), 5, *image.shape[2:])
        logits[:, 3] = (image[:, 0] - 0.8) * 100
        return logits


def test_volumes_come_back_on_their_grid_from_every_view():
    volume = np.random.default_rng(0).random((9, 12, 21)).astype(np.float32) + 0.1
    expected = tissue.normalise(volume) > 0.8
    for view in range(3):
        found = segment([Bright()], volume, (view,), 8)
        assert found.shape == (5, 9, 12, 21)
        np.testing.assert_array_equal(found.argmax(0) == 3, expected)


def test_difficulties_keep_image_and_truth_together(tmp_path):
    write_head(tmp_path / "head.nii.gz")
    head = tissue.read_head(tmp_path / "head.nii.gz")
    image, truth = made_scan(head, priors(), np.random.default_rng(0))
    assert image[truth == 3].mean() == pytest.approx(1, abs=0.1)
    assert not image[truth == 0].all()
    for name, change in DIFFICULTIES.items():
        changed, moved = change(image, truth, np.random.default_rng(1))
        assert changed.shape == moved.shape, name
        assert changed[moved == 3].mean() > 1.3 * changed[moved == 2].mean(), name


def test_the_courses_cross_entropy_example():
    # Document 001's table of predictions. Its sum takes 0.4 for the last, where the table has 0.5: 3.64 instead of 3.32 bits.
    predicted = torch.tensor([[0.5, 0.2, 0.3], [0.2, 0.4, 0.4], [0.1, 0.5, 0.4]])
    entropy = torch.nn.functional.cross_entropy(predicted.log(), torch.tensor([0, 1, 1]), reduction="sum").item()
    assert entropy / np.log(2) == pytest.approx(3.32, abs=0.005)
    better = torch.tensor([[0.8, 0.1, 0.1], [0.1, 0.8, 0.1], [0.1, 0.8, 0.1]])
    entropy = torch.nn.functional.cross_entropy(better.log(), torch.tensor([0, 1, 1]), reduction="sum").item()
    assert entropy / np.log(2) == pytest.approx(0.97, abs=0.005)
