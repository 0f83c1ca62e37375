"""The panel "Rays to layers": pial, white and an image (or profiles) to seven surfaces."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from napari.utils.notifications import show_info
from qtpy.QtWidgets import QCheckBox, QComboBox, QFileDialog, QFormLayout, QPushButton, QWidget

from . import _from_layers, _maps
from ._choices import DeviceChoice, LayerChoice, ModelChoice
from ._contours import SliceContours
from ._detail import fast_rotation
from ._job import Call
from ._panel import Panel
from ._to_layers import result_layers

SPANS = {
    "pial to white, equal volumes": {"profiles_span": "pial-white", "profiles_depths": "equivolumetric"},
    "pial to white, equal distances": {"profiles_span": "pial-white", "profiles_depths": "equidistant"},
    "0.5 mm beyond both": {"profiles_span": "extended"},
}
POLARITIES = {"dark (cell-body stains)": "dark-is-dense", "bright (inverted)": "bright-is-dense"}


class RaysPanel(Panel):
    """Finds the six layers of the cortex and shows them."""

    title = "Rays to layers"

    def __init__(self, napari_viewer: Any) -> None:
        super().__init__(napari_viewer)
        viewer = self.viewer
        self.result: Any = None
        self.layers: list[Any] = []
        self.contours: SliceContours | None = None
        self.image = LayerChoice(viewer, ("Image",), "Profiles: [vertices, depths] as .npy, .npz or text")
        self.image.setToolTip("An image, or a file with profiles sampled elsewhere")
        self.pial = LayerChoice(viewer, ("Surface",), "Pial surface", prefer="pial")
        self.white = LayerChoice(viewer, ("Surface",), "White surface", prefer="white")
        self.span = QComboBox()
        self.span.addItems(list(SPANS))
        self.polarity = QComboBox()
        self.polarity.addItems(list(POLARITIES))
        self.model = ModelChoice("layers", default="default")
        self.device = DeviceChoice()
        for name, field in (
            ("Image or profiles", self.image),
            ("Pial", self.pial),
            ("White", self.white),
            ("Profiles cover", self.span),
            ("Dense cells are", self.polarity),
            ("Model", self.model),
            ("Device", self.device),
        ):
            self.form.addRow(name, field)
        self.image.currentIndexChanged.connect(self.show_span)
        self.show_span()

        self.map = QComboBox()
        self.map.activated.connect(lambda _: _maps.show_map(self.viewer, self.map.currentText()))
        self.lines = QCheckBox("Layer contours on the slice")
        self.lines.setChecked(True)
        self.lines.toggled.connect(self.show_contours)
        self.save_button = QPushButton("Save all ...")
        self.save_button.clicked.connect(self.ask_folder)
        self.results = QWidget()
        results = QFormLayout(self.results)
        results.setContentsMargins(0, 0, 0, 0)
        results.addRow("Show", self.map)
        results.addRow(self.lines)
        results.addRow(self.save_button)
        self.column.addWidget(self.results)
        self.column.addStretch(1)
        fast_rotation(viewer)
        self.refresh_maps()
        for name in ("inserted", "removed"):
            getattr(viewer.layers.events, name).connect(self.refresh_maps)

    def show_span(self, index: int = 0) -> None:
        """What profiles cover is asked for profiles alone."""
        profiles = isinstance(self.image.value(), str)
        self.form.setRowVisible(self.span, profiles) if hasattr(self.form, "setRowVisible") else self.span.setEnabled(profiles)

    def refresh_maps(self, event: Any = None) -> None:
        """Maps of the layers there are now; also of results that were opened from a folder."""
        names = _maps.map_names(self.viewer)
        chosen = self.map.currentText()
        self.map.clear()
        self.map.addItems([_maps.LAYER_COLORS, *names] if names else [])
        self.map.setCurrentText(chosen if chosen in names else _maps.LAYER_COLORS)
        self.map.setEnabled(bool(names))
        self.save_button.setEnabled(self.result is not None)

    def prepare(self) -> tuple[Call, Callable[[Any], None]]:
        """`brainmesh.rays2surface` with what the form says."""
        import brainmesh

        pial, white, source = self.pial.value(), self.white.value(), self.image.value()
        for name, value in (("image or a file of profiles", source), ("pial surface", pial), ("white surface", white)):
            if value is None:
                raise ValueError(f"Choose {'an' if name.startswith('i') else 'a'} {name}.")
        if pial is white:
            raise ValueError("Pial and white are the same layer: choose two.")
        inputs: dict[str, Any] = {
            "pial": pial if isinstance(pial, str) else _from_layers.surface(pial),
            "white": white if isinstance(white, str) else _from_layers.surface(white),
            "model": self.model.value(),
            "device": self.device.value(),
            "polarity": POLARITIES[self.polarity.currentText()],
        }
        if isinstance(source, str):
            inputs |= {"profiles": source, **SPANS[self.span.currentText()]}
        # Reading a lazy image takes time: it is left to the call's own thread.
        index = self.volume_index(source)

        def call(progress: Any, cancel: Any) -> Any:
            volume = None if isinstance(source, str) else _from_layers.volume_or_path(source, index)
            return brainmesh.rays2surface(**inputs, volume=volume, progress=progress, cancel=cancel)

        return call, lambda result: self.show_result(result, None if isinstance(source, str) else source)

    def volume_index(self, source: Any) -> int:
        """Which of several volumes is shown."""
        return int(self.viewer.dims.current_step[-4]) if getattr(source, "ndim", 3) == 4 else 0

    def show_result(self, result: Any, image: Any) -> None:
        """Seven surfaces, contours and what is to be said about them, in place of an earlier result."""
        self.clear()
        self.result = result
        self.layers = [self.viewer.add_surface(data, **meta) for data, meta, _ in result_layers(result)]
        self.contour_image = image
        self.show_contours(self.lines.isChecked())
        self.message.setText(said(result))
        self.refresh_maps()
        show_info(f"{self.title}: done")

    def show_contours(self, wanted: bool) -> None:
        """Contours on or off."""
        if self.contours is not None:
            self.contours.close()
            self.contours = None
        if wanted and self.result is not None:
            import brainmesh

            image = self.contour_image if self.contour_image in self.viewer.layers else None
            surfaces, colors = list(self.result.surfaces), list(brainmesh.LAYER_COLORS)
            self.contours = SliceContours(self.viewer, surfaces, self.layers, colors, image)

    def clear(self) -> None:
        """Takes the layers of an earlier result away."""
        if self.contours is not None:
            self.contours.close()
            self.contours = None
        for layer in self.layers:
            if layer in self.viewer.layers:
                self.viewer.layers.remove(layer)
        self.layers = []

    def ask_folder(self) -> None:
        """Where to save."""
        path, _ = QFileDialog.getSaveFileName(self, "Folder for all results", "layers", options=QFileDialog.Option.ShowDirsOnly)
        if path:
            self.save(path)

    def save(self, folder: str) -> None:
        """The folder that the command line writes: surfaces, maps, report."""

        def call(progress: Any, cancel: Any) -> list[str]:
            return self.result.save(folder)

        self.start(call, lambda files: self.saved(folder, files))

    def saved(self, folder: str, files: list[str]) -> None:
        """Says so."""
        self.message.setText(f"{said(self.result)}\nSaved {len(files)} files in {Path(folder)}.")


def said(result: Any) -> str:
    """Defects and certificate, as the command line says them."""
    kept = ("rays", "defects", "checked", "thickness")
    lines = [line for line in result.summary.splitlines() if line.startswith(kept)]
    return "\n".join(" ".join(line.split()) for line in lines)
