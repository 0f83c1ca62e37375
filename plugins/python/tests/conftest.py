"""A small made cortex, as values and as the files that the command line reads."""

import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import brainmesh
import pytest

#: Takes seconds: 10,242 vertices and 110^3 voxels.
SPHERE = {"shape": "sphere", "extent_mm": 8.0, "spacing_mm": 0.2, "edge_mm": 1.0}


def command(*words, program=(sys.executable, "-m", "brainmesh")):
    """Runs the command line that ships with the package, or another program."""
    return subprocess.run([*program, *map(str, words)], capture_output=True, text=True)


def programs():
    """The package's own command line, and the binary that BRAINMESH_PROGRAM names."""
    binary = os.environ.get("BRAINMESH_PROGRAM")
    return [(sys.executable, "-m", "brainmesh"), *([(binary,)] if binary else [])]


@pytest.fixture(scope="session")
def made():
    return brainmesh.phantom(**SPHERE)


@pytest.fixture(scope="session")
def files(tmp_path_factory):
    folder: Path = tmp_path_factory.mktemp("phantom") / "made"
    options = [f"--{name.replace('_', '-')}={value}" for name, value in SPHERE.items()]
    done = command("phantom", *options, "--out", folder)
    assert done.returncode == 0, done.stderr
    names = {"pial": "pial.surf.gii", "white": "white.surf.gii", "volume": "volume.nii.gz"}
    return SimpleNamespace(folder=folder, **{name: folder / file for name, file in names.items()})


@pytest.fixture(scope="session")
def result(made):
    return brainmesh.rays2surface(made.pial, made.white, made.volume)
