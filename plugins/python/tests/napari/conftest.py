"""A made cortex for all tests of the plugin. They need napari with a Qt binding, and a screen (xvfb-run)."""

from pathlib import Path

import pytest

pytest.importorskip("napari")
pytest.importorskip("qtpy.QtWidgets", exc_type=Exception)
brainmesh = pytest.importorskip("brainmesh")

ROOT = Path(__file__).resolve().parents[4]


@pytest.fixture(scope="session")
def cortex(tmp_path_factory):
    """Folder with volume.nii.gz, pial.surf.gii and white.surf.gii."""
    folder = tmp_path_factory.mktemp("cortex")
    made = brainmesh.phantom(shape="sphere", extent_mm=8, spacing_mm=0.2, edge_mm=0.4)
    made.volume.save(folder / "volume.nii.gz")
    made.pial.save(folder / "pial.surf.gii")
    made.white.save(folder / "white.surf.gii")
    return folder


@pytest.fixture
def viewer(make_napari_viewer):
    """A viewer that is closed, and looked over for what it left behind, at the end."""
    return make_napari_viewer()


@pytest.fixture
def opened(viewer, cortex):
    """A viewer with the cortex and the panel for layers."""
    viewer.open(cortex / "volume.nii.gz", plugin="brainmesh")
    viewer.open(cortex / "pial.surf.gii", plugin="brainmesh")
    viewer.open(cortex / "white.surf.gii", plugin="brainmesh")
    _, panel = viewer.window.add_plugin_dock_widget("brainmesh", "Rays to layers")
    return viewer, panel
