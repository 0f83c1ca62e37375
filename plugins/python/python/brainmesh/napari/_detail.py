"""Fast rotation: while the camera moves, large surfaces are drawn with fewer triangles.

Layers are not touched, so nothing that reads them ever sees the coarse surface: it is a second drawing beside napari's own, and
one of the two is visible. napari has no public way to its drawings; where its inner names change, surfaces are simply
always drawn whole.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import suppress
from typing import Any
from weakref import WeakKeyDictionary, ref

import numpy as np

from ._contours import camera

#: Vertices of all visible surfaces above which fewer are drawn.
LIMIT = 300_000
#: Vertices then drawn, over all surfaces.
DRAWN = 60_000
#: Milliseconds without motion after which surfaces are whole again.
REST_MS = 300

_of_viewer: WeakKeyDictionary[Any, Detail] = WeakKeyDictionary()


def fast_rotation(viewer: Any) -> Detail:
    """The one of a viewer; made when first asked for."""
    if viewer not in _of_viewer:
        _of_viewer[viewer] = Detail(viewer)
    return _of_viewer[viewer]


class Detail:
    """Coarse drawings of a viewer's surfaces, made in the background, and when they are seen."""

    def __init__(self, viewer: Any) -> None:
        from qtpy.QtCore import QTimer

        self.viewer = ref(viewer)
        self.coarse: dict[Any, Coarse] = {}
        self.worker: Any = None
        self.rest = QTimer()
        self.rest.setSingleShot(True)
        self.rest.setInterval(REST_MS)
        self.rest.timeout.connect(self.rested)
        viewer.layers.events.inserted.connect(self.prepare)
        viewer.layers.events.removed.connect(self.removed)
        for name in ("angles", "center", "zoom"):
            getattr(camera(viewer).events, name).connect(self.moved)
        viewer.dims.events.ndisplay.connect(self.rested)
        self.prepare()

    def large(self) -> list[Any]:
        """Visible surfaces in space, if there are too many vertices to turn them."""
        viewer = self.viewer()
        layers = viewer.layers if viewer is not None else ()
        surfaces = [layer for layer in layers if type(layer).__name__ == "Surface" and layer.ndim == 3 and layer.visible]
        return surfaces if sum(len(layer.data[0]) for layer in surfaces) > LIMIT else []

    def prepare(self, event: Any = None) -> None:
        """Begins to make what is missing."""
        missing = [layer for layer in self.large() if layer not in self.coarse or not self.coarse[layer].fits(layer)]
        if not missing or self.worker is not None:
            return
        from napari.qt.threading import thread_worker

        share = DRAWN / sum(len(layer.data[0]) for layer in self.large())
        self.worker = thread_worker(thin, start_thread=False, ignore_errors=True)(missing, share)
        self.worker.yielded.connect(self.made)
        self.worker.finished.connect(self.finished)
        self.worker.start()

    def made(self, coarse: Coarse) -> None:
        """One is ready."""
        viewer = self.viewer()
        if viewer is not None and coarse.layer in viewer.layers and coarse.fits(coarse.layer):
            self.coarse[coarse.layer] = coarse

    def finished(self) -> None:
        """Layers may have come meanwhile."""
        failed = not any(layer in self.coarse for layer in self.large())
        self.worker = None
        if not failed:
            self.prepare()

    def removed(self, event: Any) -> None:
        """Forgets a layer."""
        coarse = self.coarse.pop(event.value, None)
        if coarse is not None:
            coarse.drop()

    def moved(self, event: Any = None) -> None:
        """The camera moves."""
        if not self.rest.isActive():
            layers = self.large()
            if not layers:
                return
            for layer in layers:
                if layer in self.coarse and self.coarse[layer].fits(layer):
                    # napari's inner names may change
                    with suppress(AttributeError, KeyError, TypeError):
                        canvas = self.viewer().window._qt_viewer.canvas
                        self.coarse[layer].show(canvas.layer_to_visual[layer].node)
            self.prepare()
        self.rest.start()

    def rested(self, event: Any = None) -> None:
        """The camera stands still, or shows slices."""
        self.rest.stop()
        for coarse in self.coarse.values():
            coarse.hide()


class Coarse:
    """A surface with fewer triangles, which of its vertices are nearest to those of the whole one, and its drawing."""

    def __init__(self, layer: Any, vertices: np.ndarray, triangles: np.ndarray, nearest: np.ndarray) -> None:
        self.layer, self.whole, self.vertices, self.triangles, self.nearest = layer, layer.data[0], vertices, triangles, nearest
        self.mesh: Any = None
        self.node: Any = None
        self.values: Any = None

    def fits(self, layer: Any) -> bool:
        """Whether it was made of the vertices that the layer has now."""
        return layer.data[0] is self.whole

    def show(self, node: Any) -> None:
        """In place of the whole drawing, with its place, colours and light."""
        from vispy.scene.visuals import Mesh
        from vispy.visuals.transforms import MatrixTransform

        self.node = node
        if self.mesh is None:
            self.mesh = Mesh(parent=node.parent, shading=None)
            self.mesh.order = node.order
        values = self.layer.data[2]
        if self.values is not values:
            self.values = values
            # napari draws z, y, x, and so turns triangles round
            self.mesh.set_data(
                vertices=np.ascontiguousarray(self.vertices[:, ::-1], np.float32),
                faces=np.ascontiguousarray(self.triangles[:, ::-1]),
                vertex_values=np.asarray(values, np.float32)[self.nearest],
            )
        self.mesh.transform = MatrixTransform(node.transform.matrix)
        self.mesh.cmap, self.mesh.clim, self.mesh.opacity = node.cmap, node.clim, node.opacity
        self.mesh.shading = node.shading
        if node.shading_filter is not None:
            self.mesh.shading_filter.light_dir = node.shading_filter.light_dir
        self.mesh.visible, node.visible = True, False

    def hide(self) -> None:
        """The whole drawing is seen again."""
        if self.mesh is not None and self.mesh.visible:
            self.mesh.visible = False
            self.node.visible = self.layer.visible

    def drop(self) -> None:
        """The layer is gone."""
        if self.mesh is not None:
            self.mesh.parent = None


def thin(layers: list[Any], share: float) -> Generator[Coarse, None, None]:
    """Coarse surfaces, one after another, off the window's thread."""
    from scipy.spatial import cKDTree

    from brainmesh import Surface

    for layer in layers:
        vertices, triangles = layer.data[0], layer.data[1]
        surface = Surface(vertices, triangles).decimate(share)
        _, nearest = cKDTree(vertices).query(surface.vertices)
        yield Coarse(layer, surface.vertices, surface.triangles, nearest)
