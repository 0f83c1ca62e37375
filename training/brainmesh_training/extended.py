"""The extended model (`cortical-layers`): cross-validation over whole phantoms, and the model that ships."""

import argparse
import dataclasses
import json
import logging
import time
from pathlib import Path

import numpy as np
import torch
from torch import nn

from . import metrics
from .data import CLASSES, Rays, join, load, soft_labels
from .decode import expected_boundaries
from .experiment import Experiment
from .export import About, write_model
from .folds import SEED, splits, validation_split
from .normalise import normalise
from .reference import load_reference
from .train import Labelled, fit, predict

log = logging.getLogger(__name__)


def load_phantoms(folder: Path, rays_per_phantom: int, seed: int = SEED) -> Rays:
    """Usable rays of every phantom below `folder`, at most so many of each, `region` being the phantom.

    Areas inside one phantom share its stain and its sections, so they are never told apart for validation. Rays on
    which pia and white surface coincide or one lies at an end are left out: they miss the cortex or a part of it.
    """
    parts = []
    for path in sorted(folder.glob("phantom-*/rays.npz")):
        number = int(path.parent.name.removeprefix("phantom-"))
        rays = load(path)
        pia, white = rays.boundaries_t[:, 0], rays.boundaries_t[:, -1]
        usable = np.flatnonzero(rays.usable() & (pia > 0) & (pia < white) & (white < 1))
        random = np.random.default_rng((seed, number))
        chosen = np.sort(random.permutation(usable)[:rays_per_phantom])
        if len(chosen):
            part = rays.select(chosen)
            parts.append(dataclasses.replace(part, region=np.full(len(part), number + 1)))
    if not parts:
        raise ValueError(f"{folder}: expected folders phantom-*/rays.npz with usable rays, found none")
    return join(parts)


def constant_guess(train: Rays, rays: Rays) -> np.ndarray:
    """Boundaries `[n, 7]` that ignore the intensities: the median place in the given ribbon over the training rays."""

    def place(of: Rays) -> np.ndarray:
        return (of.boundaries_t - of.pial_t[:, None]) / (of.white_t - of.pial_t)[:, None]

    median = np.median(place(train), axis=0)
    return rays.pial_t[:, None] + median * (rays.white_t - rays.pial_t)[:, None]


def report(rays: Rays, probabilities: np.ndarray, guess: np.ndarray) -> dict:
    """All scores of held-out predictions `[n, classes, samples]`; errors in micrometres, by voxel size."""
    classes = probabilities.shape[1]
    truth = soft_labels(rays.boundaries_t, rays.samples, classes).argmax(1)
    counts = metrics.confusion(truth, probabilities.argmax(1), classes)
    tutorial = metrics.fold_white(counts) if classes == len(CLASSES) else counts
    scale_um = 1000 * rays.length_mm[:, None]
    found_um, truth_um, guess_um = (scale_um * t for t in (expected_boundaries(probabilities), rays.boundaries_t, guess))
    by_spacing = {}
    # The reference's rays have no known length, so nothing can be said in micrometres.
    known = np.isfinite(rays.length_mm)
    for spacing_mm in np.unique(rays.spacing_mm[known].round(4)):
        inside = known & np.isclose(rays.spacing_mm, spacing_mm, atol=1e-4)
        by_spacing[f"{1000 * spacing_mm:g} um"] = {
            "rays": int(inside.sum()),
            "network": metrics.boundary_errors(truth_um[inside], found_um[inside]),
            "constant": metrics.boundary_errors(truth_um[inside], guess_um[inside]),
        }
    return {
        "rays": len(rays),
        "accuracy": metrics.accuracy(counts),
        "jaccard": metrics.jaccard(counts).tolist(),
        "accuracy_7_classes": metrics.accuracy(tutorial),
        "jaccard_7_classes": metrics.jaccard(tutorial).tolist(),
        "boundary_errors_um": by_spacing,
    }


def tensor(rays: Rays, experiment: Experiment) -> torch.Tensor:
    """Network input `[n, c, 1, s]`."""
    return torch.from_numpy(normalise(rays, experiment.channels))[:, :, None]


def taught_by(checkpoint: Path, rays: Rays) -> torch.Tensor:
    """Class probabilities `[n, classes, s]` of the network in a checkpoint, half precision."""
    saved = torch.load(checkpoint, weights_only=True)
    teacher = Experiment.from_dict(saved["experiment"])
    model = teacher.network.build(len(teacher.channels), teacher.classes)
    model.load_state_dict(saved["state"]["weights"])
    return predict(model, tensor(rays, teacher)).half()


