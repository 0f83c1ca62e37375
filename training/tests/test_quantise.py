"""The 8-bit variant: what it is made of, that it says so, and that it classifies nearly as the network it came from."""

import hashlib

import numpy as np
import onnx
import pytest
from test_extended import made_rays, toy

from brainmesh_training import extended
from brainmesh_training.data import save
from brainmesh_training.export import About, run_onnx, write_model
from brainmesh_training.normalise import normalise
from brainmesh_training.quantise import channels_of, compare, manifest_of, quantise, summary


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """A trained network and its variant."""
    folder = tmp_path_factory.mktemp("quantise")
    for number in range(4):
        (folder / f"phantom-{number:04d}").mkdir()
        save(made_rays(number), folder / f"phantom-{number:04d}" / "rays.npz")
    rays = extended.load_phantoms(folder, 60)
    model = extended.train_on(toy(), rays, np.arange(len(rays)), None)
    write_model(toy(), model, rays, About("Toy.", "CC0-1.0", [], []), folder / "float")
    quantise(folder / "float", normalise(rays, channels_of(folder / "float"))[:, :, None], folder / "int8")
    return folder / "float", folder / "int8"


def test_weights_are_bytes_and_the_manifest_describes_them(models):
    whole, variant = models
    tensors = {t.name: t for t in onnx.load(variant / "model.onnx").graph.initializer}
    operators = [node for node in onnx.load(variant / "model.onnx").graph.node]
    weights = [node.input[0] for node in operators if node.op_type == "DequantizeLinear" and node.input[0] in tensors]
    kernels = [tensors[name] for name in weights if len(tensors[name].dims) == 4]
    assert len(kernels) == 3 and all(kernel.data_type == onnx.TensorProto.INT8 for kernel in kernels)
    document = manifest_of(variant)
    assert document["name"] == "toy-int8"
    parts = (document["inputs"][0]["test_tensor"], document["outputs"][0]["test_tensor"], document["weights"]["onnx"])
    for part in parts:
        assert part["sha256"] == hashlib.sha256((variant / part["source"]).read_bytes()).hexdigest()
    np.testing.assert_array_equal(np.load(variant / "test_output.npy"), run_onnx(variant / "model.onnx", np.load(whole / "test_input.npy")))


def test_classes_stay_and_scores_are_those_of_the_network_named(models):
    rays = made_rays(9)
    scores = compare(list(models), rays)
    assert scores[0]["equal_classes"] == 1 and scores[0]["largest_difference"] == 0
    assert 0 < scores[1]["largest_difference"] < 0.3
    assert scores[1]["equal_classes"] > 0.95
    assert abs(scores[1]["accuracy"] - scores[0]["accuracy"]) < 0.03
    table = summary(["a", "b"], scores).splitlines()
    assert [line.split("|")[1].strip() for line in table[2:]] == ["a", "b"]
