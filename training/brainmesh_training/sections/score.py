"""Scores of sections found: average precision of outlines, recall, errors of centres and angles, doubles."""

from collections.abc import Sequence

import numpy as np

from .decode import Part, overlap

#: Of COCO: intersection over union, and the recalls at which precision is read.
OVERLAPS = np.arange(0.5, 0.96, 0.05)
RECALLS = np.linspace(0, 1, 101)


def angle_degrees(quad: np.ndarray) -> float:
    """Direction of a part's long sides, from the end of corner 0 to that of corner 3, clockwise on the screen from x."""
    along = (quad[3] - quad[0]) + (quad[2] - quad[1])
    return float(np.degrees(np.arctan2(along[1], along[0])))


def matched(truth: np.ndarray, found: Sequence[Part], least: float) -> list[int]:
    """For each part found, the most certain first, the true one it is matched with (each once), or -1."""
    free = set(range(len(truth)))
    out = []
    for part in found:
        near = [n for n in free if np.abs(truth[n].mean(0) - part.centre).max() < np.ptp(truth[n], 0).max()]
        best = max(((overlap(truth[n], part.quad), -n) for n in near), default=(0.0, 0))
        if best[0] >= least:
            free.remove(-best[1])
            out.append(-best[1])
        else:
            out.append(-1)
    return out


def average_precision(hits: np.ndarray, confidence: np.ndarray, truths: int) -> float:
    """COCO's: precision made monotone, read at 101 recalls."""
    if not truths:
        return float("nan")
    hits = hits[np.argsort(-confidence, kind="mergesort")]
    right = np.cumsum(hits)
    recall, precision = right / truths, right / np.arange(1, len(hits) + 1)
    precision = np.maximum.accumulate(precision[::-1])[::-1]
    at = np.searchsorted(recall, RECALLS, side="left")
    return float(np.where(at < len(precision), precision[np.minimum(at, len(precision) - 1)] if len(precision) else 0, 0).mean())


def score(pictures: Sequence[tuple[np.ndarray, Sequence[Part]]], keep: float = 0.5) -> dict[str, float]:
    """Of one kind of part over pictures `(truth [n, 4, 2], found)`; recall, errors and doubles are of parts with confidence above `keep`."""
    truths = sum(len(truth) for truth, _ in pictures)
    confidence = np.array([part.confidence for _, found in pictures for part in found])
    precision = []
    for least in OVERLAPS:
        hits = [np.array(matched(truth, found, least), int) >= 0 for truth, found in pictures]
        precision.append(average_precision(np.concatenate([*hits, np.zeros(0, bool)]), confidence, truths))
    centres, angles, found_truths, doubles, spurious = [], [], 0, 0, 0
    for truth, every in pictures:
        found = [part for part in every if part.confidence >= keep]
        mates = matched(truth, found, 0.5)
        for part, mate in zip(found, mates, strict=True):
            if mate >= 0:
                found_truths += 1
                centres.append(float(np.linalg.norm(part.centre - truth[mate].mean(0))))
                difference = angle_degrees(part.quad) - angle_degrees(truth[mate])
                angles.append(abs((difference + 180) % 360 - 180))
            elif any(overlap(quad, part.quad) >= 0.5 for quad in truth):
                doubles += 1
            else:
                spurious += 1
    return {
        "parts": truths,
        "map50": precision[0],
        "map": float(np.mean(precision)),
        "recall": found_truths / max(truths, 1),
        "median_centre_px": float(np.median(centres)) if centres else float("nan"),
        "median_angle_degrees": float(np.median(angles)) if angles else float("nan"),
        "worst_angle_degrees": float(max(angles)) if angles else float("nan"),
        "doubles": doubles,
        "spurious": spurious,
    }
