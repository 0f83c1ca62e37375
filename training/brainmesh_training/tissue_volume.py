"""Whole volumes through the tissue network: made scans of heads it did not see, under one difficulty each, and MNI152."""

import argparse
import json
import logging
from collections.abc import Callable, Sequence
from pathlib import Path

import nibabel
import numpy as np
import torch
from scipy import ndimage
from torch import nn

from . import tissue
from .image_experiment import ImageExperiment
from .image_run import add_run_options, folds, train
from .scans import Scan
from .tissue_synthesis import Head, Priors

log = logging.getLogger(__name__)

#: Views whose probabilities are averaged, by name.
VIEWS = {"axial": (2,), "coronal": (1,), "sagittal": (0,), "all": (0, 1, 2)}


@torch.no_grad()
def segment(members: Sequence[nn.Module], volume: np.ndarray, views: Sequence[int], stride: int, batch: int = 8) -> np.ndarray:
    """Probabilities `[classes, x, y, z]` of a RAS volume at 1 mm, slice by slice in each view."""
    seen = tissue.normalise(volume)
    total = np.zeros((tissue.OUTPUTS, *volume.shape), np.float32)
    for view in views:
        # Rows are the later of the two axes, as in training.
        slices = np.moveaxis(seen, view, 0).transpose(0, 2, 1)
        height, width = slices.shape[1:]
        padded = np.pad(slices, ((0, 0), (0, -height % stride), (0, -width % stride)))
        for start in range(0, len(padded), batch):
            part = torch.from_numpy(padded[start : start + batch, None])
            logits = sum(model(part) for model in members) / len(members)
            found = logits.softmax(1)[:, :, :height, :width].numpy().transpose(1, 0, 3, 2)
            np.moveaxis(total, view + 1, 1)[:, start : start + batch] += found
    return total / len(views)


