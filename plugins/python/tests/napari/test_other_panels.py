"""Sample data, "Segment with model", "Labels to surface", and what the manifest says."""

import subprocess
import sys

import nibabel
import numpy as np
import pytest
from conftest import ROOT
from qtpy.QtCore import Qt


def run(qtbot, panel):
    qtbot.mouseClick(panel.run_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: panel.job is None, timeout=20_000)


def test_the_manifest_is_valid():
    done = subprocess.run([sys.executable, "-m", "npe2", "validate", "brainmesh"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_importing_the_plugin_needs_neither_qt_nor_napari():
    code = "import sys, brainmesh.napari; print([m for m in ('napari', 'qtpy', 'vispy', 'dask', 'scipy') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"


def test_the_sample_is_ready_to_run(viewer):
    layers = viewer.open_sample("brainmesh", "phantom")
    assert [type(layer).__name__ for layer in layers] == ["Image", "Surface", "Surface"]
    image, pial, white = layers
    # the surfaces lie inside the image
    for surface in (pial, white):
        inside = image.world_to_data(surface.data[0].mean(axis=0))
        assert all(0 < value < n for value, n in zip(inside, image.data.shape, strict=True))
    _, panel = viewer.window.add_plugin_dock_widget("brainmesh", "Rays to layers")
    assert (panel.image.value(), panel.pial.value(), panel.white.value()) == (image, pial, white)


def test_a_ball_of_labels_becomes_a_ball(viewer, qtbot, tmp_path):
    radius, center, spacing = 6.0, np.array([1.0, -2.0, 3.0]), 0.5
    matrix = np.array([[0, 0.5, 0, -9.0], [-0.5, 0, 0, 8.0], [0, 0, 0.5, -7.0], [0, 0, 0, 1]])
    i, j, k = np.indices((40, 40, 40))
    world = np.einsum("ab,bijk->aijk", matrix, np.stack([i, j, k, np.ones_like(i)]))[:3]
    ball = (np.linalg.norm(world - center[:, None, None, None], axis=0) < radius).astype(np.uint8) * 3
    nibabel.save(nibabel.Nifti1Image(ball, matrix), tmp_path / "ball_seg.nii.gz")
    [labels] = viewer.open(tmp_path / "ball_seg.nii.gz", plugin="brainmesh")
    _, panel = viewer.window.add_plugin_dock_widget("brainmesh", "Labels to surface")
    run(qtbot, panel)
    surface = viewer.layers[-1]
    assert type(surface).__name__ == "Surface", panel.message.text()
    distance = np.linalg.norm(surface.data[0] - center, axis=1)
    assert abs(distance.mean() - radius) < spacing / 2 and distance.max() < radius + 2 * spacing
    corners = surface.data[0][surface.data[1]] - center
    volume = np.einsum("ij,ij->i", corners[:, 0], np.cross(corners[:, 1], corners[:, 2])).sum() / 6
    assert volume == pytest.approx(4 / 3 * np.pi * radius**3, rel=0.05)  # outward, so positive
    panel.labels.setText("one")
    run(qtbot, panel)
    assert "whole numbers" in panel.message.text()


def test_an_image_becomes_a_surface_at_a_value(viewer, qtbot):
    i, j, k = np.indices((30, 30, 30)) - 14.5
    viewer.add_image(20 - np.sqrt(i**2 + j**2 + k**2).astype(np.float32), scale=(0.5, 0.5, 0.5), units=("mm",) * 3)
    _, panel = viewer.window.add_plugin_dock_widget("brainmesh", "Labels to surface")
    panel.value.setValue(10.0)
    run(qtbot, panel)
    distance = np.linalg.norm(viewer.layers[-1].data[0] - 14.5 * 0.5, axis=1)
    assert np.abs(distance - 5.0).max() < 0.1


def test_microns_are_not_millimetres(viewer, qtbot):
    """A layer in micrometres from another reader."""
    from brainmesh.napari import _from_layers

    layer = viewer.add_image(np.zeros((4, 5, 6), np.float32), scale=(20, 30, 40), units=("um",) * 3)
    assert np.allclose(_from_layers.volume(layer).spacing_mm, (0.02, 0.03, 0.04))


def test_segmenting_without_a_model_says_what_to_do(viewer, qtbot):
    viewer.add_image(np.zeros((4, 5, 6), np.float32))
    _, panel = viewer.window.add_plugin_dock_widget("brainmesh", "Segment with model")
    panel.model.setCurrentIndex(-1)
    run(qtbot, panel)
    assert "Choose a model" in panel.message.text()
    panel.model.add_path("/nowhere/at/all")
    run(qtbot, panel)
    assert "nowhere" in panel.message.text() and panel.run_button.isEnabled()


@pytest.mark.parametrize("ndim", [2, 3])
def test_a_segmentation_lies_on_its_image(viewer, qtbot, ndim):
    """A model whose answer is known: 1 where the intensity is above one half."""
    data = np.random.default_rng(3).random((21, 18, 5)[:ndim]).astype(np.float32)
    image = viewer.add_image(data, scale=(0.5, 2.0, 3.0)[:ndim], translate=(1.0, 2.0, 3.0)[:ndim], units=("mm",) * ndim)
    _, panel = viewer.window.add_plugin_dock_widget("brainmesh", "Segment with model")
    panel.model.add_path(str(ROOT / "segmentation/tests/data/above-half"))
    panel.device.setEditText("builtin")
    run(qtbot, panel)
    labels = viewer.layers[-1]
    assert type(labels).__name__ == "Labels", panel.message.text()
    for index in ((0, 0, 0), (20, 17, 4), (3, 11, 2)):
        place = labels.world_to_data(image.data_to_world(index[:ndim]))
        assert labels.data[tuple(np.rint(place).astype(int))] == (data[index[:ndim]] > 0.5)
    assert labels.data.sum() == (data > 0.5).sum()


def test_large_surfaces_are_drawn_with_fewer_triangles_while_they_turn(make_napari_viewer, qtbot, monkeypatch):
    """Their layers keep every vertex, and drawings are whole again at rest."""
    import brainmesh
    from brainmesh.napari import _detail

    monkeypatch.setattr(_detail, "LIMIT", 5000)
    monkeypatch.setattr(_detail, "DRAWN", 2000)
    made = brainmesh.phantom(shape="sphere", extent_mm=8, spacing_mm=0.4, edge_mm=0.15)
    viewer = make_napari_viewer(show=True, ndisplay=3)
    values = made.pial.vertices[:, 0].astype(np.float32)
    layer = viewer.add_surface((made.pial.vertices, made.pial.triangles, values))
    count = len(made.pial.vertices)
    assert count > 5000
    detail = _detail.fast_rotation(viewer)
    assert _detail.fast_rotation(viewer) is detail
    qtbot.waitUntil(lambda: layer in detail.coarse, timeout=20_000)
    coarse = detail.coarse[layer]
    assert 1000 < len(coarse.vertices) < 3000
    # values come from the nearest vertex of the whole surface
    assert np.abs(values[coarse.nearest] - coarse.vertices[:, 0]).max() < 0.4
    node = viewer.window._qt_viewer.canvas.layer_to_visual[layer].node
    viewer.scene.camera.angles = (10, 20, 30)
    assert coarse.mesh.visible and not node.visible
    assert len(layer.data[0]) == count and layer.visible
    qtbot.waitUntil(lambda: node.visible, timeout=3000)
    assert not coarse.mesh.visible
    layer.visible = False
    viewer.scene.camera.angles = (0, 20, 30)
    assert not coarse.mesh.visible and not node.visible
    viewer.layers.clear()
    assert not detail.coarse
