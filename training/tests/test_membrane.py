"""Scores of partitions by hand and by scikit-learn, and the truth that the membrane network learns from."""

import numpy as np
import pytest
import torch
from PIL import Image
from sklearn.metrics import mutual_info_score

from brainmesh_training import membrane
from brainmesh_training.augment import Augmentation
from brainmesh_training.partition import agreement, objects, pixel_f, thin_borders


def test_the_same_objects_score_one_whatever_their_numbers():
    truth = np.array([[1, 1, 0, 2, 2]])
    got = agreement(truth, np.array([[7, 7, 0, 3, 3]]))
    assert (got.v_rand, got.v_info) == pytest.approx((1, 1))


def test_a_merger_of_two_halves_by_hand():
    # p = (1/2, 1/2) with one object t = 1: v_rand = 2 (1/4 + 1/4) / (1/2 + 1) = 2/3. T says nothing about S: v_info = 0.
    got = agreement(np.array([[1, 1, 2, 2]]), np.array([[5, 5, 5, 5]]))
    assert got.v_rand == pytest.approx(2 / 3)
    assert got.v_info == pytest.approx(0)


def test_a_split_by_hand():
    # Truth 1 of 4 pixels and 2 of 4; the second is found as 2 + 2. s = (1/2, 1/2), t = (1/2, 1/4, 1/4), p the same as t.
    # v_rand = 2 (1/4 + 1/16 + 1/16) / (1/2 + 3/8) = 6/7; I = H(S) = 1 bit, H(T) = 1.5 bits: v_info = 2 / 2.5.
    got = agreement(np.array([1, 1, 1, 1, 2, 2, 2, 2]), np.array([1, 1, 1, 1, 2, 2, 3, 3]))
    assert got.v_rand == pytest.approx(6 / 7)
    assert got.v_info == pytest.approx(0.8)


def test_pixels_left_out_are_objects_of_their_own_and_true_borders_do_not_count():
    truth = np.array([1, 1, 1, 1, 0, 0, 0])
    # Found: one object of 2 pixels and two alone. v_rand = 2 (1/4 + 2/16) / (1 + 3/8) = 6/11.
    assert agreement(truth, np.array([1, 1, 0, 0, 1, 0, 9])).v_rand == pytest.approx(6 / 11)


def test_information_is_that_of_scikit_learn():
    rng = np.random.default_rng(0)
    truth, found = rng.integers(1, 6, 500), rng.integers(1, 4, 500)
    found[truth == 2] = 3

    def entropy(values):
        return mutual_info_score(values, values)

    expected = 2 * mutual_info_score(truth, found) / (entropy(truth) + entropy(found))
    assert agreement(truth, found).v_info == pytest.approx(expected)
    pairs_both = sum(np.sum((truth == a) & (found == b)) ** 2 for a in range(1, 6) for b in range(1, 4))
    pairs = sum(np.sum(values == a) ** 2 for values in (truth, found) for a in range(1, 6))
    assert agreement(truth, found).v_rand == pytest.approx(2 * pairs_both / pairs)


def test_without_a_foreground_there_is_no_score():
    with pytest.raises(ValueError, match="foreground"):
        agreement(np.zeros((2, 2), int), np.ones((2, 2), int))


def test_objects_do_not_touch_at_corners():
    assert objects(np.array([[1, 0], [0, 1]], bool)).max() == 2


def test_thinned_borders_leave_nothing_and_go_to_the_nearest():
    got = thin_borders(np.array([[1, 0, 0, 0, 2, 2]]))
    assert got[0, [0, 1]].tolist() == [1, 1]
    assert got[0, [3, 4, 5]].tolist() == [2, 2, 2]
    assert (got > 0).all()
    assert not thin_borders(np.zeros((3, 3), int)).any()


def test_pixel_f_by_hand():
    assert pixel_f(np.array([1, 1, 0, 0], bool), np.array([1, 0, 1, 0], bool)) == 0.5
    assert pixel_f(np.zeros(4, bool), np.zeros(4, bool)) == 1


def test_seams_run_where_thin_membranes_part_cells():
    cells = np.zeros((40, 40), int)
    cells[:, :18], cells[:, 21:] = 1, 2
    weight = membrane.seam(cells)
    assert (weight[:, 18:21].max(1) > 0.9).all()
    assert not weight[cells > 0].any()
    thick = np.zeros((60, 80), int)
    thick[:, :20], thick[:, 60:] = 1, 2
    assert membrane.seam(thick).max() < 0.01
    alone = np.zeros((20, 20), int)
    alone[5:15, 5:15] = 1
    assert not membrane.seam(alone).any()


@pytest.mark.parametrize("step", [(0, 2), (2, 0), (2, 2), (2, -2), (-1, 3)])
def test_pixels_are_together_in_one_cell_only(step):
    cells = np.random.default_rng(0).integers(0, 3, (7, 8))
    same, window = membrane.together(torch.from_numpy(cells)[None], step)
    expected = np.full(cells.shape, np.nan)
    for y, x in np.ndindex(cells.shape):
        v, u = y + step[0], x + step[1]
        if 0 <= v < 7 and 0 <= u < 8:
            expected[y, x] = cells[y, x] == cells[v, u] and cells[y, x] > 0
    assert not np.isnan(expected[window]).any()
    np.testing.assert_array_equal(same[0].numpy(), expected[window])
    assert np.isnan(expected).sum() == cells.size - expected[window].size


