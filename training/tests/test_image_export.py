"""Networks over images as ONNX: the same answers as torch, at any size, and model folders that describe themselves."""

import hashlib
import json
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
import yaml
from onnx import numpy_helper
from PIL import Image

from brainmesh_training import image_run, image_ship
from brainmesh_training.cli import main
from brainmesh_training.image_cards import ABOUT, Made, card
from brainmesh_training.image_experiment import ImageExperiment
from brainmesh_training.image_export import Exported, run_onnx, write_onnx
from brainmesh_training.image_networks import image_network
from brainmesh_training.networks import parameters


def settled(values, outputs):
    """A network whose batch norms are not the identity."""
    torch.manual_seed(0)
    network = image_network(values).build(1, outputs).train()
    with torch.no_grad():
        for _ in range(4):
            network(torch.randn(2, 1, 48, 48) * 2 + 1)
    return network.eval()


@pytest.mark.parametrize("stem", [1, 2, 3])
def test_exported_networks_give_the_same_as_trained_ones(stem):
    network = settled({"kind": "unet", "stem": stem, "widths": [6, 8, 10], "dropout": 0.5}, 5)
    image = torch.randn(2, 1, 24 * stem, 12 * stem)
    with torch.no_grad():
        torch.testing.assert_close(Exported([network], 2)(image), network(image)[:, :2], atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize(
    "values", [{"kind": "unet", "stem": 2, "widths": [6, 8]}, {"kind": "stack", "kernels": [5, 3], "maps": [6, 6]}]
)
def test_onnx_runtime_gives_the_same_at_sizes_not_traced(values, tmp_path):
    networks = [settled(values, 3), settled(values, 3)]
    write_onnx(networks, 3, networks and image_network(values).stride, tmp_path / "model.onnx")
    image = np.random.default_rng(0).normal(size=(3, 1, 20, 52)).astype(np.float32)
    with torch.no_grad():
        expected = sum(network(torch.from_numpy(image)) for network in networks).numpy() / 2
    np.testing.assert_allclose(run_onnx(tmp_path / "model.onnx", image), expected, atol=1e-4)


def test_exports_have_only_what_the_built_in_engine_knows(tmp_path):
    write_onnx([settled({"kind": "unet", "stem": 2, "widths": [6, 8]}, 3)], 1, 4, tmp_path / "model.onnx")
    kinds = {node.op_type for node in onnx.load(tmp_path / "model.onnx").graph.node}
    assert kinds <= {"Cast", "Conv", "Relu", "MaxPool", "Resize", "Concat", "DepthToSpace", "Constant", "Identity"}


def test_larger_weights_are_stored_in_half_the_size_and_computed_with_as_before(tmp_path):
    network = settled({"kind": "stack", "kernels": [3, 3], "maps": [16, 16]}, 1)
    write_onnx([network], 1, 1, tmp_path / "model.onnx")
    kinds = {values.dtype for values in map(numpy_helper.to_array, onnx.load(tmp_path / "model.onnx").graph.initializer)}
    assert kinds == {np.dtype(np.float16), np.dtype(np.float32)}  # biases stay
    assert (tmp_path / "model.onnx").stat().st_size < 2 * parameters(network) + 2500
    # What is computed is the network with its weights rounded, in float32.
    image = np.random.default_rng(0).normal(size=(1, 1, 20, 24)).astype(np.float32)
    for weight in network.parameters():
        if weight.numel() >= 256:
            weight.data = weight.data.half().float()
    with torch.no_grad():
        expected = network(torch.from_numpy(image)).numpy()
    np.testing.assert_allclose(run_onnx(tmp_path / "model.onnx", image), expected, atol=1e-5)


def test_a_shift_is_added_to_the_exported_logits(tmp_path):
    network = settled({"kind": "unet", "stem": 2, "widths": [4, 8]}, 3)
    image = np.random.default_rng(0).normal(size=(1, 1, 32, 32)).astype(np.float32)
    write_onnx([network, network], 1, 4, tmp_path / "plain.onnx")
    write_onnx([network, network], 1, 4, tmp_path / "moved.onnx", image_ship.shift_of(0.25))
    difference = run_onnx(tmp_path / "moved.onnx", image) - run_onnx(tmp_path / "plain.onnx", image)
    np.testing.assert_allclose(difference, np.log(3), atol=1e-5)  # 0.25 has odds of 1 to 3


def test_from_pictures_to_a_model_folder(tmp_path, monkeypatch):
    rng = np.random.default_rng(0)
    for number in range(8):
        label = np.full((40, 40), 255, np.uint8)
        label[:, 12 + number] = 0
        for part, pixels in (("label", label), ("image", (label // 2 + rng.integers(0, 40, (40, 40))).astype(np.uint8))):
            (tmp_path / "data" / part).mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels).save(tmp_path / "data" / part / f"{number}.png")
    config = tmp_path / "config.json"
    config.write_text(
        json.dumps(
            {
                "name": "tiny",
                "system": "membrane",
                "network": {"kind": "unet", "stem": 2, "widths": [4, 8]},
                "training": {"steps": 4, "batch": 2, "crop": 32, "members": 2, "loss": {"seam": 1, "neighbours": 0.5}},
                "augmentation": {"quarter_turns": True},
            }
        )
    )
    common = [str(config), "--data", str(tmp_path / "data"), "--folds", "2"]
    for words in (
        ["cross-validate-images", *common, "--out", str(tmp_path / "run")],
        ["ship-images", *common, "--run", str(tmp_path / "run"), "--out", str(tmp_path / "model")],
    ):
        monkeypatch.setattr("sys.argv", ["brainmesh_training", *words])
        assert main() == 0
    scores = json.loads((tmp_path / "run" / "scores.json").read_text())
    assert scores["cases"] == 8
    assert 0 <= scores["v_rand"] <= 1
    folder = tmp_path / "model"
    document = yaml.safe_load((folder / "rdf.yaml").read_text())
    for part in (document["weights"]["onnx"], *(t["test_tensor"] for t in document["inputs"] + document["outputs"])):
        assert part["sha256"] == hashlib.sha256((folder / part["source"]).read_bytes()).hexdigest()
    raw, expected = np.load(folder / "test_input.npy"), np.load(folder / "test_output.npy")
    seen = ((raw - raw.mean()) / (raw.std() + 1e-6)).astype(np.float32)
    np.testing.assert_allclose(1 / (1 + np.exp(-run_onnx(folder / "model.onnx", seen))), expected, atol=1e-5)
    assert f"{scores['v_rand']:.4f}" in (folder / "README.md").read_text()


def test_every_system_has_its_words():
    assert set(ABOUT) == set(image_run.SYSTEMS)
    for system, about in ABOUT.items():
        raw, seen = image_ship.test_pictures(system)
        assert raw.shape == seen.shape == (1, 1, 96, 128)
        assert len(about.classes) == image_run.SYSTEMS[system].EXPORTED
        experiment = ImageExperiment.read(Path(__file__).parent.parent / "configs" / f"{system}.json")
        made = Made(networks=2, parameters=10, folds=[1, 2], of_folds=4, seen=3, cases=3, seconds=7200)
        scores = {"cases": 3, "folds": ["fold-1"], "accuracy": 0.5}
        text = card(experiment, about, scores, made, {"none, axial": {"accuracy": 0.25, "dice_grey_matter": 0.75}})
        assert "| accuracy (made slices, one view) | 0.5000 |" in text
        assert "| none, axial | 0.250 | - | 0.750 | - |" in text
        assert "--folds 4 --only 0 --only 1 --run run" in text and "2.0 hours" in text
        assert "3 of the 3 cases" in text and "3 cases in 1 of 4 folds" in text
