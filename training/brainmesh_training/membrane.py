"""Cell interiors in electron micrographs of serial sections (ISBI 2012): data, crops, losses, scores."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageSequence
from scipy import ndimage, sparse
from torch.nn import functional

from . import partition
from .augment import Augmentation, change_greys, sample, warp_grid

#: Pixels apart for which the network also learns whether two lie in one cell: it sees further for it. Not exported.
DISTANCES = (3, 9, 27)
DIRECTIONS = ((0, 1), (1, 0), (1, 1), (1, -1))
EXPORTED = 1
#: Side of a pixel: 4 nm.
PIXEL_MM = 4e-6
#: Whether held-out probabilities are worth keeping: others are made again from the checkpoint.
KEPT = True
OUTPUTS = 1 + len(DISTANCES) * len(DIRECTIONS)
#: Pixels of a drawn picture's sides.
VIEW_PX = 256
THRESHOLDS = np.linspace(0.05, 0.95, 19)


@dataclass(frozen=True)
class Section:
    """One slice with its truth."""

    number: int
    image: np.ndarray
    """`[h, w]` float32 of mean 0 and SD 1."""
    cells: np.ndarray
    """`[h, w]` numbers of the cells, 0 on membranes."""
    seam: np.ndarray
    """`[h, w]` float32: 1 where only a thin membrane lies between two cells, falling to 0."""


def normalise(image: np.ndarray) -> np.ndarray:
    """Each slice to mean 0 and SD 1, as the manifest's `zero_mean_unit_variance`."""
    image = image.astype(np.float64)
    return ((image - image.mean()) / (image.std() + 1e-6)).astype(np.float32)


def seam(cells: np.ndarray, width_px: float = 5.0) -> np.ndarray:
    """Lines where the nearest cell changes, wider by a pixel to each side: what must not be missed, or two cells merge.

    A membrane of a half width d counts exp(-d^2 / (2 width^2)): thick ones are not in danger.
    """
    distance, (y, x) = ndimage.distance_transform_edt(cells == 0, return_indices=True)
    nearest = cells[y, x]
    line = np.zeros(cells.shape, bool)
    for axis in (0, 1):
        differs = np.diff(nearest, axis=axis) != 0
        ends = [slice(None)] * 2
        for ends[axis] in (slice(1, None), slice(None, -1)):
            line[tuple(ends)] |= differs
    weight = np.where(line, np.exp(-(distance**2) / (2 * width_px**2)), 0)
    return np.where(cells == 0, ndimage.grey_dilation(weight, (3, 3)), 0).astype(np.float32)


def pairs(folder: Path) -> Iterator[tuple[int, np.ndarray, np.ndarray]]:
    """Number, picture and label of each section: `image/N.png` with `label/N.png`, or the challenge's own two TIFF stacks."""
    stacks = [folder / f"train-{part}.tif" for part in ("volume", "labels")]
    if stacks[0].exists():
        volume, labels = (
            [np.asarray(page) for page in ImageSequence.Iterator(Image.open(path))] for path in stacks
        )
        if len(volume) != len(labels):
            raise ValueError(f"{stacks[1]}: expected {len(volume)} pages, found {len(labels)}")
        yield from ((number, *pair) for number, pair in enumerate(zip(volume, labels, strict=True)))
        return
    for path in sorted((folder / "image").iterdir() if (folder / "image").exists() else (), key=number_of):
        truth = folder / "label" / path.name
        if not truth.exists():
            raise ValueError(f"{truth}: expected a label picture, found none")
        yield number_of(path), *(np.asarray(Image.open(file)) for file in (path, truth))


def number_of(path: Path) -> int:
    """Place in the stack by the last digits of a picture's name."""
    digits = re.findall(r"\d+", path.stem)
    if not digits:
        raise ValueError(f"{path}: expected a number in the name, found none")
    return int(digits[-1])


def read(folder: Path) -> list[Section]:
    """Sections in the order of the stack; labels are 255 in cells and 0 on membranes."""
    sections = []
    for number, image, label in pairs(folder):
        if image.ndim != 2 or image.shape != label.shape:
            raise ValueError(f"{folder}, {number}: expected grey pictures of one size, found {image.shape}, {label.shape}")
        cells = partition.objects(label > 127)
        sections.append(Section(number, normalise(image), cells, seam(cells)))
    if not sections:
        raise ValueError(f"{folder}: expected image/N.png or train-volume.tif, found none")
    return sections


def folds(sections: list[Section], count: int) -> np.ndarray:
    """Fold of each section: runs of neighbours, as many from the first half of the stack as from the noisier second.

    Neighbouring slices look alike: dealt out one by one, they would leak.
    """
    fold = np.empty(len(sections), int)
    for half in np.array_split(np.arange(len(sections)), 2):
        for number, run in enumerate(np.array_split(half, count)):
            fold[run] = number
    return fold


def crop(section: Section, augmentation: Augmentation, size: int, rng: np.random.Generator) -> tuple[np.ndarray, dict]:
    """A changed piece of a section: `[1, size, size]`, and its cells and seams."""
    grid = warp_grid(augmentation, section.image.shape, size, rng, centred=False)
    planes = torch.from_numpy(np.stack([section.image, section.seam]))
    image, seams = sample(planes, grid, "bilinear").numpy()
    cells = sample(torch.from_numpy(section.cells[None].astype(np.float32)), grid, "nearest")[0]
    changed = change_greys(image, augmentation, rng)
    return changed[None], {"cells": cells.numpy().astype(np.int64), "seam": seams}


