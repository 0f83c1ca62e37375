"""Scores of class maps and of boundary positions."""

import numpy as np


def confusion(truth: np.ndarray, found: np.ndarray, classes: int) -> np.ndarray:
    """Counts `[truth, found]`, pooled over all samples of all rays."""
    return np.bincount(truth.ravel() * classes + found.ravel(), minlength=classes**2).reshape(classes, classes)


def accuracy(counts: np.ndarray) -> float:
    """Share of samples on the diagonal."""
    return float(np.trace(counts) / counts.sum())


def jaccard(counts: np.ndarray) -> np.ndarray:
    """Intersection over union of each class; NaN for one that is neither true nor found anywhere."""
    hits = np.diag(counts).astype(float)
    union = counts.sum(0) + counts.sum(1) - hits
    return np.divide(hits, union, out=np.full(len(hits), np.nan), where=union > 0)


def fold_white(counts: np.ndarray) -> np.ndarray:
    """The 8-class counts as the tutorial's 7 classes, where white matter is outside."""
    folded = counts.copy()
    folded[0] += folded[-1]
    folded[:, 0] += folded[:, -1]
    return folded[:-1, :-1]


def boundary_errors(truth_um: np.ndarray, found_um: np.ndarray) -> dict[str, list[float]]:
    """Mean and 95th percentile of the absolute error and the bias (found - true) of each column, in micrometres."""
    error = found_um - truth_um
    return {
        "mean": np.abs(error).mean(0).tolist(),
        "p95": np.percentile(np.abs(error), 95, axis=0).tolist(),
        "bias": error.mean(0).tolist(),
    }


def region_correlation(truth: np.ndarray, found: np.ndarray, region: np.ndarray) -> list[float]:
    """Pearson correlation over regions of the regional means, for each column."""
    names = np.unique(region)
    means = [np.array([values[region == name].mean(0) for name in names]) for values in (truth, found)]
    return [float(np.corrcoef(means[0][:, k], means[1][:, k])[0, 1]) for k in range(truth.shape[1])]
