"""Pictures of surfaces and layers for notebooks, with pyvista where it is installed, else with matplotlib.

Neither is a dependency of brainmesh: `pip install brainmesh[view]` brings both.
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

if TYPE_CHECKING:
    from ._brainmesh import LayerResult, Surface, Volume

Backend = Literal["pyvista", "matplotlib"]

#: More triangles than this are thinned out before matplotlib draws them, one polygon at a time.
MOST_POLYGONS = 20_000


def surface(
    surface: Surface,
    values: ArrayLike | None = None,
    *,
    backend: Backend | None = None,
    colormap: str = "viridis",
    color: str | tuple[float, ...] = "lightgray",
    label: str = "",
    ax: Any = None,
) -> Any:
    """Draws a surface in RAS+ mm; `values` [vertices] give colours, NaN shows grey.

    Returns the plotter of pyvista, or the axes of matplotlib; `ax` (axes or plotter) draws into an existing one.
    """
    if values is not None:
        values = np.asarray(values, float)
        if values.shape != (len(surface.vertices),):
            raise ValueError(f"values: expected shape ({len(surface.vertices)},), found {values.shape}")
    if _backend(backend) == "pyvista":
        return _pyvista(surface, values, colormap, color, label, ax)
    return _matplotlib(surface, values, colormap, color, label, ax)


def layers(
    result: LayerResult,
    volume: Volume | None = None,
    *,
    plane: Literal["sagittal", "coronal", "axial"] = "axial",
    at_mm: float | None = None,
    ax: Any = None,
) -> Any:
    """Draws where a plane cuts the seven boundaries, over a slice of `volume` where there is one. Returns the axes of matplotlib.

    `at_mm` is the plane's place along the world axis at right angles to it; by default the middle of the surfaces.
    """
    import matplotlib.pyplot as plt

    from . import LAYER_COLORS, LAYER_NAMES

    axis = ("sagittal", "coronal", "axial").index(plane)
    across = [a for a in range(3) if a != axis]
    middle = (result.surfaces[0].vertices.min(0) + result.surfaces[0].vertices.max(0)) / 2
    origin = middle.copy()
    if at_mm is not None:
        origin[axis] = at_mm
    ax = plt.subplots(figsize=(6, 6))[1] if ax is None else ax
    if volume is not None:
        picture, extent = _slice(volume, origin, axis, across)
        ax.imshow(picture, cmap="gray", extent=extent, origin="lower", interpolation="nearest")
    names = ["pia", *(f"below {name}" for name in LAYER_NAMES[:-1]), "grey/white"]
    for boundary, color, name in zip(result.surfaces, LAYER_COLORS, names):
        for n, line in enumerate(boundary.contours(origin, np.eye(3)[axis])):
            ax.plot(*line[:, across].T, color=color, linewidth=1, label=name if n == 0 else None)
    ax.set_aspect("equal")
    ax.set_xlabel(f"{'xyz'[across[0]]} (mm)")
    ax.set_ylabel(f"{'xyz'[across[1]]} (mm)")
    ax.set_title(f"{'xyz'[axis]} = {origin[axis]:.2f} mm")
    ax.legend(fontsize="small", loc="upper left", bbox_to_anchor=(1.02, 1), borderaxespad=0, frameon=False)
    return ax


def _backend(wanted: Backend | None) -> Backend:
    for name in (wanted,) if wanted else ("pyvista", "matplotlib"):
        if find_spec(name):
            return name
    raise ImportError(f"drawing needs {wanted or 'pyvista or matplotlib'}: pip install brainmesh[view]")


def _pyvista(surface: Surface, values: NDArray | None, colormap: str, color: Any, label: str, plotter: Any) -> Any:
    import pyvista

    mesh = pyvista.PolyData.from_regular_faces(surface.vertices, surface.triangles.astype(np.int64))
    plotter = pyvista.Plotter() if plotter is None else plotter
    if values is None:
        plotter.add_mesh(mesh, color=color)
    else:
        plotter.add_mesh(mesh, scalars=values, cmap=colormap, nan_color="gray", scalar_bar_args={"title": label})
    return plotter


def _matplotlib(surface: Surface, values: NDArray | None, colormap: str, color: Any, label: str, ax: Any) -> Any:
    import matplotlib.pyplot as plt
    from mpl_toolkits.mplot3d.art3d import Poly3DCollection

    vertices, triangles = surface.vertices, surface.triangles
    if len(triangles) > MOST_POLYGONS:
        thin = surface.decimate(MOST_POLYGONS / len(triangles))
        if values is not None:
            # Vertices that stay may move a little: the nearest one's value.
            values = values[_nearest(vertices, thin.vertices)]
        vertices, triangles = thin.vertices, thin.triangles
    ax = plt.figure(figsize=(6, 6)).add_subplot(projection="3d") if ax is None else ax
    corners = vertices[triangles]
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)
    # Light from the upper left in front.
    light = 0.4 + 0.6 * np.clip(normals @ np.array([-0.4, 0.4, 0.82]), 0, 1)
    if values is None:
        from matplotlib.colors import to_rgb

        base = np.broadcast_to(to_rgb(color), (len(triangles), 3))
    else:
        colors = plt.get_cmap(colormap).with_extremes(bad="gray")
        scale = plt.cm.ScalarMappable(plt.Normalize(np.nanmin(values), np.nanmax(values)), colors)
        base = scale.to_rgba(np.ma.masked_invalid(values[triangles].mean(1)))[:, :3]
        plt.gcf().colorbar(scale, ax=ax, label=label, shrink=0.6, pad=0.15)
    colors = base * light[:, None]
    # Edges in the colour of their face, so that no seams show.
    ax.add_collection3d(Poly3DCollection(corners, facecolors=colors, edgecolors=colors, linewidth=0.3))
    low, high = vertices.min(0), vertices.max(0)
    ax.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]), zlim=(low[2], high[2]))
    ax.set_box_aspect(np.maximum(high - low, 1e-9))
    ax.set(xlabel="right (mm)", ylabel="anterior (mm)", zlabel="superior (mm)")
    return ax


def _nearest(points: NDArray, wanted: NDArray) -> NDArray:
    """Index of the point nearest to each wanted one, by blocks, so that memory stays small."""
    found = np.empty(len(wanted), int)
    for start in range(0, len(wanted), 16):
        block = wanted[start : start + 16]
        found[start : start + 16] = ((block[:, None] - points[None]) ** 2).sum(2).argmin(1)
    return found


def _slice(volume: Volume, origin: NDArray, axis: int, across: list[int]) -> tuple[NDArray, list[float]]:
    """Nearest voxels on the world plane through `origin`, at the finest spacing of the volume, and where they lie."""
    corners = np.array(np.meshgrid(*[(-0.5, n - 0.5) for n in volume.shape])).reshape(3, -1)
    world = volume.world_from_voxel[:3, :3] @ corners + volume.world_from_voxel[:3, 3:]
    low, high, step = world.min(1), world.max(1), min(volume.spacing_mm)
    grids = [np.arange(low[a] + step / 2, high[a], step) for a in across]
    points = np.empty((3, len(grids[1]), len(grids[0])))
    points[axis] = origin[axis]
    points[across[0]], points[across[1]] = np.meshgrid(*grids)
    voxel_from_world = np.linalg.inv(volume.world_from_voxel)
    voxels = voxel_from_world[:3, :3] @ points.reshape(3, -1) + voxel_from_world[:3, 3:]
    index = np.rint(voxels).astype(int)
    inside = ((index >= 0) & (index < np.array(volume.shape)[:, None])).all(0)
    picture = np.full(index.shape[1], np.nan)
    picture[inside] = volume.data[tuple(index[:, inside])]
    return picture.reshape(points.shape[1:]), [low[across[0]], high[across[0]], low[across[1]], high[across[1]]]
