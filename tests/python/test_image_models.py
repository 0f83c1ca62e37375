"""The shipped models over pictures: brainmesh's own engine against ONNX Runtime, in the program and by hand, on made pictures."""

from pathlib import Path

import nibabel
import numpy as np
import onnxruntime
import pytest
import tifffile
import yaml

ROOT = Path(__file__).parents[2]
PICTURES = ("membrane", "ventricle")
#: Share of pixels that must get the same label.
SAME = 0.9999


def shipped(name):
    folder = ROOT / "models" / name
    if not (folder / "rdf.yaml").exists():
        pytest.skip(f"models/{name}: not here")
    return folder


def picture(name, shape=(200, 236)):
    """Dark lines between bright cells, or a bright pool in a grey wall in a dark chest; with noise."""
    rng = np.random.default_rng(1609)
    y, x = np.indices(shape)
    if name == "membrane":
        field = np.sin(x / 9 + np.sin(y / 13)) * np.cos(y / 8 + np.sin(x / 17))
        grey = 60 + 90 * np.clip(np.abs(field) * 6, 0, 1)
    else:
        radius = np.hypot(y - shape[0] / 2, x - shape[1] / 2)
        grey = np.select([radius < 18, radius < 28, radius < 90], [170, 80, 50], 20)
    return np.clip((grey + rng.normal(size=shape) * 12).round(), 1, 255).astype(np.uint8)


def head(shape=(72, 80, 64)):
    """Fluid in white in grey matter, as shells, with noise, in RAS at 1 mm."""
    rng = np.random.default_rng(1609)
    at = np.stack([index - (n - 1) / 2 for index, n in zip(np.indices(shape), shape, strict=True)])
    radius = np.sqrt((at**2).sum(0)) + 1.5 * np.sin(at[0] / 3) * np.cos(at[1] / 4)
    grey = np.select([radius < 6, radius < 22, radius < 27], [25, 110, 75], 0.0)
    return np.where(grey > 0, grey + rng.normal(size=shape) * 4, 0).astype(np.float32)


def segment(brainmesh, model, source, out, *options):
    """Probabilities of pictures, labels of heads. A picture without the size of its pixels is for `segment membrane` alone."""
    command = {
        "membrane": ("membrane", "--model", model, source),
        "ventricle": (model, source, "--output", "probability:cavity"),
        "tissue": (model, source),
    }[model.name]
    brainmesh("segment", *command, "--out", out, "--progress", "none", *options)
    return out


@pytest.mark.parametrize("name", PICTURES)
def test_both_engines_give_the_same_probabilities(brainmesh, tmp_path, name):
    model = shipped(name)
    tifffile.imwrite(tmp_path / "picture.tif", picture(name))
    found = {}
    for device in ("builtin", "cpu"):
        out = segment(brainmesh, model, tmp_path / "picture.tif", tmp_path / f"{device}.tif", "--device", device)
        found[device] = tifffile.imread(out)
    inside = {device: values > 0.5 for device, values in found.items()}
    assert 0.005 < inside["cpu"].mean() < 0.995
    assert (inside["builtin"] == inside["cpu"]).mean() >= SAME
    np.testing.assert_allclose(found["builtin"], found["cpu"], atol=1e-4)


@pytest.mark.parametrize("name", PICTURES)
def test_the_program_gives_what_onnx_runtime_gives_by_hand(brainmesh, tmp_path, name):
    model = shipped(name)
    grey = picture(name)
    tifffile.imwrite(tmp_path / "picture.tif", grey)
    options = ("--device", "builtin", "--flips", "false")
    found = tifffile.imread(segment(brainmesh, model, tmp_path / "picture.tif", tmp_path / "out.tif", *options))
    values = grey.astype(np.float64)
    if name == "ventricle":
        low, high = np.percentile(values, (1, 99))
        values = np.clip((values - low) / (high - low + 1e-6), 0, 1)
    values = (values - values.mean()) / (values.std() + 1e-6)
    step = yaml.safe_load((model / "rdf.yaml").read_text())["inputs"][0]["axes"][2]["size"]["step"]
    padded = np.pad(values, [(0, -n % step) for n in grey.shape]).astype(np.float32)
    [logits] = onnxruntime.InferenceSession(model / "model.onnx").run(None, {"image": padded[None, None]})
    expected = 1 / (1 + np.exp(-logits[0, 0, : grey.shape[0], : grey.shape[1]]))
    # Windows of the program end where those of one run do not; a window's edge sees padding.
    assert ((found > 0.5) == (expected > 0.5)).mean() >= SAME
    np.testing.assert_allclose(found, expected, atol=1e-3)


def test_both_engines_give_the_same_labels_of_tissue(brainmesh, tmp_path):
    model = shipped("tissue")
    nibabel.save(nibabel.Nifti1Image(head(), np.eye(4)), tmp_path / "head.nii.gz")
    found = {}
    for device in ("builtin", "cpu"):
        out = segment(brainmesh, model, tmp_path / "head.nii.gz", tmp_path / f"{device}.nii.gz", "--device", device)
        found[device] = np.asarray(nibabel.load(out).dataobj)
    assert set(np.unique(found["cpu"])) <= {0, 1, 2, 3} and (found["cpu"] > 0).mean() > 0.05
    assert (found["builtin"] == found["cpu"]).mean() >= SAME
