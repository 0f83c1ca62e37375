"""Random fields that are the same in every region they are asked for, whatever else was asked before."""

import functools

import numpy as np

BLOCK = 256


def hashed(seed: int, y: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Uniform numbers in [-1, 1) at whole positions `[len(y), len(x)]` (splitmix64's finaliser)."""
    with np.errstate(over="ignore"):
        rows = y.astype(np.int64).astype(np.uint64)[:, None] * np.uint64(0x9E3779B97F4A7C15)
        columns = x.astype(np.int64).astype(np.uint64)[None] * np.uint64(0xC2B2AE3D27D4EB4F)
        z = rows ^ (columns + np.uint64(seed & 0xFFFFFFFFFFFFFFFF) * np.uint64(0xD6E8FEB86659FD93))
        for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
            z = (z ^ (z >> np.uint64(shift))) * np.uint64(factor)
        z ^= z >> np.uint64(31)
    return (z >> np.uint64(11)).astype(np.float64) / 2.0**52 - 1.0


def taps(start: int, count: int, wavelength: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Knots under `count` positions from `start`, where each position's four begin, and their cubic B-spline weights `[4, count]`."""
    at = (start + np.arange(count)) / wavelength
    whole = np.floor(at).astype(np.int64)
    t = at - whole
    weights = np.stack([(1 - t) ** 3, 3 * t**3 - 6 * t**2 + 4, -3 * t**3 + 3 * t**2 + 3 * t + 1, t**3]) / 6
    return np.arange(whole[0] - 1, whole[-1] + 3), whole - whole[0], weights.astype(np.float32)


def smooth(seed: int, top: int, left: int, height: int, width: int, wavelength: float) -> np.ndarray:
    """`[height, width]` of about unit SD that varies over `wavelength` pixels; any region of one plane without bounds."""
    rows, down, vertical = taps(top, height, wavelength)
    columns, right, horizontal = taps(left, width, wavelength)
    values = (hashed(seed, rows, columns) * 3.6).astype(np.float32)
    values = sum(weight[:, None] * values[down + n] for n, weight in enumerate(vertical))
    return sum(weight * values[:, right + n] for n, weight in enumerate(horizontal))


@functools.lru_cache(64)
def white_block(seed: int, row: int, column: int) -> np.ndarray:
    """Normal numbers of one block."""
    key = [seed, row & 0xFFFFFFFF, column & 0xFFFFFFFF]
    return np.random.default_rng(key).standard_normal((BLOCK, BLOCK), np.float32)


def white(seed: int, top: int, left: int, height: int, width: int) -> np.ndarray:
    """`[height, width]` independent normal numbers; any region of one plane without bounds."""
    out = np.empty((height, width), np.float32)
    for row in range(top // BLOCK, (top + height - 1) // BLOCK + 1):
        for column in range(left // BLOCK, (left + width - 1) // BLOCK + 1):
            y, x = row * BLOCK - top, column * BLOCK - left
            rows, columns = slice(max(y, 0), min(y + BLOCK, height)), slice(max(x, 0), min(x + BLOCK, width))
            block = white_block(seed, row, column)
            out[rows, columns] = block[rows.start - y : rows.stop - y, columns.start - x : columns.stop - x]
    return out
