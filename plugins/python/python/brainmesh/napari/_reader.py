"""Opens volumes, surfaces, values at vertices and result folders."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from ._maps import MAP_FORMATS, give_maps
from ._to_layers import LayerData, contrast, image_layer, labels_layer, result_layers, surface_layer

#: Files with more bytes of voxels than this are read in blocks, when they are looked at.
LAZY_BYTES = 1 << 30
#: Voxels along an edge of such a block.
BLOCK = 128
#: Endings that other programs use for other things, and folders, which may hold anything: left to other readers where
#: brainmesh does not know the content.
SHARED_ENDINGS = (".tif", ".tiff", ".obj", ".ply", ".stl", ".vtk", ".glb", ".img", ".hdr", ".mid", ".orig")
LABEL_NAME = re.compile(r"(^|[._-])(labels?|d?seg|segmentation|aseg|aparc|parc|parcellation|mask|atlas)([._+-]|$)", re.IGNORECASE)


def get_reader(path: str | list[str]) -> Callable[[str], list[LayerData]] | None:
    """The reader of a file or folder, or None where it is for others to read. Files that only brainmesh claims are read, so
    that their faults are told."""
    import brainmesh

    if isinstance(path, list):
        if len(path) != 1:
            return None
        path = path[0]
    if is_result(path):
        return read_result
    try:
        kind = brainmesh.kind(path)
    except (ValueError, OSError):
        shared = os.path.isdir(path) and not path.rstrip("/\\").endswith(".zarr") or path.lower().endswith(SHARED_ENDINGS)
        return None if shared else read_any
    return {"volume": read_volume, "surface": read_surface, "maps": read_maps}.get(kind)


def is_result(path: str) -> bool:
    """Whether a folder is one that `brainmesh rays2surface` wrote."""
    return os.path.isfile(os.path.join(path, "report.json")) and os.path.isfile(os.path.join(path, "layer0.surf.gii"))


def read_any(path: str) -> list[LayerData]:
    """Raises what is wrong with a file that no reader takes."""
    import brainmesh

    return {"volume": read_volume, "surface": read_surface, "maps": read_maps}[brainmesh.kind(one(path))](path)


def read_volume(path: str, lazy_bytes: int = LAZY_BYTES) -> list[LayerData]:
    """An image or labels; several volumes of a file are the first axis."""
    import brainmesh

    path = one(path)
    file = brainmesh.VolumeFile(path)
    for warning in file.warnings:
        from napari.utils.notifications import show_warning

        show_warning(f"{Path(path).name}: {warning}")
    dtype = np.dtype(np.float32) if file.is_scaled else file.dtype
    is_labels = dtype.kind in "ui" and (bool(file.labels) or LABEL_NAME.search(stem(path)) is not None)
    if math.prod(file.shape) * file.volumes * dtype.itemsize > lazy_bytes:
        data = lazy(file, dtype)
        start = [max(0, n // 2 - BLOCK // 2) for n in file.shape]
        sample = file.read_region(start, [min(n, s + BLOCK) for n, s in zip(file.shape, start, strict=True)]).data
    else:
        volumes = [file.read(index).data for index in range(file.volumes)]
        data = np.stack(volumes) if len(volumes) > 1 else volumes[0]
        sample = volumes[0][tuple(slice(None, None, max(1, n // BLOCK)) for n in file.shape)]
    if is_labels:
        return [labels_layer(data, file.world_from_voxel, stem(path), file.labels, file.label_colors, path=path)]
    return [image_layer(data, file.world_from_voxel, stem(path), contrast(sample), path=path)]


def lazy(file: Any, dtype: np.dtype) -> Any:
    """A dask array [i, j, k] or [volume, i, j, k] whose blocks are read when they are asked for."""
    import dask.array

    def block(volume: int) -> Any:
        chunks = tuple(tuple(min(BLOCK, n - start) for start in range(0, n, BLOCK)) for n in file.shape)

        def read(block_info: Any = None) -> np.ndarray:
            start, stop = zip(*block_info[None]["array-location"], strict=True)
            return file.read_region([int(v) for v in start], [int(v) for v in stop], index=volume).data

        return dask.array.map_blocks(read, chunks=chunks, dtype=dtype, meta=np.empty((0, 0, 0), dtype))

    volumes = [block(volume) for volume in range(file.volumes)]
    return dask.array.stack(volumes) if len(volumes) > 1 else volumes[0]


def read_surface(path: str) -> list[LayerData]:
    """A surface, with the maps that some formats hold beside it."""
    import brainmesh

    path = one(path)
    surface = brainmesh.read_surface(path)
    maps = {}
    if path.lower().endswith(MAP_FORMATS):
        with suppress(ValueError):  # it has none
            maps = brainmesh.read_maps(path)
    return [surface_layer(surface, stem(path), path=path, maps=maps)]


def read_maps(path: str) -> list[LayerData]:
    """Values at vertices, given to every open surface that has as many; no layer of their own."""
    import brainmesh

    path = one(path)
    give_maps(brainmesh.read_maps(path), path)
    return [(None,)]  # type: ignore[list-item]  # napari's sign for a reader that has no layer to add


def read_result(path: str) -> list[LayerData]:
    """The seven surfaces of a result folder."""
    import brainmesh

    return result_layers(brainmesh.LayerResult.read(one(path)))


def one(path: str | list[str]) -> str:
    """napari gives a list where files are opened as a stack."""
    return path[0] if isinstance(path, list) else path


def stem(path: str) -> str:
    """A name for the layer: the file's without its ending."""
    name = Path(path).name
    return re.sub(r"(\.(nii|img|hdr|mnc|mgh|gii))?\.gz$|\.(surf|shape|label|func)\.gii$|\.ome\.(zarr|tiff?)$|\.seg\.nrrd$|\.[^.]+$", "", name) or name
