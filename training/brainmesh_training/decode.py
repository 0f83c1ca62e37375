"""Boundary positions from class probabilities, for validation.

The program's own decoder (brainmesh-meshing) does more (costs of absent layers, tempering, defects); this one is the
same idea in its plainest form, so that networks are compared on boundaries in micrometres and not on samples alone.
"""

import numpy as np

from .data import LAYERS


def expected_boundaries(probabilities: np.ndarray) -> np.ndarray:
    """Seven positions `[n, 7]` in t from class probabilities `[n, classes, samples]` of an extended ray.

    Every sample belongs to one class and classes never step back (outside, I..VI, white; any may be absent). All such
    sequences are weighted by the product of their probabilities, and a boundary is the mean over them of where it lies:
    forward-backward sums (Rabiner 1989, section III.A) with all forward steps alike. With seven classes class 0 stands at
    both ends.
    """
    rays, classes, samples = probabilities.shape
    if classes == len(LAYERS) + 1:
        probabilities = np.concatenate([probabilities, probabilities[:, :1]], axis=1)
    elif classes != len(LAYERS) + 2:
        raise ValueError(f"probabilities: expected 7 or 8 classes, found {classes}")
    # Samples first, so that each step of the recursion reads one block; the floor keeps every ray possible.
    evidence = np.maximum(np.moveaxis(probabilities, 2, 0).astype(np.float64), 1e-6)
    forward = np.empty_like(evidence)
    forward[0] = evidence[0]
    for i in range(1, samples):
        forward[i] = evidence[i] * np.cumsum(forward[i - 1], axis=1)
        forward[i] /= forward[i].sum(1, keepdims=True)
    above = np.zeros((rays, len(LAYERS) + 1))
    backward = np.ones((rays, len(LAYERS) + 2))
    for i in range(samples - 1, -1, -1):
        state = forward[i] * backward
        state /= state.sum(1, keepdims=True)
        above += np.cumsum(state, axis=1)[:, :-1]
        if i > 0:
            backward = np.cumsum((evidence[i] * backward)[:, ::-1], axis=1)[:, ::-1]
            backward /= backward.sum(1, keepdims=True)
    # A cell reaches half a sample to both sides of its sample, so `m` samples above a boundary end at m - 1/2.
    return np.clip((above - 0.5) / (samples - 1), 0, 1)
