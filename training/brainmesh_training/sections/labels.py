"""Sections outlined by hand on a picture: JSON as `truth.json` of `make-wafer`, or `.magc`."""

import configparser
import json
from pathlib import Path

import numpy as np

from .decode import area_px
from .quads import turns
from .targets import Parts


def clockwise(quad: np.ndarray) -> np.ndarray:
    """On the screen."""
    return quad if area_px(quad) > 0 else quad[::-1]


def from_seam(quad: np.ndarray, partner: np.ndarray, first: int) -> np.ndarray:
    """Corners in the order of `quads`, whichever they began with: the side nearest the partner's centre begins at corner `first`."""
    quad = clockwise(quad)
    middles = (quad + np.roll(quad, -1, 0)) / 2
    seam = int(np.linalg.norm(middles - partner, axis=1).argmin())
    return np.roll(quad, first - seam, 0)


def read_labels(path: Path, scale: float = 1.0) -> Parts:
    """Both parts of every section, corners in the order of `quads`; positions divided by `scale` (pixel centres are whole).

    Of a `.magc` with the middles of magnet parts alone (MagFinder's; `segment sections` adds `outline`) these are taken to be symmetric around them, from the seam on.
    """
    path = Path(path)
    pairs = marked(path) if path.suffix == ".magc" else listed(path)
    if not pairs:
        raise ValueError(f"{path}: expected sections, found none")
    tissue, magnet = [], []
    for name, outer, inner in pairs:
        for part, quad in (("tissue", outer), ("magnet", inner)):
            if quad.shape != (4, 2) or not np.isfinite(quad).all() or (turns(clockwise(quad)) <= 0).any():
                raise ValueError(f"{path}: {name}: expected four corners of a convex {part} part, found {quad.tolist()}")
        tissue.append(from_seam(outer, inner.mean(0), 3))
        magnet.append(from_seam(inner, outer.mean(0), 1))
    return Parts(*((np.stack(quads) + 0.5) / scale - 0.5 for quads in (tissue, magnet)))


def listed(path: Path) -> list[tuple[str, np.ndarray, np.ndarray]]:
    """Name, tissue and magnet part of each section of a JSON file."""
    found = []
    try:
        sections = json.loads(path.read_text())["sections"]
        for number, section in enumerate(sections):
            both = (np.array(section[part], float) for part in ("tissue", "magnet"))
            found.append((f"sections[{number}]", *both))
    except (ValueError, TypeError, KeyError) as error:
        raise ValueError(f"{path}: expected sections with four corners of tissue and magnet, found {error!r}") from error
    return found


def marked(path: Path) -> list[tuple[str, np.ndarray, np.ndarray]]:
    """Likewise of a `.magc` file, whose coordinates count from the outer corner of the first pixel."""
    file = configparser.ConfigParser(interpolation=None)
    try:
        file.read_string(path.read_text())
        found = []
        for name in file.sections():
            kind, _, number = name.partition(".")
            if kind != "section":
                continue
            quad, at = ((np.array(file[place][key].split(","), float).reshape(-1, 2) - 0.5)
                        for place, key in ((name, "polygon"), (f"magnet.{number}", "location")))  # fmt: skip
            if "outline" in file[f"magnet.{number}"]:
                magnet = np.array(file[f"magnet.{number}"]["outline"].split(","), float).reshape(-1, 2) - 0.5
            elif quad.shape == (4, 2):
                quad = from_seam(quad, at[0], 3)
                magnet = np.stack([2 * at[0] - quad[3], quad[0], quad[3], 2 * at[0] - quad[0]])
            else:
                magnet = at
            found.append((f"[{name}]", quad, magnet))
    except (ValueError, KeyError, configparser.Error) as error:
        message = f"{path}: expected [section.N] polygon and [magnet.N] location, found {error!r}"
        raise ValueError(message) from error
    return found
