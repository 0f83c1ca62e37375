"""Fields that offer the viewer's layers, files, models and devices."""

from __future__ import annotations

from typing import Any

from qtpy.QtWidgets import QComboBox, QFileDialog

from . import _from_layers

FILE = "File ..."
FOLDER = "Folder ..."


class LayerChoice(QComboBox):
    """Layers of some types, newest last, and files where wanted. Follows the viewer's list of layers."""

    def __init__(self, viewer: Any, types: tuple[str, ...], files: str | None = None, prefer: str = "") -> None:
        """`files`: title of the file dialog, None for layers alone. `prefer`: a word in the name of the layer chosen first."""
        super().__init__()
        self.viewer, self.types, self.files, self.prefer = viewer, types, files, prefer
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(16)
        self.paths: list[str] = []
        self.entries: list[Any] = []
        self.activated.connect(self.ask)
        for name in ("inserted", "removed", "reordered", "renamed"):
            getattr(viewer.layers.events, name).connect(self.refresh)
        self.refresh()

    def refresh(self, event: Any = None) -> None:
        """The list as the viewer's layers are now; the choice stays where it can."""
        chosen = self.value()
        layers = [layer for layer in self.viewer.layers if type(layer).__name__ in self.types and is_input(layer)]
        self.entries = [*layers, *self.paths, *([FILE] if self.files is not None else [])]
        self.blockSignals(True)
        self.clear()
        self.addItems([entry if isinstance(entry, str) else entry.name for entry in self.entries])
        self.blockSignals(False)
        if chosen is None or not self.choose(chosen):
            preferred = [layer for layer in layers if self.prefer and self.prefer in layer.name.lower()]
            self.choose((preferred or layers or [None])[0])
        self.currentIndexChanged.emit(self.currentIndex())

    def choose(self, value: Any) -> bool:
        """Chooses a layer or a path that was added; False where it is not offered."""
        index = next((i for i, entry in enumerate(self.entries) if entry is value or (isinstance(value, str) and entry == value)), -1)
        self.setCurrentIndex(index)
        return index >= 0

    def add_path(self, path: str) -> None:
        """Offers a file and chooses it."""
        if path not in self.paths:
            self.paths.append(path)
        self.refresh()
        self.choose(path)

    def ask(self, index: int) -> None:
        """Opens the file dialog where that was chosen."""
        if self.entries[index] == FILE:
            self.setCurrentIndex(-1)
            path, _ = QFileDialog.getOpenFileName(self, self.files)
            if path:
                self.add_path(path)

    def value(self) -> Any:
        """A layer, a path, or None."""
        index = self.currentIndex()
        entry = self.entries[index] if 0 <= index < len(self.entries) else None
        return None if isinstance(entry, str) and entry == FILE else entry


def is_input(layer: Any) -> bool:
    """Not a surface that is a result."""
    return "boundary" not in _from_layers.about(layer)


class ModelChoice(QComboBox):
    """Installed models of a task, and folders."""

    def __init__(self, task: str, default: str | None = None) -> None:
        """`default`: the name of the choice that leaves the model open, None where one must be chosen."""
        super().__init__()
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(16)
        if default is not None:
            self.addItem(default, None)
        import brainmesh

        for model in brainmesh.models.list():
            if model["task"] == task:
                self.addItem(model["name"], model["name"])
        self.addItem(FOLDER, FOLDER)
        if self.count() == 1:
            self.setCurrentIndex(-1)
        self.activated.connect(self.ask)

    def ask(self, index: int) -> None:
        """Opens the folder dialog where that was chosen."""
        if self.itemData(index) == FOLDER:
            self.setCurrentIndex(-1 if self.itemData(0) == FOLDER else 0)
            path = QFileDialog.getExistingDirectory(self, "Folder of a model (with rdf.yaml)")
            if path:
                self.add_path(path)

    def add_path(self, path: str) -> None:
        """Offers a folder and chooses it."""
        self.insertItem(self.count() - 1, path, path)
        self.setCurrentIndex(self.count() - 2)

    def value(self) -> str | None:
        """A name or a folder; None: left open."""
        data = self.currentData()
        return None if data == FOLDER else data


class DeviceChoice(QComboBox):
    """Devices by the names that the command line takes; others (`cuda:1`) can be typed."""

    def __init__(self) -> None:
        super().__init__()
        self.addItems(["auto", "builtin", "cpu", "cuda", "tensorrt", "openvino", "coreml", "directml"])
        self.setEditable(True)
        self.setToolTip("auto tries the fastest first. A device chosen by name never falls back to another.")

    def value(self) -> str:
        """The name."""
        return self.currentText().strip() or "auto"
