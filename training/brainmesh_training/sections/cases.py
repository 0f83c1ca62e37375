"""Made wafers to train, validate and test on, and crops of them."""

import functools
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..augment import Augmentation, change_greys
from .quads import Shape, read_shapes
from .targets import Parts, targets
from .wafer import Wafer

#: Grey values at these percentiles become 0 and 1: intensity and fluorescence.
PERCENTILES = ((1.0, 99.0), (1.0, 99.5))
#: Least spread of grey values that is stretched, of 255: an empty channel stays empty.
LEAST_SPREAD = 8.0
#: Scales that training never sees lie between these; the test at a strange scale uses their middle, and one beyond all.
HELD_OUT_SCALES = (0.97, 1.07)
SCALES = (0.6, 1.5)
BEYOND_SCALE = 1.65
#: First seeds of the wafers of each split.
SEEDS = {"train": 1_000_000, "validate": 2_000_000, "test": 3_000_000}


def levels(picture: np.ndarray) -> np.ndarray:
    """What becomes 0 and 1 in each channel, `[2, 2]`, of a picture `[2, h, w]`; every third pixel is looked at."""
    found = []
    for channel, percentiles in zip(picture[:, ::3, ::3], PERCENTILES, strict=True):
        low, high = np.percentile(channel, percentiles)
        found.append((low, max(high, low + LEAST_SPREAD)))
    return np.array(found)


def normalised(picture: np.ndarray, between: np.ndarray) -> np.ndarray:
    """float32, `between` at -.5 and .5, cut off at -1 and 1."""
    low, high = between[:, :1, None], between[:, 1:, None]
    return ((picture - low) / (high - low) - 0.5).clip(-1, 1).astype(np.float32)


@dataclass(frozen=True)
class Case:
    """A wafer whose picture is made once, when first looked at."""

    wafer: Wafer

    @functools.cached_property
    def picture(self) -> np.ndarray:
        """uint8 `[2, h, w]`."""
        return self.wafer.picture(0, 0, *self.wafer.size)

    @functools.cached_property
    def levels(self) -> np.ndarray:
        """See `levels`."""
        return levels(self.picture)

    @property
    def size(self) -> tuple[int, int]:
        """Height and width."""
        return self.wafer.size

    @property
    def glows(self) -> bool:
        """Whether there is fluorescence."""
        return bool(self.wafer.look.glow)

    @property
    def parts_differ(self) -> bool:
        """Whether the parts can be told apart without."""
        return abs(self.wafer.look.magnet - self.wafer.look.tissue) > 0.06

    @functools.cached_property
    def parts(self) -> Parts:
        """The truth."""
        empty = np.zeros((0, 4, 2))
        tissue = [section.tissue for section in self.wafer.sections]
        magnet = [section.magnet for section in self.wafer.sections]
        return Parts(np.stack(tissue) if tissue else empty, np.stack(magnet) if magnet else empty)


def draw_scale(rng: np.random.Generator) -> float:
    """Of a training wafer."""
    while True:
        scale = float(np.exp(rng.uniform(*np.log(SCALES))))
        if not HELD_OUT_SCALES[0] < scale < HELD_OUT_SCALES[1]:
            return scale


def cases(folder: Path, split: str, count: int, size: int, scale: float | None = None) -> list[Case]:
    """`count` wafers of `size` pixels a side, each from the outlines of one real wafer; scales as in training unless given."""
    outlines: list[list[Shape]] = read_shapes(folder, split)
    made = []
    for number in range(count):
        seed = SEEDS[split] + number
        rng = np.random.default_rng([seed, 3])
        own = scale or draw_scale(rng)
        made.append(Case(Wafer.make(outlines[number % len(outlines)], (size, size), own, seed)))
    return made


def crop(case: Case, augmentation: Augmentation, size: int, rng: np.random.Generator) -> tuple[np.ndarray, dict]:
    """A changed piece of a wafer, `[2, size, size]`, and what the network is to say about it."""
    image, inside = piece(case, augmentation, size, rng)
    return image, targets(inside, size, size)


def piece(case: Case, augmentation: Augmentation, size: int, rng: np.random.Generator) -> tuple[np.ndarray, Parts]:
    """A changed piece of a wafer, `[2, size, size]`, and the parts that it may show something of."""
    height, width = case.size
    top, left = (int(rng.integers(0, side - size + 1)) for side in (height, width))
    image = normalised(case.picture[:, top : top + size, left : left + size], case.levels)
    inside = crossing(case.parts, left, top, size).moved(np.array([-left, -top]))
    for _ in range(rng.integers(4)):
        image, inside = np.rot90(image, 1, (1, 2)), inside.turned(size, size)
    if rng.random() < 0.5:
        image, inside = image[:, :, ::-1], inside.mirrored(size)
    grey = change_greys(image[0], augmentation, rng)
    if not case.glows or (case.parts_differ and rng.random() < 0.15):
        glow = np.full_like(grey, -0.5)
    else:
        glow = (image[1] + 0.5) * np.exp(rng.normal() * augmentation.gain) - 0.5
    return np.stack([grey, glow]).astype(np.float32), inside


def crossing(parts: Parts, left: int, top: int, size: int) -> Parts:
    """Sections of which something may lie in a square."""
    both = np.concatenate([parts.tissue, parts.magnet], 1)
    low, high = both.min(1), both.max(1)
    is_near = ((high > [left - 1, top - 1]) & (low < [left + size, top + size])).all(1)
    return Parts(parts.tissue[is_near], parts.magnet[is_near])


def padded(image: np.ndarray, stride: int) -> np.ndarray:
    """With zeros' grey (the middle of the range) up to whole strides; blocks beyond the picture hold nothing."""
    height, width = image.shape[1:]
    return np.pad(image, [(0, 0), (0, -height % stride), (0, -width % stride)], mode="edge")
