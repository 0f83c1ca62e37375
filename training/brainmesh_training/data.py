"""Rays for training: the `.npz` files written by `brainmesh profiles` and `brainmesh phantom --rays`.

Position on a ray is `t`, 0 at its outer and 1 at its inner end; sample `i` of `n` lies at `t = i / (n - 1)`.
"""

import json
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

LAYERS = ("I", "II", "III", "IV", "V", "VI")
CLASSES = ("outside", *LAYERS, "white")
BOUNDARIES = len(LAYERS) + 1


@dataclass(frozen=True)
class Rays:
    """Rays with what is known about them; `n` rays, `c` channels, `s` samples."""

    values: np.ndarray
    """`[n, c, s]` float32."""
    channels: list[dict]
    """`c` channels as brainmesh-core writes them, such as `{"kind": "smoothed", "fwhm_mm": 3.0}`."""
    defects: np.ndarray
    """`[n]` integers, 0 where the ray can be used."""
    pial_t: np.ndarray
    """`[n]` position of the given pial surface."""
    white_t: np.ndarray
    """`[n]` position of the given white surface."""
    length_mm: np.ndarray
    """`[n]` scale of `t` in millimetres."""
    boundaries_t: np.ndarray | None = None
    """`[n, 7]` true positions from the pia to grey/white; rows of NaN where unknown."""
    region: np.ndarray | None = None
    """`[n]` region of each ray, never split between training and validation; 0 belongs to none."""
    spacing_mm: np.ndarray | None = None
    """`[n]` voxel size of the volume a ray was sampled from."""
    volume: np.ndarray | None = None
    """`[n]` number of the volume a ray was sampled from; None where all come from one."""

    def __post_init__(self) -> None:
        rays, channels, _ = self.values.shape
        if channels != len(self.channels):
            raise ValueError(f"values: expected {len(self.channels)} channels, found {channels}")
        for field in ("defects", "pial_t", "white_t", "length_mm", "boundaries_t", "region", "spacing_mm", "volume"):
            array = getattr(self, field)
            if array is not None and len(array) != rays:
                raise ValueError(f"{field}: expected {rays} rays, found {len(array)}")
        if self.boundaries_t is not None and self.boundaries_t.shape[1:] != (BOUNDARIES,):
            raise ValueError(f"boundaries_t: expected [{rays}, {BOUNDARIES}], found {self.boundaries_t.shape}")

    def __len__(self) -> int:
        return len(self.values)

    @property
    def samples(self) -> int:
        """Samples a ray."""
        return self.values.shape[2]

    def usable(self) -> np.ndarray:
        """`[n]` which rays can be used and, where truth is given, have one."""
        usable = self.defects == 0
        return usable if self.boundaries_t is None else usable & np.isfinite(self.boundaries_t).all(1)

    def select(self, rays: np.ndarray) -> "Rays":
        """Some of the rays, by index or mask."""
        arrays = {name: array[rays] for name, array in vars(self).items() if isinstance(array, np.ndarray)}
        return replace(self, **arrays)


def load(path: Path) -> Rays:
    """Reads a `.npz`; one that lacks a needed array is a `ValueError` that names it."""
    with np.load(path) as arrays:
        missing = {"values", "channels_json"} - set(arrays.files)
        if missing:
            raise ValueError(f"{path}: expected arrays values and channels_json, not found: {sorted(missing)}")
        optional = {name: arrays[name] for name in ("boundaries_t", "region", "volume") if name in arrays.files}
        rays = len(arrays["values"])
        if "spacing_mm" in arrays.files:
            # Labelled rays of one volume hold its voxel size once.
            optional["spacing_mm"] = np.resize(arrays["spacing_mm"], rays)
        given = {
            name: arrays[name] if name in arrays.files else np.full(rays, default)
            for name, default in (("defects", 0), ("pial_t", 0.0), ("white_t", 1.0), ("length_mm", 1.0))
        }
        return Rays(
            values=np.ascontiguousarray(arrays["values"], dtype=np.float32),
            channels=json.loads("".join(map(chr, arrays["channels_json"]))),
            **given,
            **optional,
        )


def save(rays: Rays, path: Path) -> None:
    """Writes the `.npz` that `load` reads."""
    arrays = {name: array for name, array in vars(rays).items() if isinstance(array, np.ndarray)}
    channels = np.frombuffer(json.dumps(rays.channels).encode(), dtype=np.uint8)
    np.savez(path, channels_json=channels, **arrays)


def join(parts: list[Rays]) -> Rays:
    """Rays of several volumes with the same channels as one set; `volume` counts the parts from 1."""
    if not parts or any(part.channels != parts[0].channels for part in parts):
        raise ValueError(f"channels: expected the same in every file, found {[part.channels for part in parts]}")
    numbered = [replace(part, volume=np.full(len(part), number)) for number, part in enumerate(parts, 1)]
    names = [name for name, array in vars(numbered[0]).items() if isinstance(array, np.ndarray)]
    return replace(numbered[0], **{name: np.concatenate([getattr(part, name) for part in numbered]) for name in names})


def soft_labels(boundaries_t: np.ndarray, samples: int, classes: int) -> np.ndarray:
    """Share of each class in the cell around each sample: `[n, classes, samples]`, summing to 1 over classes.

    A cell reaches half a sample to both sides and is cut at the ends of the ray. With seven classes white matter
    counts as outside, the convention of the 1-D FCN tutorial.
    """
    centre = np.linspace(0, 1, samples)
    half = 0.5 / (samples - 1)
    low, high = np.maximum(centre - half, 0), np.minimum(centre + half, 1)
    # Share of the cell that lies above (towards the pia of) each boundary.
    above = np.clip((boundaries_t[:, :, None] - low) / (high - low), 0, 1)
    edges = np.concatenate([np.zeros_like(above[:, :1]), above, np.ones_like(above[:, :1])], axis=1)
    labels = np.diff(edges, axis=1)
    if classes == len(LAYERS) + 1:
        labels[:, 0] += labels[:, -1]
        labels = labels[:, :-1]
    return labels.astype(np.float32)
