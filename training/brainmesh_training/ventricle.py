"""The left ventricle's cavity in short-axis cine MR (Sunnybrook, MICCAI 2009): data, crops, losses, scores."""

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from scipy import ndimage
from torch.nn import functional

from . import cine, contours
from .augment import Augmentation, change_greys, sample, warp_grid

OUTPUTS = EXPORTED = 1
#: Whether held-out probabilities are worth keeping: others are made again from the checkpoint.
KEPT = True
#: The pictures have lost their spacing; 1.37 mm (350 mm in 256 pixels) is the commonest of this set.
NOMINAL_MM = (350 / 256, 350 / 256)
#: Percentiles that become 0 and 1, and beyond which greys are cut off.
PERCENTILES = (1.0, 99.0)
#: Patients whose outlines lie beside the ventricle, 9 to 30 mm off in every frame: scored, but also left out of a second summary.
MISDRAWN = {"SC-N-06"}
#: A picture whose best pixel has less shows no ventricle.
LEAST = 0.05
#: SD around the picture's centre in which the ventricle lies, as a share of the picture's smaller side.
CENTRE_SHARE = 30 / 256


@dataclass(frozen=True)
class Frame:
    """One picture with its truth."""

    patient: str
    stem: str
    image: np.ndarray
    """`[h, w]` float32 of mean 0 and SD 1."""
    cavity: np.ndarray
    """`[h, w]` whether inside the endocardium."""
    spacing_mm: tuple[float, float] = NOMINAL_MM


def normalise(picture: np.ndarray) -> np.ndarray:
    """As the manifest: `scale_range` between PERCENTILES, `clip`, `zero_mean_unit_variance`."""
    values = picture.astype(np.float64)
    low, high = np.percentile(values, PERCENTILES)
    values = np.clip((values - low) / (high - low + 1e-6), 0, 1)
    return ((values - values.mean()) / (values.std() + 1e-6)).astype(np.float32)


def grey(path: Path) -> np.ndarray:
    """A picture's one channel; three that differ are refused."""
    picture = np.asarray(Image.open(path))
    if picture.ndim == 3:
        if (picture != picture[:, :, :1]).any():
            raise ValueError(f"{path}: expected a grey picture, found colours")
        picture = picture[:, :, 0]
    return picture


def read(folder: Path) -> list[Frame]:
    """Pairs of `Images/**/NAME` and `Labels/**/NAME`, patients by the name before `-IM-`; or DICOM pictures and contours with
    `link.csv` (`cine.read`).
    """
    if (folder / "link.csv").exists():
        return [
            Frame(patient, stem, normalise(picture), cavity, spacing_mm)
            for patient, stem, picture, cavity, spacing_mm in cine.read(folder)
        ]
    frames = []
    for path in sorted((folder / "Images").rglob("*.png")):
        truth = folder / "Labels" / path.relative_to(folder / "Images")
        picture, label = grey(path), grey(truth)
        if picture.shape != label.shape:
            raise ValueError(f"{truth}: expected {picture.shape} pixels, found {label.shape}")
        patient = re.sub(r"-IM-.*", "", path.stem)
        frames.append(Frame(patient, path.stem, normalise(picture), label > 127))
    if not frames:
        raise ValueError(f"{folder}: expected Images/*.png or link.csv, found none")
    return frames


def folds(frames: list[Frame], count: int, seed: int = 1609) -> np.ndarray:
    """Fold of each frame: whole patients, the kinds (heart failure, hypertrophy, normal) dealt out evenly."""
    patients = sorted({frame.patient for frame in frames})
    shuffled = np.random.default_rng(seed).permutation(patients)
    by_kind = sorted(shuffled, key=lambda patient: re.sub(r"-\d+$", "", patient))
    fold = {patient: place % count for place, patient in enumerate(by_kind)}
    return np.array([fold[frame.patient] for frame in frames])


def crop(frame: Frame, augmentation: Augmentation, size: int, rng: np.random.Generator) -> tuple[np.ndarray, dict]:
    """A changed piece around the centre of a frame, `[1, size, size]`, and its cavity, with soft edges."""
    grid = warp_grid(augmentation, frame.image.shape, size, rng, centred=True)
    planes = torch.from_numpy(np.stack([frame.image, frame.cavity.astype(np.float32)]))
    image = sample(planes[:1], grid, "bilinear", "border")[0].numpy()
    cavity = sample(planes[1:], grid, "bilinear", "zeros")[0].numpy()
    return change_greys(image, augmentation, rng)[None], {"cavity": cavity}


