"""Grey and white matter and fluid on T1 slices, learnt from made images of real label maps, from real scans with labels, or
both: data, crops, losses, scores.
"""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import nibabel
import numpy as np
import torch
from torch.nn import functional

from . import scans
from .augment import Augmentation
from .scans import Scan, normalise
from .tissue_synthesis import CLASSES, Head, Priors, render

OUTPUTS = EXPORTED = len(CLASSES)
#: Whether held-out probabilities are worth keeping: others are made again from the checkpoint.
KEPT = False
#: Slices that a held-out head or scan is scored on.
SLICES = 60
TEST_SIZE = 192
TEST = Augmentation(
    rotation_degrees=15, scale=0.1, shift_px=8, gain=0.15, gamma=0.1, field=0.15, noise=0.06, blur_px=0.4
)


@dataclass(frozen=True)
class MadeCase:
    """A head and the priors its images are made with."""

    head: Head
    priors: Priors

    @property
    def name(self) -> str:
        """Of the head."""
        return self.head.name

    def crop(self, augmentation: Augmentation, size: int, rng: np.random.Generator) -> tuple[np.ndarray, dict]:
        """A made slice `[1, size, size]` in any of the three views, and its classes."""
        image, truth = render(self.head, self.priors, augmentation, size, int(rng.integers(3)), rng)
        return image[None], {"classes": truth}


Case = MadeCase | Scan


def read(folder: Path) -> list[Case]:
    """`label_maps/*.nii.gz` with `priors/`, and pairs of real scans and labels (`scans.PAIRS`) anywhere under the folder."""
    maps = sorted((folder / "label_maps").glob("*.nii.gz"))
    priors = Priors.read(folder / "priors") if maps else None
    cases: list[Case] = [MadeCase(read_head(path), priors) for path in maps]
    cases += scans.read(folder)
    if not cases:
        raise ValueError(f"{folder}: expected label_maps/*.nii.gz or *_T1w_anat_rsl.mnc with labels, found none")
    return cases


def read_head(path: Path) -> Head:
    """A label map, turned to RAS and cut to what is not air."""
    image = nibabel.as_closest_canonical(nibabel.load(path))
    data = np.asarray(image.dataobj)
    labels = np.rint(data).astype(np.int32)
    filled = np.argwhere(labels > 0)
    low, high = filled.min(0), filled.max(0) + 1
    labels = labels[tuple(slice(a, b) for a, b in zip(low, high, strict=True))]
    values, indices = np.unique(labels, return_inverse=True)
    # Index 0 is air, also beyond the edge.
    if values[0] != 0:
        values, indices = np.concatenate([[0], values]), indices + 1
    brain = np.argwhere((labels > 0) & (labels < 500) & (labels != 24))
    return Head(
        path.name.split(".")[0],
        indices.reshape(labels.shape).astype(np.uint8),
        values,
        np.stack([brain.min(0), brain.max(0)]),
    )


def folds(cases: Sequence[Case], count: int) -> np.ndarray:
    """Fold of each subject: dealt out in turn."""
    return np.arange(len(cases)) % count


def crop(case: Case, augmentation: Augmentation, size: int, rng: np.random.Generator) -> tuple[np.ndarray, dict]:
    """A slice `[1, size, size]` in any of the three views, and its classes."""
    return case.crop(augmentation, size, rng)


def loss(logits: torch.Tensor, targets: dict[str, torch.Tensor], weights: dict[str, float]) -> torch.Tensor:
    """Cross-entropy and `dice` times one minus the mean Dice of the classes beside background, over the whole batch."""
    classes = targets["classes"]
    entropy = functional.cross_entropy(logits, classes)
    found = logits.softmax(1)[:, 1:]
    true = functional.one_hot(classes, OUTPUTS).permute(0, 3, 1, 2)[:, 1:].float()
    overlap, total = (found * true).sum((0, 2, 3)), found.sum((0, 2, 3)) + true.sum((0, 2, 3))
    return entropy + weights.get("dice", 1.0) * (1 - ((2 * overlap + 1) / (total + 1)).mean())


def looked_at(case: Case) -> list[tuple[np.ndarray, np.ndarray]]:
    """The slices a held-out case is scored on and their classes: made ones changed as TEST says, real ones as they are."""
    if isinstance(case, Scan):
        numbers = [(view, number) for view in range(3) for number in np.flatnonzero(case.classes.any(_others(view)))]
        chosen = np.linspace(0, len(numbers) - 1, min(SLICES, len(numbers))).astype(int)
        slices = [case.slice(*numbers[number]) for number in chosen]
        return [(np.ascontiguousarray(image)[None], classes.astype(np.int64)) for image, classes in slices]
    rng = np.random.default_rng(hash_of(case.name))
    pairs = [crop(case, TEST, TEST_SIZE, rng) for _ in range(SLICES)]
    return [(image, truth["classes"]) for image, truth in pairs]


def _others(view: int) -> tuple[int, ...]:
    return tuple(axis for axis in range(3) if axis != view)


def hash_of(name: str) -> int:
    """The same in every run, unlike `hash`."""
    return zlib.crc32(name.encode())


def pictures(case: Case) -> list[np.ndarray]:
    """What the network sees, `[1, h, w]` each."""
    return [image for image, _ in looked_at(case)]


def name(case: Case) -> str:
    """Of the head or the subject."""
    return case.name


def score(case: Case, answers: Sequence[np.ndarray]) -> np.ndarray:
    """Confusion counts over the case's slices."""
    pairs = zip(looked_at(case), answers, strict=True)
    return np.sum([confusion(truth, answer.argmax(0)) for (_, truth), answer in pairs], axis=0)


def confusion(truth: np.ndarray, found: np.ndarray) -> np.ndarray:
    """Counts `[truth, found]` of CLASSES, outer fluid counted as background."""
    truth, found = (np.where(values == 4, 0, values) for values in (truth, found))
    return np.bincount(truth.ravel() * 4 + found.ravel(), minlength=16).reshape(4, 4)


def summary(scores: Sequence[np.ndarray]) -> dict[str, float]:
    """Pooled over cases: accuracy and the Dice of each class."""
    counts = np.sum(scores, axis=0)
    hits = np.diag(counts)
    dice = 2 * hits / np.maximum(counts.sum(0) + counts.sum(1), 1)
    names = {f"dice_{name}": float(dice[number]) for number, name in enumerate(CLASSES[:4]) if number}
    return {"accuracy": float(hits.sum() / counts.sum()), **names}


def views(case: Case, answers: Sequence[np.ndarray]) -> list[dict]:
    """What `picture_cases` draws: slices with enough brain, the right way up; outer fluid is background."""
    rows = []
    for number, ((image, classes), answer) in enumerate(zip(looked_at(case), answers, strict=True)):
        truth, found = (np.where(values == 4, 0, values)[::-1] for values in (classes, answer.argmax(0)))
        counts = confusion(classes, answer.argmax(0))
        if counts[2].sum() < 1000 or counts[3].sum() < 1000:
            continue
        dice = summary([counts])
        grey, white = dice["dice_grey_matter"], dice["dice_white_matter"]
        rows.append(
            {
                "name": f"{case.name}, slice {number}",
                "score": (grey + white) / 2,
                "words": f"Dice grey {grey:.3f}, white {white:.3f}",
                "grey": image[0][::-1],
                "truth": truth,
                "found": found,
                "group": case.name,
            }
        )
    return rows
