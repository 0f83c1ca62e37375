"""The text folder of the reference (Wagstyl 2020 and the 1-D FCN tutorial) as rays: one ray a line.

`training_raw.txt` and `training_geo.txt` hold intensities `[rays, samples]` as sampled and smoothed along the cortex,
`training_cls.txt` the class of each sample (0 outside, 1..6 layers; white matter 7 or 0), `training_regions.txt` the region of
each ray. `training_cls_indices.txt` is not described anywhere and is not read.
"""

from pathlib import Path

import numpy as np

from .data import LAYERS, Rays

SMOOTHING_FWHM_MM = 0.163
"""Effective smoothing of `training_geo.txt` (Wagstyl 2020)."""
SPACING_MM = 0.02
"""The BigBrain's voxels, which the reference's rays were sampled from."""


def load_reference(folder: Path) -> Rays:
    """Reads the folder. The length of the rays and the given surfaces are not in it: NaN, and the whole ray."""
    raw = table(folder / "training_raw.txt").astype(np.float32)
    smoothed = table(folder / "training_geo.txt").astype(np.float32)
    classes = table(folder / "training_cls.txt")
    for name, found in (("training_geo.txt", smoothed.shape), ("training_cls.txt", classes.shape)):
        if found != raw.shape:
            raise ValueError(f"{folder / name}: expected {list(raw.shape)}, as training_raw.txt, found {list(found)}")
    if not np.isin(classes, range(len(LAYERS) + 2)).all():
        raise ValueError(f"{folder / 'training_cls.txt'}: expected classes 0 to 7, found {np.unique(classes)[:20]}")
    rays = len(raw)
    path = folder / "training_regions.txt"
    region = table(path).ravel() if path.exists() else np.arange(rays)
    if len(region) != rays:
        raise ValueError(f"{path}: expected {rays} regions, found {len(region)}")
    # Regions are numbered from 1 here: 0 would say that a ray belongs to none.
    region = np.unique(region, return_inverse=True)[1] + 1
    return Rays(
        values=np.stack([smoothed, raw], axis=1),
        channels=[{"kind": "smoothed", "fwhm_mm": SMOOTHING_FWHM_MM}, {"kind": "raw"}],
        defects=np.zeros(rays, np.int32),
        pial_t=np.zeros(rays),
        white_t=np.ones(rays),
        length_mm=np.full(rays, np.nan),
        boundaries_t=boundaries_of(classes.astype(int)),
        region=region,
        spacing_mm=np.full(rays, SPACING_MM),
    )


def boundaries_of(classes: np.ndarray) -> np.ndarray:
    """Seven positions `[rays, 7]` in t from a class for each sample `[rays, samples]`, half-way between samples.

    Rows whose classes do not follow one another (outside, I..VI, white or outside; layers may be absent) are NaN.
    """
    rays, samples = classes.shape
    layers = (classes >= 1) & (classes <= len(LAYERS))
    first = np.where(layers.any(1), layers.argmax(1), samples)
    beyond = np.arange(samples) >= first[:, None]
    # White matter written as outside comes after the layers: one number that never falls along a good ray.
    state = np.where(beyond & (classes == 0), len(LAYERS) + 1, classes)
    count = (state[:, None, :] <= np.arange(len(LAYERS) + 1)[:, None]).sum(2)
    good = layers.any(1) & (np.diff(state, axis=1) >= 0).all(1)
    return np.where(good[:, None], np.clip((count - 0.5) / (samples - 1), 0, 1), np.nan)


def table(path: Path) -> np.ndarray:
    """Numbers of a text file, a row a line."""
    return np.loadtxt(path, ndmin=2)