def train_on(
    experiment: Experiment, rays: Rays, train: np.ndarray, checkpoint: Path | None, teacher: Path | None = None
) -> nn.Sequential:
    """Fits on the rays with these indices; where training may stop early, some of their regions decide about it.

    With the checkpoint of a larger network as `teacher`, its probabilities are half of the labels (Hinton 2015).
    """
    held_out = None
    if experiment.training.patience:
        train, stop = validation_split(rays.region, train, experiment.training.validation_share)
        held_out = Labelled.of(rays.select(stop), experiment.channels)
    labelled = Labelled.of(rays.select(train), experiment.channels)
    if teacher is not None:
        labelled = dataclasses.replace(labelled, taught=taught_by(teacher, rays.select(train)))
    return fit(experiment, labelled, held_out, checkpoint)


def cross_validate(experiment: Experiment, rays: Rays, folds: int, out: Path, teachers: Path | None = None) -> dict:
    """Scores over all rays, each predicted by a network that saw nothing of its phantom. `teachers` is the folder of such
    a run of a larger network on the same rays: each fold learns from the one that saw the same phantoms.

    Writes `scores.json` and, for each fold, a checkpoint and a model folder that the program can run.
    """
    out.mkdir(parents=True, exist_ok=True)
    probabilities = np.empty((len(rays), experiment.classes, experiment.samples), np.float32)
    guess = np.empty_like(rays.boundaries_t)
    start = time.perf_counter()
    for fold, (train, held_out) in enumerate(splits(rays.region, rays.usable(), folds)):
        log.info("fold %d: %d training rays, %d held out", fold + 1, len(train), len(held_out))
        teacher = teachers and teachers / f"fold-{fold + 1}.pt"
        model = train_on(experiment, rays, train, out / f"fold-{fold + 1}.pt", teacher)
        test = rays.select(held_out)
        write_model(experiment, model, rays.select(train), About(f"Fold {fold + 1} of {folds}", "", [], []), out / f"fold-{fold + 1}")
        probabilities[held_out] = predict(model, tensor(test, experiment)).numpy()
        guess[held_out] = constant_guess(rays.select(train), test)
    scores = report(rays, probabilities, guess)
    scores |= {"folds": folds, "phantoms": len(np.unique(rays.region)), "seconds": round(time.perf_counter() - start)}
    (out / "scores.json").write_text(json.dumps({"experiment": experiment.to_dict(), "scores": scores}, indent=1) + "\n")
    return scores


def summary(scores: dict) -> str:
    """Scores as a Markdown table."""
    jaccard = " ".join(f"{value:.3f}" for value in scores["jaccard"])
    lines = [
        f"{scores['rays']} rays of {scores['phantoms']} phantoms, {scores['folds']} folds: accuracy {scores['accuracy']:.4f}, "
        f"Jaccard outside, I..VI, white {jaccard} (mean {np.mean(scores['jaccard']):.3f}); with white matter as outside: "
        f"accuracy {scores['accuracy_7_classes']:.4f}, Jaccard mean {np.mean(scores['jaccard_7_classes']):.3f}.",
        "",
        "| voxel | | pia | I-II | II-III | III-IV | IV-V | V-VI | white |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for spacing, kinds in scores["boundary_errors_um"].items():
        rows = [("mean", kinds["network"]["mean"]), ("95 %", kinds["network"]["p95"]), ("bias", kinds["network"]["bias"])]
        for name, values in [*rows, ("constant guess, mean", kinds["constant"]["mean"])]:
            lines.append(f"| {spacing} | {name} | " + " | ".join(f"{value:.0f}" for value in values) + " |")
    return "\n".join(lines)


def add_parser(subparsers) -> None:
    """The subcommand `cross-validate-extended`."""
    parser = subparsers.add_parser("cross-validate-extended", help="score an extended network on whole held-out phantoms")
    parser.add_argument("config", type=Path, help="experiment, JSON")
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--phantoms", type=Path, help="folder made by the subcommand phantoms")
    source.add_argument("--reference", type=Path, help="folder of the reference's text files (training_raw.txt and others)")
    parser.add_argument("--rays-per-phantom", type=int, default=600)
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--teachers", type=Path, help="such a folder of a larger network on the same rays, to learn from")
    parser.add_argument("--out", type=Path, required=True, help="folder for checkpoints and scores.json")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Cross-validates and prints the scores."""
    if options.reference:
        rays = load_reference(options.reference)
    else:
        rays = load_phantoms(options.phantoms, options.rays_per_phantom)
    print(summary(cross_validate(Experiment.read(options.config), rays, options.folds, options.out, options.teachers)))
