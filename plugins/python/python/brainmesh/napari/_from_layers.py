"""Layers of napari as volumes and surfaces of brainmesh, in world RAS+ mm wherever the user has moved them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ._to_layers import KEY

if TYPE_CHECKING:
    from brainmesh import Surface, Volume


def about(layer: Any) -> dict[str, Any]:
    """What brainmesh noted when it made a layer."""
    return layer.metadata.get(KEY) or {}


def mm_from_data(layer: Any) -> np.ndarray:
    """Matrix [n + 1, n + 1] from a layer's data coordinates to world mm. Axes whose unit is no length are taken as they are."""
    n = layer.ndim
    corners = np.array([layer.data_to_world(p) for p in np.vstack([np.zeros(n), np.eye(n)])])
    matrix = np.eye(n + 1)
    matrix[:n, n] = corners[0]
    matrix[:n, :n] = (corners[1:] - corners[0]).T
    for axis, unit in enumerate(layer.units):
        if unit.is_compatible_with("mm"):
            matrix[axis] *= float((1 * unit).to("mm").magnitude)
    return matrix


def volume(layer: Any, index: int = 0) -> Volume:
    """The volume of an Image or Labels layer, in the axes of the file it came from.

    `index` picks one of several volumes. A flat image [rows, columns] is one slice with i along the columns.

    Raises ValueError for colour images and more than four axes.
    """
    from brainmesh import Volume

    if getattr(layer, "rgb", False):
        raise ValueError(f'layer "{layer.name}": expected an image with one value a voxel, found colours')
    if layer.ndim not in (2, 3, 4):
        raise ValueError(f'layer "{layer.name}": expected 2, 3 or 4 axes, found {layer.ndim}')
    data, matrix = layer.data, mm_from_data(layer)
    if getattr(layer, "multiscale", False):
        data = data[0]
    if layer.ndim == 2:
        flat = np.eye(4)
        flat[np.ix_([0, 1, 3], [0, 1, 3])] = matrix[np.ix_([1, 0, 2], [1, 0, 2])]
        return Volume(np.asarray(data).T[:, :, None], flat)
    if layer.ndim == 4:
        data, matrix = data[index], matrix[1:, 1:]
    data = np.asarray(data)
    noted = about(layer)
    order = noted.get("order", (0, 1, 2))
    back = np.argsort(order)
    data, matrix = data.transpose(back), matrix[:, [*back, 3]]
    # Where nobody moved the layer the file's own matrix is better than one that went through napari's arithmetic.
    exact = noted.get("world_from_voxel")
    if exact is not None and np.allclose(matrix, exact, rtol=0, atol=1e-9):
        matrix = exact
    return Volume(data, matrix, labels=noted.get("labels") or None)


def volume_or_path(layer: Any, index: int = 0) -> Volume | str:
    """The file of a layer that is read in blocks, as long as nobody moved it, so that no second copy is made; otherwise
    :func:`volume`."""
    noted = about(layer)
    if hasattr(layer.data, "dask") and "path" in noted and index == 0:
        matrix = mm_from_data(layer)[layer.ndim - 3 :, layer.ndim - 3 :]
        order = noted["order"]
        if np.allclose(matrix, noted["world_from_voxel"][:, [*order, 3]], rtol=0, atol=1e-9):
            return noted["path"]
    return volume(layer, index)


def surface(layer: Any) -> Surface:
    """The surface of a Surface layer.

    Raises ValueError for surfaces that are not in space.
    """
    from brainmesh import Surface

    if layer.ndim != 3:
        raise ValueError(f'layer "{layer.name}": expected a surface in space, found {layer.ndim} axes')
    vertices, triangles = layer.data[0], layer.data[1]
    matrix = mm_from_data(layer)
    if not np.allclose(matrix, np.eye(4), rtol=0, atol=1e-12):
        vertices = np.asarray(vertices, np.float64) @ matrix[:3, :3].T + matrix[:3, 3]
        if np.linalg.det(matrix[:3, :3]) < 0:  # a mirror turns surfaces inside out
            triangles = np.asarray(triangles)[:, ::-1]
    return Surface(vertices, triangles, structure=about(layer).get("structure", "unknown"))
