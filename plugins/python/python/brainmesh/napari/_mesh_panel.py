"""The panel "Labels to surface"."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from qtpy.QtWidgets import QDoubleSpinBox, QLineEdit, QSpinBox

from . import _from_layers
from ._choices import LayerChoice
from ._detail import fast_rotation
from ._job import Call
from ._panel import Panel
from ._to_layers import one_color, surface_layer


class MeshPanel(Panel):
    """A closed surface around each label, or where an image has a value."""

    title = "Labels to surface"

    def __init__(self, napari_viewer: Any) -> None:
        super().__init__(napari_viewer)
        self.volume = LayerChoice(self.viewer, ("Labels", "Image"))
        self.labels = QLineEdit()
        self.labels.setPlaceholderText("all, or 1, 2, 5")
        self.value = QDoubleSpinBox()
        self.value.setRange(-1e12, 1e12)
        self.value.setDecimals(4)
        self.smooth = QSpinBox()
        self.smooth.setRange(0, 1000)
        self.smooth.setToolTip("Rounds of smoothing that does not shrink")
        self.keep = QDoubleSpinBox()
        self.keep.setRange(1.0, 100.0)
        self.keep.setValue(100.0)
        self.keep.setSuffix(" % of the triangles")
        for name, field in (
            ("Labels or image", self.volume),
            ("Labels", self.labels),
            ("Value", self.value),
            ("Smoothing", self.smooth),
            ("Keep", self.keep),
        ):
            self.form.addRow(name, field)
        self.column.addStretch(1)
        fast_rotation(self.viewer)
        self.volume.currentIndexChanged.connect(self.show_fields)
        self.show_fields()

    def show_fields(self, index: int = 0) -> None:
        """Labels have numbers, images a value."""
        layer = self.volume.value()
        is_image = layer is not None and type(layer).__name__ == "Image"
        self.labels.setEnabled(not is_image)
        self.value.setEnabled(is_image)
        if is_image:
            self.value.setValue(sum(layer.contrast_limits) / 2)

    def prepare(self) -> tuple[Call, Callable[[Any], None]]:
        """`brainmesh.mesh` or `brainmesh.isosurface` with what the form says."""
        import brainmesh

        layer = self.volume.value()
        if layer is None:
            raise ValueError("Choose a layer with labels, or an image.")
        options: dict[str, Any] = {"smooth": self.smooth.value()}
        if self.keep.value() < 100:
            options["decimate"] = self.keep.value() / 100
        index = int(self.viewer.dims.current_step[-4]) if layer.ndim == 4 else 0
        value = self.value.value()
        is_image = type(layer).__name__ == "Image"
        labels = numbers(self.labels.text())

        def call(progress: Any, cancel: Any) -> dict[int, Any]:
            volume = _from_layers.volume_or_path(layer, index)
            if is_image:
                return {0: brainmesh.isosurface(volume, value, **options, progress=progress, cancel=cancel)}
            return brainmesh.mesh(volume, labels=labels, **options, progress=progress, cancel=cancel)

        return call, lambda surfaces: self.show_result(surfaces, layer, value if is_image else None)

    def show_result(self, surfaces: dict[int, Any], layer: Any, value: float | None) -> None:
        """A layer for each surface, in its label's colour."""
        names = _from_layers.about(layer).get("labels") or {}
        for label, surface in surfaces.items():
            name = f"{layer.name} at {value:g}" if value is not None else f"{layer.name} {names.get(label, label)}"
            color = (0.85, 0.8, 0.7, 1.0) if value is not None else tuple(layer.get_color(label))
            (vertices, triangles), meta, _ = surface_layer(surface, name, color=color)
            values, shown = one_color(len(vertices), color)
            self.viewer.add_surface((vertices, triangles, values), **meta, **shown)
        total = sum(len(surface.triangles) for surface in surfaces.values())
        self.message.setText(f"{len(surfaces)} surfaces, {total:,} triangles")


def numbers(text: str) -> list[int]:
    """Label numbers as typed; none for all."""
    if not text.strip() or text.strip() == "all":
        return []
    try:
        return [int(part) for part in text.replace(",", " ").split()]
    except ValueError:
        raise ValueError(f'Labels: expected whole numbers like "1, 2, 5", found "{text}"') from None
