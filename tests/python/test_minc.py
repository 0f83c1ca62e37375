"""MINC files as nibabel and minc-tools read them: nibabel's own ones, and those that brainmesh writes."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import nibabel
import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]
REAL = sorted((Path(nibabel.__file__).parent / "tests" / "data").glob("*.mnc"))
# Dimensions whose length contradicts the image; minc-tools do not open it either.
DAMAGED = {"minc2_baddim.mnc"}
# Voxels of nibabel's arrays, the axes of space in the order of the file; brainmesh puts the fastest first.
AXES_TO_WORLD = [2, 1, 0, 3]


def run(*arguments):
    command = ["cargo", "run", "--release", "--quiet", "-p", "brainmesh-formats", "--example", "minc_files", "--"]
    if program := os.environ.get("BRAINMESH_MINC_FILES"):
        command = [program]
    return subprocess.run([*command, *map(str, arguments)], cwd=ROOT, check=True, capture_output=True, text=True).stdout


@pytest.fixture(scope="module")
def read(tmp_path_factory):
    """(info, volumes) of each of nibabel's files."""
    folder = tmp_path_factory.mktemp("read")
    infos = [json.loads(line) for line in run("read", folder, *REAL).splitlines()]
    assert len(infos) == len(REAL)
    return {path.name: (info, folder / f"{n}.bin") for n, (path, info) in enumerate(zip(REAL, infos))}


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """MINC2 of every type, by its name."""
    folder = tmp_path_factory.mktemp("written")
    run("write", folder)
    return {path.stem: path for path in sorted(folder.glob("*.mnc"))}


def assert_same(image, info, values, name):
    expected = np.asarray(image.dataobj, dtype=np.float64)
    found = values.reshape(expected.shape)
    if np.issubdtype(image.get_data_dtype(), np.floating):
        np.testing.assert_array_max_ulp(found.astype("f4"), expected.astype("f4"), maxulp=1)
    else:
        assert np.array_equal(found, expected), name
    affine = np.array(info["world_from_voxel"])
    assert np.abs(affine - image.affine[:, AXES_TO_WORLD]).max() <= 1e-6, name
    assert info["stored"] == image.get_data_dtype().newbyteorder("=").name, name


@pytest.mark.parametrize("path", REAL, ids=lambda path: path.name)
def test_a_real_file_reads_as_nibabel_reads_it(read, path):
    info, values = read[path.name]
    if path.name in DAMAGED:
        assert "length" in info["error"]
        return
    image = nibabel.load(path)
    assert "error" not in info, info
    # Time comes first in all of them, as it does in the volumes one after the other.
    assert_same(image, info, np.fromfile(values, "<f8"), path.name)


def test_there_are_real_files():
    """The comparison above must not pass because it found nothing to compare."""
    assert len(REAL) >= 10


def expected_values(name, count):
    """What `minc_files write` stores."""
    n = np.arange(5850)[None] + np.arange(count)[:, None]
    return {
        "uint8": n % 256, "int8": n % 256 - 128, "uint16": n * 9, "int16": n * 9 - 32768, "uint32": n * 600_000,
        "int32": (n - 3000) * 300_000, "float32": n.astype("f4") / np.float32(7) - np.float32(100),
        "float64": n / 7 - 100,
    }[name]


TYPES = {"uint8": 1, "int8": 1, "uint16": 1, "int16": 3, "uint32": 1, "int32": 1, "float32": 1, "float64": 2}


@pytest.mark.parametrize("name", TYPES)
def test_nibabel_reads_what_is_written(written, name):
    image = nibabel.load(written[name])
    expected = expected_values(name, TYPES[name])
    found = np.asarray(image.dataobj).reshape(expected.shape)
    assert image.get_data_dtype() == name
    if name.startswith("float"):
        np.testing.assert_array_max_ulp(found, expected.astype(name), maxulp=1)
    else:
        assert np.array_equal(found, expected)
    affine = np.array([[0.3, 0.12, -0.9, 17.25], [-1.1, 0.25, 0.1, -30.5], [0.2, -2.0, 0.3, 4.75], [0, 0, 0, 1]])
    assert np.abs(image.affine[:, AXES_TO_WORLD] - affine).max() <= 1e-9


@pytest.mark.skipif(shutil.which("mincextract") is None, reason="needs minc-tools")
@pytest.mark.parametrize("name", TYPES)
def test_minc_tools_read_what_is_written(written, name):
    def tool(*arguments):
        return subprocess.run(list(map(str, arguments)), check=True, capture_output=True).stdout

    path = written[name]
    expected = expected_values(name, TYPES[name])
    found = np.frombuffer(tool("mincextract", "-double", path)).reshape(expected.shape)
    if name.startswith("float"):
        np.testing.assert_allclose(found, expected, rtol=1e-7)
    else:
        assert np.array_equal(found, expected)
    # i leads towards the back, j down, k to the left: yspace, zspace, xspace.
    lines = tool("mincinfo", path).decode().splitlines()
    lengths = {words[0]: int(words[1]) for words in map(str.split, lines) if len(words) == 4 and words[1].isdigit()}
    assert {axis: lengths[axis] for axis in ("xspace", "yspace", "zspace")} == {"xspace": 5, "yspace": 130, "zspace": 9}
    if TYPES[name] == 1:
        corner = np.array(tool("voxeltoworld", path, 1, 2, 3).split(), dtype=float)
        world = np.array([17.25, -30.5, 4.75]) + 3 * np.array([0.3, -1.1, 0.2])
        world += 2 * np.array([0.12, 0.25, -2.0]) + np.array([-0.9, 0.1, 0.3])
        assert np.abs(corner - world).max() < 1e-9
    low, high = map(float, tool("mincstats", "-quiet", "-min", "-max", path).split())
    assert np.allclose([low, high], [expected.min(), expected.max()], rtol=1e-6)
