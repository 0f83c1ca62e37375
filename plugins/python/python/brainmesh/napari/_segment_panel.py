"""The panel "Segment with model"."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from qtpy.QtWidgets import QCheckBox, QLineEdit

from . import _from_layers
from ._choices import DeviceChoice, LayerChoice, ModelChoice
from ._job import Call
from ._panel import Panel
from ._to_layers import contrast, image_layer, labels_layer


class SegmentPanel(Panel):
    """Labels an image with an image model, or gives the probability of one of its classes."""

    title = "Segment with model"

    def __init__(self, napari_viewer: Any) -> None:
        super().__init__(napari_viewer)
        self.image = LayerChoice(self.viewer, ("Image",))
        self.model = ModelChoice("segmentation")
        self.device = DeviceChoice()
        self.output = QLineEdit()
        self.output.setPlaceholderText("labels, or the name of an output")
        self.flips = QCheckBox("Average over mirrored copies (slower)")
        for name, field in (("Image", self.image), ("Model", self.model), ("Output", self.output), ("Device", self.device)):
            self.form.addRow(name, field)
        self.form.addRow(self.flips)
        self.column.addStretch(1)

    def prepare(self) -> tuple[Call, Callable[[Any], None]]:
        """`brainmesh.segment` with what the form says."""
        import brainmesh

        image, model = self.image.value(), self.model.value()
        if image is None:
            raise ValueError("Choose an image.")
        if model is None:
            raise ValueError("Choose a model, or a folder with one. `brainmesh models add` installs models.")
        options = {
            "output": self.output.text().strip() or None,
            "device": self.device.value(),
            "flips": True if self.flips.isChecked() else None,
        }
        index = int(self.viewer.dims.current_step[-4]) if image.ndim == 4 else 0

        def call(progress: Any, cancel: Any) -> Any:
            return brainmesh.segment(model, _from_layers.volume_or_path(image, index), **options, progress=progress, cancel=cancel)

        return call, lambda volume: self.show_result(volume, image)

    def show_result(self, volume: Any, image: Any) -> None:
        """Labels or an image where the segmented image lies."""
        name = f"{image.name} segmented"
        if image.ndim == 2:
            data = np.asarray(volume.data)[:, :, 0].T
            like = {"scale": image.scale, "translate": image.translate, "affine": image.affine, "units": image.units, "name": name}
            if data.dtype.kind in "ui":
                self.viewer.add_labels(data, **like)
            else:
                self.viewer.add_image(data, contrast_limits=contrast(data), **like)
            return
        if volume.data.dtype.kind in "ui":
            data, meta, _ = labels_layer(volume.data, volume.world_from_voxel, name, volume.labels, volume.label_colors)
            self.viewer.add_labels(data, **meta)
        else:
            data, meta, _ = image_layer(volume.data, volume.world_from_voxel, name, contrast(volume.data))
            self.viewer.add_image(data, **meta)
