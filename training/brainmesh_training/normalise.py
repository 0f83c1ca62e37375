"""Channel scaling, the same as brainmesh-segmentation's when a model runs."""

import copy

import numpy as np

from .data import Rays

INTENSITY = ("raw", "smoothed")


def dataset_scale(rays: Rays) -> tuple[float, float]:
    """Median and 1.4826 x median absolute deviation of the raw channel within the given ribbon, over usable rays."""
    kinds = [channel["kind"] for channel in rays.channels]
    raw = rays.values[:, kinds.index("raw")]
    t = np.linspace(0, 1, rays.samples)
    inside = (t >= rays.pial_t[:, None]) & (t <= rays.white_t[:, None]) & (rays.defects == 0)[:, None]
    values = raw[inside].astype(np.float64)
    if not len(values):
        raise ValueError("rays: expected at least one usable ray within the ribbon, found none")
    median = np.median(values)
    return float(median), float(1.4826 * np.median(np.abs(values - median)))


def dataset_scales(rays: Rays) -> np.ndarray:
    """`[n, 2]`: median and spread (1 where it is 0) of the volume each ray comes from, each volume being a data set."""
    volume = np.zeros(len(rays), int) if rays.volume is None else rays.volume
    scales = np.empty((len(rays), 2), np.float32)
    for number in np.unique(volume):
        inside = volume == number
        median, spread = dataset_scale(rays.select(inside))
        scales[inside] = median, spread or 1.0
    return scales


def select_channels(rays: Rays, wanted: list[dict]) -> np.ndarray:
    """The wanted channels `[n, len(wanted), s]`, found by kind and parameters."""
    indices = []
    for channel in wanted:
        kind = {key: value for key, value in channel.items() if key != "normalisation"}
        matches = [i for i, found in enumerate(rays.channels) if {"fwhm_mm": 0.0} | found == {"fwhm_mm": 0.0} | kind]
        if not matches:
            raise ValueError(f"channels: expected {kind}, found {rays.channels}")
        indices.append(matches[0])
    return rays.values[:, indices]


def fix(channels: list[dict], rays: Rays) -> list[dict]:
    """The channels with each `"fixed"` replaced by the mean and SD of these rays: to be called on training rays."""
    fixed = copy.deepcopy(channels)
    usable = rays.select(rays.usable())
    for channel, values in zip(fixed, select_channels(usable, channels).swapaxes(0, 1), strict=True):
        if channel["normalisation"] == "fixed":
            mean, sd = float(values.mean(dtype=np.float64)), float(values.std(dtype=np.float64))
            channel["normalisation"] = {"fixed": {"mean": mean, "sd": sd if sd > 0 else 1.0}}
    return fixed


def normalise(rays: Rays, channels: list[dict]) -> np.ndarray:
    """Network input `[n, c, s]` float32; rays with a defect stay zero."""
    values = select_channels(rays, channels)
    scale = dataset_scales(rays) if any(c["normalisation"] == "dataset" for c in channels) else None
    for index, channel in enumerate(channels):
        kind = channel["normalisation"]
        column = values[:, index]
        if kind == "per_ray":
            mean, sd = column.mean(1, keepdims=True), column.std(1, keepdims=True)
            values[:, index] = np.where(sd > 0, (column - mean) / np.where(sd > 0, sd, 1), 0)
        elif kind == "dataset":
            values[:, index] = (column - scale[:, :1]) / scale[:, 1:]
        elif isinstance(kind, dict) and "fixed" in kind:
            values[:, index] = (column - kind["fixed"]["mean"]) / kind["fixed"]["sd"]
        else:
            raise ValueError(f"normalisation: expected per_ray, dataset or fixed with mean and sd, found {kind!r}")
    values[rays.defects != 0] = 0
    return values
