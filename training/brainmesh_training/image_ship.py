"""Trains a network over images on all of the data and writes its model folder."""

import argparse
import json
import logging
from dataclasses import replace
from pathlib import Path

import numpy as np

from . import membrane, tissue, ventricle
from .image_cards import ABOUT, card
from .image_experiment import ImageExperiment
from .image_export import write_model
from .image_run import SYSTEMS, train

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
    """Trains, exports and describes."""
    experiment = ImageExperiment.read(options.config)
    system = SYSTEMS[experiment.system]
    cases = system.read(options.data)
    members = train(experiment, cases, options.run_folder / "all.pt")
    scores = json.loads((options.run_folder / "scores.json").read_text())
    about = ABOUT[experiment.system]
    settings = about.brainmesh | {"flips": experiment.augmentation.flips}
    words = card(experiment, about, scores, len(cases), options.folds, members)
    about = replace(about, brainmesh=settings, card=words)
    test = test_pictures(experiment.system)
    difference = write_model(experiment, members, system.EXPORTED, about, test, options.out)
    log.info("%s: %.1e between ONNX Runtime and torch", options.out, difference)


def add_parser(subparsers) -> None:
    """The subcommand `ship-images`."""
    parser = subparsers.add_parser("ship-images", help="train a network over images on all data and write its model folder")
    parser.add_argument("config", type=Path, help="experiment, JSON")
    parser.add_argument("--data", type=Path, required=True, help="folder of the pictures and their truth")
    parser.add_argument("--folds", type=int, default=3, help="of the cross-validation, for the card")
    parser.add_argument("--run", dest="run_folder", type=Path, required=True, help="folder of `cross-validate-images`")
    parser.add_argument("--out", type=Path, required=True, help="model folder")
    parser.set_defaults(run=ship)
