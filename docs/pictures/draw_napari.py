"""Draws napari.png: the panel "Rays to layers" after a mouse click on Run.

    xvfb-run -s "-screen 0 1600x1000x24" python docs/pictures/draw_napari.py

Needs napari with a Qt binding, xdotool and Pillow.
"""

import subprocess
import time
from pathlib import Path

import napari
import numpy as np
from PIL import Image
from qtpy.QtWidgets import QApplication

viewer = napari.Viewer()
app = QApplication.instance()


def until(ready, seconds=120):
    end = time.monotonic() + seconds
    while not ready() and time.monotonic() < end:
        app.processEvents()
        time.sleep(0.01)


def shot():
    end = time.monotonic() + 2
    until(lambda: time.monotonic() > end)
    return viewer.screenshot(canvas_only=False, flash=False)[..., :3]


viewer.window.resize(1300, 760)
viewer.open_sample("brainmesh", "phantom")
_, panel = viewer.window.add_plugin_dock_widget("brainmesh", "Rays to layers")
shot()
place = panel.run_button.mapToGlobal(panel.run_button.rect().center())
subprocess.run(["xdotool", "mousemove", str(place.x()), str(place.y()), "click", "1"], check=True)
until(lambda: panel.result is not None)
viewer.layers["phantom pial"].visible = viewer.layers["phantom white"].visible = False
viewer.dims.order = (1, 2, 0)
viewer.dims.current_step = tuple(n // 2 for n in viewer.dims.nsteps)
viewer.scene.camera.orientation2d = ("up", "right")
viewer.reset_view()
flat = shot()
viewer.dims.order = (0, 1, 2)
viewer.scene.camera.orientation2d = ("down", "right")
viewer.dims.ndisplay = 3
viewer.layers["phantom"].visible = False
panel.map.setCurrentText("thickness_total_mm")
panel.map.activated.emit(panel.map.currentIndex())
viewer.scene.camera.angles = (20, 120, 40)
viewer.reset_view(reset_camera_angle=False)
solid = shot()
Image.fromarray(np.concatenate([flat, solid])).save(Path(__file__).with_name("napari.png"), optimize=True)
viewer.close()