def made_scan(head: Head, priors: Priors, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """A skull-stripped scan of the priors' mean contrast and its classes: no difficulty but mild blur and noise."""
    means = priors.means[0][head.values]
    means = means / means[head.values == 2].mean()
    spreads = 0.5 * priors.spreads[0][head.values] / priors.means[0][2]
    truth = head.classes[head.labels]
    image = means[head.labels] + spreads[head.labels] * rng.normal(size=head.labels.shape)
    image = ndimage.gaussian_filter(image, 0.5)
    image = np.hypot(image + 0.02 * rng.normal(size=image.shape), 0.02 * rng.normal(size=image.shape))
    kept = ndimage.distance_transform_edt((truth == 0) | (truth == 4)) <= 2.5
    return np.where(kept, image, 0).astype(np.float32), np.where(kept, truth, 0)


def biased(image: np.ndarray, truth: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """A smooth field of 40 % from one side to the other."""
    ramps = [np.linspace(-0.2, 0.2, n) for n in image.shape]
    field = ramps[0][:, None, None] + ramps[1][None, :, None] - ramps[2][None, None, :] / 2
    return image * np.exp(field).astype(np.float32), truth


def noisy(image: np.ndarray, truth: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Rician noise of 8 % of white matter."""
    more = np.hypot(image + 0.08 * rng.normal(size=image.shape), 0.08 * rng.normal(size=image.shape))
    return np.where(image > 0, more, 0).astype(np.float32), truth


def thick(image: np.ndarray, truth: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Slices of 2 mm, interpolated back to 1 mm as brainmesh does."""
    depth = image.shape[2] // 2 * 2
    pairs = image[:, :, :depth].reshape(*image.shape[:2], -1, 2).mean(-1)
    at = (np.arange(depth) - 0.5) / 2
    low = np.clip(np.floor(at).astype(int), 0, pairs.shape[2] - 1)
    high, share = np.clip(low + 1, 0, pairs.shape[2] - 1), np.clip(at - low, 0, 1)
    return (pairs[:, :, low] * (1 - share) + pairs[:, :, high] * share).astype(np.float32), truth[:, :, :depth]


def rotated(image: np.ndarray, truth: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Nodded by 20 degrees and turned by 15."""
    for axes, degrees in (((1, 2), 20), ((0, 1), 15)):
        image = ndimage.rotate(image, degrees, axes, order=1)
        truth = ndimage.rotate(truth, degrees, axes, order=0)
    return image, truth


DIFFICULTIES: dict[str, Callable] = {
    "none": lambda image, truth, rng: (image, truth),
    "bias": biased,
    "noise": noisy,
    "2 mm slices": thick,
    "rotated": rotated,
}


def score_made(members: Sequence[nn.Module], cases: Sequence[tissue.Case], stride: int) -> dict:
    """For each difficulty and view, the summary pooled over heads."""
    counts: dict[tuple[str, str], list[np.ndarray]] = {}
    for case in cases:
        rng = np.random.default_rng(tissue.hash_of(case.head.name))
        image, truth = made_scan(case.head, case.priors, rng)
        for difficulty, change in DIFFICULTIES.items():
            seen, wanted = change(image, truth, rng)
            single = [segment(members, seen, (view,), stride) for view in range(3)]
            for name, views in VIEWS.items():
                found = np.mean([single[view] for view in views], axis=0).argmax(0)
                counts.setdefault((difficulty, name), []).append(tissue.confusion(wanted, found))
            log.info("%s, %s: %s", case.head.name, difficulty, tissue.summary(counts[difficulty, "all"]))
    return {f"{difficulty}, {view}": tissue.summary(found) for (difficulty, view), found in counts.items()}


def score_scans(members: Sequence[nn.Module], scans: Sequence[Scan], stride: int) -> dict:
    """For each view, the summary pooled over real scans."""
    counts: dict[str, list[np.ndarray]] = {}
    for scan in scans:
        single = [segment(members, scan.image, (view,), stride) for view in range(3)]
        for name, views in VIEWS.items():
            found = np.mean([single[view] for view in views], axis=0).argmax(0)
            counts.setdefault(name, []).append(tissue.confusion(scan.classes, found))
    return {f"real scans, {view}": tissue.summary(found) for view, found in counts.items()}


def score_template(members: Sequence[nn.Module], folder: Path, stride: int) -> dict:
    """Dice with the grey and white matter of MNI152 (likeliest of the two maps and the rest), for each view."""
    parts = {}
    for name in ("t1", "gm", "wm"):
        [path] = folder.glob(f"*_{name}_*.nii.gz")
        parts[name] = np.asarray(nibabel.as_closest_canonical(nibabel.load(path)).dataobj, np.float32)
    grey, white = parts["gm"] / 255, parts["wm"] / 255
    truth = np.stack([1 - grey - white, np.zeros_like(grey), grey, white]).argmax(0)
    single = [segment(members, parts["t1"], (view,), stride) for view in range(3)]
    rows = {}
    for name, views in VIEWS.items():
        found = np.mean([single[view] for view in views], axis=0).argmax(0)
        # Its maps do not tell fluid from outside.
        summary = tissue.summary([tissue.confusion(truth, np.where(found == 1, 0, found))])
        rows[f"MNI152, {name}"] = {key: value for key, value in summary.items() if key != "dice_csf"}
    return rows


def run(options: argparse.Namespace) -> None:
    """Scores the network of each fold that was asked for."""
    experiment = ImageExperiment.read(options.config)
    for fold in folds(experiment, options):
        members = train(experiment, fold.kept, fold.checkpoint)
        stride = experiment.network.stride
        made = [case for case in fold.held_out if not isinstance(case, Scan)]
        rows = score_made(members, made[: options.heads], stride)
        rows |= score_scans(members, [case for case in fold.held_out if isinstance(case, Scan)], stride)
        if (options.data / "mni152").exists():
            rows |= score_template(members, options.data / "mni152", stride)
        (options.run_folder / f"volumes-{fold.number}.json").write_text(json.dumps(rows, indent=1) + "\n")
        print(json.dumps(rows, indent=1))


def add_parser(subparsers) -> None:
    """The subcommand `score-tissue`."""
    parser = subparsers.add_parser("score-tissue", help="score a fold's tissue network on whole made volumes and MNI152")
    add_run_options(parser, "--run")
    parser.add_argument("--heads", type=int, default=4, help="held-out heads, at most")
    parser.set_defaults(run=run)
