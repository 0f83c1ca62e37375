"""Scores of outlines by hand, and the pictures and masks that the ventricle network learns from."""

import numpy as np
import pytest
import torch
from PIL import Image

from brainmesh_training import contours, ventricle
from brainmesh_training.augment import Augmentation


def box(shape, rows, columns):
    mask = np.zeros(shape, bool)
    mask[slice(*rows), slice(*columns)] = True
    return mask


def test_dice_and_conformity_by_hand():
    one, other = box((8, 8), (0, 4), (0, 4)), box((8, 8), (0, 4), (2, 6))
    assert contours.dice(one, other) == 0.5
    assert contours.dice(one, one) == 1
    assert contours.dice(one & False, one & False) == 1
    # Radau's conformity: D = .8 gives (2.4 - 2) / .8 = .5, D = 1 gives 1, D = .5 gives -1.
    assert [contours.conformity(d) for d in (0.8, 1.0, 0.5)] == pytest.approx([0.5, 1, -1])
    assert contours.conformity(0.0) == float("-inf")


def test_distance_between_boxes_one_inside_the_other():
    # A box of 5 pixels within one of 9, two pixels to each side: every pixel of the inner outline is 2 pixels away.
    outer, inner = box((20, 20), (4, 13), (4, 13)), box((20, 20), (6, 11), (6, 11))
    assert contours.average_distance_mm(outer, inner, (1.0, 1.0)) == pytest.approx(2)
    assert contours.average_distance_mm(outer, inner, (1.5, 1.5)) == pytest.approx(3)
    # The other way the four corners of the outer outline are 2 sqrt(2) away, and their neighbours sqrt(5), beyond the ends.
    sides = 4 * 5 * 2 + 4 * 2 * np.sqrt(5) + 4 * np.sqrt(8)
    assert contours.average_distance_mm(inner, outer, (1.0, 1.0)) == pytest.approx(sides / 32)


def test_distance_uses_the_spacing_of_rows_and_columns():
    one, other = box((20, 20), (2, 3), (5, 6)), box((20, 20), (2, 3), (9, 10))
    assert contours.average_distance_mm(one, other, (10.0, 0.5)) == pytest.approx(2)
    assert contours.average_distance_mm(one.T, other.T, (10.0, 0.5)) == pytest.approx(40)


def test_nothing_found_is_never_good():
    one = box((8, 8), (0, 4), (0, 4))
    assert contours.average_distance_mm(one, one & False, (1.0, 1.0)) == float("inf")


def test_the_part_near_the_centre_stays_and_its_holes_are_filled():
    probability = np.zeros((64, 64))
    probability[28:36, 28:36], probability[31, 31], probability[2:14, 2:14] = 0.9, 0.1, 0.95
    assert (ventricle.mask(probability) == box((64, 64), (28, 36), (28, 36))).all()
    far = np.where(box((64, 64), (2, 14), (2, 14)), 0.9, 0)
    assert (ventricle.mask(far) == (far > 0)).all()
    assert (ventricle.mask(probability / 4) == box((64, 64), (28, 36), (28, 36))).all()
    assert not ventricle.mask(np.zeros((4, 4))).any()
    assert not ventricle.mask(probability / 20).any()  # its best is below 0.05


def test_the_summary_is_over_patients_and_over_frames():
    cases = [
        {"patient": "A", "stem": "1", "dice": 0.9, "distance_mm": 1.0, "accuracy": 0.9},
        {"patient": "A", "stem": "2", "dice": 0.0, "distance_mm": float("inf"), "accuracy": 0.6},
        {"patient": "B", "stem": "3", "dice": 0.8, "distance_mm": 3.0, "accuracy": 0.9},
    ]
    got = ventricle.summary(cases)
    assert got["good"] == pytest.approx(0.75)
    assert got["dice_good"] == pytest.approx(0.85)
    assert got["distance_mm"] == pytest.approx(2)
    assert got["dice_all_frames"] == pytest.approx(1.7 / 3)
    assert got["pixel_accuracy"] == pytest.approx(0.8)
    assert got["conformity_good"] == pytest.approx((0.7 / 0.9 + 0.4 / 0.8) / 2)
    assert (got["missed_frames"], got["worst_patient"], got["without_misdrawn"]) == (1, "A", None)


