"""The network that finds sections on wafers: what it is to say, what is read from its answers, scores."""

import json
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from brainmesh_training.image_experiment import ImageExperiment
from brainmesh_training.sections import decode
from brainmesh_training.sections.cases import levels, normalised
from brainmesh_training.sections.decode import Part, area_px, overlap
from brainmesh_training.sections.export import write_onnx
from brainmesh_training.sections.loss import loss
from brainmesh_training.sections.score import angle_degrees, average_precision, score
from brainmesh_training.sections.targets import EXPORTED, OUTPUTS, Parts, block_centres, targets, within

TISSUE = np.array([[30, 60], [33, 24], [128, 20], [131, 58.0]])
MAGNET = np.array([[32, 100], [30, 62], [131, 60], [127, 98.0]])
SQUARE = np.array([[0, 0], [10, 0], [10, 10], [0, 10.0]])


def parts():
    """Two sections, the second turned by 118 degrees and smaller."""
    c, s = np.cos(np.deg2rad(118)) * 0.8, np.sin(np.deg2rad(118)) * 0.8
    turn = np.array([[c, s], [-s, c]])
    return Parts(np.stack([TISSUE, TISSUE @ turn + [290, 120]]), np.stack([MAGNET, MAGNET @ turn + [290, 120]]))


def said(truth):
    """An answer that says just that."""
    heat = truth["heat"].clip(1e-4, 1 - 1e-4)
    return np.concatenate([np.log(heat / (1 - heat)), truth["corners"], truth["partner"]])


@pytest.mark.parametrize("change", ["none", "mirrored", "turned", "both"])
def test_a_right_answer_gives_the_truth_back(change):
    truth, size = parts(), 320
    if change in ("mirrored", "both"):
        truth = truth.mirrored(size)
    if change in ("turned", "both"):
        truth = truth.turned(size, size)
    found = decode.sections(said(targets(truth, size, size)))
    assert len(found) == 2
    for tissue, magnet in zip(truth.tissue, truth.magnet, strict=True):
        assert area_px(tissue) > 0
        near = min(found, key=lambda section: np.linalg.norm(section.tissue.centre - tissue.mean(0)))
        np.testing.assert_allclose(near.tissue.quad, tissue, atol=1e-3)
        np.testing.assert_allclose(near.magnet.quad, magnet, atol=1e-3)
        # Corners at the seam stay at the seam.
        assert np.linalg.norm(near.tissue.quad[0] - near.magnet.quad[1]) < 4


def test_peaks_at_the_border_are_decoded():
    quad = np.array([[0, 16], [0, 0], [40, 0], [40, 16.0]])
    for corner in ([0, 0], [115, 0], [0, 139], [115, 139]):
        at = quad + corner
        answer = said(targets(Parts(at[None], at[None]), 156, 156))
        answer[1] = -9
        (found,) = decode.sections(answer)
        np.testing.assert_allclose(found.tissue.quad, at, atol=0.5)


def test_pictures_and_truth_turn_alike():
    height, width = 200, 320

    def drawn(quads, shape):
        y, x = np.mgrid[: shape[0], : shape[1]]
        return np.max([np.abs(np.stack(within(quad, x, y))).max(0) < 1 for quad in quads], 0)

    truth = Parts(TISSUE[None], MAGNET[None])
    picture = drawn(truth.tissue, (height, width))
    assert picture.sum() > 2000
    # But for pixels on the outline itself.
    assert (drawn(truth.mirrored(width).tissue, (height, width)) != picture[:, ::-1]).sum() < 5
    assert (drawn(truth.turned(height, width).tissue, (width, height)) != np.rot90(picture)).sum() < 5


def test_blocks_point_at_their_own_corners():
    truth = targets(Parts(TISSUE[None], MAGNET[None]), 128, 160)
    row, column = 10, 20
    assert truth["vote"][row, column] > 0
    at = np.array([block_centres(0, 40)[column], block_centres(0, 32)[row]])
    # Block 20 is pixels 80..83, their middle 81.5.
    assert at.tolist() == [81.5, 41.5]
    np.testing.assert_allclose(truth["corners"][:, row, column].reshape(4, 2) * 32 + at, TISSUE, atol=1e-4)
    np.testing.assert_allclose(truth["partner"][:, row, column] * 32 + at, MAGNET.mean(0), atol=1e-4)
    assert truth["heat"][0].max() > 0.9 > 0.01 > truth["heat"][1][row, column]


def test_parts_cut_off_are_not_asked_for():
    truth = targets(Parts(TISSUE[None] - [100, 0], MAGNET[None] - [30, 0]), 128, 160)
    assert truth["heat"][0].max() == 0 and truth["ask"][0].min() == 0
    assert truth["heat"][1].max() > 0.9 and truth["ask"][1].min() == 1


def test_overlaps_by_hand():
    assert overlap(SQUARE, SQUARE + [5, 0]) == pytest.approx(50 / 150)
    assert overlap(SQUARE, SQUARE + [5, 5]) == pytest.approx(25 / 175)
    assert overlap(SQUARE, SQUARE + [20, 0]) == 0
    diamond = np.array([[5, -5], [15, 5], [5, 15], [-5, 5.0]])
    assert overlap(SQUARE, diamond) == pytest.approx(100 / 200)


def part(quad, confidence, toward=(0, 0)):
    return Part(np.asarray(quad, float), confidence, np.array(toward, float))


