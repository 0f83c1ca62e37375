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
from .folds import SEED, splits
from .normalise import fix
from .train import Labelled, expected_boundaries, fit_members, predict, sample_weights

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


def fit_ribbon(
    experiment: Experiment, rays: Rays, train: np.ndarray, checkpoint: Path | None = None
) -> tuple[Experiment, Labelled, nn.Module]:
    """A network trained on the rays `train`, with its channels as fixed by them and all rays normalised for it."""
    fixed = dataclasses.replace(experiment, channels=fix(experiment.channels, rays.select(train)))
    # The scale of a data set needs no truth: it is that of the hemisphere, as when the model runs.
    labelled = Labelled.of(rays, fixed.channels)
    part = labelled[train]
    if experiment.training.balanced:
        part = part.balanced(rays.region[train])
    return fixed, labelled, fit_members(fixed, part, checkpoint)


def boundaries_of(model: nn.Module, rays: torch.Tensor) -> tuple[np.ndarray, np.ndarray]:
    """Boundaries `[n, 7]` of normalised rays, as expectations of the class probabilities, and their standard deviations."""
    parts = []
    for part in rays.split(8192):
        probabilities = predict(model, part)
        place = expected_boundaries(probabilities)
        # P(layer <= k) falls from 1 to 0 as the distribution function of boundary k does from its end: the second
        # moment is the integral of 2 t P.
        t = torch.linspace(0, 1, probabilities.shape[2])
        below = probabilities.cumsum(1)[:, : len(LAYERS) + 1]
        second = (2 * t * below * sample_weights(len(t))).sum(2)
        parts.append((place, (second - place**2).clamp(min=0).sqrt()))
    place, sd = (torch.cat(part).numpy() for part in zip(*parts, strict=True))
    return place, sd


#: Standard deviations on either side that hold 90 % of a normal distribution.
NINETY = 1.645


def sd_scales(rays: Rays, found: np.ndarray, sd: np.ndarray) -> list[float]:
    """Factor on each boundary's standard deviation by which 90 % of the errors lie within 1.645 of them; 1 for the ends."""
    inner = slice(1, -1)
    ratio = np.abs(found[:, inner] - rays.boundaries_t[:, inner]) / np.maximum(sd[:, inner], 1e-6)
    return [1.0, *(round(float(q), 3) for q in np.quantile(ratio, 0.9, axis=0) / NINETY), 1.0]


def report(rays: Rays, found: np.ndarray) -> dict:
    """Scores of the five inner boundaries `found` `[n, 7]`: errors in micrometres, correlation of regional means."""
    layers = {"layer_mean_mm": layer_means(rays, found), "true_layer_mean_mm": layer_means(rays, rays.boundaries_t)}
    truth, found = rays.boundaries_t[:, 1:-1], found[:, 1:-1]
    scale_um = 1000 * rays.length_mm[:, None]
    scores = metrics.boundary_errors(truth * scale_um, found * scale_um)
    return scores | layers | {"region_correlation": metrics.region_correlation(truth, found, rays.region)}


def calibration(rays: Rays, found: np.ndarray, sd: np.ndarray, fold: np.ndarray) -> dict:
    """Factors on the standard deviations, and the share of held-out errors within 1.645 of them.

    Each fold's share is measured with the factors of the other folds.
    """
    within = np.zeros((len(rays), len(LAYERS) - 1), bool)
    for number in np.unique(fold):
        here = fold == number
        scale = sd_scales(rays.select(~here), found[~here], sd[~here])[1:-1]
        error = np.abs(found[here, 1:-1] - rays.boundaries_t[here, 1:-1])
        within[here] = error <= NINETY * sd[here, 1:-1] * np.array(scale)
    return {"sd_scale": sd_scales(rays, found, sd), "within_90": within.mean(0).tolist()}


def per_region(rays: Rays, found: np.ndarray, fold: np.ndarray) -> list[dict]:
    """One entry a region: the fold it was held out in, mean shares of the ribbon (found and true), mean error."""
    entries = []
    for name in np.unique(rays.region):
        here = rays.region == name
        truth, guess = rays.boundaries_t[here, 1:-1], found[here, 1:-1]
        error_um = 1000 * (np.abs(guess - truth) * rays.length_mm[here, None]).mean(0)
        entries.append(
            {
                "region": int(name),
                "fold": int(fold[here][0]) + 1,
                "rays": int(here.sum()),
                "true": truth.mean(0).round(5).tolist(),
                "found": guess.mean(0).round(5).tolist(),
                "mean_error_um": error_um.round(2).tolist(),
            }
        )
    return entries


def layer_means(rays: Rays, boundaries: np.ndarray) -> list[float]:
    """Mean thickness of each layer in mm: shares of the ribbon times the published total thickness."""
    return (np.diff(boundaries, axis=1) * rays.length_mm[:, None]).mean(0).tolist()


def cross_validate(experiment: Experiment, rays: Rays, folds: int, out: Path) -> dict:
    """Scores over all usable rays, each predicted by a network that saw nothing of its region.

    The constant is the median of the training rays: the best guess that ignores the intensities.
    """
    out.mkdir(parents=True, exist_ok=True)
    found = np.full_like(rays.boundaries_t, np.nan)
    sd, constant = found.copy(), found.copy()
    fold_of = np.full(len(rays), -1)
    start = time.perf_counter()
    for fold, (train, held_out) in enumerate(splits(rays.region, rays.usable(), folds)):
        log.info("fold %d: %d training rays, %d held out", fold + 1, len(train), len(held_out))
        _, labelled, model = fit_ribbon(experiment, rays, train, out / f"fold-{fold + 1}.pt")
        found[held_out], sd[held_out] = boundaries_of(model, labelled.rays[held_out])
        fold_of[held_out] = fold
        constant[held_out] = np.median(rays.boundaries_t[train], axis=0)
    scores = score(rays, found, sd, constant, fold_of) | {"seconds": round(time.perf_counter() - start)}
    write_scores(experiment, scores, found, out)
    return scores


def score(rays: Rays, found: np.ndarray, sd: np.ndarray, constant: np.ndarray, fold: np.ndarray) -> dict:
    """All scores of held-out boundaries and standard deviations `[n, 7]`; rows of NaN were in no fold."""
    known = np.isfinite(found).all(1)
    test, found, sd, constant, fold = rays.select(known), found[known], sd[known], constant[known], fold[known]
    return {
        "rays": len(test),
        "regions": len(np.unique(test.region)),
        "folds": len(np.unique(fold)),
        "network": report(test, found),
        "constant": report(test, constant),
        "calibration": calibration(test, found, sd, fold),
        "per_region": per_region(test, found, fold),
    }


def write_scores(experiment: Experiment, scores: dict, found: np.ndarray, out: Path) -> None:
    """`scores.json` (experiment with its seeds, folds by region, errors by region, metrics) and `boundaries.npy`."""
    np.save(out / "boundaries.npy", found.astype(np.float32))
    document = {"experiment": experiment.to_dict(), "fold_seed": SEED, "scores": scores}
    (out / "scores.json").write_text(json.dumps(document, indent=1) + "\n")


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
            row("within 1.645 SD", scores["calibration"]["within_90"], 2),
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
