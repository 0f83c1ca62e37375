"""Maps (values at vertices) of Surface layers: which there are, and showing one of them."""

from __future__ import annotations

from typing import Any

import numpy as np

from . import _from_layers
from ._to_layers import KEY, one_color

#: Endings of formats that carry maps beside a surface.
MAP_FORMATS = (".ply", ".vtk", ".vtp")
#: The choice that is not a map.
LAYER_COLORS = "layer colours"
#: Where there is no value.
NO_VALUE = (0.5, 0.5, 0.5, 1.0)
#: Part of the colour scale kept for it.
GREY_SHARE = 0.04


def maps_of(layer: Any) -> dict[str, np.ndarray]:
    """Maps of a layer."""
    return _from_layers.about(layer).get("maps") or {}


def map_names(viewer: Any) -> list[str]:
    """Names of the maps of all layers, in order of their first appearance."""
    return list(dict.fromkeys(name for layer in viewer.layers for name in maps_of(layer)))


def show_map(viewer: Any, name: str) -> None:
    """Shows a map on every layer that has it, in one colour scale for all; :data:`LAYER_COLORS` brings back one colour each."""
    if name == LAYER_COLORS:
        for layer in viewer.layers:
            if maps_of(layer):
                values, shown = one_color(len(layer.data[0]), _from_layers.about(layer).get("color", "white"))
                show(layer, values, **shown)
        return
    layers = [layer for layer in viewer.layers if name in maps_of(layer)]
    values = [np.asarray(maps_of(layer)[name], np.float32) for layer in layers]
    finite = np.concatenate([v[np.isfinite(v)] for v in values]) if values else np.empty(0)
    low, high = (float(finite.min()), float(np.percentile(finite, 99.5))) if finite.size else (0.0, 1.0)
    if low >= high:
        high = low + 1.0
    # napari draws NaN as holes that flicker: where there is no value, the drawing gets one below the scale, in grey.
    nothing = low - (high - low) * GREY_SHARE / (1 - GREY_SHARE)
    for layer, value in zip(layers, values, strict=True):
        drawn = np.where(np.isfinite(value), np.maximum(value, low), np.float32(nothing))
        show(layer, drawn, colormap=scale(name), contrast_limits=(nothing, high))


def scale(name: str) -> Any:
    """Colours of a map, with grey for the lowest share."""
    from napari.utils.colormaps import Colormap, ensure_colormap

    base = {"uncertainty_mm": "magma", "defects": "turbo"}.get(name, "viridis")
    colors = ensure_colormap(base).map(np.linspace(0, 1, 128))
    controls = [0.0, GREY_SHARE / 2, *np.linspace(GREY_SHARE / 2, 1, 128)]
    controls[2] += 1e-6
    return Colormap([NO_VALUE, NO_VALUE, *colors], controls=controls, name=f"brainmesh {base}")


def show(layer: Any, values: np.ndarray, colormap: Any, contrast_limits: tuple[float, float]) -> None:
    """Values and their colours at once."""
    layer.data = (layer.data[0], layer.data[1], values)
    layer.colormap = colormap
    layer.contrast_limits_range = contrast_limits
    layer.contrast_limits = contrast_limits


def give_maps(maps: dict[str, np.ndarray], path: str) -> None:
    """Gives maps to the open surfaces with as many vertices as they have values and shows the first.

    Raises ValueError where there is none.
    """
    from napari import current_viewer

    viewer = current_viewer()
    counts = {len(values) for values in maps.values()}
    layers = [
        layer
        for layer in (viewer.layers if viewer is not None else ())
        if type(layer).__name__ == "Surface" and len(layer.data[0]) in counts
    ]
    if not layers:
        expected = " or ".join(f"{count:,}" for count in sorted(counts))
        raise ValueError(f"{path} holds values at vertices: open the surface with {expected} vertices first")
    for layer in layers:
        fit = {name: values for name, values in maps.items() if len(values) == len(layer.data[0])}
        noted = {**_from_layers.about(layer)}
        noted["maps"] = {**noted.get("maps", {}), **fit}
        layer.metadata = {**layer.metadata, KEY: noted}
    show_map(viewer, next(iter(maps)))
