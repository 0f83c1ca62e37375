"""From Mask R-CNN's boxes and masks to parts of sections: the rectangle of least area around each outline, partners by nearness."""

import numpy as np
from scipy.spatial import ConvexHull, QhullError

from .decode import Part, area_px, suppressed

#: How far apart the middles of the sides may be that face each other, in square roots of the tissue's area.
MOST_GAP = 0.5
#: How far away a partner is looked for, in the same.
REACH = 3.0


def parts(boxes: np.ndarray, labels: np.ndarray, scores: np.ndarray, pasted: np.ndarray) -> tuple[list[Part], list[Part]]:
    """Tissue and magnet parts of detections `[n, ..]`, `pasted` `[n, h, w]` probabilities; the most certain first."""
    both: tuple[list[Part], list[Part]] = ([], [])
    for box, label, score, mask in zip(boxes, labels, scores, pasted, strict=True):
        # Pasting reaches beyond the box by a twenty-eighth of its half.
        margin = 4 + int(np.ptp(box.reshape(2, 2), 0).max() / 28)
        low = np.maximum(np.floor(box[:2]).astype(int) - margin, 0)
        high = np.ceil(box[2:]).astype(int) + margin
        quad = rectangle(outline(mask[low[1] : high[1], low[0] : high[0]]) + low)
        if quad is not None:
            both[label - 1].append(Part(quad, float(score), np.full(2, np.nan)))
    tissue, magnet = (suppressed(found) for found in both)
    place_seams(tissue, magnet)
    return tissue, magnet


def outline(mask: np.ndarray) -> np.ndarray:
    """Points `[n, 2]` where a mask passes .5 between pixels' centres, and pixels of it at its border."""
    points = [np.zeros((0, 2))]
    inside = mask >= 0.5
    for axis in (0, 1):
        a, b = (mask[:-1], mask[1:]) if axis == 0 else (mask[:, :-1], mask[:, 1:])
        rows, columns = np.nonzero((a >= 0.5) != (b >= 0.5))
        one, other = a[rows, columns].astype(float), b[rows, columns].astype(float)
        step = (one - 0.5) / (one - other)
        points.append(np.stack([columns + step * (axis == 1), rows + step * (axis == 0)], 1))
    rows, columns = np.nonzero(inside)
    edge = (rows == 0) | (columns == 0) | (rows == mask.shape[0] - 1) | (columns == mask.shape[1] - 1)
    points.append(np.stack([columns[edge], rows[edge]], 1))
    return np.concatenate(points)


def rectangle(points: np.ndarray) -> np.ndarray | None:
    """The rectangle of least area around points, clockwise on the screen, a long side last; none for points on a line."""
    try:
        hull = points[ConvexHull(points).vertices]
    except (QhullError, ValueError):
        return None
    best = None
    for way in np.roll(hull, -1, 0) - hull:
        u = way / np.linalg.norm(way)
        v = np.array([-u[1], u[0]])
        low, high = (np.array([function(hull @ u), function(hull @ v)]) for function in (np.min, np.max))
        if best is None or np.prod(high - low) < best[0]:
            best = (np.prod(high - low), u, v, low, high)
    _, u, v, low, high = best
    quad = np.stack([a * u + b * v for a, b in ((low[0], low[1]), (high[0], low[1]), (high[0], high[1]), (low[0], high[1]))])
    if area_px(quad) < 0:
        quad = quad[::-1]
    sides = np.linalg.norm(np.roll(quad, -1, 0) - quad, axis=1)
    return quad if sides[3] >= sides[0] else np.roll(quad, -1, 0)


def place_seams(tissue: list[Part], magnet: list[Part]) -> None:
    """Pairs parts whose facing sides are nearest, and lets corners 0 and 3 of tissue, 1 and 2 of magnet parts, be at the seam."""
    near = []
    for t, one in enumerate(tissue):
        for m, other in enumerate(magnet):
            size = np.sqrt(area_px(one.quad))
            if np.abs(one.centre - other.centre).max() < REACH * size:
                own, its = facing_side(one.quad, other.centre), facing_side(other.quad, one.centre)
                gap = np.linalg.norm(middle(one.quad, own) - middle(other.quad, its)) / size
                if gap < MOST_GAP:
                    near.append((gap, t, m))
    taken_tissue, taken_magnet = set(), set()
    for _, t, m in sorted(near):
        if t in taken_tissue or m in taken_magnet:
            continue
        taken_tissue.add(t)
        taken_magnet.add(m)
        one, other = tissue[t], magnet[m]
        one.toward, other.toward = other.centre, one.centre
        one.quad = np.roll(one.quad, -facing_side(one.quad, other.centre) - 1, 0)
        other.quad = np.roll(other.quad, 1 - facing_side(other.quad, one.centre), 0)


def middle(quad: np.ndarray, side: int) -> np.ndarray:
    """Of side n, from corner n to the next."""
    return (quad[side] + quad[(side + 1) % 4]) / 2


def facing_side(quad: np.ndarray, toward: np.ndarray) -> int:
    """Side n goes from corner n to the next: the one that faces a point most squarely."""
    sides = np.roll(quad, -1, 0) - quad
    # Clockwise on the screen: outward is to the left of the way.
    outward = np.stack([sides[:, 1], -sides[:, 0]], 1) / np.linalg.norm(sides, axis=1, keepdims=True)
    return int(np.argmax(outward @ (toward - quad.mean(0))))
