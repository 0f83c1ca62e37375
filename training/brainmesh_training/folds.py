"""Cross-validation that never splits a region."""

from collections.abc import Iterator

import numpy as np

SEED = 1609


def region_folds(region: np.ndarray, folds: int, seed: int = SEED) -> np.ndarray:
    """Fold of each ray: whole regions, shuffled, dealt out in turn. Rays of region 0 (none) get -1."""
    regions = np.unique(region[region != 0])
    if not 2 <= folds <= len(regions):
        raise ValueError(f"folds: expected 2 to {len(regions)} (the number of regions), found {folds}")
    fold = np.full(len(region), -1)
    for position, name in enumerate(np.random.default_rng(seed).permutation(regions)):
        fold[region == name] = position % folds
    return fold


def splits(region: np.ndarray, usable: np.ndarray, folds: int, seed: int = SEED) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """(training, held-out) indices of usable rays, one pair a fold."""
    fold = region_folds(region, folds, seed)
    for held_out in range(folds):
        yield (
            np.flatnonzero(usable & (fold >= 0) & (fold != held_out)),
            np.flatnonzero(usable & (fold == held_out)),
        )


def validation_split(region: np.ndarray, rays: np.ndarray, share: float, seed: int = SEED) -> tuple[np.ndarray, np.ndarray]:
    """Splits ray indices into (training, validation) by whole regions, about `share` of the regions to validation."""
    regions = np.random.default_rng(seed).permutation(np.unique(region[rays]))
    held_out = regions[: max(1, round(share * len(regions)))]
    inside = np.isin(region[rays], held_out)
    return rays[~inside], rays[inside]
