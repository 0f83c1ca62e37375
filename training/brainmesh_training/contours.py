"""Scores of outlines as the MICCAI 2009 left-ventricle challenge has them (Radau et al. 2009)."""

import numpy as np
from scipy import ndimage
from scipy.spatial import cKDTree

#: A contour is good where its average perpendicular distance is below this.
GOOD_MM = 5.0


def dice(truth: np.ndarray, found: np.ndarray) -> float:
    """2 |both| / (|truth| + |found|); 1 where both are empty."""
    total = int(truth.sum()) + int(found.sum())
    return 2 * int((truth & found).sum()) / total if total else 1.0


def conformity(dice_: float) -> float:
    """(3 D - 2) / D: the share of right over wrong pixels (Chang et al. 2009); minus infinity where nothing overlaps."""
    return (3 * dice_ - 2) / dice_ if dice_ > 0 else float("-inf")


def outline(mask: np.ndarray) -> np.ndarray:
    """Positions `[n, 2]` (row, column) of the mask's own pixels that touch its outside by a side."""
    inner = ndimage.binary_erosion(mask, ndimage.generate_binary_structure(2, 1), border_value=0)
    return np.argwhere(mask & ~inner).astype(np.float64)


def average_distance_mm(truth: np.ndarray, found: np.ndarray, spacing_mm: tuple[float, float]) -> float:
    """Mean distance from the outline found to the true one (nearest point), in mm; infinite where either is empty.

    `spacing_mm`: of rows and of columns.
    """
    if not truth.any() or not found.any():
        return float("inf")
    scale = np.asarray(spacing_mm)
    distances, _ = cKDTree(outline(truth) * scale).query(outline(found) * scale)
    return float(distances.mean())