def together(cells: torch.Tensor, step: tuple[int, int]) -> tuple[torch.Tensor, tuple[slice, slice]]:
    """Whether each pixel and the one a step further lie in one cell, and the window where both are in the image."""
    height, width = cells.shape[-2:]
    dy, dx = step
    here = (slice(max(0, -dy), height - max(0, dy)), slice(max(0, -dx), width - max(0, dx)))
    there = (slice(max(0, dy), height + min(0, dy)), slice(max(0, dx), width + min(0, dx)))
    first, second = cells[..., here[0], here[1]], cells[..., there[0], there[1]]
    return ((first == second) & (first > 0)).float(), here


def loss(logits: torch.Tensor, targets: dict[str, torch.Tensor], weights: dict[str, float]) -> torch.Tensor:
    """Cross-entropy of the interior, `seam` times dearer between cells, and `neighbours` times that of the steps."""
    cells, seams = targets["cells"], targets["seam"]
    interior = (cells > 0).float()
    weight = 1 + weights.get("seam", 0.0) * seams
    total = (functional.binary_cross_entropy_with_logits(logits[:, 0], interior, reduction="none") * weight).mean()
    share = weights.get("neighbours", 0.0)
    if share:
        steps = [(dy * distance, dx * distance) for distance in DISTANCES for dy, dx in DIRECTIONS]
        for plane, step in enumerate(steps, start=1):
            same, window = together(cells, step)
            found = logits[:, plane, window[0], window[1]]
            total = total + share / len(steps) * functional.binary_cross_entropy_with_logits(found, same)
    return total


def score(section: Section, answers: list[np.ndarray]) -> dict[str, np.ndarray]:
    """Scores at each of THRESHOLDS of a slice's interior probability `[1, h, w]`."""
    [[probability]] = answers
    rows = []
    for threshold in THRESHOLDS:
        interior = probability > threshold
        parts = partition.objects(interior)
        thinned = partition.agreement(section.cells, partition.thin_borders(parts))
        plain = partition.agreement(section.cells, parts)
        rows.append((thinned.v_rand, thinned.v_info, partition.pixel_f(section.cells > 0, interior), plain.v_rand))
    columns = np.array(rows).T
    return dict(zip(("v_rand", "v_info", "pixel_f", "rand_f"), columns, strict=True))


def summary(scores: list[dict[str, np.ndarray]]) -> dict[str, float]:
    """Means over slices at the threshold that is best for each score, and at the one that suits V_info and pixels together.

    The latter (`threshold`) is moved to 0.5 in the exported network: seams make the network shy, its own 0.5 draws membranes
    too thick. V_rand has no say: it jumps where two cells merge.
    """
    mean = {name: np.mean([case[name] for case in scores], axis=0) for name in scores[0]}
    chosen = int((mean["v_info"] + mean["pixel_f"]).argmax())
    best = {name: int(values.argmax()) for name, values in mean.items()}
    return {
        "v_rand": float(mean["v_rand"].max()),
        "v_info": float(mean["v_info"].max()),
        "pixel_error": float(1 - mean["pixel_f"].max()),
        "rand_error": float(1 - mean["rand_f"].max()),
        "threshold": float(THRESHOLDS[chosen]),
        "v_rand_at_threshold": float(mean["v_rand"][chosen]),
        "v_info_at_threshold": float(mean["v_info"][chosen]),
        "pixel_error_at_threshold": float(1 - mean["pixel_f"][chosen]),
        "rand_error_at_threshold": float(1 - mean["rand_f"][chosen]),
        "threshold_v_rand": float(THRESHOLDS[best["v_rand"]]),
        "threshold_v_info": float(THRESHOLDS[best["v_info"]]),
        "threshold_rand": float(THRESHOLDS[best["rand_f"]]),
        "threshold_pixel": float(THRESHOLDS[best["pixel_f"]]),
    }


def pictures(section: Section) -> list[np.ndarray]:
    """What the network sees, `[1, h, w]`."""
    return [section.image[None]]


def name(section: Section) -> str:
    """Of the slice."""
    return str(section.number)


def views(section: Section, answers: list[np.ndarray]) -> list[dict]:
    """What `picture_cases` draws: cells with thin borders, where these merge or split most."""
    [[probability]] = answers
    found = partition.thin_borders(partition.objects(probability > 0.5))
    scores = partition.agreement(section.cells, found)
    window = busiest(wrong(section.cells, found), VIEW_PX)
    return [
        {
            "name": f"section {section.number}",
            "score": scores.v_rand,
            "words": f"V_rand {scores.v_rand:.3f}, V_info {scores.v_info:.3f}",
            "grey": section.image[window],
            "truth": partition.thin_borders(section.cells)[window],
            "found": found[window],
        }
    ]


def wrong(cells: np.ndarray, found: np.ndarray) -> np.ndarray:
    """Pixels of cells outside the best match: not both the found object's chief cell and the cell's chief object."""
    joint = sparse.coo_matrix((np.ones(cells.size, int), (cells.ravel(), found.ravel()))).toarray()
    joint[0] = 0
    return (cells > 0) & ((joint.argmax(1)[cells] != found) | (joint.argmax(0)[found] != cells))


def busiest(marked: np.ndarray, side: int) -> tuple[slice, slice]:
    """The square with the most marked pixels; the middle one where there are none."""
    sides = [min(side, size) for size in marked.shape]
    sums = ndimage.uniform_filter(marked.astype(float), sides, mode="constant")
    starts = [size // 2 for size in marked.shape] if not marked.any() else np.unravel_index(sums.argmax(), sums.shape)
    first = [min(max(0, at - part // 2), size - part) for at, part, size in zip(starts, sides, marked.shape, strict=True)]
    return tuple(slice(at, at + part) for at, part in zip(first, sides, strict=True))
