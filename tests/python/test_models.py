"""Manifests of the shipped models, by the reference implementation of the format."""

from pathlib import Path

import pytest
from bioimageio.spec import InvalidDescr, load_description

MODELS = sorted((Path(__file__).parents[2] / "models").glob("*/rdf.yaml"))


@pytest.mark.parametrize("path", MODELS, ids=lambda path: path.parent.name)
def test_a_shipped_manifest_is_a_bioimageio_model(path):
    description = load_description(path, perform_io_checks=True)
    assert not isinstance(description, InvalidDescr), description.validation_summary.format()
    assert description.type == "model" and description.weights.onnx is not None


def test_there_are_models():
    assert MODELS
