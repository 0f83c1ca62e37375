"""Manifests of the shipped models, of made packages and of what is made of a MONAI bundle, by the reference
implementation of the format."""

import json
from pathlib import Path

import pytest
from bioimageio.spec import InvalidDescr, load_description

ROOT = Path(__file__).parents[2]
FIXTURES = ROOT / "segmentation/tests/data"
MODELS = sorted((ROOT / "models").glob("*/rdf.yaml")) + [FIXTURES / "made-image/rdf.yaml"]


def is_model(path):
    description = load_description(path, perform_io_checks=True)
    assert not isinstance(description, InvalidDescr), description.validation_summary.format()
    assert description.type == "model" and description.weights.onnx is not None
    return description


@pytest.mark.parametrize("path", MODELS, ids=lambda path: path.parent.name)
def test_a_manifest_is_a_bioimageio_model(path):
    is_model(path)


def test_there_are_models():
    assert len(MODELS) > 1


def test_a_monai_bundle_becomes_a_bioimageio_model(brainmesh, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    # Networks of three dimensions need ONNX Runtime, which the environment of these tests has.
    brainmesh("models", "add", FIXTURES / "made-bundle", "--name", "organs", "--device", "cpu")
    description = is_model(tmp_path / "brainmesh/models/organs/rdf.yaml")
    bundle = json.loads((FIXTURES / "made-bundle/configs/metadata.json").read_text())
    assert description.name == bundle["name"] and str(description.version) == bundle["version"]
    # The last brings percentiles to 0 and 2 rather than 0 and 1; beside it stands what the format itself adds.
    steps = [step.id for step in description.inputs[0].preprocessing if step.id != "ensure_dtype"]
    assert steps == ["scale_linear", "clip", "scale_range", "scale_linear"]
    assert [axis.scale for axis in description.inputs[0].axes[2:]] == [1.5, 1.5, 2.0]
    assert len(list((tmp_path / "brainmesh/models/organs").iterdir())) == 2
