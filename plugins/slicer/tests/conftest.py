"""The module on a bare MRML scene (PyPI `slicer-core`), and stand-ins for what only the application has."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import slicer
import slicer.util
import stubs
import vtk

PLUGIN = Path(__file__).resolve().parents[1]
ROOT = PLUGIN.parents[1]
MODULE = PLUGIN / "SlicerBrainmesh" / "BrainmeshRays"

stubs.install(MODULE)
sys.path.insert(0, str(MODULE))

from BrainmeshRaysLib import Choices, Program, finish, load_file, make_layers  # noqa: E402


@pytest.fixture(scope="session")
def executable():
    """The program under test: that of BRAINMESH_PROGRAM, else the release build, made up to date."""
    if given := os.environ.get("BRAINMESH_PROGRAM"):
        return Path(given)
    target = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    build = ["cargo", "build", "--release", "--locked", "--quiet", "-p", "brainmesh-cli", "--bin", "brainmesh"]
    subprocess.run(build, cwd=ROOT, check=True)
    return target / "release" / "brainmesh"


@pytest.fixture(scope="session")
def program(executable):
    return Program(executable)


@pytest.fixture(scope="session")
def brainmesh(executable):
    """Runs the program as a user of the command line does."""

    def run(*arguments):
        done = subprocess.run([executable, *map(str, arguments)], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


@pytest.fixture
def scene():
    """An empty scene with the node classes that the application registers."""
    scene = slicer.vtkMRMLScene()
    slicer.mrmlScene = scene
    # Their logics register their nodes, in the application as here.
    logics = [slicer.vtkSlicerColorLogic(), slicer.vtkSlicerSegmentationsModuleLogic(), slicer.vtkSlicerVolumesLogic()]
    for logic in logics:
        logic.SetMRMLScene(scene)
    yield scene
    for logic in logics:
        logic.SetMRMLScene(None)
    scene.Clear(True)


@pytest.fixture(scope="session")
def phantom(brainmesh, tmp_path_factory):
    """A small made cortex on disk."""
    folder = tmp_path_factory.mktemp("phantom")
    brainmesh("phantom", "--extent-mm", 10, "--spacing-mm", 0.2, "-o", folder)
    return folder


@pytest.fixture
def nodes(scene, phantom, program):
    """The made cortex as nodes: volume, pial, white."""
    return load_phantom(scene, phantom, program)


def load_phantom(scene, folder, program):
    surfaces = [finish(load_file(scene, folder / f"{name}.surf.gii", name, program)) for name in ("pial", "white")]
    volume = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "volume")
    storage = slicer.vtkMRMLVolumeArchetypeStorageNode()
    storage.SetFileName(str(folder / "volume.nii.gz"))
    assert storage.ReadData(volume)
    return volume, *surfaces


@pytest.fixture
def layers(scene, nodes, program):
    """A result, with segmentation."""
    volume, pial, white = nodes
    return finish(make_layers(scene, Choices(pial, white, volume, segmentation=True), program))


def world_from_voxel(volume):
    matrix = vtk.vtkMatrix4x4()
    volume.GetIJKToRASMatrix(matrix)
    return slicer.util.arrayFromVTKMatrix(matrix)


def points(model):
    return np.array(slicer.util.arrayFromModelPoints(model), np.float64)

