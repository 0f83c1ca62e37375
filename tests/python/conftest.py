"""The program under test, built once, and a phantom it made."""

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def programs():
    """The folder of the release programs: that of BRAINMESH_PROGRAM, which is up to date, else built."""
    if given := os.environ.get("BRAINMESH_PROGRAM"):
        return Path(given).parent
    build = ["cargo", "build", "--release", "--locked", "--quiet", "-p", "brainmesh-cli", "--bins"]
    subprocess.run(build, cwd=ROOT, check=True)
    return Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "release"


@pytest.fixture(scope="session")
def brainmesh(programs):
    """Runs the release binary; fails the test with its message when it fails."""

    def run(*arguments):
        command = [programs / "brainmesh", *map(str, arguments)]
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


@pytest.fixture(scope="session")
def sphere(brainmesh, tmp_path_factory):
    """A concentric-sphere phantom with its layers found."""
    folder = tmp_path_factory.mktemp("sphere")
    brainmesh("phantom", "--shape", "sphere", "--spacing-mm", 0.2, "--artefacts", "none", "--out", folder)
    brainmesh(*rays2surface(folder), "--out", folder / "layers", "--format", "vtp,ply,freesurfer")
    return folder


def rays2surface(folder):
    """The main command on a phantom's files, without --out."""
    files = {"--pial": "pial.surf.gii", "--white": "white.surf.gii", "--volume": "volume.nii.gz"}
    return ["rays2surface", *(word for option, name in files.items() for word in (option, folder / name))]
