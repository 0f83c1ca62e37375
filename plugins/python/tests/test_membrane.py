"""Micrographs by path, in memory and by the command line give the same probabilities and cells."""

from pathlib import Path

import brainmesh
import numpy as np
import pytest
from conftest import command, programs

MODEL = Path(__file__).parents[3] / "segmentation/tests/data/made-membrane"


@pytest.fixture
def stack():
    values = np.random.default_rng(11).integers(0, 256, (42, 27, 2)).astype("uint8")
    return brainmesh.Volume(values, np.diag([4e-6, 4e-6, 5e-5, 1]))


def test_memory_paths_and_the_command_line_agree(stack, tmp_path):
    stack.save(tmp_path / "stack.tif")
    options = {"model": MODEL, "device": "builtin", "instances": True, "threshold": 0.6}
    probability, cells = brainmesh.segment_membrane(stack, **options)
    assert probability.data.dtype == np.float32 and probability.shape == cells.shape == stack.shape
    assert np.array_equal(probability.world_from_voxel, stack.world_from_voxel)
    by_path = brainmesh.segment_membrane(tmp_path / "stack.tif", **options)
    words = ["--model", MODEL, "--device", "builtin", "--instances", "--threshold", 0.6]
    words += [tmp_path / "stack.tif", "-o", tmp_path / "prob.tif"]
    done = command("segment", "membrane", *words, program=programs()[0])
    assert done.returncode == 0, done.stderr
    read = [brainmesh.read_volume(tmp_path / name) for name in ("prob.tif", "prob_cells.tif")]
    for found, *others in zip((probability, cells), by_path, read, strict=True):
        assert all(np.array_equal(found.data, other.data) for other in others)
    kept = brainmesh.segment_membrane(stack, **options, keep_borders=True)[1]
    assert np.array_equal(kept.data > 0, probability.data > np.float32(0.6))
    assert brainmesh.segment_membrane(stack, model=MODEL, device="builtin")[1] is None


def test_what_is_no_micrograph_is_an_error_and_doubts_are_warnings(stack):
    with pytest.raises(ValueError, match="0.4 to 32 nm.*found 1 mm"):
        brainmesh.segment_membrane(brainmesh.Volume(stack.data, np.eye(4)), model=MODEL)
    with pytest.warns(UserWarning, match="far from the 4.000 nm"):
        brainmesh.segment_membrane(stack, pixel_nm=20, model=MODEL, device="builtin")
