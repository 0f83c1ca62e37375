"""Labelled sections: boundaries found across sections and donors, beside guesses that ignore the picture.

Rays come from `brainmesh rays --from-section`, from the outer to the deep end of what is labelled. A section that lacks its outer layers has
no pia, so the depth of a ray means another thing there; `to_white` (distance from the deep end in mm) does not depend on it. Needs scikit-learn
and SciPy (`pip install brainmesh-training[sections]`).
"""

import argparse
import dataclasses
import json
import logging
import subprocess
import tempfile
import warnings
from pathlib import Path

import numpy as np
import torch

from .data import Rays, join, load
from .experiment import Experiment
from .train import Labelled, expected_boundaries, fit, predict

log = logging.getLogger(__name__)

NAMES = ("pia", "I-II", "II-III", "III-IV", "IV-V", "V-VI", "white")
INNER = slice(1, 6)
PLANES = ("red", "green", "blue")
"""The planes of a coloured picture, each sampled on the same rays."""
SMOOTHED_MM = 1.0
"""Along the section, of every plane; and of the boundaries found, as the program smooths its own over a mesh."""
SAMPLES = 64
CROPS = 3
"""Copies of each training ray with the outer end cut off at a random place above the third boundary, for sections without a pia."""
FOREST = {"n_estimators": 100, "min_samples_leaf": 5, "max_features": 0.3, "random_state": 1609, "n_jobs": 1}


def trace(program: Path, section: Path, table: Path | None, planes: tuple[str, ...] = PLANES) -> Rays:
    """Rays of a folder of Space Ranger (or of a `.npz`), with the raw and smoothed channels of every plane."""
    if section.suffix == ".npz":
        return load(section)
    picture = section / "tissue_lowres_image.png"
    files = ["--from-section", picture, "--spots", section / "tissue_positions_list.txt", "--spot-labels", table]
    files += ["--section", section.name, "--spot-scale", section / "scalefactors_json.json"]
    how = ["--extension-mm", "0", "--every-um", "100", "--voxel-um", "30", "--samples", str(SAMPLES)]
    parts = []
    with tempfile.TemporaryDirectory() as scratch:
        for plane in planes:
            out = Path(scratch) / f"{plane}.npz"
            channels = ["--channels", f"raw,smoothed:{SMOOTHED_MM}", "--grey", plane, "--threads", "1", "--out", out]
            subprocess.run([program, "rays", *files, *how, *channels], check=True, stdout=subprocess.DEVNULL)
            parts.append(load(out))
    named = [{**channel, "plane": plane} for plane in planes for channel in parts[0].channels]
    return dataclasses.replace(parts[0], values=np.concatenate([part.values for part in parts], axis=1), channels=named)


def shares(rays: Rays) -> np.ndarray:
    """Boundaries `[n, 7]` as shares of the depth, NaN where unknown."""
    return (rays.boundaries_t - rays.pial_t[:, None]) / (rays.white_t - rays.pial_t)[:, None]


def depth_mm(rays: Rays) -> np.ndarray:
    """`[n, 1]` from the outer to the deep end."""
    return ((rays.white_t - rays.pial_t) * rays.length_mm)[:, None]


def complete(rays: Rays) -> Rays:
    """Unknown boundaries put at the end they lie beyond: what is drawn there is the first or last layer that is named."""
    known = np.isfinite(rays.boundaries_t)
    first = known.argmax(1)
    before = np.arange(known.shape[1]) < first[:, None]
    filled = np.where(before, rays.pial_t[:, None], rays.boundaries_t)
    return dataclasses.replace(rays, boundaries_t=np.where(np.isnan(filled), rays.white_t[:, None], filled))


def with_to_white(rays: Rays) -> Rays:
    """Adds the channels that tell where on the ray a sample lies: share of the depth, and mm from the deep end."""
    share = np.broadcast_to(np.linspace(0, 1, rays.samples), (len(rays), rays.samples))
    places = np.stack([share, (1 - share) * depth_mm(rays)], axis=1).astype(np.float32)
    channels = [*rays.channels, {"kind": "depth"}, {"kind": "to_white"}]
    return dataclasses.replace(rays, values=np.concatenate([rays.values, places], axis=1), channels=channels)


def cropped(rays: Rays, random: np.random.Generator) -> Rays:
    """The rays with their outer ends cut off at random above the III-IV boundary, resampled from there on."""
    known = complete(rays)
    cut = random.uniform(0, 0.8, len(rays)) * known.boundaries_t[:, 3]
    t = cut[:, None] + (1 - cut)[:, None] * np.linspace(0, 1, rays.samples)
    grid = np.linspace(0, 1, rays.samples)
    values = np.stack([[np.interp(t[n], grid, row) for row in rays.values[n]] for n in range(len(rays))]).astype(np.float32)
    boundaries = np.clip((known.boundaries_t - cut[:, None]) / (1 - cut)[:, None], 0, 1)
    return dataclasses.replace(rays, values=values, boundaries_t=boundaries, length_mm=rays.length_mm * (1 - cut))


def experiment(channels: list[dict], epochs: int) -> Experiment:
    """A small network over the ribbon alone; boundaries are expectations, as in the program on such rays."""
    fixed = {"depth": {"fixed": {"mean": 0.5, "sd": 0.3}}, "to_white": {"fixed": {"mean": 2.0, "sd": 1.2}}}
    return Experiment.from_dict(
        {
            "name": "section",
            "span": "pial-white",
            "samples": SAMPLES,
            "classes": 7,
            "channels": [{**channel, "normalisation": fixed.get(channel["kind"], "per_ray")} for channel in channels],
            "network": {"blocks": 4, "kernel": 9, "maps": 16, "dropout": 0.2},
            "training": {
                "epochs": epochs,
                "batch": 64,
                "schedule": "one_cycle",
                "learning_rate": 0.003,
                "weight_decay": 0.05,
                "patience": 0,
                "cross_entropy": 1.0,
                "boundary": 1.0,
                "gain_jitter": 0.2,
                "offset_jitter": 0.3,
            },
        }
    )


