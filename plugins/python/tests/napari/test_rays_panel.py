"""The panel "Rays to layers", pressed as a user presses it."""

import threading
import time

import brainmesh
import numpy as np
import pytest
from napari.utils.notifications import notification_manager
from qtpy.QtCore import Qt

from brainmesh.napari import _to_layers
from brainmesh.napari._contours import SliceContours

RESULT_S = 120_000


def press(qtbot, button):
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def run(qtbot, panel):
    press(qtbot, panel.run_button)
    qtbot.waitUntil(lambda: panel.job is None, timeout=RESULT_S)


def no_thread_of_ours():
    return not any(thread.name == "brainmesh" for thread in threading.enumerate())


def test_layers_appear_and_are_those_of_the_command_line(opened, cortex, tmp_path, qtbot):
    viewer, panel = opened
    assert (panel.image.value().name, panel.pial.value().name, panel.white.value().name) == ("volume", "pial", "white")
    seen = []
    original = panel.progressed
    panel.progressed = lambda stage, done, total: (seen.append((stage, done, total)), original(stage, done, total))
    run(qtbot, panel)
    names = [layer.name for layer in viewer.layers]
    assert [name for name in names if name.startswith("layer ")][:7] == [layer.name for layer in panel.layers]
    assert len(panel.layers) == 7 and "layer contours" in names
    # each in a colour of its own
    assert len({tuple(layer.colormap.colors[0]) for layer in panel.layers}) == 7
    assert "defects" in panel.message.text() or "rays" in panel.message.text()
    assert "checked" in panel.message.text()
    assert seen and all(0 <= done <= total for _, done, total in seen if total)
    assert no_thread_of_ours()

    panel.save(str(tmp_path / "napari"))
    qtbot.waitUntil(lambda: panel.job is None, timeout=RESULT_S)
    inputs = {"--pial": "pial.surf.gii", "--white": "white.surf.gii", "--volume": "volume.nii.gz"}
    arguments = ["rays2surface", "--out", str(tmp_path / "cli")]
    for option, name in inputs.items():
        arguments += [option, str(cortex / name)]
    assert brainmesh.main(arguments) == 0
    ours = {path.name: path.read_bytes() for path in (tmp_path / "napari").iterdir() if path.suffix == ".gii"}
    theirs = {path.name: path.read_bytes() for path in (tmp_path / "cli").iterdir() if path.suffix == ".gii"}
    assert len(theirs) == 10 and ours == theirs

    # a layer saved by napari's own menu is the same surface
    for k, layer in enumerate(panel.layers):
        layer.save(str(tmp_path / f"{k}.surf.gii"), plugin="brainmesh")
        saved, written = (brainmesh.read_surface(p) for p in (tmp_path / f"{k}.surf.gii", tmp_path / "cli" / f"layer{k}.surf.gii"))
        assert (saved.vertices == written.vertices).all() and (saved.triangles == written.triangles).all()

    # the folder opens as the same seven layers
    viewer.layers.clear()
    layers = viewer.open(tmp_path / "cli", plugin="brainmesh")
    assert len(layers) == 7
    assert panel.map.count() > 8


def test_maps_can_be_chosen(opened, qtbot):
    viewer, panel = opened
    run(qtbot, panel)
    result, before = panel.result, [layer.data[0] for layer in panel.layers]
    names = [panel.map.itemText(i) for i in range(panel.map.count())]
    assert names[:2] == ["layer colours", "thickness_total_mm"] and names[-2:] == ["uncertainty_mm", "defects"]
    panel.map.setCurrentText("thickness_III_mm")
    panel.map.activated.emit(panel.map.currentIndex())
    expected = result.thickness_mm[:, 3]
    for layer in panel.layers:
        finite = np.isfinite(expected)
        assert np.allclose(layer.data[2][finite], expected[finite])
        assert (layer.data[2][~finite] < np.nanmin(expected)).all()
    panel.map.setCurrentText("uncertainty_mm")
    panel.map.activated.emit(panel.map.currentIndex())
    finite = np.isfinite(result.uncertainty_mm)
    for k, layer in enumerate(panel.layers):
        assert np.allclose(layer.data[2][finite[:, k]], result.uncertainty_mm[finite[:, k], k])
    panel.map.setCurrentText("layer colours")
    panel.map.activated.emit(panel.map.currentIndex())
    assert len({tuple(layer.colormap.colors[0]) for layer in panel.layers}) == 7
    assert all((layer.data[0] == vertices).all() for layer, vertices in zip(panel.layers, before, strict=True))


def test_cancel_stops_within_half_a_second(opened, qtbot):
    viewer, panel = opened
    layers = len(viewer.layers)
    for wait in (0.05, 0.3, 1.0):
        press(qtbot, panel.run_button)
        qtbot.wait(int(1000 * wait))
        if panel.job is None:
            pytest.skip("this machine is done before it can be cancelled")
        start = time.perf_counter()
        press(qtbot, panel.cancel_button)
        qtbot.waitUntil(lambda: panel.job is None, timeout=5000)
        assert time.perf_counter() - start < 0.5
        assert "Cancelled" in panel.message.text() and panel.run_button.isEnabled()
        assert len(viewer.layers) == layers and no_thread_of_ours()