def test_the_same_thing_is_found_once():
    found = [part(SQUARE, 0.9), part(SQUARE + [2, 0], 0.8), part(SQUARE + [9, 0], 0.7), part(SQUARE[::-1], 0.6)]
    assert [p.confidence for p in decode.suppressed(found)] == [0.9, 0.7]


def test_partners_point_at_each_other():
    tissue = [part(SQUARE, 0.9, [5, 16]), part(SQUARE + [30, 0], 0.8, [35, 14])]
    magnet = [part(SQUARE + [30, 10], 0.9, [35, 5]), part(SQUARE + [0, 10], 0.7, [5, 5]), part(SQUARE + [80, 0], 0.9, [5, 5])]
    found = decode.paired(tissue, magnet)
    pairs = {(s.tissue and s.tissue.confidence, s.magnet and s.magnet.quad[0, 0]) for s in found}
    assert pairs == {(0.9, 0), (0.8, 30), (None, 80)}


def test_average_precision_by_hand():
    # Right, wrong, right of two: precision 1 up to a recall of .5 (51 of 101 places), 2/3 beyond.
    assert average_precision(np.array([True, False, True]), np.array([0.9, 0.8, 0.7]), 2) == pytest.approx((51 + 50 * 2 / 3) / 101)
    assert average_precision(np.array([True]), np.array([0.9]), 2) == pytest.approx(51 / 101)
    assert average_precision(np.zeros(0, bool), np.zeros(0), 2) == 0


def test_scores_by_hand():
    far = SQUARE + [100, 0]
    turn = np.deg2rad(10)
    askew = (far - [105, 5]) @ np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]]) + [105, 5]
    found = [part(SQUARE + [1, 0], 0.9), part(SQUARE, 0.8), part(askew, 0.7), part(SQUARE + [50, 50], 0.6), part(SQUARE + [200, 0], 0.4)]
    truth = np.stack([SQUARE, far, SQUARE + [0, 200]])
    result = score([(truth, found)])
    assert (result["parts"], result["doubles"], result["spurious"]) == (3, 1, 1)
    assert result["recall"] == pytest.approx(2 / 3)
    assert result["median_centre_px"] == pytest.approx(0.5)
    assert result["worst_angle_degrees"] == pytest.approx(10)
    # Right, double, right, wrong, wrong of three: 1 up to 1/3 (34 places), 2/3 up to 2/3 (33 more), nothing beyond.
    assert result["map50"] == pytest.approx((34 + 33 * 2 / 3) / 101)
    assert angle_degrees(SQUARE[[3, 0, 1, 2]]) == pytest.approx(0)


def experiment():
    config = json.loads((Path(__file__).parent.parent / "configs" / "sections.json").read_text())
    return ImageExperiment.from_dict(config | {"network": {"kind": "strided_unet", "stem": 4, "widths": [6, 8, 10]}})


def test_one_answer_a_block_and_a_loss_that_knows_the_truth():
    torch.manual_seed(0)
    made = experiment()
    assert made.network.stride == 16
    model = made.build(2, OUTPUTS).eval()
    with torch.no_grad():
        assert model(torch.zeros(1, 2, 48, 80)).shape == (1, OUTPUTS, 12, 20)
    truth = targets(parts(), 320, 320)
    batch = {name: torch.from_numpy(values)[None] for name, values in truth.items()}
    inside = np.log(truth["inside"].clip(1e-4, 1 - 1e-4) / (1 - truth["inside"].clip(1e-4, 1 - 1e-4)))
    right = torch.from_numpy(np.concatenate([said(truth), inside])[None])
    assert right.shape[1] == OUTPUTS == EXPORTED + 2
    weights = made.training.loss
    best = loss(right, batch, weights)
    assert best < 1e-3
    for channel in (0, 1, 2, 9, 10, 12):
        wrong = right.clone()
        wrong[:, channel] = wrong[:, channel].roll(10, 2)
        assert loss(wrong, batch, weights) > 10 * best


def test_greys_are_stretched_between_percentiles():
    ramp = np.tile(np.arange(101, dtype=np.uint8), (101, 1))
    picture = np.stack([ramp * 2, np.full_like(ramp, 7)])
    between = levels(np.repeat(np.repeat(picture, 3, 1), 3, 2))
    np.testing.assert_allclose(between[0], [2, 198])
    seen = normalised(picture, between)
    assert seen[0, 0, 1] == pytest.approx(-0.5) and seen[0, 0, 99] == pytest.approx(0.5)
    # An even channel stays even.
    assert (seen[1] == -0.5).all()


def test_the_exported_network_says_the_same_at_sizes_not_traced(tmp_path):
    torch.manual_seed(0)
    made = experiment()
    model = made.build(2, OUTPUTS).train()
    with torch.no_grad():
        for _ in range(4):
            model(torch.randn(2, 2, 64, 64) * 2 + 1)
        write_onnx(model.eval(), made.network.stride, tmp_path / "model.onnx")
        image = torch.randn(3, 2, 48, 112)
        expected = model(image)[:, :EXPORTED].numpy()
    session = onnxruntime.InferenceSession(str(tmp_path / "model.onnx"), providers=["CPUExecutionProvider"])
    np.testing.assert_allclose(session.run(None, {"image": image.numpy()})[0], expected, atol=1e-4)
    kinds = {node.op_type for node in onnx.load(tmp_path / "model.onnx").graph.node}
    assert kinds <= {"Conv", "Relu", "MaxPool", "Resize", "Concat", "Constant", "Identity"}
