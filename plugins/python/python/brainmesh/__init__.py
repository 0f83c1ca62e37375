"""From brain volumes to cortical-layer surfaces.

The world is RAS+ millimetres everywhere; voxel axes are (i, j, k) as in the file, voxel centres at whole numbers.

>>> import brainmesh
>>> made = brainmesh.phantom(shape="sphere", extent_mm=8, spacing_mm=0.2, edge_mm=1.0)
>>> result = brainmesh.rays2surface(made.pial, made.white, made.volume)
>>> len(result.surfaces), result.thickness_mm.shape[1]
(7, 7)
"""

import atexit

# The Rust module takes numpy for granted; where it is missing, that is said here.
import numpy as _numpy  # noqa: F401

from . import evaluate, models
from ._brainmesh import VERSION as __version__
from ._brainmesh import (
    Cancelled,
    LayerResult,
    ModelError,
    Phantom,
    Ribbon,
    Surface,
    Volume,
    VolumeFile,
    isosurface,
    kind,
    at_exit,
    label_layers,
    layer_colors,
    layer_names,
    mesh,
    phantom,
    rays2surface,
    read,
    read_maps,
    read_surface,
    read_volume,
    segment,
    segment_membrane,
    segment_sections,
)

# Work on daemon threads ends before Python does.
atexit.register(at_exit)

LAYER_NAMES: tuple[str, ...] = tuple(layer_names())
LAYER_COLORS: tuple[tuple[float, float, float, float], ...] = tuple(layer_colors())

__all__ = [
    "LAYER_COLORS",
    "LAYER_NAMES",
    "Cancelled",
    "LayerResult",
    "ModelError",
    "Phantom",
    "Ribbon",
    "Surface",
    "Volume",
    "VolumeFile",
    "__version__",
    "evaluate",
    "isosurface",
    "kind",
    "label_layers",
    "main",
    "mesh",
    "models",
    "phantom",
    "rays2surface",
    "read",
    "read_maps",
    "read_surface",
    "read_volume",
    "segment",
    "segment_membrane",
    "segment_sections",
]


def main(argv: list[str] | None = None) -> int:
    """The command line: `argv` without the program's name, by default what the program was called with.

    Returns the exit code: 0 done, 1 too many defects, 2 usage, 3 input, 4 model or writing, 130 cancelled.
    """
    from .__main__ import main

    return main(argv)
