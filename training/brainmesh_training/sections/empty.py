"""Pictures without sections that the made wafers lack: noise and blobs of any grain, so that other pictures give nothing."""

import numpy as np
from scipy.ndimage import gaussian_filter

#: SD of the smallest and the largest grain, pixels.
GRAINS_PX = (0.5, 40.0)


def texture(size: int, rng: np.random.Generator) -> np.ndarray:
    """`[size, size]` between -.5 and .5 but for tails: one grain, or two; half of them cut into blobs."""
    total = np.zeros((size, size))
    for _ in range(rng.integers(1, 3)):
        grain = np.exp(rng.uniform(*np.log(GRAINS_PX)))
        field = gaussian_filter(rng.normal(size=(size, size)), grain * rng.uniform(0.5, 1.5, 2))
        field = (field - field.mean()) / field.std()
        if rng.random() < 0.5:
            field = np.tanh(field * np.exp(rng.uniform(0, 3))) * 1.5
        total += field * rng.uniform(0.3, 1)
    return total / total.std() * rng.uniform(0.15, 0.35)


def empty(size: int, rng: np.random.Generator) -> np.ndarray:
    """`[2, size, size]` float32: intensity and fluorescence of nothing."""
    grey = texture(size, rng)
    kind = rng.integers(4)
    glow = [
        lambda: np.full((size, size), -0.5),
        lambda: texture(size, rng),
        lambda: grey * rng.choice([-1.0, 1.0]),
        lambda: np.full((size, size), -0.5) + np.abs(rng.normal(size=(size, size))) * rng.uniform(0, 0.4),
    ][kind]()
    return np.stack([grey, glow]).clip(-1, 1).astype(np.float32)
