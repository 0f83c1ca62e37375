"""A real window, a real mouse. Needs xdotool and a screen of its own (xvfb-run)."""

import os
import shutil
import subprocess

import pytest


@pytest.mark.skipif(
    shutil.which("xdotool") is None or os.environ.get("QT_QPA_PLATFORM") == "offscreen", reason="no xdotool or no screen"
)
def test_a_mouse_click_on_run_gives_layers(make_napari_viewer, cortex, qtbot):
    viewer = make_napari_viewer(show=True)
    for name in ("volume.nii.gz", "pial.surf.gii", "white.surf.gii"):
        viewer.open(cortex / name, plugin="brainmesh")
    _, panel = viewer.window.add_plugin_dock_widget("brainmesh", "Rays to layers")
    qtbot.waitExposed(panel)
    qtbot.wait(500)
    button = panel.run_button
    place = button.mapToGlobal(button.rect().center())
    subprocess.run(["xdotool", "mousemove", str(place.x()), str(place.y()), "click", "1"], check=True)
    qtbot.waitUntil(lambda: panel.result is not None, timeout=120_000)
    assert len(panel.layers) == 7
    # it is seen: contours are drawn in the slice
    qtbot.waitUntil(lambda: len(viewer.layers["layer contours"].data) > 0, timeout=5000)
    shot = viewer.screenshot(flash=False)[..., :3].astype(int)
    assert (shot.max(axis=-1) - shot.min(axis=-1) > 100).sum() > 100  # colours on a grey image