def by_network(train: list[Rays], test: Rays, epochs: int, seeds: int = 1) -> np.ndarray:
    """Shares `[n, 7]`: the mean of networks from different starts, smoothed along each line of rays."""
    random = np.random.default_rng(1609)
    parts = [part for rays in train for part in [complete(rays), *(cropped(rays, random) for _ in range(CROPS))]]
    rays, wanted = with_to_white(join(parts)), with_to_white(test)
    plan = experiment(rays.channels, epochs)
    labelled = Labelled.of(rays, plan.channels)
    tensor = Labelled.of(complete(wanted), plan.channels).rays
    found = np.zeros((len(test), len(NAMES)))
    for seed in range(seeds):
        chosen = dataclasses.replace(plan, training=dataclasses.replace(plan.training, seed=1609 + seed))
        found += expected_boundaries(predict(fit(chosen, labelled), tensor)).numpy() / seeds
    return smooth_along(found, test)


def smooth_along(found: np.ndarray, rays: Rays) -> np.ndarray:
    """A Gaussian over neighbouring rays of a line, whose rays lie 0.1 mm apart."""
    from scipy.ndimage import gaussian_filter1d

    smooth = found.copy()
    for line in np.unique(rays.region):
        inside = rays.region == line
        smooth[inside] = gaussian_filter1d(found[inside], SMOOTHED_MM / 2.355 / 0.1, axis=0, mode="nearest")
    return smooth


def by_forest(train: list[Rays], test: Rays) -> np.ndarray:
    """Shares `[n, 7]` by a random forest on the same rays, each channel scaled per ray, with the depth in mm."""
    from sklearn.ensemble import RandomForestRegressor

    def features(rays: Rays) -> np.ndarray:
        values = rays.values
        scaled = (values - values.mean(2, keepdims=True)) / (values.std(2, keepdims=True) + 1e-6)
        return np.concatenate([scaled.reshape(len(rays), -1), depth_mm(rays)], axis=1)

    x = np.concatenate([features(rays) for rays in train])
    y = np.concatenate([shares(complete(rays)) for rays in train])
    return smooth_along(RandomForestRegressor(**FOREST).fit(x, y).predict(features(test)), test)


def by_constants(train: list[Rays], test: Rays) -> np.ndarray:
    """The median share of every boundary over the training rays on which it is known."""
    return np.broadcast_to(np.nanmedian(np.concatenate([shares(rays) for rays in train]), axis=0), (len(test), len(NAMES)))


def by_distance(train: list[Rays], test: Rays) -> np.ndarray:
    """The median distance of every boundary from the deep end in mm: does not need the pia."""
    mm = np.nanmedian(np.concatenate([(1 - shares(rays)) * depth_mm(rays) for rays in train]), axis=0)
    return np.clip(1 - mm / depth_mm(test), 0, 1)


def errors_um(found: np.ndarray, test: Rays) -> dict:
    """Mean absolute error of each inner boundary that is known, and their mean over all that are."""
    error = np.abs(found - shares(test))[:, INNER] * depth_mm(test) * 1000
    known = np.isfinite(error)
    per = {name: round(float(error[known[:, k], k].mean()), 1) for k, name in enumerate(NAMES[INNER]) if known[:, k].any()}
    return {"mean_um": round(float(error[known].mean()), 1), "boundaries_um": per, "rays": len(test)}


def score(train: list[Rays], test: Rays, epochs: int) -> dict:
    """All ways on one set of test rays."""
    with warnings.catch_warnings():
        # Boundaries that no training section shows have no median.
        warnings.simplefilter("ignore", RuntimeWarning)
        return {
            "constants": errors_um(by_constants(train, test), test),
            "own_constants": errors_um(by_constants([test], test), test),
            "mm_from_white": errors_um(by_distance(train, test), test),
            "forest": errors_um(by_forest(train, test), test),
            "brainmesh": errors_um(by_network(train, test, epochs), test),
        }


def add_parser(subparsers) -> None:
    """The subcommand `score-sections`."""
    parser = subparsers.add_parser("score-sections", help="train on labelled sections, score on others")
    parser.add_argument("--train", type=Path, nargs="+", required=True, help="folders of Space Ranger, or labelled rays (.npz)")
    parser.add_argument("--test", type=Path, nargs="+", required=True, help="the same, of other sections")
    parser.add_argument("--spot-labels", type=Path, help="table of barcode, section, layer")
    parser.add_argument("--program", type=Path, default=Path("brainmesh"), help="the brainmesh program")
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--out", type=Path, required=True, help="results, JSON")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Traces, trains, scores, writes and prints."""
    if not options.threads:
        torch.set_num_threads(1)
    read = {path: trace(options.program, path, options.spot_labels) for path in [*options.train, *options.test]}
    train = [read[path] for path in options.train]
    sections = {path.stem: score(train, read[path], options.epochs) for path in options.test}
    means = {way: round(float(np.mean([found[way]["mean_um"] for found in sections.values()])), 1) for way in next(iter(sections.values()))}
    results = {"train": [path.stem for path in options.train], "epochs": options.epochs, "mean_um": means, "sections": sections}
    options.out.write_text(json.dumps(results, indent=1) + "\n")
    print(json.dumps(means))
