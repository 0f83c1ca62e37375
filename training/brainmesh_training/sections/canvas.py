"""A region of a wafer's picture while it is drawn."""

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter, map_coordinates

from . import noise
from .look import Look


def bounds(points: np.ndarray, margin: float) -> tuple[np.ndarray, np.ndarray]:
    """Whole pixels around points."""
    return np.floor(points.min(0) - margin).astype(int), np.ceil(points.max(0) + margin).astype(int)


@dataclass
class Canvas:
    """A region being drawn."""

    top: int
    left: int
    grey: np.ndarray
    glow: np.ndarray

    @classmethod
    def blank(cls, place: tuple[int, int, int, int], look: Look, seed: int) -> "Canvas":
        """Bare wafer."""
        grey = look.background * (1 + 0.015 * noise.smooth(seed + 1, *place, 90.0) + 0.02 * noise.smooth(seed + 2, *place, 700.0))
        return cls(place[0], place[1], grey, np.full(place[2:], look.glow_floor, np.float32))

    def window(self, points: np.ndarray, margin: float) -> tuple[tuple[slice, slice], np.ndarray, np.ndarray] | None:
        """The part around points: its slices, and `x` and `y` of its pixels; none where it lies outside."""
        low, high = bounds(points, margin)
        x0, y0 = max(low[0] - self.left, 0), max(low[1] - self.top, 0)
        x1, y1 = min(high[0] - self.left + 1, self.grey.shape[1]), min(high[1] - self.top + 1, self.grey.shape[0])
        if x0 >= x1 or y0 >= y1:
            return None
        x = (np.arange(x0, x1) + self.left).astype(np.float32)[None, :]
        y = (np.arange(y0, y1) + self.top).astype(np.float32)[:, None]
        return (slice(y0, y1), slice(x0, x1)), x, y

    def lay(self, place: tuple[slice, slice], share: np.ndarray, grey: np.ndarray | float, glow: np.ndarray | float) -> None:
        """Lays something over a part; a little of what is beneath shines through."""
        under = self.grey[place]
        self.grey[place] = under + share * (grey * (0.75 + 0.3 * under) - under)
        self.glow[place] += share * (glow + 0.1 * (self.glow[place] - glow) - self.glow[place])


def outside_px(quad: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Distance out of a convex outline `[n, 2]`, clockwise on the screen: negative inside."""
    found = None
    for (ax, ay), (bx, by) in zip(quad, np.roll(quad, -1, 0), strict=True):
        length = np.hypot(bx - ax, by - ay)
        far = np.float32((by - ay) / length) * (x - np.float32(ax)) - np.float32((bx - ax) / length) * (y - np.float32(ay))
        found = far if found is None else np.maximum(found, far)
    return found


def cover(outside: np.ndarray) -> np.ndarray:
    """Share of a pixel that an outline covers."""
    return np.clip(0.5 - outside, 0, 1)


def field_shading(place: tuple[int, int, int, int], look: Look, seed: int) -> np.ndarray:
    """What the camera's fields multiply pixels by: one pattern in all, and a gain in each."""
    top, left, height, width = place
    tall, wide = look.tile_px
    y, x = (top + np.arange(height)) / tall, (left + np.arange(width)) / wide
    rows, columns = np.floor(y).astype(int), np.floor(x).astype(int)
    rng = np.random.default_rng([seed, 21])
    pattern = gaussian_filter(rng.normal(size=(48, 48)), 7)
    across = np.linspace(-1, 1, 48)
    tilt = across[:, None] * rng.normal() + across * rng.normal()
    pattern = look.shading * (pattern / pattern.std() + tilt) - look.vignette * (across[:, None] ** 2 + across**2) / 2
    at = np.meshgrid((y - rows) * 47, (x - columns) * 47, indexing="ij")
    shade = map_coordinates(pattern, at, order=1, mode="nearest")
    gains = look.tile_gain * 1.7 * noise.hashed(seed + 22, np.unique(rows), np.unique(columns))
    gain = gains[np.searchsorted(np.unique(rows), rows)][:, np.searchsorted(np.unique(columns), columns)]
    return np.exp(np.minimum(shade + gain, 0.25)).astype(np.float32)
