"""Mask R-CNN in three graphs: each gives what torchvision's own modules give, at sizes that were not traced."""

import numpy as np
import onnxruntime
import pytest
import torch
import yaml

pytest.importorskip("torchvision", reason="torchvision is not installed")
from brainmesh_training.sections.mask_rcnn import ANCHORS_PX  # noqa: E402
from brainmesh_training.sections.mask_rcnn_export import Boxes, Detector, Masks, write_folder  # noqa: E402
from brainmesh_training.sections.mask_rcnn_fixture import made, result  # noqa: E402


def run(path, given):
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return session.run(None, {session.get_inputs()[0].name: given.numpy()})


def test_the_three_graphs_say_what_torch_says(tmp_path):
    model = made()
    write_folder(model, tmp_path, "made", "For tests.")
    torch.manual_seed(1)
    maps = model.backbone.out_channels
    for name, graph, shape in (
        ("detector", Detector(model), (1, 3, 96, 224)),
        ("boxes", Boxes(model), (7, maps, 7, 7)),
        ("masks", Masks(model), (1, maps, 14, 14)),
    ):
        given = torch.randn(shape)
        with torch.no_grad():
            expected = graph.eval()(given)
        expected = expected if isinstance(expected, tuple) else (expected,)
        found = run(tmp_path / f"{name}.onnx", given)
        assert len(found) == len(expected)
        for one, other in zip(found, expected, strict=True):
            np.testing.assert_allclose(one, other.numpy(), atol=2e-4)
    said = yaml.safe_load((tmp_path / "rdf.yaml").read_text())["config"]["brainmesh"]["settings"]
    # Sides of equal area at ratios .5, 1, 2, rounded to even halves as torchvision does.
    assert said["anchors_px"][0] == [[-11, -6, 11, 6], [-8, -8, 8, 8], [-6, -11, 6, 11]]
    assert len(said["anchors_px"]) == len(ANCHORS_PX)


def test_the_made_model_finds_things_that_differ():
    image = torch.rand(3, 70, 90, generator=torch.Generator().manual_seed(0))
    found = result(made(), image)
    assert 3 <= len(found["boxes"]) <= 10
    assert set(found["labels"].tolist()) == {1, 2}
    assert np.diff(np.sort(found["scores"])).min() > 1e-6
    assert np.ptp(found["scores"]) > 0.05
    # Outlines, not everything or nothing.
    shares = (found["masks"] >= 0.5).mean((1, 2))
    assert ((shares > 0.02) & (shares < 0.98)).all()
    assert found["pasted"].shape == (len(found["boxes"]), 70, 90)