def write_stack(folder, count):
    rng = np.random.default_rng(0)
    for part in ("image", "label"):
        (folder / part).mkdir()
    for number in range(count):
        label = np.full((32, 32), 255, np.uint8)
        label[:, 10 + number % 3] = 0
        Image.fromarray(label).save(folder / "label" / f"{number}.png")
        Image.fromarray((label // 2 + rng.integers(0, 40, (32, 32))).astype(np.uint8)).save(folder / "image" / f"{number}.png")


def test_a_stack_is_read_in_its_order_and_folds_cover_both_halves(tmp_path):
    write_stack(tmp_path, 12)
    sections = membrane.read(tmp_path)
    assert [section.number for section in sections] == list(range(12))
    assert sections[0].image.mean() == pytest.approx(0, abs=1e-5)
    assert sections[0].image.std() == pytest.approx(1, abs=1e-4)
    assert sections[0].cells.max() == 2
    assert membrane.folds(sections, 3).tolist() == [0, 0, 1, 1, 2, 2] * 2
    (tmp_path / "label" / "3.png").unlink()
    with pytest.raises(ValueError, match="3.png"):
        membrane.read(tmp_path)


def test_pictures_are_numbered_by_the_last_digits_of_their_names(tmp_path):
    write_stack(tmp_path, 2)
    for part in ("image", "label"):
        (tmp_path / part / "0.png").rename(tmp_path / part / "s2_10.png")
    assert [section.number for section in membrane.read(tmp_path)] == [1, 10]
    (tmp_path / "image/1.png").rename(tmp_path / "image/one.png")
    with pytest.raises(ValueError, match="expected a number in the name"):
        membrane.read(tmp_path)
    with pytest.raises(ValueError, match="or train-volume.tif, found none"):
        membrane.read(tmp_path / "label")


def test_the_challenges_tiff_stacks_give_the_same_sections(tmp_path):
    write_stack(tmp_path, 4)
    for part, name in (("image", "train-volume.tif"), ("label", "train-labels.tif")):
        pages = [Image.open(tmp_path / part / f"{number}.png") for number in range(4)]
        (tmp_path / "tiff").mkdir(exist_ok=True)
        pages[0].save(tmp_path / "tiff" / name, save_all=True, append_images=pages[1:])
    for one, other in zip(membrane.read(tmp_path), membrane.read(tmp_path / "tiff"), strict=True):
        assert one.number == other.number
        assert (one.image == other.image).all() and (one.cells == other.cells).all()


def test_crops_keep_image_and_truth_together(tmp_path):
    write_stack(tmp_path, 1)
    [section] = membrane.read(tmp_path)
    turned = Augmentation(quarter_turns=True, rotation_degrees=30, scale=0.1)
    image, targets = membrane.crop(section, turned, 24, np.random.default_rng(2))
    assert image.shape == (1, 24, 24)
    dark = image[0] < -1.5
    assert dark.sum() > 10
    # Bilinear greys and nearest labels differ by half a pixel.
    assert (targets["cells"][dark] == 0).mean() > 0.8


def test_the_loss_of_the_truth_is_near_nothing_and_gaps_cost_more_than_other_mistakes():
    cells = np.ones((1, 48, 48), int)
    cells[:, :, 24:] = 2
    cells[:, :, 23:25] = 0
    targets = {"cells": torch.from_numpy(cells), "seam": torch.from_numpy(membrane.seam(cells[0]))[None]}
    logits = torch.zeros(1, membrane.OUTPUTS, 48, 48)
    logits[:, 0] = torch.from_numpy(np.where(cells > 0, 9.0, -9.0))
    weights = {"seam": 4.0}
    right = membrane.loss(logits, targets, weights)
    gap, speck = logits.clone(), logits.clone()
    gap[:, 0, 10:12, 23:25] = 9
    speck[:, 0, 10:12, 3:5] = -9
    assert right < 1e-3
    assert membrane.loss(gap, targets, weights) > 3 * membrane.loss(speck, targets, weights)


def test_a_perfect_probability_scores_one():
    rng = np.random.default_rng(0)
    cells = np.zeros((40, 40), int)
    cells[:, :20], cells[:, 22:] = 1, 2
    section = membrane.Section(0, rng.normal(size=(40, 40)).astype(np.float32), cells, membrane.seam(cells))
    got = membrane.summary([membrane.score(section, [np.where(cells > 0, 0.9, 0.1)[None]])])
    assert (got["v_rand"], got["v_info"], got["pixel_error"], got["rand_error"]) == pytest.approx((1, 1, 0, 0))
    merged = membrane.summary([membrane.score(section, [np.full((1, 40, 40), 0.9)])])
    assert merged["v_rand"] < 0.7
