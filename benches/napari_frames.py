"""Frame times of napari with a result of a million vertices, whole and while it turns, and how fast Cancel is.

    xvfb-run -s "-screen 0 1600x1000x24" python benches/napari_frames.py [SURFACES]     (napari with a Qt binding, brainmesh)
"""

import sys
import threading
import time

import brainmesh
import napari
import numpy as np
from brainmesh.napari._detail import fast_rotation
from qtpy.QtWidgets import QApplication

VERTICES = 1_000_000


def ball(vertices, radius):
    """A bumpy sphere of rows of rectangles, each cut in two."""
    rows = int(np.sqrt(vertices / 2))
    theta, phi = np.meshgrid(np.linspace(0.01, np.pi - 0.01, rows), np.linspace(0, 2 * np.pi, 2 * rows, endpoint=False), indexing="ij")
    r = radius + 2 * np.sin(9 * theta) * np.sin(8 * phi)
    points = np.stack([r * np.sin(theta) * np.cos(phi), r * np.sin(theta) * np.sin(phi), r * np.cos(theta)], axis=-1).reshape(-1, 3)
    row, column = np.arange(rows - 1)[:, None] * 2 * rows, np.arange(2 * rows)
    a, b = row + column, row + (column + 1) % (2 * rows)
    return points, np.concatenate([np.stack(t, axis=-1).reshape(-1, 3) for t in ((a, a + 2 * rows, b), (b, a + 2 * rows, b + 2 * rows))])


def median_frame(viewer, app, scene):
    """Seconds from a turn of the camera to the end of its drawing; the first three are left out."""
    drawn, times = [], []
    listener = lambda event: drawn.append(time.perf_counter())
    scene.events.draw.connect(listener, position="last")
    for turn in range(15):
        drawn.clear()
        start = time.perf_counter()
        viewer.scene.camera.angles = (4 * turn + 1, 20, 40)
        while not drawn:
            app.processEvents()
        times.append(drawn[-1] - start)
    scene.events.draw.disconnect(listener)
    return float(np.median(times[3:]))


def cancel_latency(made):
    """Seconds from the flag to the end of the call, at ten moments."""
    times = []
    for moment in np.linspace(0.05, 1.2, 10):
        flag, end = threading.Event(), []

        def call(flag=flag, end=end):
            try:
                brainmesh.rays2surface(made.pial, made.white, made.volume, cancel=flag)
            except brainmesh.Cancelled:
                end.append(time.perf_counter())

        thread = threading.Thread(target=call)
        thread.start()
        time.sleep(moment)
        start = time.perf_counter()
        flag.set()
        thread.join()
        times += [t - start for t in end]
    return max(times), len(times)


surfaces = int(sys.argv[1]) if len(sys.argv) > 1 else 1
viewer = napari.Viewer(ndisplay=3)
app = QApplication.instance()
viewer.window.resize(1500, 950)
for n in range(surfaces):
    points, triangles = ball(VERTICES // surfaces, 30 - n)
    viewer.add_surface((points, triangles, points[:, 0].astype(np.float32)), shading="smooth")
scene = viewer.window._qt_viewer.canvas._scene_canvas
print(f"{surfaces} surfaces, {sum(len(layer.data[0]) for layer in viewer.layers):,} vertices")
print(f"whole   {median_frame(viewer, app, scene):.3f} s a frame")
detail = fast_rotation(viewer)
start = time.perf_counter()
while detail.worker is not None:
    app.processEvents()
    time.sleep(0.01)
print(f"coarse surfaces made in the background in {time.perf_counter() - start:.1f} s")
print(f"turning {median_frame(viewer, app, scene):.3f} s a frame")
worst, cancelled = cancel_latency(brainmesh.phantom())
print(f"cancel  {worst:.3f} s at worst of {cancelled}")
viewer.close()
