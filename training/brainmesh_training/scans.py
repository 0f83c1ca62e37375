"""Real T1 scans with their labels: pairs of files, MINC or NIfTI, read through brainmesh where it is installed."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import nibabel
import numpy as np
import torch
from scipy import ndimage

from .augment import Augmentation, change_greys, sample, warp_grid
from .tissue_synthesis import CLASSES, class_of

#: Ends of names of a scan and of its labels, before the extension: the course's (document 001), and BIDS'.
PAIRS = (("_T1w_anat_rsl", "_variant-seg_rsl"), ("_T1w", "_dseg"), ("_T1w", "_seg"))
EXTENSIONS = (".mnc", ".nii.gz", ".nii", ".mgz")
#: Percentile of the volume's voxels other than 0 that becomes 1.
PERCENTILE = 99.0
#: Of FreeSurfer's numbering: white matter and cortex of both sides.
FREESURFER = {2, 3, 41, 42}


@dataclass(frozen=True)
class Scan:
    """One subject, in RAS at 1 mm."""

    name: str
    image: np.ndarray
    """`[x, y, z]` float32, normalised."""
    classes: np.ndarray
    """`[x, y, z]` uint8, index into CLASSES."""

    def slice(self, view: int, number: int) -> tuple[np.ndarray, np.ndarray]:
        """Image and classes `[rows, columns]` that stand on axis `view`; rows are the later of the other two axes."""
        return tuple(np.take(values, number, view).T for values in (self.image, self.classes))

    def crop(self, augmentation: Augmentation, size: int, rng: np.random.Generator) -> tuple[np.ndarray, dict]:
        """A changed piece of a slice in any of the three views, `[1, size, size]`, and its classes."""
        view = int(rng.integers(3))
        labelled = np.flatnonzero(self.classes.any(axis=tuple(axis for axis in range(3) if axis != view)))
        image, classes = self.slice(view, int(rng.choice(labelled)))
        grid = warp_grid(augmentation, image.shape, size, rng, centred=True)
        grey = sample(torch.from_numpy(np.ascontiguousarray(image)[None]), grid, "bilinear", "zeros")[0].numpy()
        truth = sample(torch.from_numpy(classes[None].astype(np.float32)), grid, "nearest", "zeros")[0].numpy()
        changed = np.maximum(change_greys(grey, augmentation, rng), 0)
        # What was cut away around a brain stays 0.
        return np.where(grey > 0, changed, 0)[None], {"classes": truth.astype(np.int64)}


def open_volume(path: Path) -> nibabel.Nifti1Image:
    """Voxels and affine, by brainmesh's own reader or else nibabel's."""
    try:
        import brainmesh
    except ImportError:
        image = nibabel.load(path)
        return nibabel.Nifti1Image(np.asarray(image.dataobj), image.affine)
    volume = brainmesh.read_volume(path)
    return nibabel.Nifti1Image(volume.data, volume.world_from_voxel)


def at_1mm(path: Path, order: int) -> tuple[np.ndarray, np.ndarray]:
    """Voxels turned to RAS and resampled to 1 mm (`order` 1 interpolates, 0 takes the nearest), and their affine."""
    image = nibabel.as_closest_canonical(open_volume(path))
    data = np.asarray(image.dataobj)
    if data.ndim != 3:
        raise ValueError(f"{path}: expected a volume, found {data.ndim} axes")
    spacing = np.asarray(image.header.get_zooms()[:3], float)
    affine = image.affine
    if np.abs(spacing - 1).max() > 0.05:
        shape = np.maximum(np.rint(data.shape * spacing).astype(int), 1)
        # Voxel centres of the new grid in the old one.
        step = np.array(data.shape) / shape
        start = (step - 1) / 2
        data = ndimage.affine_transform(data.astype(np.float32), step, start, tuple(shape), order=order, mode="nearest")
        change = np.diag([*step, 1.0])
        change[:3, 3] = start
        affine = affine @ change
    return data, affine


def pairs(folder: Path) -> Iterator[tuple[str, Path, Path]]:
    """Subject, scan and labels of each pair under a folder; a scan without labels is an error."""
    for path in sorted(folder.rglob("*")):
        extension = next((end for end in EXTENSIONS if path.name.endswith(end)), None)
        if extension is None:
            continue
        stem = path.name.removesuffix(extension)
        ends = [labels for scan, labels in PAIRS if stem.endswith(scan)]
        if not ends:
            continue
        subject = stem[: stem.rindex("_T1w")]
        wanted = [path.with_name(subject + end + other) for end in ends for other in EXTENSIONS]
        found = [other for other in wanted if other.exists()]
        if not found:
            raise ValueError(f"{path}: expected its labels, {wanted[0].name} or the like, found none")
        yield subject, path, found[0]


def numbering(folder: Path) -> dict[int, int] | None:
    """Class of each label by `labels.json` (`{"1": "csf", ..}`), one table for all subjects; None without the file."""
    file = folder / "labels.json"
    if not file.exists():
        return None
    return {int(label): CLASSES.index(name) for label, name in json.loads(file.read_text()).items()}


def classes_of(labels: np.ndarray, table: dict[int, int] | None, path: Path) -> np.ndarray:
    """CLASSES of labels numbered by the table, else as brainmesh writes them (0 to 3), else as FreeSurfer does."""
    whole = np.rint(labels).astype(np.int64)
    values = set(np.unique(whole).tolist())
    if table is not None:
        missing = values - set(table) - {0}
        if missing:
            raise ValueError(f"{path}: expected the labels of labels.json, found also {sorted(missing)}")
        return np.vectorize(lambda label: table.get(label, 0), otypes=[np.uint8])(whole)
    if values <= {0, 1, 2, 3}:
        return whole.astype(np.uint8)
    if values >= FREESURFER:
        return class_of(whole)
    raise ValueError(f"{path}: expected 0 to 3, FreeSurfer's labels or a labels.json, found {sorted(values)[:12]}")


def normalise(volume: np.ndarray) -> np.ndarray:
    """As the manifest: from the least to the PERCENTILE of voxels other than 0, which stay 0."""
    tissue = volume[volume != 0].astype(np.float64)
    if not len(tissue):
        raise ValueError("volume: expected values other than 0, found none")
    low, high = np.percentile(tissue, (0, PERCENTILE))
    return np.where(volume != 0, (volume - low) / (high - low + 1e-6), 0).astype(np.float32)


def read(folder: Path) -> list[Scan]:
    """All pairs under a folder, by subject."""
    table, scans = numbering(folder), []
    for subject, path, truth in pairs(folder):
        (image, affine), (labels, other) = at_1mm(path, 1), at_1mm(truth, 0)
        if image.shape != labels.shape or np.abs(affine - other).max() > 0.1:
            raise ValueError(f"{truth}: expected the grid of {path.name}, {image.shape}, found {labels.shape} elsewhere")
        scans.append(Scan(subject, normalise(image), classes_of(labels, table, truth)))
    names = [scan.name for scan in scans]
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        raise ValueError(f"{folder}: expected one scan a subject, found several of {sorted(twice)}")
    return scans