def test_patients_drawn_beside_the_ventricle_are_also_left_out():
    drawn = {"patient": "A", "stem": "1", "dice": 0.9, "distance_mm": 1.0, "accuracy": 0.9}
    beside = {"patient": next(iter(ventricle.MISDRAWN)), "stem": "2", "dice": 0.5, "distance_mm": 12.0, "accuracy": 0.8}
    got = ventricle.summary([drawn, beside])
    assert (got["good"], got["dice_all_frames"]) == pytest.approx((0.5, 0.7))
    second = got["without_misdrawn"]
    assert (second["good"], second["dice_all_frames"], second["missed_frames"]) == pytest.approx((1.0, 0.9, 0))


def write_set(folder, colours=False):
    rng = np.random.default_rng(0)
    for patient in ("SC-HF-I-1", "SC-HF-I-2", "SC-N-1", "SC-N-2"):
        for number in (20, 40):
            name = f"Part1/{patient}-IM-0001-00{number}.dcm.png"
            picture = rng.integers(0, 60, (48, 48, 3 if colours else 1), np.uint8).repeat(1 if colours else 3, 2)
            label = np.zeros((48, 48), np.uint8)
            label[20:30, 18:28] = 255
            picture[label > 0] = 200
            for part, pixels in (("Images", picture), ("Labels", label)):
                (folder / part / "Part1").mkdir(parents=True, exist_ok=True)
                Image.fromarray(pixels).save(folder / part / name)


def test_a_set_is_read_and_folds_keep_patients_and_mix_kinds(tmp_path):
    write_set(tmp_path)
    frames = ventricle.read(tmp_path)
    assert len(frames) == 8
    assert frames[0].patient == "SC-HF-I-1"
    assert frames[0].cavity.sum() == 100
    assert frames[0].image.std() == pytest.approx(1, abs=1e-4)
    fold = ventricle.folds(frames, 2)
    for patient in {frame.patient for frame in frames}:
        assert len({of for of, frame in zip(fold, frames, strict=True) if frame.patient == patient}) == 1
    for number in (0, 1):
        assert {frame.patient[:5] for of, frame in zip(fold, frames, strict=True) if of == number} == {"SC-HF", "SC-N-"}


def test_colours_are_refused(tmp_path):
    write_set(tmp_path, colours=True)
    with pytest.raises(ValueError, match="colours"):
        ventricle.read(tmp_path)


def test_greys_do_not_depend_on_their_scale():
    picture = np.random.default_rng(0).gamma(2, 50, (40, 40))
    np.testing.assert_allclose(ventricle.normalise(picture), ventricle.normalise(picture * 7 + 100), atol=1e-4)


def test_crops_keep_image_and_cavity_together(tmp_path):
    write_set(tmp_path)
    frame = ventricle.read(tmp_path)[0]
    changes = Augmentation(quarter_turns=True, rotation_degrees=90, scale=0.2, shift_px=6, elastic_px=1)
    image, targets = ventricle.crop(frame, changes, 40, np.random.default_rng(1))
    bright, cavity = image[0] > 1.5, targets["cavity"] > 0.5
    assert cavity.sum() > 50
    assert contours.dice(bright, cavity) > 0.9


def test_the_loss_of_the_truth_is_near_nothing_also_for_an_empty_truth():
    cavity = torch.zeros(2, 20, 20)
    cavity[0, 5:12, 5:12] = 1
    logits = (cavity[:, None] - 0.5) * 30
    assert ventricle.loss(logits, {"cavity": cavity}, {"dice": 1.0}) < 1e-3
    # All background, 98 % of pixels right here: the Dice part does not let it pass.
    assert ventricle.loss(torch.full((2, 1, 20, 20), -15.0), {"cavity": cavity}, {"dice": 1.0}) > 0.4