def test_errors_are_notifications(opened, qtbot, tmp_path, monkeypatch):
    viewer, panel = opened
    notification_manager.records.clear()
    path = tmp_path / "no.surf.gii"
    path.write_text("not a surface")
    panel.pial.add_path(str(path))
    run(qtbot, panel)
    assert any("no.surf.gii" in str(record.message) for record in notification_manager.records)
    assert "no.surf.gii" in panel.message.text()
    # surfaces that do not belong together, and nothing chosen
    panel.pial.choose(viewer.layers["pial"])
    panel.white.choose(viewer.layers["pial"])
    run(qtbot, panel)
    assert "same layer" in panel.message.text()
    viewer.layers["white"].data = (viewer.layers["white"].data[0][:-1], viewer.layers["white"].data[1][:10])
    panel.white.choose(viewer.layers["white"])
    run(qtbot, panel)
    assert panel.message.text() and panel.run_button.isEnabled() and panel.result is None
    panel.device.setEditText("cuda:77")
    run(qtbot, panel)
    assert panel.message.text() and no_thread_of_ours()
    viewer.layers.clear()
    panel.pial.choose(None)
    run(qtbot, panel)
    assert "Choose" in panel.message.text()
    assert len(notification_manager.records) >= 5


def test_contours_follow_the_slice(opened, qtbot):
    viewer, panel = opened
    run(qtbot, panel)
    image = viewer.layers["volume"]
    lines = viewer.layers["layer contours"]
    for order in ((0, 1, 2), (1, 0, 2), (2, 0, 1)):
        viewer.dims.order = order
        axis = order[0]
        for share in (0.4, 0.6):
            viewer.dims.set_current_step(axis, int(viewer.dims.nsteps[axis] * share))
            index = round(image.world_to_data(viewer.dims.point)[axis])
            qtbot.waitUntil(lambda axis=axis, index=index: len(lines.data) and (lines.data[:, 0, axis] == index).all(), timeout=5000)
            # lines lie on the surfaces: points of the plane at the same place as the boundary's own vertices there
            ends = np.array([lines.data_to_world(p) for p in lines.data[:50, 0]])
            everywhere = np.concatenate([surface.vertices for surface in panel.result.surfaces])
            gap = np.linalg.norm(ends[:, None] - everywhere[None], axis=2).min(axis=1)
            assert gap.max() < 1.0  # edges are 0.4 mm long
            assert not any(layer.visible for layer in panel.layers)
    viewer.dims.ndisplay = 3
    qtbot.waitUntil(lambda: not len(lines.data), timeout=5000)
    assert all(layer.visible for layer in panel.layers)
    panel.lines.setChecked(False)
    assert "layer contours" not in viewer.layers


@pytest.mark.filterwarnings("ignore:Non-orthogonal slicing")
def test_contours_on_an_oblique_image_lie_on_the_surface(viewer, qtbot):
    """A sphere: every point of a line is its radius away from its centre, and in the plane of the voxels shown."""
    made = brainmesh.phantom(shape="sphere", extent_mm=8, spacing_mm=0.4, edge_mm=0.4)
    radius = np.linalg.norm(made.pial.vertices, axis=1)
    a = np.deg2rad(20)
    matrix = np.array([[np.cos(a), -np.sin(a), 0, -3], [np.sin(a), np.cos(a), 0.1, -4], [0, 0, 0.5, -5], [0, 0, 0, 1]])
    data, meta, _ = _to_layers.image_layer(np.zeros((8, 9, 20), np.float32), matrix, "oblique", (0, 1))
    image = viewer.add_image(data, **meta)
    contours = SliceContours(viewer, [made.pial], [], [(1, 0, 0, 1)], image)
    for axis, order in ((0, (0, 1, 2)), (2, (2, 0, 1))):
        viewer.dims.order = order
        viewer.dims.set_current_step(axis, viewer.dims.nsteps[axis] // 2)
        contours.update()
        assert len(contours.layer.data) > 10
        for start, step in contours.layer.data:
            world = [np.array(image.data_to_world(p)) for p in (start, start + step)]
            assert all(radius.min() - 0.05 < np.linalg.norm(p) < radius.max() + 0.05 for p in world)
            assert start[axis] == round(start[axis]) and step[axis] == 0
    contours.close()
    assert "layer contours" not in viewer.layers


def test_profiles_from_a_file(opened, cortex, tmp_path, qtbot):
    """No image: contours in the axes of the world."""
    viewer, panel = opened
    vertices = len(viewer.layers["pial"].data[0])
    depths = np.linspace(0, 1, 50)
    dark = 200 - 80 * np.exp(-(((depths - 0.45) / 0.1) ** 2)) - 50 * np.exp(-(((depths - 0.75) / 0.12) ** 2))
    np.save(tmp_path / "profiles.npy", np.tile(dark, (vertices, 1)).astype(np.float32))
    assert not panel.span.isVisibleTo(panel)
    panel.image.add_path(str(tmp_path / "profiles.npy"))
    assert panel.span.isVisibleTo(panel)
    viewer.layers.remove("volume")
    run(qtbot, panel)
    assert panel.result is not None, panel.message.text()
    # the outermost boundaries are the given surfaces
    assert np.allclose(panel.layers[0].data[0], viewer.layers["pial"].data[0], atol=1e-3)
    viewer.dims.set_current_step(0, viewer.dims.nsteps[0] // 2)
    qtbot.waitUntil(lambda: len(viewer.layers["layer contours"].data) > 0, timeout=5000)


def test_closing_the_dock_stops_the_call(opened, qtbot):
    viewer, panel = opened
    press(qtbot, panel.run_button)
    qtbot.wait(300)
    viewer.window.remove_dock_widget(panel)
    qtbot.waitUntil(no_thread_of_ours, timeout=2000)


def test_closing_the_viewer_stops_the_call(opened, qtbot):
    viewer, panel = opened
    press(qtbot, panel.run_button)
    qtbot.wait(300)
    viewer.close()
    end = time.perf_counter() + 2
    while not no_thread_of_ours() and time.perf_counter() < end:
        time.sleep(0.01)  # no events are handled any more
    assert no_thread_of_ours()
