"""Sections on a made wafer by the module and by the command line are the same."""

import json
from pathlib import Path

import brainmesh
import numpy as np
import pytest
from conftest import command, programs

MODEL = Path(__file__).parents[3] / "segmentation/tests/data/made-sections"


def write(path, centres):
    """Spots of SD 6 pixels on some grain."""
    y, x = np.mgrid[:150, :200]
    glow = [np.exp(-((x - cx) ** 2 + (y - cy) ** 2) / 72) for cx, cy in centres]
    values = 20 + 200 * np.max(glow, 0) + (x * 7 + y * 13) % 11
    brainmesh.Volume(values.T[..., None].astype("uint8"), np.eye(4)).save(path)


def test_the_module_and_the_command_line_agree(tmp_path):
    write(tmp_path / "grey.tif", [(50, 40), (120.5, 90)])
    write(tmp_path / "glow.tif", [(50, 54), (120.5, 104)])
    options = {"fluorescence": tmp_path / "glow.tif", "model": MODEL, "device": "builtin"}
    found = brainmesh.segment_sections(tmp_path / "grey.tif", **options)
    words = [tmp_path / "grey.tif", "--fluorescence", tmp_path / "glow.tif", "--model", MODEL, "--device", "builtin"]
    words += ["-o", tmp_path / "a.magc", "--geojson", tmp_path / "a.json"]
    done = command("segment", "sections", *words, program=programs()[0])
    assert done.returncode == 0, done.stderr
    assert found == json.loads((tmp_path / "a.json").read_text())
    centres = [f["properties"]["centre_px"] for f in found["features"] if f["properties"]["kind"] == "tissue"]
    np.testing.assert_allclose(centres, [(50, 40), (120.5, 90)], atol=1.5)


def test_doubts_are_warnings_and_what_cannot_be_is_an_error(tmp_path):
    write(tmp_path / "grey.tif", [(50, 40)])
    with pytest.warns(UserWarning, match="no tissue was found"):
        found = brainmesh.segment_sections(tmp_path / "grey.tif", model=MODEL, device="builtin", min_confidence=1)
    assert found["features"] == [] and found["size"] == [200, 150]
    with pytest.raises(ValueError, match="--scale"):
        brainmesh.segment_sections(tmp_path / "grey.tif", model=MODEL, scale=0)
