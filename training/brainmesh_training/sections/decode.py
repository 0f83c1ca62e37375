"""From the network's answers to sections: peaks of heat, corners by vote, partners, and nothing twice."""

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import maximum_filter

from .targets import STRIDE, UNIT_PX, VOTE_SHARE, within

THRESHOLD = 0.3
#: Blocks around a peak that vote, to each side.
REACH = 3
#: Blocks vote whose heat is this share of the peak's or more: those within VOTE_SHARE of the sides.
LEAST_VOTE = 0.2
#: SD, in half lengths and widths, of the weight of blocks near a corner; blocks around a peak that may be among them, to each side.
NEAR_CORNER, FAR_REACH = 0.4, 32
#: Parts of one kind that overlap more (intersection over union) are the same.
SAME = 0.3


@dataclass
class Part:
    """A part found."""

    quad: np.ndarray
    """`[4, 2]`, pixels."""
    confidence: float
    toward: np.ndarray
    """Where the partner's centre should be, `[2]`, pixels."""

    @property
    def centre(self) -> np.ndarray:
        """Mean of the corners."""
        return self.quad.mean(0)


@dataclass
class Section:
    """Tissue with its magnet part, either of which may be missing."""

    tissue: Part | None
    magnet: Part | None


def parts(answer: np.ndarray, kind: int, threshold: float = THRESHOLD) -> list[Part]:
    """Parts of a kind (0 tissue, 1 magnet) in an answer `[12, h, w]`, the most certain first."""
    heat = 1 / (1 + np.exp(-answer[kind].astype(np.float64)))
    peaks = np.argwhere((heat >= threshold) & (heat == maximum_filter(heat, 5, mode="constant")))
    found = []
    for row, column in peaks[np.argsort(-heat[tuple(peaks.T)], kind="stable")]:
        area = (
            slice(max(row - REACH, 0), min(row + REACH + 1, heat.shape[0])),
            slice(max(column - REACH, 0), min(column + REACH + 1, heat.shape[1])),
        )
        y, x = np.mgrid[area] * STRIDE + (STRIDE - 1) / 2
        votes = answer[(slice(2, 12), *area)].astype(np.float64) * UNIT_PX
        votes[0::2] += x
        votes[1::2] += y
        # Farther out nothing was learned.
        weight = np.where(heat[area] >= LEAST_VOTE * heat[row, column], heat[area] ** 2, 0)
        own = votes[:, row - area[0].start, column - area[1].start]
        own_centre = own[:8].reshape(4, 2).mean(0)
        centre = votes[:8].reshape(4, 2, *weight.shape).mean(0)
        size = np.sqrt(area_px(own[:8].reshape(4, 2)).clip(1))
        # Blocks of a neighbour have another centre.
        weight = weight * (np.hypot(*(centre - own_centre[:, None, None])) < 0.25 * size)
        mean = (votes * weight).sum((1, 2)) / weight.sum() if weight.sum() > 0 else own
        quad = sharpened(mean[:8].reshape(4, 2), answer, row, column)
        found.append(Part(quad, float(heat[row, column]), mean[8:]))
    return suppressed(found)


def sharpened(quad: np.ndarray, answer: np.ndarray, row: int, column: int) -> np.ndarray:
    """Each corner again, from the blocks of the part that lie nearest to it: they see its edges better than the centre does.

    As far as blocks learned to vote (VOTE_SHARE of the way from the centre to the sides), weighted by nearness to the corner.
    """
    rows = slice(max(row - FAR_REACH, 0), min(row + FAR_REACH + 1, answer.shape[1]))
    columns = slice(max(column - FAR_REACH, 0), min(column + FAR_REACH + 1, answer.shape[2]))
    if area_px(quad) < 1:
        return quad
    y, x = np.mgrid[rows, columns] * STRIDE + (STRIDE - 1) / 2
    u, v = within(quad, x, y)
    core = (np.abs(u) < VOTE_SHARE) & (np.abs(v) < VOTE_SHARE)
    if not core.any():
        return quad
    out = quad.copy()
    for corner, (along, across) in enumerate(((-1, -1), (-1, 1), (1, 1), (1, -1))):
        apart = (u - along * VOTE_SHARE) ** 2 + (v - across * VOTE_SHARE) ** 2
        weight = np.where(core, np.exp(-apart / (2 * NEAR_CORNER**2)), 0)
        votes = answer[(slice(2 + 2 * corner, 4 + 2 * corner), rows, columns)].astype(np.float64) * UNIT_PX + [x, y]
        out[corner] = (votes * weight).sum((1, 2)) / weight.sum()
    return out


def suppressed(found: list[Part]) -> list[Part]:
    """Without what is the same as something more certain, or no convex outline."""
    kept: list[Part] = []
    for part in found:
        if area_px(part.quad) <= 0:
            continue
        near = (other for other in kept if np.abs(other.centre - part.centre).max() < np.ptp(part.quad, 0).max())
        if all(overlap(other.quad, part.quad) < SAME for other in near):
            kept.append(part)
    return kept


def area_px(quad: np.ndarray) -> np.ndarray:
    """Signed; positive where clockwise on the screen."""
    x, y = quad.T
    return (x * np.roll(y, -1) - y * np.roll(x, -1)).sum() / 2


def clipped(subject: np.ndarray, clip: np.ndarray) -> np.ndarray:
    """The part of a polygon within a convex one, both clockwise on the screen (Sutherland and Hodgman 1974)."""
    points = [tuple(point) for point in subject]
    for (ax, ay), (bx, by) in zip(clip, np.roll(clip, -1, 0), strict=True):
        side = [(bx - ax) * (y - ay) - (by - ay) * (x - ax) for x, y in points]
        out = []
        for n, (here, at) in enumerate(zip(points, side, strict=True)):
            before, was = points[n - 1], side[n - 1]
            if (at >= 0) != (was >= 0):
                t = was / (was - at)
                out.append((before[0] + t * (here[0] - before[0]), before[1] + t * (here[1] - before[1])))
            if at >= 0:
                out.append(here)
        points = out
    return np.array(points).reshape(-1, 2)


def overlap(first: np.ndarray, second: np.ndarray) -> float:
    """Intersection over union of two convex outlines."""
    both = clipped(first, second)
    common = max(float(area_px(both)), 0.0) if len(both) > 2 else 0.0
    return common / (float(area_px(first)) + float(area_px(second)) - common)


def paired(tissue: list[Part], magnet: list[Part], most: float = 0.5) -> list[Section]:
    """Tissue and magnet parts that point at each other, nearest first; what is left over stays alone.

    `most` is the mean miss that still counts, in square roots of the tissue's area.
    """
    costs = []
    for t, one in enumerate(tissue):
        size = np.sqrt(area_px(one.quad))
        for m, other in enumerate(magnet):
            if np.abs(one.centre - other.centre).max() > 3 * size:
                continue
            miss = np.linalg.norm(one.toward - other.centre) + np.linalg.norm(other.toward - one.centre)
            if miss / 2 < most * size:
                costs.append((miss / size, t, m))
    mate: dict[int, int] = {}
    for _, t, m in sorted(costs):
        if t not in mate and m not in mate.values():
            mate[t] = m
    alone = [Section(None, part) for m, part in enumerate(magnet) if m not in mate.values()]
    return [Section(part, magnet[mate[t]] if t in mate else None) for t, part in enumerate(tissue)] + alone


def sections(answer: np.ndarray, threshold: float = THRESHOLD) -> list[Section]:
    """Of an answer `[12, h, w]`."""
    return paired(parts(answer, 0, threshold), parts(answer, 1, threshold))
