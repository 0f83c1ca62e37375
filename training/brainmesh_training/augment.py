"""Random changes of images and what is drawn on them: one warp for both, grey values of the image alone."""

from dataclasses import dataclass

import numpy as np
import torch
from scipy.ndimage import gaussian_filter
from torch.nn import functional


@dataclass(frozen=True)
class Augmentation:
    """How strongly; 0 leaves a part out. SDs and ranges, drawn anew for every crop."""

    quarter_turns: bool = False
    """Any of the eight flips and quarter turns."""
    mirror: bool = False
    """Left and right at random."""
    rotation_degrees: float = 0.0
    """Uniform in +-."""
    scale: float = 0.0
    """Uniform in +- of the logarithm of the scale."""
    aspect: float = 0.0
    """SD of the logarithm of the ratio of the scales."""
    shift_px: float = 0.0
    """Uniform in +-, for crops around the centre; others lie anywhere."""
    elastic_px: float = 0.0
    """SD of a smooth displacement."""
    elastic_grid_px: float = 32.0
    """Between its knots."""
    gain: float = 0.0
    """SD of the logarithm of a factor."""
    offset: float = 0.0
    """SD, in units of the normalised image, as are the following."""
    gamma: float = 0.0
    """SD of the logarithm of the exponent, between the image's smallest and largest value."""
    field: float = 0.0
    """SD of the logarithm of a smooth field that multiplies."""
    noise: float = 0.0
    """Largest SD of white noise."""
    blur_px: float = 0.0
    """Largest SD of a blur."""
    sharpen: float = 0.0
    """Largest share of the difference from a blurred image that is added."""
    patches: int = 0
    """Largest number of rectangles whose grey values are wiped out."""

    @property
    def turns(self) -> tuple[tuple[int, bool], ...]:
        """(quarter turns, mirrored) that the network was trained to bear, to average over."""
        quarters = range(4) if self.quarter_turns else range(1)
        mirrors = (False, True) if self.quarter_turns or self.mirror else (False,)
        return tuple((quarter, mirrored) for quarter in quarters for mirrored in mirrors)

    @property
    def flips(self) -> list[str]:
        """Axes that `brainmesh segment` mirrors along, to average over."""
        return ["x", "y"] if self.quarter_turns else ["x"] if self.mirror else []

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if value < 0:
                raise ValueError(f"augmentation.{name}: expected at least 0, found {value}")


def warp_grid(
    augmentation: Augmentation, shape: tuple[int, int], crop: int, rng: np.random.Generator, centred: bool
) -> torch.Tensor:
    """Where each pixel of a crop comes from: `[crop, crop, 2]`, x and y in the coordinates of `grid_sample`."""
    angle = np.deg2rad(rng.uniform(-1, 1) * augmentation.rotation_degrees)
    scale = np.exp(rng.uniform(-1, 1) * augmentation.scale)
    ratio = np.exp(rng.normal() * augmentation.aspect / 2)
    matrix = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]) @ np.diag(
        [scale * ratio, scale / ratio]
    )
    if augmentation.quarter_turns:
        turn = rng.integers(4)
        matrix = matrix @ np.array([[[1, 0], [0, 1]], [[0, -1], [1, 0]], [[-1, 0], [0, -1]], [[0, 1], [-1, 0]]][turn])
    if (augmentation.quarter_turns or augmentation.mirror) and rng.random() < 0.5:
        matrix = matrix @ np.diag([-1.0, 1.0])
    size = np.array(shape[::-1])  # x, y
    if centred:
        centre = (size - 1) / 2 + rng.uniform(-1, 1, 2) * augmentation.shift_px
    else:
        slack = np.maximum(size - crop, 0)
        centre = (crop - 1) / 2 + rng.uniform(0, 1, 2) * slack
    axis = np.arange(crop) - (crop - 1) / 2
    y, x = np.meshgrid(axis, axis, indexing="ij")
    at = np.stack([x, y], -1) @ matrix.T + centre
    if augmentation.elastic_px:
        at += smooth_fields(crop, augmentation.elastic_grid_px, 2, rng).transpose(1, 2, 0) * augmentation.elastic_px
    return torch.from_numpy((2 * at + 1) / size - 1).float()


def smooth_fields(crop: int, grid_px: float, fields: int, rng: np.random.Generator) -> np.ndarray:
    """`[fields, crop, crop]` random numbers of about unit SD, smooth over `grid_px`."""
    knots = max(2, round(crop / grid_px)) + 3
    coarse = torch.from_numpy(rng.normal(size=(1, fields, knots, knots)))
    fine = functional.interpolate(coarse, scale_factor=crop / (knots - 3), mode="bicubic", align_corners=False)
    start = (fine.shape[-1] - crop) // 2
    return fine[0, :, start : start + crop, start : start + crop].numpy()


def sample(planes: torch.Tensor, grid: torch.Tensor, mode: str, padding: str = "reflection") -> torch.Tensor:
    """Planes `[c, h, w]` at the positions of a grid, `[c, crop, crop]`."""
    return functional.grid_sample(planes[None], grid[None], mode=mode, padding_mode=padding, align_corners=False)[0]


def change_greys(image: np.ndarray, augmentation: Augmentation, rng: np.random.Generator) -> np.ndarray:
    """A normalised image `[h, w]` with other grey values."""
    out = image
    if augmentation.gamma:
        low, high = float(out.min()), float(out.max())
        span = max(high - low, 1e-6)
        out = low + span * ((out - low) / span) ** np.exp(rng.normal() * augmentation.gamma)
    if augmentation.blur_px and rng.random() < 0.5:
        out = gaussian_filter(out, rng.uniform(0, augmentation.blur_px))
    elif augmentation.sharpen:
        out = out + rng.uniform(0, augmentation.sharpen) * (out - gaussian_filter(out, 1.5))
    if augmentation.field:
        out = out * np.exp(augmentation.field * smooth_fields(len(out), len(out) / 2, 1, rng)[0])
    if augmentation.noise:
        out = out + rng.normal(size=out.shape) * rng.uniform(0, augmentation.noise)
    for _ in range(rng.integers(augmentation.patches + 1) if augmentation.patches else 0):
        height, width = rng.integers(4, len(out) // 8, 2)
        top, left = rng.integers(0, len(out) - height), rng.integers(0, len(out) - width)
        out = out.copy()
        out[top : top + height, left : left + width] = rng.normal()
    gain, offset = np.exp(rng.normal() * augmentation.gain), rng.normal() * augmentation.offset
    return (out * gain + offset).astype(np.float32)
