"""Another wafer from a few outlines: labels, background, pasted pictures, what learns."""

import argparse
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from test_wafer import outlines

from brainmesh_training.image_experiment import ImageExperiment
from brainmesh_training.image_train import fit
from brainmesh_training.sections.adapt import adapt, read_picture
from brainmesh_training.sections.canvas import outside_px
from brainmesh_training.sections.cases import levels
from brainmesh_training.sections.labels import read_labels
from brainmesh_training.sections.loss import loss
from brainmesh_training.sections.paste import background_pieces, pasted, windows
from brainmesh_training.sections.targets import OUTPUTS, Parts, targets

#: Tissue above its magnet part, the seam level.
TISSUE = np.array([[0, 40], [4, 0], [86, 0], [90, 40.0]])
MAGNET = np.array([[4, 70], [1, 42], [89, 42], [86, 70.0]])
GREYS = {"wafer": 100.0, "tissue": 200.0, "magnet": 40.0}


def turned(quad, degrees, by):
    c, s = np.cos(np.deg2rad(degrees)), np.sin(np.deg2rad(degrees))
    return (quad - [45, 35]) @ np.array([[c, s], [-s, c]]) + by


def wafer():
    """A picture of nine sections on a grid, and all their outlines."""
    rng = np.random.default_rng(3)
    places = [(120 + 220 * (n % 3), 120 + 220 * (n // 3)) for n in range(9)]
    parts = Parts(*(np.stack([turned(quad, 40 * n, at) for n, at in enumerate(places)]) for quad in (TISSUE, MAGNET)))
    y, x = np.arange(680.0)[:, None], np.arange(680.0)[None]
    grey = np.full((680, 680), GREYS["wafer"])
    for name, quads in (("tissue", parts.tissue), ("magnet", parts.magnet)):
        for quad in quads:
            grey[outside_px(quad, x, y) < 0] = GREYS[name]
    grey = grey + rng.normal(size=grey.shape) * 5
    return np.stack([grey, np.zeros_like(grey)]).clip(0, 255).astype(np.uint8), parts


def some(parts, every):
    return Parts(parts.tissue[every], parts.magnet[every])


def sections_json(parts):
    return {"sections": [{"tissue": t.tolist(), "magnet": m.tolist()} for t, m in zip(parts.tissue, parts.magnet, strict=True)]}


def test_corners_may_begin_anywhere_and_run_either_way(tmp_path):
    _, truth = wafer()
    path = tmp_path / "few.json"
    for first in range(4):
        for step in (1, -1):
            changed = Parts(*(np.roll(quads, first, 1)[:, ::step] for quads in (truth.tissue, truth.magnet)))
            path.write_text(json.dumps(sections_json(changed)))
            read = read_labels(path)
            np.testing.assert_allclose(read.tissue, truth.tissue)
            np.testing.assert_allclose(read.magnet, truth.magnet)
    # In a picture three times as small: pixel centres are whole in both.
    read = read_labels(path, 3)
    np.testing.assert_allclose(read.tissue * 3 + 1, truth.tissue)


def test_a_magc_gives_magnet_parts_by_their_middles(tmp_path):
    path = tmp_path / "few.magc"
    # As MagFinder counts: from the outer corner of the first pixel.
    polygon = ",".join(str(v + 0.5) for v in TISSUE[[1, 2, 3, 0]].ravel())
    path.write_text(f"[sections]\nnumber = 1\n[section.0001]\npolygon = {polygon}\n[magnet.0001]\nlocation = 45.5,56.5\n")
    read = read_labels(path)
    np.testing.assert_allclose(read.tissue[0], TISSUE)
    np.testing.assert_allclose(read.magnet[0], [[0, 72], [0, 40], [90, 40], [90, 72]])
    path.write_text(f"[section.0001]\npolygon = {polygon}\n")
    with pytest.raises(ValueError, match="few.magc.*location"):
        read_labels(path)


def test_wrong_labels_are_named(tmp_path):
    path = tmp_path / "few.json"
    for text in ("{", "{}", '{"sections": [{"tissue": [[0, 0]]}]}', '{"sections": []}'):
        path.write_text(text)
        with pytest.raises(ValueError, match="few.json"):
            read_labels(path)
    bow = [[0, 0], [10, 10], [10, 0], [0, 10]]
    path.write_text(json.dumps({"sections": [{"tissue": bow, "magnet": MAGNET.tolist()}]}))
    with pytest.raises(ValueError, match=r"sections\[0\].*convex tissue"):
        read_labels(path)


def test_background_holds_no_sections_though_nobody_labelled_them():
    picture, truth = wafer()
    labels = some(truth, [0, 4, 8])
    # The network finds none of the other six.
    pieces = background_pieces(windows(picture, labels, lambda part: []))
    assert len(pieces) >= 12 and pieces.shape[-1] >= 32
    assert pieces[:, 0].mean() == pytest.approx(GREYS["wafer"], abs=1)
    # A tenth of a square of either part would show: the noise is 5.
    means = pieces[:, 0].mean((1, 2))
    assert np.abs(means - GREYS["wafer"]).max() < 3


def test_pasted_sections_lie_where_the_truth_says():
    picture, truth = wafer()
    labels = some(truth, [0, 2, 4, 6, 8])
    pieces = background_pieces(windows(picture, labels, lambda part: []))
    made = pasted(picture, labels, pieces, levels(picture), (512, 512), np.random.default_rng(5))
    assert not made.glows and len(made.parts.tissue) >= 3
    y, x = np.arange(512.0)[:, None], np.arange(512.0)[None]
    far = np.full((512, 512), np.inf)
    for name, quads in (("tissue", made.parts.tissue), ("magnet", made.parts.magnet)):
        for quad in quads:
            off = outside_px(quad, x, y)
            far = np.minimum(far, off)
            inside = made.picture[0][off < -3]
            # Gains of sections have an SD of .04.
            assert inside.mean() == pytest.approx(GREYS[name], rel=0.2), name
            assert inside.std() < 10
    bare = made.picture[0][far > 9]
    assert bare.mean() == pytest.approx(GREYS["wafer"], abs=2)
    # Blending keeps the spread of the wafer's texture.
    assert bare.std() == pytest.approx(5, rel=0.25)


def experiment():
    config = json.loads((Path(__file__).parent.parent / "configs" / "sections.json").read_text())
    config["network"] = {"kind": "strided_unet", "stem": 4, "widths": [6, 8, 10]}
    config["training"] |= {"steps": 2, "batch": 2, "crop": 128, "bf16": False}
    return ImageExperiment.from_dict(config)


def base(folder):
    """A network that has seen two steps."""
    rng = np.random.default_rng(1)
    parts = Parts(TISSUE[None] + 10, MAGNET[None] + 10)
    sampler = lambda _: (rng.normal(size=(2, 128, 128)).astype(np.float32), targets(parts, 128, 128))  # noqa: E731
    fit(experiment(), 2, OUTPUTS, sampler, loss, folder / "network.pt")
    return folder


def options(folder, **changed):
    values = {
        "picture": folder / "grey.png", "fluorescence": None, "labels": folder / "few.json", "scale": 1, "base": folder / "base",
        "data": folder / "wafers", "out": folder / "out", "steps": 3, "rate": 1e-3, "pictures": 2, "wafers": 1, "learned": [],
        "check": None, "show": None,
    }  # fmt: skip
    return argparse.Namespace(**(values | changed))


def test_what_is_asked_for_learns_and_runs_go_on(tmp_path):
    picture, truth = wafer()
    Image.fromarray(picture[0]).save(tmp_path / "grey.png")
    (tmp_path / "few.json").write_text(json.dumps(sections_json(some(truth, [0, 2, 4, 6, 8]))))
    base(tmp_path / "base")
    outlines(tmp_path / "wafers")
    learned = ("head", "decoders.1")
    adapt(options(tmp_path, learned=list(learned)))
    before, after = (torch.load(tmp_path / run / "network.pt", weights_only=True) for run in ("base", "out"))
    for name, weights in after["mean"].items():
        is_same = torch.equal(weights, before["mean"][name])
        assert is_same != name.startswith(learned), name
    assert after["state"]["step"] == 3
    # `ship-wafers` takes it as any other run.
    assert ImageExperiment.read(tmp_path / "out" / "config.json").to_dict() == after["experiment"]
    # Begun again it is finished already; on other labels it is another run.
    adapt(options(tmp_path, learned=list(learned)))
    again = torch.load(tmp_path / "out" / "network.pt", weights_only=True)
    assert all(torch.equal(weights, again["mean"][name]) for name, weights in after["mean"].items())
    (tmp_path / "few.json").write_text(json.dumps(sections_json(some(truth, [1, 2, 3, 5, 7]))))
    with pytest.raises(ValueError, match="found one on others"):
        adapt(options(tmp_path))


def test_inputs_that_do_not_fit_are_refused(tmp_path):
    picture, truth = wafer()
    Image.fromarray(picture[0]).save(tmp_path / "grey.png")
    base(tmp_path / "base")
    few = tmp_path / "few.json"
    few.write_text(json.dumps(sections_json(some(truth, [0, 1]))))
    with pytest.raises(ValueError, match="3 sections or more, found 2"):
        adapt(options(tmp_path))
    few.write_text(json.dumps(sections_json(Parts(truth.tissue * 2, truth.magnet * 2))))
    with pytest.raises(ValueError, match="within 680 x 680"):
        adapt(options(tmp_path))
    Image.fromarray(np.zeros((9, 9, 3), np.uint8)).save(tmp_path / "colour.png")
    with pytest.raises(ValueError, match="colour.png.*R.G.B"):
        read_picture(tmp_path / "colour.png", None)
    Image.fromarray(picture[0][:100]).save(tmp_path / "other.png")
    with pytest.raises(ValueError, match="other.png: expected .680, 680. pixels"):
        read_picture(tmp_path / "grey.png", tmp_path / "other.png")
