"""New pictures of a wafer from a few sections outlined on it: cut out, and pasted elsewhere on its own background."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from scipy.ndimage import map_coordinates, median_filter, uniform_filter
from scipy.spatial import cKDTree

from .canvas import cover, outside_px
from .layout import Habits, deal
from .quads import DOWN, shapes
from .targets import Parts

#: Of the surroundings so much is cut out with a section, and so much more fades into the background.
KEEP_PX, FADE_PX = 2.0, 4.0
#: Around a section so many of its lengths are looked at for background.
AROUND = 1.5
#: Sides of pieces of background, the largest of which there are enough is taken.
PIECES_PX, LEAST_PIECES = (128, 96, 64, 48, 32, 24), 12
#: Texture is measured in squares of this side, at every STEP_PX.
TEXTURE_PX, STEP_PX = 15, 6
#: Sections are never nearer to a piece of background.
AWAY_PX = 8

Find = Callable[[np.ndarray], Sequence[np.ndarray]]
"""Outlines `[4, 2]` of parts a network finds in a picture `[2, h, w]`, sure or not."""


def body(tissue: np.ndarray, magnet: np.ndarray) -> np.ndarray:
    """The outline of both parts together."""
    return np.stack([tissue[1], tissue[2], magnet[3], magnet[0]])


def off_px(outlines: Sequence[np.ndarray], shape: tuple[int, int]) -> np.ndarray:
    """How far every STEP_PX-th pixel of `[h, w]` is out of the nearest of convex outlines, about; negative inside."""
    y, x = (np.arange(0, side, STEP_PX, dtype=np.float32) for side in shape)
    y, x = y[:, None], x[None]
    found = np.full((y.size, x.size), np.inf, np.float32)
    for outline in outlines:
        found = np.minimum(found, outside_px(outline, x, y))
    return found


@dataclass(frozen=True)
class Window:
    """A piece of the picture around a labelled section, and what is known about it."""

    picture: np.ndarray
    """`[2, h, w]`."""
    off: np.ndarray
    """`[rows, columns]`: distance out of labelled parts and those that the network finds."""
    within: np.ndarray
    """Likewise of labelled parts alone."""

    def textures(self) -> np.ndarray:
        """`[rows, columns, 3]`: mean and spread of the grey, mean of the fluorescence, around every STEP_PX-th pixel."""
        grey, glow = self.picture.astype(np.float32)
        mean = uniform_filter(grey, TEXTURE_PX)
        spread = np.sqrt((uniform_filter(grey**2, TEXTURE_PX) - mean**2).clip(0))
        return np.stack([mean, spread, uniform_filter(glow, TEXTURE_PX)], -1)[::STEP_PX, ::STEP_PX]


def windows(picture: np.ndarray, labels: Parts, find: Find) -> list[Window]:
    """One around every labelled section."""
    bodies = [body(*both) for both in zip(labels.tissue, labels.magnet, strict=True)]
    made = []
    for outline in bodies:
        reach = AROUND * np.linalg.norm(np.ptp(outline, 0))
        low = np.floor(outline.min(0) - reach).clip(0).astype(int)
        high = np.ceil(outline.max(0) + reach).astype(int)
        part = picture[:, low[1] : high[1], low[0] : high[0]]
        near = [other - low for other in bodies]
        found = list(find(part))
        made.append(Window(part, off_px(near + found, part.shape[1:]), off_px(near, part.shape[1:])))
    return made


def background_pieces(around: Sequence[Window]) -> np.ndarray:
    """Squares of bare wafer, `[n, 2, side, side]`: away from what is labelled or found, of a texture that is common there and
    unlike that of labelled sections, so that sections nobody labelled are left out.
    """
    textures = [window.textures() for window in around]
    places = [window.off > AWAY_PX for window in around]
    own = [window.within < -TEXTURE_PX / 3 for window in around]
    everywhere = np.concatenate([texture.reshape(-1, 3) for texture in textures])
    unit = everywhere.std(0).clip(1)
    outside = np.concatenate([texture[place] for texture, place in zip(textures, places, strict=True)]) / unit
    inside = np.concatenate([texture[place] for texture, place in zip(textures, own, strict=True)]) / unit
    if not len(outside):
        raise ValueError("the picture around the labels: expected some bare wafer, found sections alone")
    rng = np.random.default_rng(0)
    some = cKDTree(outside[rng.permutation(len(outside))[:4000]])
    section = cKDTree(inside[rng.permutation(len(inside))[:4000]])

    def share(tree: cKDTree, points: np.ndarray) -> np.ndarray:
        return tree.query_ball_point(points, 0.3, return_length=True) / tree.n

    common = share(some, outside)
    least = 0.25 * np.quantile(common, 0.95)
    good = []
    for texture, place in zip(textures, places, strict=True):
        points = texture.reshape(-1, 3) / unit
        is_good = (share(some, points) > least) & (share(section, points) < share(some, points) / 2)
        # Noise alone makes a place here and there unlike the others.
        good.append(median_filter(is_good.reshape(place.shape), 3) & place)
    for side in PIECES_PX:
        pieces = []
        cells = side // STEP_PX
        for window, known in zip(around, good, strict=True):
            if min(known.shape) <= cells or min(window.picture.shape[1:]) < side:
                continue
            bare = sliding_window_view(known, (cells, cells))[::2, ::2].all((2, 3))
            for row, column in np.argwhere(bare):
                top, left = 2 * STEP_PX * row, 2 * STEP_PX * column
                piece = window.picture[:, top : top + side, left : left + side]
                if piece.shape[1:] == (side, side):
                    pieces.append(piece)
        if len(pieces) >= LEAST_PIECES:
            chosen = rng.permutation(len(pieces))[:400]
            return np.stack([pieces[place] for place in chosen]).astype(np.float32)
    raise ValueError(f"the picture around the labels: expected {LEAST_PIECES} squares of bare wafer of {PIECES_PX[-1]} pixels")


def background(pieces: np.ndarray, size: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """`[2, h, w]` of the pieces' texture: pieces side by side, blended so that the spread stays (Heitz and Neyret 2018)."""
    side, mean = pieces.shape[-1], pieces.mean((0, 2, 3))[:, None, None]
    half = side // 2
    rise = np.sin(np.pi * (np.arange(2 * half) + 0.5) / (2 * half)).astype(np.float32)
    weight = rise[:, None] * rise
    height, width = (-(-length // half) * half + 2 * half for length in size)
    total, power = np.zeros((2, height, width), np.float32), np.zeros((height, width), np.float32)
    for top in range(0, height - half, half):
        for left in range(0, width - half, half):
            piece = pieces[rng.integers(len(pieces))][:, : 2 * half, : 2 * half]
            piece = np.rot90(piece, rng.integers(4), (1, 2))
            place = (slice(top, top + 2 * half), slice(left, left + 2 * half))
            total[:, *place] += weight * (piece - mean)
            power[place] += weight**2
    made = mean + total / np.sqrt(power).clip(1e-3)
    return made[:, half : half + size[0], half : half + size[1]]


@dataclass(frozen=True)
class Pasted:
    """A picture made of pasted sections; like `cases.Case`."""

    picture: np.ndarray
    """`[2, h, w]`, grey values as in the wafer's own."""
    parts: Parts
    levels: np.ndarray
    """Of the wafer's own picture, which is what the network will see stretched."""
    glows: bool
    parts_differ: bool = False

    @property
    def size(self) -> tuple[int, int]:
        """Height and width."""
        return self.picture.shape[1:]


def pasted(
    picture: np.ndarray, labels: Parts, pieces: np.ndarray, levels: np.ndarray, size: tuple[int, int], rng: np.random.Generator
) -> Pasted:
    """One picture: sections dealt as on made wafers, each a labelled one turned and a little bent."""
    known = np.concatenate([labels.tissue, labels.magnet], 1)
    habits = replace(Habits.draw(rng), dummies=0.0)
    dealt = deal(rng, shapes(labels.tissue * DOWN, labels.magnet * DOWN), size, float(np.exp(rng.uniform(-0.1, 0.1))), habits)
    canvas, taken = background(pieces, size, rng), np.zeros(size, np.float32)
    tissue, magnet = [], []
    for section in dealt:
        corners = np.concatenate([section.tissue, section.magnet])
        source, forward = best_map(known, corners)
        put = known[source] @ forward[:2] + forward[2]
        lay(canvas, taken, picture, known[source], forward, 1 + 0.04 * rng.normal())
        tissue.append(put[:4])
        magnet.append(put[4:])
    empty = np.zeros((0, 4, 2))
    parts = Parts(np.stack(tissue) if tissue else empty, np.stack(magnet) if magnet else empty)
    return Pasted(canvas, parts, levels, glows=bool(np.ptp(levels[1]) > 0 and picture[1].any()))


def best_map(known: np.ndarray, corners: np.ndarray) -> tuple[int, np.ndarray]:
    """The labelled section `[8, 2]` that fits a dealt one best, and the affine map `[3, 2]` from it."""
    maps = []
    for number, own in enumerate(known):
        ones = np.concatenate([own, np.ones((8, 1))], 1)
        forward = np.linalg.lstsq(ones, corners, rcond=None)[0]
        maps.append((float(np.abs(ones @ forward - corners).sum() + 8 * abs(np.linalg.det(forward[:2]) - 1)), number, forward))
    _, number, forward = min(maps, key=lambda entry: entry[0])
    return number, forward


def lay(canvas: np.ndarray, taken: np.ndarray, picture: np.ndarray, own: np.ndarray, forward: np.ndarray, gain: float) -> None:
    """Pastes one section, its edge faded into what is there; `taken` is the share of each pixel that sections cover."""
    margin = KEEP_PX + FADE_PX + 1
    outlines = [own[:4], own[4:], body(own[:4], own[4:])]
    put = own @ forward[:2] + forward[2]
    low, high = np.floor(put.min(0) - margin).astype(int).clip(0), np.ceil(put.max(0) + margin).astype(int) + 1
    y, x = np.mgrid[low[1] : min(high[1], canvas.shape[1]), low[0] : min(high[0], canvas.shape[2])]
    back = np.linalg.inv(forward[:2])
    at = (np.stack([x, y], -1) - forward[2]) @ back
    start = np.floor(own.min(0) - 2 * margin).astype(int).clip(0)
    stop = np.ceil(own.max(0) + 2 * margin).astype(int) + 1
    source = picture[:, start[1] : stop[1], start[0] : stop[0]].astype(np.float32)
    place = [at[..., 1] - start[1], at[..., 0] - start[0]]
    out = np.min([outside_px(outline, at[..., 0], at[..., 1]) for outline in outlines], 0)
    share = ((KEEP_PX + FADE_PX - out) / FADE_PX).clip(0, 1)
    # Nothing is known beyond the picture.
    is_in = (at > 0).all(-1) & (at[..., 0] < picture.shape[2] - 1) & (at[..., 1] < picture.shape[1] - 1)
    window = (slice(y[0, 0], y[-1, 0] + 1), slice(x[0, 0], x[0, -1] + 1))
    # What surrounded it does not hide others.
    share = np.where(out < 0, share, share * (1 - taken[window])) * is_in
    taken[window] = np.maximum(taken[window], cover(out))
    cut = np.stack([map_coordinates(channel, place, order=3, mode="nearest") for channel in source])
    cut[0] *= gain
    canvas[:, *window] += share * (cut - canvas[:, *window])


