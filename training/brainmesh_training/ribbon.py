"""The ribbon model (`cortical-layers-ribbon`): layers between the given pial and white surfaces, from real profiles.

Truth is the published thickness of the six layers of the BigBrain; a vertex's boundaries are its cumulative shares.
"""

import argparse
import dataclasses
import json
import logging
import time
from pathlib import Path

import nibabel
import numpy as np
import torch
from torch import nn

from . import metrics
from .data import LAYERS, Rays, load, save
from .experiment import Experiment
from .folds import splits
from .normalise import fix, normalise
from .train import Labelled, expected_boundaries, fit, predict

log = logging.getLogger(__name__)


def label(rays: Rays, thickness_mm: np.ndarray, region: np.ndarray) -> Rays:
    """The rays with truth: `thickness_mm` `[n, 6]`, rows of zeros where there is no cortex, and a region each.

    `length_mm` becomes the published total thickness, so that errors are in its millimetres; it differs from the
    straight distance between the surfaces.
    """
    if thickness_mm.shape != (len(rays), len(LAYERS)):
        raise ValueError(f"thickness: expected [{len(rays)}, {len(LAYERS)}], found {thickness_mm.shape}")
    if region.shape != (len(rays),):
        raise ValueError(f"region: expected {len(rays)} vertices, found {region.shape}")
    thickness_mm = thickness_mm.astype(np.float64)
    total = thickness_mm.sum(1)
    known = (total > 0) & (thickness_mm >= 0).all(1) & (region != 0)
    boundaries = np.full((len(rays), len(LAYERS) + 1), np.nan)
    boundaries[known, 0] = 0
    boundaries[known, 1:] = np.cumsum(thickness_mm[known], axis=1) / total[known, None]
    boundaries[known, -1] = 1  # exactly, where rounding would miss it
    return dataclasses.replace(rays, boundaries_t=boundaries, region=region.astype(np.int64), length_mm=total)


def boundaries_of(model: nn.Module, rays: torch.Tensor) -> np.ndarray:
    """Boundaries `[n, 7]` of normalised rays, as expectations of the class probabilities."""
    return torch.cat([expected_boundaries(predict(model, part)) for part in rays.split(8192)]).numpy()


def report(rays: Rays, found: np.ndarray) -> dict:
    """Scores of the five inner boundaries `found` `[n, 7]`: errors in micrometres, correlation of regional means."""
    truth, found = rays.boundaries_t[:, 1:-1], found[:, 1:-1]
    scale_um = 1000 * rays.length_mm[:, None]
    scores = metrics.boundary_errors(truth * scale_um, found * scale_um)
    return scores | {"region_correlation": metrics.region_correlation(truth, found, rays.region)}


def cross_validate(experiment: Experiment, rays: Rays, folds: int, out: Path) -> dict:
    """Scores over all usable rays, each predicted by a network that saw nothing of its region.

    The constant is the median of the training rays: the best guess that ignores the intensities.
    """
    out.mkdir(parents=True, exist_ok=True)
    found = np.full_like(rays.boundaries_t, np.nan)
    constant = found.copy()
    start = time.perf_counter()
    for fold, (train, held_out) in enumerate(splits(rays.region, rays.usable(), folds)):
        log.info("fold %d: %d training rays, %d held out", fold + 1, len(train), len(held_out))
        fixed = dataclasses.replace(experiment, channels=fix(experiment.channels, rays.select(train)))
        # The scale of a data set needs no truth: it is that of the hemisphere, as when the model runs.
        labelled = Labelled.of(rays, fixed.channels)
        model = fit(fixed, labelled[train], checkpoint=out / f"fold-{fold + 1}.pt")
        found[held_out] = boundaries_of(model, labelled.rays[held_out])
        constant[held_out] = np.median(rays.boundaries_t[train], axis=0)
    known = np.isfinite(found).all(1)
    test = rays.select(known)
    scores = {
        "rays": len(test),
        "regions": len(np.unique(test.region)),
        "folds": folds,
        "seconds": round(time.perf_counter() - start),
        "network": report(test, found[known]),
        "constant": report(test, constant[known]),
    }
    np.save(out / "boundaries.npy", found.astype(np.float32))
    (out / "scores.json").write_text(json.dumps({"experiment": experiment.to_dict(), "scores": scores}, indent=1) + "\n")
    return scores


def summary(scores: dict) -> str:
    """Scores as a Markdown table."""
    network, constant = scores["network"], scores["constant"]

    def row(name: str, values: list[float], digits: int = 0) -> str:
        return f"| {name} | " + " | ".join(f"{value:.{digits}f}" for value in values) + f" | {np.mean(values):.{digits}f} |"

    return "\n".join(
        [
            "| | I-II | II-III | III-IV | IV-V | V-VI | mean |",
            "|---|---|---|---|---|---|---|",
            row("mean error, um", network["mean"]),
            row("95 % of errors below, um", network["p95"]),
            row("bias, um", network["bias"]),
            row(f"correlation over {scores['regions']} regions", network["region_correlation"], 2),
            row("constant guess: mean error, um", constant["mean"]),
        ]
    )


def add_parser(subparsers) -> None:
    """The subcommands `label-ribbon` and `cross-validate-ribbon`."""
    parser = subparsers.add_parser("label-ribbon", help="add published layer thickness to the rays of a hemisphere")
    parser.add_argument("rays", type=Path, help="rays over the ribbon, .npz from `brainmesh profiles`")
    parser.add_argument("--thickness", type=Path, required=True, help="thickness of the six layers in mm, .npy [vertices, 6]")
    parser.add_argument("--regions", type=Path, required=True, help="parcellation, label GIFTI; 0 is no region")
    parser.add_argument("--out", type=Path, required=True)
    parser.set_defaults(run=run_label)
    parser = subparsers.add_parser("cross-validate-ribbon", help="score a ribbon network on whole held-out regions")
    parser.add_argument("config", type=Path, help="experiment, JSON")
    parser.add_argument("--rays", type=Path, required=True, help="labelled rays, .npz")
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--out", type=Path, required=True, help="folder for checkpoints, boundaries.npy and scores.json")
    parser.set_defaults(run=run_cross_validate)


def run_label(options: argparse.Namespace) -> None:
    """Labels and saves."""
    region = nibabel.load(options.regions).agg_data()
    labelled = label(load(options.rays), np.load(options.thickness, allow_pickle=False), region)
    save(labelled, options.out)
    print(f"{options.out}: {labelled.usable().sum()} of {len(labelled)} rays are usable and labelled")


def run_cross_validate(options: argparse.Namespace) -> None:
    """Cross-validates and prints the scores."""
    print(summary(cross_validate(Experiment.read(options.config), load(options.rays), options.folds, options.out)))
