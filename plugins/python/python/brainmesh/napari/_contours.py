"""Where layer surfaces cut the slice that the viewer shows, as lines over the image."""

from __future__ import annotations

from typing import Any

import numpy as np

from . import _from_layers
from ._to_layers import KEY, SPACE

#: Width of lines on the screen, about.
WIDTH_PIXELS = 2.0


class SliceContours:
    """A Vectors layer that follows the slider and the order of axes.

    While slices are shown the surfaces themselves are hidden, since napari draws every triangle near a slice flat. The layer's
    coordinates are those of the image's array and it has the image's matrix, so that lines lie on the voxels that are
    shown also where napari shows an oblique slice askew.
    """

    def __init__(self, viewer: Any, surfaces: list[Any], layers: list[Any], colors: list[Any], image: Any | None = None) -> None:
        """Surfaces in world mm, the layers that show them, a colour for each, and the Image layer they are drawn on (or world axes
        where there is none)."""
        from qtpy.QtCore import QTimer

        self.viewer = viewer
        self.surfaces = surfaces
        self.layers = layers
        self.hidden: list[Any] = []
        self.colors = np.asarray(colors, np.float32)
        self.image = image
        self.matrix = np.eye(4) if image is None else _from_layers.mm_from_data(image)[image.ndim - 3 :, image.ndim - 3 :]
        self.shown: tuple[int, float] | None = None
        self.layer = viewer.add_vectors(
            np.empty((0, 2, 3)),
            name="layer contours",
            vector_style="line",
            edge_width=0.3,
            opacity=1.0,
            affine=self.matrix,
            metadata={KEY: {"contours": True}},
            **SPACE,
        )
        self.timer = QTimer()
        self.timer.setSingleShot(True)
        self.timer.setInterval(0)
        self.timer.timeout.connect(self.update)
        viewer.dims.events.current_step.connect(self.later)
        viewer.dims.events.order.connect(self.later)
        viewer.dims.events.ndisplay.connect(self.later)
        self.camera = camera(viewer)
        self.camera.events.zoom.connect(self.later)
        self.update()

    def close(self) -> None:
        """Stops following and takes the layer away."""
        self.timer.stop()
        for emitter in ("current_step", "order", "ndisplay"):
            getattr(self.viewer.dims.events, emitter).disconnect(self.later)
        self.camera.events.zoom.disconnect(self.later)
        self.hide(False)
        if self.layer in self.viewer.layers:
            self.viewer.layers.remove(self.layer)

    def later(self, event: Any = None) -> None:
        """Draws once when a burst of events is over."""
        self.timer.start()

    def slice(self) -> tuple[int, float] | None:
        """The array's axis that is not shown and its index, as napari finds them; None in three dimensions."""
        dims = self.viewer.dims
        if dims.ndisplay != 2:
            return None
        first = dims.ndim - 3
        hidden = [axis - first for axis in dims.not_displayed if axis >= first]
        if len(hidden) != 1:
            return None
        axis = hidden[0]
        # napari cuts with this one element of the inverse, whatever the other world coordinates are.
        inverse = np.linalg.inv(self.matrix)
        position = inverse[axis, axis] * dims.point[first + axis] + inverse[axis, 3]
        return axis, position if self.image is None else float(np.round(position))

    def update(self) -> None:
        """Draws the lines of the slice that is shown now."""
        if self.layer not in self.viewer.layers:
            return
        place = self.slice()
        self.hide(self.viewer.dims.ndisplay == 2)
        if place != self.shown or place is None:
            self.shown = place
            self.draw(place)
        if place is not None:
            scale = np.linalg.norm(self.matrix[:3, :3], axis=0).min()
            self.layer.edge_width = max(WIDTH_PIXELS / (self.camera.zoom * scale), 1e-3)

    def hide(self, hidden: bool) -> None:
        """Hides the surfaces, or shows those again that were hidden here."""
        if hidden == bool(self.hidden):
            return
        changed = [layer for layer in self.layers if layer.visible] if hidden else self.hidden
        for layer in changed:
            layer.visible = not hidden
        self.hidden = changed if hidden else []

    def draw(self, place: tuple[int, float] | None) -> None:
        """Fills the layer."""
        segments, owners = [], []
        if place is not None:
            axis, position = place
            inverse = np.linalg.inv(self.matrix)
            origin = self.matrix[:3, axis] * position + self.matrix[:3, 3]
            normal = inverse[axis, :3]
            for owner, surface in enumerate(self.surfaces):
                for line in surface.contours(origin, normal):
                    points = line @ inverse[:3, :3].T + inverse[:3, 3]
                    points[:, axis] = position
                    segments.append(np.stack([points[:-1], np.diff(points, axis=0)], axis=1))
                    owners.append(np.full(len(points) - 1, owner))
        self.layer.data = np.concatenate(segments) if segments else np.empty((0, 2, 3))
        if owners:
            self.layer.edge_color = self.colors[np.concatenate(owners)]


def camera(viewer: Any) -> Any:
    """The viewer's camera, which napari 0.9 moved to its scene."""
    scene = getattr(viewer, "scene", None)
    return getattr(scene, "camera", None) or viewer.camera
