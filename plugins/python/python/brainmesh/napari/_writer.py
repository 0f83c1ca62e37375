"""Writes images, labels and surfaces where they lie in the world; the ending of the name chooses the format."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from . import _from_layers


class WriteError(RuntimeError):
    """What napari shows; it takes ValueError for "no such writer" and says nothing else."""


@contextmanager
def told() -> Iterator[None]:
    """Makes faults of a layer reach the user."""
    try:
        yield
    except ValueError as error:
        raise WriteError(str(error)) from error


def write_volume(path: str, data: Any, meta: dict[str, Any]) -> list[str]:
    """Writes an Image or Labels layer."""
    from napari.layers import Layer

    # Labels alone have no contrast.
    layer = Layer.create(data, meta, "image" if "contrast_limits" in meta else "labels")
    with told():
        if layer.ndim == 4 and len(layer.data) > 1:
            raise ValueError(f'layer "{layer.name}": expected one volume, found {len(layer.data)}; slice it first')
        _from_layers.volume(layer).save(path)
    return [path]


def write_surface(path: str, data: Any, meta: dict[str, Any]) -> list[str]:
    """Writes a Surface layer, with its maps where the format carries them."""
    from napari.layers import Layer

    from ._maps import MAP_FORMATS, maps_of

    layer = Layer.create(data, meta, "surface")
    maps = maps_of(layer) if path.lower().endswith(MAP_FORMATS) else {}
    with told():
        _from_layers.surface(layer).save(path, maps={re.sub(r"[^A-Za-z0-9_.-]", "_", name): values for name, values in maps.items()})
    return [path]
