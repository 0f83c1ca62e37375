"""T1 slices made from label maps: random contrast, bias, blur, noise, deformation and errors of skull stripping.

After SynthSeg (Billot et al. 2023), with its T1 intensity priors, but a slice at a time: a plane is laid through a deformed
head, three parallel planes give partial volume along the slice.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.ndimage import distance_transform_edt, gaussian_filter

from .augment import Augmentation, smooth_fields

CLASSES = ("background", "csf", "grey_matter", "white_matter", "outer_csf")
#: FreeSurfer labels of each class; all others (skull, skin, eyes, dura, air) are background. Brainstem, optic chiasm and
#: ventral diencephalon count as white matter, choroid plexus and the cavum as ventricles. 25 and 57 are lesions.
LABELS_OF = {
    1: (4, 5, 14, 15, 31, 43, 44, 63, 72, 136, 137, 163, 164),
    2: (3, 8, 10, 11, 12, 13, 17, 18, 26, 42, 47, 49, 50, 51, 52, 53, 54, 58),
    3: (2, 7, 16, 25, 28, 30, 41, 46, 57, 60, 62, 77, 85),
    4: (24,),
}
#: Views: the axis that the slice stands on.
SAGITTAL, CORONAL, AXIAL = range(3)


@dataclass(frozen=True)
class Head:
    """A label map in RAS at 1 mm, cut to what is not air."""

    name: str
    labels: np.ndarray
    """`[x, y, z]` uint8 index into `values`."""
    values: np.ndarray
    """FreeSurfer labels that occur, in order."""
    brain: np.ndarray
    """`[2, 3]` first and last voxel of the brain along each axis."""

    @property
    def classes(self) -> np.ndarray:
        """Class of each of `values`."""
        return class_of(self.values)


def class_of(labels: np.ndarray) -> np.ndarray:
    """CLASSES of FreeSurfer labels; the convolutions of corpus callosum (251 to 255) are white matter."""
    found = np.zeros(np.shape(labels), np.uint8)
    for number, members in LABELS_OF.items():
        found[np.isin(labels, members)] = number
    found[(labels >= 251) & (labels <= 255)] = 3
    return found


@dataclass(frozen=True)
class Priors:
    """Mean and SD over people of the mean and SD of intensities, for each label."""

    means: np.ndarray
    """`[2, 256]`-like table: mean and SD of the mean, by label."""
    spreads: np.ndarray

    @classmethod
    def read(cls, folder: Path) -> "Priors":
        """SynthSeg's priors of T1 contrast."""
        labels, classes, means, spreads = (
            np.load(folder / f"{name}.npy")
            for name in ("generation_labels", "generation_classes_contrast_specific", "prior_means_t1", "prior_stds_t1")
        )
        tables = np.zeros((2, 2, int(labels.max()) + 1))
        tables[0][:, labels], tables[1][:, labels] = means[:, classes], spreads[:, classes]
        return cls(tables[0], tables[1])


