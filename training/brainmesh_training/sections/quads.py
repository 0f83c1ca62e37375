"""Outlines of real sections: what `source_sections_tissue.txt` and `source_sections_mag.txt` hold.

A part has four corners in clockwise order on the screen. Tissue: 0 and 3 at the seam with the magnet part, 1 and 2 far from
it. Magnet part: 1 and 2 at the seam, next to tissue's 0 and 3; 0 and 3 far from it.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

#: Full-resolution pixels in one of the images that networks see.
DOWN = 3.0
#: Centres of sections annotated twice lie nearer than this, full-resolution pixels; others are 200 and more apart.
TWICE_PX = 20.0
SPLITS = {"train": 0.7, "validate": 0.15, "test": 0.15}


@dataclass(frozen=True)
class Shape:
    """The outlines of one section: around its middle, the seam along x, tissue above the magnet part."""

    tissue: np.ndarray
    """`[4, 2]`, down-sized pixels."""
    magnet: np.ndarray
    """`[4, 2]`, likewise."""


def read_quads(path: Path) -> np.ndarray:
    """`[sections, 4, 2]`, full-resolution pixels: a section a line, `x,y` four times, parted by tabs."""
    quads = []
    for number, line in enumerate(Path(path).read_text().splitlines(), 1):
        if not line.strip():
            continue
        try:
            quad = np.array([[float(word) for word in corner.split(",")] for corner in line.split()])
        except ValueError:
            quad = np.zeros(0)
        if quad.shape != (4, 2) or not np.isfinite(quad).all():
            raise ValueError(f"{path}: line {number}: expected four corners x,y, found {line!r}")
        if (turns(quad) <= 0).any():
            raise ValueError(f"{path}: line {number}: expected a convex outline, clockwise on the screen, found {line!r}")
        quads.append(quad)
    return np.array(quads).reshape(-1, 4, 2)


def turns(quad: np.ndarray) -> np.ndarray:
    """Twice the area of the triangle at each corner; all positive where convex and clockwise on the screen (y down)."""
    side = np.roll(quad, -1, 0) - quad
    following = np.roll(side, -1, 0)
    return side[:, 0] * following[:, 1] - side[:, 1] * following[:, 0]


def read_wafer(folder: Path) -> tuple[np.ndarray, np.ndarray]:
    """Tissue and magnet parts `[sections, 4, 2]` of a wafer; of sections annotated twice the first."""
    tissue, magnet = (read_quads(Path(folder) / f"source_sections_{part}.txt") for part in ("tissue", "mag"))
    if len(tissue) != len(magnet):
        raise ValueError(f"{folder}: expected as many magnet parts as tissue parts ({len(tissue)}), found {len(magnet)}")
    centres = tissue.mean(1)
    apart = np.linalg.norm(centres[:, None] - centres, axis=-1)
    again = (np.tril(apart < TWICE_PX, -1)).any(1)
    return tissue[~again], magnet[~again]


def shapes(tissue: np.ndarray, magnet: np.ndarray) -> list[Shape]:
    """The outlines without their places."""
    made = []
    for outer, inner in zip(tissue / DOWN, magnet / DOWN, strict=True):
        middle = np.concatenate([outer, inner]).mean(0)
        along = (outer[3] - outer[0]) + (outer[2] - outer[1])
        c, s = along / np.linalg.norm(along)
        upright = np.array([[c, -s], [s, c]])
        made.append(Shape((outer - middle) @ upright, (inner - middle) @ upright))
    return made


def read_shapes(folder: Path, split: str, seed: int = 1609) -> list[list[Shape]]:
    """For each wafer in `folder` (folders with the two files) the shapes of a split; a section is in one split only."""
    wafers = sorted(path.parent for path in Path(folder).glob("*/source_sections_tissue.txt"))
    if not wafers:
        raise ValueError(f"{folder}: expected */source_sections_tissue.txt, found none")
    ends = dict(zip(SPLITS, np.cumsum(list(SPLITS.values())), strict=True))
    found = []
    for number, wafer in enumerate(wafers):
        every = shapes(*read_wafer(wafer))
        order = np.random.default_rng([seed, number]).permutation(len(every))
        last = round(ends[split] * len(every))
        first = round((ends[split] - SPLITS[split]) * len(every))
        found.append([every[place] for place in sorted(order[first:last])])
    return found
