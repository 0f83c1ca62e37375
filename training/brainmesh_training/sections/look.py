"""How a wafer's picture looks: what is drawn once a wafer, and once a section."""

from dataclasses import dataclass, fields

import numpy as np
from scipy.ndimage import gaussian_filter1d


@dataclass(frozen=True)
class Look:
    """Grey values are shares of the full range, lengths image pixels."""

    background: float
    tissue: float
    magnet: float
    """Above `tissue` in most wafers."""
    spread: float
    """SD of grey values between sections: their thickness varies."""
    streaks: float
    """SD of bands along a section's long side, from the knife."""
    mottle: float
    """SD of grain within a section."""
    brain: float
    """Of the brain within the tissue part's resin, above it; 0 where nothing shows."""
    rim: float
    """Of the fringe around sections: bright above 0."""
    seam: float
    """Darkness of the line between tissue and magnet part."""
    closed: float
    """How far the parts reach over what annotators left between them: 1 where they meet."""
    ragged_px: float
    """SD of the outline."""
    bevel: float
    """Largest share of the tissue's short side cut off at its far corners."""
    tile_px: tuple[float, float]
    """Height and width of the camera's fields that the picture was stitched from."""
    shading: float
    """SD of the field's own shading, the same in every field."""
    vignette: float
    """How much darker a field's corners are than its middle."""
    tile_gain: float
    """SD between fields."""
    debris: float
    """Specks and clumps in a million pixels."""
    glow: float
    """Brightness of the magnet part's fluorescence; 0 leaves the channel out."""
    glow_floor: float
    glow_spread: float
    beads: float
    """Mean number of bright beads in a magnet part."""
    blur_px: float
    noise: float
    inverted: bool
    """Sections brighter than the wafer, as in some electron microscopes."""

    @classmethod
    def draw(cls, rng: np.random.Generator) -> "Look":
        """Of a random wafer."""
        tissue = rng.uniform(0.2, 0.5)
        above = rng.choice([0.02, 0.1, 0.2]) * rng.uniform(-0.3, 1.2)
        glow = 0.0 if rng.random() < 0.2 else rng.uniform(0.25, 0.85)
        if not glow:
            # Nothing else tells the parts apart.
            above = rng.uniform(0.07, 0.25)
        return cls(
            background=rng.uniform(0.7, 0.95),
            tissue=tissue,
            magnet=tissue + above,
            spread=rng.choice([0.02, 0.05, 0.1]),
            streaks=rng.uniform(0.0, 0.05),
            mottle=rng.uniform(0.005, 0.025),
            brain=rng.choice([0.0, 0.0, rng.uniform(-0.12, 0.12)]),
            rim=rng.uniform(-0.1, 0.2),
            seam=rng.uniform(0.0, 0.2),
            closed=rng.choice([0.0, 1.0, rng.random()]),
            ragged_px=rng.uniform(0.0, 0.45),
            bevel=rng.uniform(0, 0.2) if rng.random() < 0.25 else 0.0,
            tile_px=(rng.uniform(220, 700), rng.uniform(220, 900)),
            shading=rng.choice([0.01, 0.04, 0.08]),
            vignette=rng.choice([0.0, rng.uniform(0, 0.3)]),
            tile_gain=rng.choice([0.0, 0.015, 0.05]),
            debris=rng.choice([1.0, 5.0, 20.0]),
            glow=glow,
            glow_floor=rng.uniform(0.01, 0.12),
            glow_spread=rng.uniform(0.0, 0.3),
            beads=rng.uniform(0.0, 150.0),
            blur_px=rng.uniform(0.4, 1.3),
            noise=rng.uniform(0.004, 0.025),
            inverted=bool(rng.random() < 0.05),
        )

    def scaled(self, scale: float) -> "Look":
        """At another scale: fields of the camera grow, debris thins out; blur and noise are the camera's."""
        values = {part.name: getattr(self, part.name) for part in fields(self)}
        values |= {"tile_px": (self.tile_px[0] * scale, self.tile_px[1] * scale), "debris": self.debris / scale**2}
        return Look(**values)


def texture(rng: np.random.Generator, streaks: float, mottle: float) -> np.ndarray:
    """`[64, 96]` of one part, its short side along the first axis: knife marks along the long side, and grain."""
    bands = smoothed(rng.normal(size=64), rng.choice([1.0, 2.5, 6.0]))
    long_grain = smoothed(smoothed(rng.normal(size=(64, 96)), 12.0, 1), 0.8, 0)
    grain = rng.normal(size=(64, 96))
    slope = np.linspace(-1, 1, 64)[:, None] * rng.normal() * 0.4 + np.linspace(-1, 1, 96) * rng.normal() * 0.3
    return (streaks * (bands[:, None] + 0.5 * long_grain + slope) + mottle * grain).astype(np.float32)


def brain(rng: np.random.Generator) -> np.ndarray:
    """`[64, 96]`, 1 within a round patch of random place and size, soft at its edge, 0 outside."""
    v, u = np.mgrid[0:1:64j, 0:1:96j]
    (y, x), (tall, wide) = rng.uniform(0.3, 0.7, 2), rng.uniform([0.3, 0.2], [0.7, 0.5])
    away = np.hypot((v - y) / tall, (u - x) / wide)
    return (1 / (1 + np.exp((away - 1) / rng.uniform(0.02, 0.08)))).astype(np.float32)


def smoothed(values: np.ndarray, sigma: float, axis: int = 0) -> np.ndarray:
    """Gaussian, of unit SD again."""
    out = gaussian_filter1d(values, sigma, axis)
    return out / max(float(out.std()), 1e-6)
