"""Volumes, surfaces and results of brainmesh as napari's layer data.

napari's world is ours: RAS+ millimetres in the order x, y, z. napari cuts slices along the axes of the array that stand at the
place of the world's axes, so arrays whose axes run another way are shown transposed (a view; `order` in the metadata says
how). A voxel keeps its place in the world to the last bit of its matrix.
"""

from __future__ import annotations

from itertools import permutations
from typing import Any

import numpy as np

#: Key of what we keep in a layer's metadata.
KEY = "brainmesh"
SPACE = {"units": ("mm",) * 3, "axis_labels": ("x", "y", "z")}
LayerData = tuple[Any, dict[str, Any], str]


def axis_order(world_from_voxel: np.ndarray) -> tuple[int, ...]:
    """Voxel axes in the order of the world's axes x, y, z that they run along most."""
    directions = np.abs(world_from_voxel[:3, :3])
    directions = directions / np.linalg.norm(directions, axis=0)
    return max(permutations(range(3)), key=lambda order: sum(directions[world, voxel] for world, voxel in enumerate(order)))


def placed(data: Any, world_from_voxel: np.ndarray, **about: Any) -> tuple[Any, dict[str, Any]]:
    """An array [i, j, k] or [volume, i, j, k] as napari wants it, and where it lies."""
    order = axis_order(world_from_voxel)
    affine = world_from_voxel[:, [*order, 3]]
    meta: dict[str, Any] = {**SPACE, "affine": affine}
    lead = data.ndim - 3
    if lead:
        meta["affine"] = np.eye(5)
        meta["affine"][1:, 1:] = affine
        meta["units"] = ("pixel", *SPACE["units"])
        meta["axis_labels"] = ("volume", *SPACE["axis_labels"])
    meta["metadata"] = {KEY: {"order": order, "world_from_voxel": world_from_voxel, **about}}
    return data.transpose(*range(lead), *(axis + lead for axis in order)), meta


def image_layer(data: Any, world_from_voxel: np.ndarray, name: str, contrast_limits: tuple[float, float], **about: Any) -> LayerData:
    """An image."""
    data, meta = placed(data, world_from_voxel, **about)
    return data, {**meta, "name": name, "contrast_limits": contrast_limits}, "image"


def labels_layer(
    data: Any, world_from_voxel: np.ndarray, name: str, names: dict[int, str], colors: dict[int, Any], **about: Any
) -> LayerData:
    """Labels with the names and colours that their file gives; napari's own colours where it gives none."""
    data, meta = placed(data, world_from_voxel, labels=names, **about)
    meta["name"] = name
    if names:
        values = sorted({0, *names})
        meta["features"] = {"index": values, "name": [names.get(v, "background") for v in values]}
    if colors:
        from napari.utils.colormaps import DirectLabelColormap

        meta["colormap"] = DirectLabelColormap(color_dict={None: "gray", 0: "transparent", **colors})
    return data, meta, "labels"


def surface_layer(surface: Any, name: str, **about: Any) -> LayerData:
    """A surface in one colour."""
    meta = {**SPACE, "name": name, "shading": "smooth", "metadata": {KEY: {"structure": surface.structure, **about}}}
    return (surface.vertices, surface.triangles), meta, "surface"


def contrast(sample: Any) -> tuple[float, float]:
    """Limits that show a part of an image well: all but the outermost values, which a single voxel may have."""
    values = np.asarray(sample)
    values = values[np.isfinite(values)]
    if not values.size:
        return 0.0, 1.0
    low, high = (float(v) for v in np.percentile(values, [0.1, 99.9]))
    return (low, high) if low < high else (low, low + 1.0)


def result_layers(result: Any) -> list[LayerData]:
    """The seven surfaces of a result in the colours of their layers, each with the maps it can show (:mod:`._maps`)."""
    from brainmesh import LAYER_COLORS, LAYER_NAMES

    thickness = {f"thickness_{name}_mm": result.thickness_mm[:, k] for k, name in enumerate(["total", *LAYER_NAMES])}
    names = ["pia", *(f"below layer {roman}" for roman in LAYER_NAMES[:-1]), "grey/white"]
    layers = []
    for k, (surface, color) in enumerate(zip(result.surfaces, LAYER_COLORS, strict=True)):
        maps = {**thickness, "uncertainty_mm": result.uncertainty_mm[:, k], "defects": result.defects}
        data, meta, kind = surface_layer(surface, f"layer {k}: {names[k]}", boundary=k, color=color, maps=maps)
        values, shown = one_color(len(surface.vertices), color)
        layers.append(((*data, values), {**meta, **shown}, kind))
    return layers


def one_color(vertices: int, color: Any) -> tuple[np.ndarray, dict[str, Any]]:
    """Values and colour map that give a surface one colour and leave napari's controls for colour usable."""
    from napari.utils.colormaps import Colormap

    shown = {"colormap": Colormap([color, color], name=f"brainmesh {tuple(round(float(c), 3) for c in color)}")}
    return np.zeros(vertices, np.float32), {**shown, "contrast_limits": (0.0, 1.0)}
