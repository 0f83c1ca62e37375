"""The model folder of a system over images: the networks of its cross-validation, averaged."""

import argparse
import json
import logging
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from . import membrane, tissue, ventricle
from .image_cards import ABOUT, Made, card
from .image_experiment import ImageExperiment
from .image_export import write_model
from .image_run import SYSTEMS, add_run_options, folds, train
from .networks import parameters

log = logging.getLogger(__name__)


def test_pictures(system: str) -> tuple[np.ndarray, np.ndarray]:
    """A picture `[1, 1, h, w]` as it is in a file, and as the network sees it: none of the data, but with what it looks for."""
    rng = np.random.default_rng(1609)
    y, x = np.mgrid[:96, :128]
    if system == "membrane":  # dark lines between bright cells
        field = np.sin(x / 9 + np.sin(y / 13)) * np.cos(y / 8 + np.sin(x / 17))
        raw = 60 + 90 * np.clip(np.abs(field) * 6, 0, 1)
    else:  # a bright pool in a grey wall in a dark chest; white matter in grey in fluid
        radius = np.hypot(y - 48, x - 64)
        raw = np.select([radius < 15, radius < 26, radius < 44], [170, 90, 50], 20)
    raw = np.clip((raw + rng.normal(size=x.shape) * 12).round(), 1, 255).astype(np.float32)
    seen = {
        "membrane": membrane.normalise,
        "ventricle": ventricle.normalise,
        "tissue": lambda values: tissue.normalise(values[None])[0],
    }[system](raw)
    return raw[None, None], seen[None, None].astype(np.float32)


def ship(options: argparse.Namespace) -> None:
    """Exports the networks of a cross-validation, averaged, and describes them.

    Together they have seen all of the data; each was scored on what it had not seen.
    """
    experiment = ImageExperiment.read(options.config)
    system = SYSTEMS[experiment.system]
    members, numbers, seen, seconds = [], [], set(), 0.0
    for fold in folds(experiment, options):
        members += train(experiment, fold.kept, fold.checkpoint)
        numbers.append(fold.number)
        seen |= {system.name(case) for case in fold.kept}
        cases = len(fold.kept) + len(fold.held_out)
        for file in (fold.checkpoint, *fold.checkpoint.parent.glob(f"{fold.checkpoint.stem}-*.pt")):
            seconds += torch.load(file, weights_only=True)["state"]["seconds"]
    total = sum(parameters(member) for member in members)
    made = Made(len(members), total, numbers, options.folds, len(seen), cases, seconds)
    scores = json.loads((options.run_folder / "scores.json").read_text())
    of_volumes = [json.loads(file.read_text()) for file in sorted(options.run_folder.glob("volumes-*.json"))]
    about = ABOUT[experiment.system]
    settings = about.brainmesh | {"flips": experiment.augmentation.flips}
    words = card(experiment, about, scores, made, of_volumes[0] if of_volumes else None)
    about = replace(about, brainmesh=settings, card=words)
    shift = shift_of(scores.get("threshold", 0.5))
    difference = write_model(experiment, members, system.EXPORTED, about, test_pictures(experiment.system), options.out, shift)
    log.info("%s: %.1e between ONNX Runtime and torch", options.out, difference)


def shift_of(threshold: float) -> float:
    """What is added to logits so that probabilities at `threshold` become 0.5."""
    return math.log((1 - threshold) / threshold)


def add_parser(subparsers) -> None:
    """The subcommand `ship-images`."""
    parser = subparsers.add_parser("ship-images", help="write the model folder of a cross-validation's networks")
    add_run_options(parser, "--run")
    parser.add_argument("--out", type=Path, required=True, help="model folder")
    parser.set_defaults(run=ship)
