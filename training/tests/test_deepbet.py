"""deepbet's own networks through brainmesh against deepbet itself, on the MNI152 template."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import nibabel
import numpy as np
import pytest

from brainmesh_training import deepbet

ROOT = Path(__file__).parents[2]
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
PROGRAM = TARGET / "release" / "brainmesh"


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    if importlib.util.find_spec("deepbet") is None:
        pytest.skip("deepbet is not installed")
    folder = tmp_path_factory.mktemp("deepbet")
    deepbet.run(deepbet.argparse.Namespace(out=folder))
    return folder


@pytest.fixture(scope="module")
def template():
    if importlib.util.find_spec("nilearn") is None:
        pytest.skip("nilearn, which brings the template, is not installed")
    [path] = Path(importlib.util.find_spec("nilearn").origin).parent.glob("datasets/data/mni_icbm152_t1*.nii.gz")
    return path


@pytest.fixture(scope="module")
def reference(template):
    from deepbet.bet import BrainExtraction

    _, mask, _ = BrainExtraction(no_gpu=True).run(str(template))
    return np.asarray(mask.dataobj) > 0


def dice(a, b):
    return 2 * (a & b).sum() / (a.sum() + b.sum())


@pytest.mark.skipif(not PROGRAM.exists(), reason=f"{PROGRAM} is not built")
@pytest.mark.parametrize("orientation", ["as it is", "PIL"])
def test_the_mask_is_that_of_deepbet(model, template, reference, tmp_path, orientation):
    volume, expected = template, reference
    if orientation != "as it is":
        image = nibabel.load(template)
        there = nibabel.orientations.axcodes2ornt(orientation)
        turn = nibabel.orientations.ornt_transform(nibabel.io_orientation(image.affine), there)
        volume = tmp_path / "turned.nii.gz"
        nibabel.save(image.as_reoriented(turn), volume)
        expected = nibabel.orientations.apply_orientation(reference, turn)
    found = tmp_path / "mask.nii.gz"
    command = [PROGRAM, "segment", model, volume, "--out", found, "--device", "cpu"]
    # ONNX Runtime is that of the environment the test runs in.
    environment = {**os.environ, "VIRTUAL_ENV": sys.prefix}
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, env=environment)
    assert done.returncode == 0, done.stderr
    mask = nibabel.load(found)
    np.testing.assert_allclose(mask.affine, nibabel.load(volume).affine, atol=1e-4)
    assert dice(np.asarray(mask.dataobj) > 0, expected) >= 0.999


def test_the_networks_are_exported_as_they_are(model):
    import onnxruntime
    import torch
    from importlib.metadata import distribution

    source = distribution("deepbet").locate_file("data/models/bbox_model.pt")
    network = torch.jit.load(str(source)).eval()
    image = np.random.default_rng(3).random((1, 1, 128, 128, 128), np.float32)
    with torch.no_grad():
        expected = network(torch.from_numpy(image)).numpy()
    session = onnxruntime.InferenceSession(model / "locator.onnx", providers=["CPUExecutionProvider"])
    [scores] = session.run(None, {"image": image})
    found = np.exp(scores - scores.max(1, keepdims=True))
    found /= found.sum(1, keepdims=True)
    # Instance norms are summed in another order.
    assert np.abs(found - expected).max() < 5e-3
    assert found.shape == (1, 2, 128, 128, 128)