def loss(logits: torch.Tensor, targets: dict[str, torch.Tensor], weights: dict[str, float]) -> torch.Tensor:
    """Cross-entropy and `dice` times one minus the mean Dice of the pictures."""
    cavity = targets["cavity"]
    entropy = functional.binary_cross_entropy_with_logits(logits[:, 0], cavity)
    found = torch.sigmoid(logits[:, 0])
    overlap = (found * cavity).sum((1, 2))
    # One pixel added to both: an empty truth answered by nothing is right.
    soft = (2 * overlap + 1) / (found.sum((1, 2)) + cavity.sum((1, 2)) + 1)
    return entropy + weights.get("dice", 1.0) * (1 - soft.mean())


def mask(probability: np.ndarray, threshold: float = 0.5) -> np.ndarray:
    """The part above the threshold (half the best value, where that is less) with the most probability near the centre, its
    holes filled.

    Short-axis series are planned around the ventricle: what lies far out is some other bright pool. A part's pixels count
    by a Gaussian of CENTRE_SHARE of the picture's smaller side around the centre.
    """
    if probability.max() < LEAST:
        return np.zeros(probability.shape, bool)
    y, x = (np.arange(size) - (size - 1) / 2 for size in probability.shape)
    width = CENTRE_SHARE * min(probability.shape)
    near = probability * np.exp(-(y[:, None] ** 2 + x[None, :] ** 2) / (2 * width**2))
    parts, _ = ndimage.label(probability > min(threshold, probability.max() / 2))
    sums = np.bincount(parts.ravel(), near.ravel())
    return ndimage.binary_fill_holes(parts == 1 + sums[1:].argmax())


def score(frame: Frame, answers: list[np.ndarray]) -> dict:
    """Dice and distance of one frame."""
    [[probability]] = answers
    found = mask(probability)
    return {
        "patient": frame.patient,
        "stem": frame.stem,
        "dice": contours.dice(frame.cavity, found),
        "distance_mm": contours.average_distance_mm(frame.cavity, found, frame.spacing_mm),
        "accuracy": float((found == frame.cavity).mean()),
    }


def summary(scores: list[dict]) -> dict:
    """As the challenge: per patient, then over patients; the mean Dice over all frames beside; once more without MISDRAWN."""
    patients: dict[str, list[dict]] = {}
    for case in scores:
        patients.setdefault(case["patient"], []).append(case)
    rows = {patient: _patient(cases) for patient, cases in patients.items()}
    rightly = [case for case in scores if case["patient"] not in MISDRAWN]
    second = _over(rightly, {patient: row for patient, row in rows.items() if patient not in MISDRAWN}) if rightly else None
    return {
        **_over(scores, rows),
        "worst_patient": min(rows, key=lambda patient: rows[patient]["dice_all_frames"]),
        "patients": rows,
        "without_misdrawn": second if len(rightly) < len(scores) else None,
    }


def _over(scores: list[dict], patients: dict[str, dict]) -> dict[str, float | None]:
    means = {name: float(np.nanmean([row[name] for row in patients.values()])) for name in ("good", "dice_good", "distance_mm")}
    good = [case for case in scores if case["distance_mm"] < contours.GOOD_MM]
    return {
        **means,
        "conformity_good": float(np.mean([contours.conformity(case["dice"]) for case in good])) if good else None,
        "dice_all_frames": float(np.mean([case["dice"] for case in scores])),
        # For comparison with others alone: a picture of nothing has some .98.
        "pixel_accuracy": float(np.mean([case["accuracy"] for case in scores])),
        "missed_frames": sum(case["dice"] == 0 for case in scores),
    }


def _patient(cases: list[dict]) -> dict:
    good = [case for case in cases if case["distance_mm"] < contours.GOOD_MM]
    return {
        "frames": len(cases),
        "good": len(good) / len(cases),
        "dice_good": float(np.mean([case["dice"] for case in good])) if good else float("nan"),
        "distance_mm": float(np.mean([case["distance_mm"] for case in good])) if good else float("nan"),
        "dice_all_frames": float(np.mean([case["dice"] for case in cases])),
    }


def pictures(frame: Frame) -> list[np.ndarray]:
    """What the network sees, `[1, h, w]`."""
    return [frame.image[None]]


def name(frame: Frame) -> str:
    """Of the picture."""
    return frame.stem


def views(frame: Frame, answers: list[np.ndarray]) -> list[dict]:
    """What `picture_cases` draws: the middle of the frame."""
    [[probability]] = answers
    found = mask(probability)
    dice, distance = contours.dice(frame.cavity, found), contours.average_distance_mm(frame.cavity, found, frame.spacing_mm)
    quarter = tuple(slice(size // 4, size - size // 4) for size in found.shape)
    return [
        {
            "name": frame.stem,
            "score": dice,
            "words": f"Dice {dice:.3f}, {distance:.1f} mm",
            "grey": frame.image[quarter],
            "truth": frame.cavity[quarter].astype(np.int64),
            "found": found[quarter].astype(np.int64),
            "group": frame.patient,
        }
    ]
