"""Mask R-CNN on made wafers: what it is taught, that it learns and goes on where it stopped, parts from its masks."""

from dataclasses import replace

import numpy as np
import pytest
import torch

pytest.importorskip("torchvision", reason="torchvision is not installed")
from brainmesh_training.augment import Augmentation  # noqa: E402
from brainmesh_training.image_experiment import ImageTraining  # noqa: E402
from brainmesh_training.sections.cases import Case  # noqa: E402
from brainmesh_training.sections.mask_rcnn_parts import outline, parts, rectangle  # noqa: E402
from brainmesh_training.sections.mask_rcnn_run import Experiment, fit, target  # noqa: E402
from brainmesh_training.sections.quads import shapes  # noqa: E402
from brainmesh_training.sections.targets import Parts  # noqa: E402
from brainmesh_training.sections.wafer import Wafer  # noqa: E402

#: Seam level: tissue above, magnet part below.
TISSUE = np.array([[0, 45], [5, 0], [115, 0], [120, 45.0]])
MAGNET = np.array([[3, 90], [0, 51], [120, 51], [117, 90.0]])
LOOK = Augmentation(**dict(gain=0.2, offset=0.1, gamma=0.3, field=0.05, noise=0.05, blur_px=1.0, sharpen=0.5, patches=2))


def turned(quads, degrees, by=(0, 0)):
    c, s = np.cos(np.deg2rad(degrees)), np.sin(np.deg2rad(degrees))
    return quads @ np.array([[c, s], [-s, c]]) + by


def test_targets_are_boxes_and_pixels_of_what_is_seen():
    inside = np.array([[10, 29.5], [10, 9.5], [49.5, 9.5], [49.5, 29.5]])
    cut = np.array([[-20.5, 80], [-20.5, 60], [19.5, 60], [19.5, 80]])
    sliver = np.array([[60, 100], [60, 97], [90, 97], [90, 100.0]])
    found = target(Parts(np.stack([inside, sliver]), np.stack([cut, cut + 1000])), 128)
    # A pixel's centre is half a pixel from its border.
    np.testing.assert_allclose(found["boxes"].numpy(), [[10.5, 10, 50, 30], [0, 60.5, 20, 80.5]])
    assert found["labels"].tolist() == [1, 2]
    assert found["masks"].sum((1, 2)).tolist() == [40 * 20, 20 * 21]
    assert target(Parts(np.zeros((0, 4, 2)), np.zeros((0, 4, 2))), 64)["boxes"].shape == (0, 4)


def soft(quad, size=200):
    """How much of each pixel a convex outline covers."""
    fine = (np.arange(8 * size) + 0.5) / 8 - 0.5
    x, y = fine[None], fine[:, None]
    inside = np.ones((8 * size, 8 * size), bool)
    for a, b in zip(quad, np.roll(quad, -1, 0), strict=True):
        inside &= (b[0] - a[0]) * (y - a[1]) - (b[1] - a[1]) * (x - a[0]) >= 0
    return inside.reshape(size, 8, size, 8).mean((1, 3))


@pytest.mark.parametrize("degrees", [0, 33, 90, 137, 261])
def test_rectangles_of_masks_lie_where_the_parts_do_and_know_their_seam(degrees):
    upright = np.array([[-50, 20], [-50, -22], [50, -22], [50, 20.0]]), np.array([[-48, 50], [-48, 22], [48, 22], [48, 50.0]])
    quads = [turned(quad, degrees, (101.3, 97.8)) for quad in upright]
    masks = np.stack([soft(quad) for quad in quads])
    boxes = np.stack([np.concatenate([quad.min(0), quad.max(0)]) for quad in quads])
    [tissue], [magnet] = parts(boxes, np.array([1, 2]), np.array([0.9, 0.8]), masks)
    for part, quad in zip((tissue, magnet), quads, strict=True):
        np.testing.assert_allclose(part.quad, quad, atol=0.5)
        np.testing.assert_allclose(part.centre, quad.mean(0), atol=0.2)
    np.testing.assert_allclose(tissue.toward, magnet.centre)


def test_points_on_a_line_have_no_rectangle():
    assert rectangle(outline(np.zeros((5, 5)))) is None
    assert rectangle(np.array([[0, 0], [1, 1], [2, 2.0]])) is None


def test_it_learns_and_a_stopped_run_is_the_same_as_one_that_was_not(tmp_path):
    torch.set_num_threads(1)
    outlines = shapes(np.stack([TISSUE * 3, TISSUE * 3.1]), np.stack([MAGNET * 3, MAGNET * 3.1]))
    pool = [Case(Wafer.make(outlines, (400, 400), 1.0, 5))]
    training = ImageTraining(steps=60, batch=1, crop=128, learning_rate=3e-3, warmup=3, running_mean=0.9)
    experiment = Experiment("tiny", True, 64, 32, training, LOOK)
    whole = fit(experiment, pool, tmp_path / "a.pt")
    history = torch.load(tmp_path / "a.pt", weights_only=True)["state"]["history"]
    assert set(history[-1]) == {"loss_classifier", "loss_box_reg", "loss_mask", "loss_objectness", "loss_rpn_box_reg"}

    class Stop(Exception):
        pass

    class Stopping(list):
        looks = 0

        def __getitem__(self, place):
            self.looks += 1
            if self.looks > 25:
                raise Stop
            return super().__getitem__(place)

    import brainmesh_training.sections.mask_rcnn_run as run

    before, run.KEEP_EVERY = run.KEEP_EVERY, 10
    try:
        with pytest.raises(Stop):
            fit(experiment, Stopping(pool), tmp_path / "b.pt")
        assert torch.load(tmp_path / "b.pt", weights_only=True)["state"]["step"] == 20
        resumed = fit(experiment, pool, tmp_path / "b.pt")
        losses = [part["loss_objectness"] for part in torch.load(tmp_path / "b.pt", weights_only=True)["state"]["history"]]
    finally:
        run.KEEP_EVERY = before
    for one, other in zip(whole.state_dict().values(), resumed.state_dict().values(), strict=True):
        assert torch.equal(one, other)
    assert losses[-1] < 0.7 * losses[0]
    with pytest.raises(ValueError, match="expected a run of this experiment"):
        fit(replace(experiment, regions=16), pool, tmp_path / "b.pt")
