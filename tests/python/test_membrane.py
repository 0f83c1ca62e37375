"""`brainmesh segment membrane` as other programs write its inputs and read its results, and its cells against SciPy's."""

import subprocess
from pathlib import Path

import numpy as np
import pytest

tifffile = pytest.importorskip("tifffile")

MODEL = Path(__file__).resolve().parents[2] / "segmentation/tests/data/made-membrane"
SHAPE = (3, 27, 42)


@pytest.fixture
def stack():
    """Bytes of another brightness in every page: page, row, column."""
    values = np.random.default_rng(7).integers(0, 180, SHAPE)
    return (values + 30 * np.arange(3)[:, None, None]).astype(np.uint8)


def answer(stack):
    """What the network of `make_membrane.py` gives, averaged over four mirror images."""
    z = stack.astype(float) - stack.mean(axis=(1, 2), keepdims=True)
    z /= stack.std(axis=(1, 2), keepdims=True) + 1e-6
    around = np.pad(z, ((0, 0), (1, 1), (1, 1)))
    sides = [around[:, 1:-1, :-2], around[:, 1:-1, 2:]]
    ends = [around[:, :-2, 1:-1], around[:, 2:, 1:-1]]
    return np.mean([1 / (1 + np.exp(-4 * z - 2 * side - end)) for side in sides for end in ends], axis=0)


def run(brainmesh, path, out, *options):
    return brainmesh("segment", "membrane", path, "-o", out, "--model", MODEL, "--device", "builtin", *options)


@pytest.mark.parametrize("written", ["plain", "imagej slices", "imagej frames", "deflate", "tiles", "big", "words"])
def test_stacks_of_tifffile_come_back_page_by_page(brainmesh, tmp_path, stack, written):
    options = {
        "plain": {"photometric": "minisblack"},
        "imagej slices": {"imagej": True, "metadata": {"axes": "ZYX"}},
        "imagej frames": {"imagej": True, "metadata": {"axes": "TYX"}},
        "deflate": {"photometric": "minisblack", "compression": "zlib", "predictor": True},
        "tiles": {"photometric": "minisblack", "tile": (16, 32)},
        "big": {"photometric": "minisblack", "bigtiff": True, "byteorder": ">"},
        "words": {"photometric": "minisblack"},
    }
    values = stack if written != "words" else stack.astype(np.uint16) * 257
    source, out = tmp_path / "stack.tif", tmp_path / "prob.tif"
    tifffile.imwrite(source, values, **options[written])
    run(brainmesh, source, out)
    with tifffile.TiffFile(out) as found:
        assert len(found.pages) == len(stack)
        pages = np.stack([page.asarray() for page in found.pages])
    assert pages.dtype == np.float32
    assert np.abs(pages - answer(stack)).max() < 1e-5


def test_pictures_of_pillow_come_back_in_the_order_of_their_numbers(brainmesh, tmp_path, stack):
    image = pytest.importorskip("PIL.Image")
    folder, out = tmp_path / "pages", tmp_path / "prob.tif"
    folder.mkdir()
    for number, page in zip((9, 10, 25), stack, strict=True):
        image.fromarray(page).save(folder / f"{number}.png")
    run(brainmesh, folder, out)
    assert np.abs(tifffile.imread(out) - answer(stack)).max() < 1e-5
    run(brainmesh, folder / "10.png", out, "--force")
    read = np.asarray(image.open(out))
    assert read.dtype == np.float32 and np.abs(read - answer(stack)[1]).max() < 1e-5


def test_cells_are_parts_of_the_interior_as_scipy_finds_them(brainmesh, tmp_path):
    ndimage = pytest.importorskip("scipy.ndimage")
    # Smooth patches, large enough that eroding one pixel leaves something of most.
    noise = np.random.default_rng(5).normal(size=(2, 96, 128))
    smooth = ndimage.gaussian_filter(noise, (0, 4, 4))
    source, out, cells = tmp_path / "in.tif", tmp_path / "prob.tif", tmp_path / "cells.tif"
    tifffile.imwrite(source, ((smooth - smooth.min()) * 2e4).astype(np.uint16), photometric="minisblack")
    run(brainmesh, source, out, f"--instances={cells}", "--keep-borders")
    probability, labels = tifffile.imread(out), tifffile.imread(cells)
    assert labels.dtype == np.uint16
    inside = probability > 0.5
    assert np.array_equal(labels > 0, inside)
    for page, found in zip(inside, labels, strict=True):
        core = ndimage.binary_erosion(page, border_value=1)
        wholes, count = ndimage.label(page)
        lost = [n for n in range(1, count + 1) if not core[wholes == n].any()]
        seeds, expected = ndimage.label(core | np.isin(wholes, lost))
        assert len(np.unique(found[found > 0])) == expected
        # Every seed is one cell, every cell holds one seed and hangs together.
        pairs = {(seed, cell) for seed, cell in zip(seeds.flat, found.flat, strict=True) if seed}
        assert len(pairs) == len({cell for _, cell in pairs}) == expected
        assert all(ndimage.label(found == cell)[1] == 1 for _, cell in pairs)
    assert not set(labels[0].flat) & set(labels[1].flat) - {0}


def test_colour_is_refused(programs, tmp_path):
    values = np.random.default_rng(1).integers(0, 255, (40, 48, 3)).astype(np.uint8)
    tifffile.imwrite(tmp_path / "colour.tif", values, photometric="rgb")
    command = [programs / "brainmesh", "segment", "membrane", tmp_path / "colour.tif", "-o", tmp_path / "out.tif"]
    done = subprocess.run([*command, "--model", MODEL], capture_output=True, text=True)
    assert done.returncode == 3 and "colour picture" in done.stderr
    assert not (tmp_path / "out.tif").exists()
