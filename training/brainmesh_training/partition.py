"""Scores of how pixels are put together into objects, as the ISBI 2012 challenge has them (Arganda-Carreras et al. 2015).

All are restricted to the foreground of the truth: pixels on a true border do not count.
"""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage, sparse

#: Objects touch along sides, not corners: with borders of one pixel anything else leaks.
SIDES = ndimage.generate_binary_structure(2, 1)


def objects(interior: np.ndarray) -> np.ndarray:
    """Numbers of the 4-connected parts of a mask `[h, w]`, from 1; 0 is outside it."""
    return ndimage.label(interior, SIDES)[0]


def thin_borders(labels: np.ndarray) -> np.ndarray:
    """Every pixel to its nearest object, so that borders have no width: how thick they are drawn does not count.

    An image without objects stays 0.
    """
    if not labels.any():
        return labels
    y, x = ndimage.distance_transform_edt(labels == 0, return_distances=False, return_indices=True)
    return labels[y, x]


@dataclass(frozen=True)
class Agreement:
    """Of a proposal with the truth: 1 is perfect."""

    v_rand: float
    """Foreground-restricted Rand score: sum p_ij^2 over half the sums of s_i^2 and of t_j^2."""
    v_info: float
    """Foreground-restricted information score: mutual information over the mean entropy."""


def agreement(truth: np.ndarray, found: np.ndarray) -> Agreement:
    """Of objects `found` with those of the truth, over pixels where the truth is not 0.

    There a pixel with `found` 0 is an object of its own, so that leaving pixels out does not pay. One object throughout both
    has no entropy and a `v_info` of 1.
    """
    inside = truth > 0
    true, proposed = truth[inside].ravel(), found[inside].ravel().astype(np.int64)
    if not len(true):
        raise ValueError("truth: expected a foreground, found none")
    alone = proposed == 0
    proposed[alone] = proposed.max(initial=0) + 1 + np.arange(alone.sum())
    true, proposed = (np.unique(values, return_inverse=True)[1] for values in (true, proposed))
    joint = sparse.coo_matrix((np.ones(len(true)), (true, proposed))).tocsr() / len(true)
    joint.sum_duplicates()
    of_truth, of_found = np.asarray(joint.sum(1)).ravel(), np.asarray(joint.sum(0)).ravel()
    v_rand = 2 * (joint.data**2).sum() / ((of_truth**2).sum() + (of_found**2).sum())
    joint_entropy, true_entropy, found_entropy = (_entropy(p) for p in (joint.data, of_truth, of_found))
    total = true_entropy + found_entropy
    v_info = 2 * (true_entropy + found_entropy - joint_entropy) / total if total > 1e-12 else 1.0
    return Agreement(float(v_rand), float(v_info))


def _entropy(shares: np.ndarray) -> float:
    return float(-(shares * np.log2(shares)).sum())


def pixel_f(truth: np.ndarray, found: np.ndarray) -> float:
    """F score of two interior masks: 2 |both| / (|truth| + |found|); 1 where both are empty."""
    total = int(truth.sum()) + int(found.sum())
    return 2 * int((truth & found).sum()) / total if total else 1.0