def contrast(head: Head, priors: Priors, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Mean and SD of each of the head's labels in one made scan; labels of one prior class share them, sides too.

    Means vary half as much again as in the priors; one scan in five has other relations between tissues, still with
    white above grey above fluid.
    """
    table = priors.means[:, head.values]
    keys, which = np.unique(table.round(3), axis=1, return_inverse=True)
    which = which.ravel()
    means = rng.normal(keys[0], 1.5 * keys[1])[which]
    spread = priors.spreads[:, head.values]
    spreads = np.abs(rng.normal(spread[0], spread[1] / 2)) * rng.uniform(0.25, 0.8)
    white = means[head.values == 2].mean() if (head.values == 2).any() else 160.0
    if rng.random() < 0.2:
        grey, fluid = white * rng.uniform(0.5, 0.85), white * rng.uniform(0.1, 0.35)
        kind = head.classes
        means = np.where(kind == 2, grey * rng.normal(1, 0.04, means.shape), means)
        means = np.where((kind == 1) | (kind == 4), fluid, means)
    deep = np.isin(head.values, (10, 13, 49, 52))  # thalamus and pallidum: between grey and white
    means = np.where(deep, np.minimum(means, 0.97 * white), means)
    means[head.values == 0] = rng.uniform(0, 12)
    return np.maximum(means, 0) / white, spreads / white


def plane(
    head: Head, augmentation: Augmentation, size: int, view: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Voxels `[3, size, size]` (planes along the slice's normal) of indices into the head's values, 0 outside.

    The two axes of a view are the image's rows and columns, in RAS order, the later axis as the rows.
    """
    across, down = [axis for axis in range(3) if axis != view]
    angles = np.deg2rad(rng.uniform(-1, 1, 3) * augmentation.rotation_degrees)
    turn = _rotation(angles) * np.exp(rng.uniform(-1, 1) * augmentation.scale)
    stretch = np.exp(rng.normal(size=3) * augmentation.aspect)
    low, high = head.brain
    centre = (low + high) / 2 + rng.uniform(-1, 1, 3) * augmentation.shift_px
    centre[view] = rng.uniform(low[view] - 4, high[view] + 4)
    axis = np.arange(size) - (size - 1) / 2
    at = np.zeros((size, size, 3))
    at[..., across], at[..., down] = axis[None, :], axis[:, None]
    at = at @ turn.T * stretch + centre
    if augmentation.elastic_px:
        at += smooth_fields(size, augmentation.elastic_grid_px, 3, rng).transpose(1, 2, 0) * augmentation.elastic_px
    normal = turn[:, view] / np.linalg.norm(turn[:, view])
    thickness = 1.0 if rng.random() < 0.7 else rng.uniform(1.0, 3.0)
    steps = np.array([-0.35, 0.0, 0.35]) * thickness
    voxels = np.rint(at[None] + steps[:, None, None, None] * normal).astype(np.int64)
    limits = np.array(head.labels.shape) - 1
    inside = ((voxels >= 0) & (voxels <= limits)).all(-1)
    x, y, z = np.moveaxis(np.clip(voxels, 0, limits), -1, 0)
    return np.where(inside, head.labels[x, y, z], 0), steps


def _rotation(angles: np.ndarray) -> np.ndarray:
    matrix = np.eye(3)
    for axis, angle in enumerate(angles):
        one = np.eye(3)
        i, j = [other for other in range(3) if other != axis]
        one[i, i] = one[j, j] = np.cos(angle)
        one[i, j], one[j, i] = -np.sin(angle), np.sin(angle)
        matrix = matrix @ one
    return matrix


def stripped(brain: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """What a skull stripper leaves: the brain and some of what lies within a few voxels of it; seldom, too little."""
    if not brain.any():
        return brain
    outside = distance_transform_edt(~brain) - distance_transform_edt(brain)
    margin = rng.uniform(-1.0, 0.0) if rng.random() < 0.1 else rng.uniform(0.5, 6.0)
    waves = smooth_fields(len(brain), len(brain) / 8, 1, rng)[0]
    return outside <= margin + waves * rng.uniform(0, 2.0)


def render(
    head: Head, priors: Priors, augmentation: Augmentation, size: int, view: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """A made slice `[size, size]`, white matter at about 1, and its CLASSES."""
    indices, _ = plane(head, augmentation, size, view, rng)
    means, spreads = contrast(head, priors, rng)
    grain = rng.normal(size=indices.shape)
    if rng.random() < 0.5:
        grain = gaussian_filter(grain, (0, 0.7, 0.7)) * 2
    image = (means[indices] + spreads[indices] * grain).mean(0)
    truth = head.classes[indices[1]]
    values = head.values[indices[1]]
    blur = rng.uniform(0.2, 0.7) if rng.random() < 0.7 else rng.uniform(0.7, 1.0 + augmentation.blur_px)
    image = gaussian_filter(image, blur)
    image = np.maximum(image, 0) ** np.exp(rng.normal() * augmentation.gamma)
    image = image * np.exp(augmentation.field * smooth_fields(size, size / 2, 1, rng)[0])
    noise = rng.uniform(0, augmentation.noise) * rng.normal(size=(2, size, size))
    image = np.hypot(image + noise[0], noise[1])
    if rng.random() < 0.85:
        brain = (truth > 0) & (truth < 4)
        kept = stripped(brain, rng)
        image, truth = np.where(kept, image, 0), np.where(kept, truth, 0)
    elif rng.random() < 0.3:
        image, truth = np.where(values > 0, image, 0), truth
    return (image * np.exp(rng.normal() * augmentation.gain)).astype(np.float32), truth.astype(np.int64)
