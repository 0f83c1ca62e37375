"""Cross-validation of the systems that segment images: `membrane`, `ventricle` and `tissue`.

Each system is a module with the same functions: `read`, `folds`, `crop`, `pictures`, `loss`, `score`, `summary`.
"""

import argparse
import json
import logging
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

import numpy as np
from torch import nn

from . import membrane, tissue, ventricle
from .image_experiment import ImageExperiment
from .image_train import fit_members, predict

log = logging.getLogger(__name__)

SYSTEMS: dict[str, ModuleType] = {"membrane": membrane, "ventricle": ventricle, "tissue": tissue}


def train(experiment: ImageExperiment, cases: Sequence, checkpoint: Path | None) -> list[nn.Module]:
    """The networks of an experiment, trained on cases drawn at random."""
    system = SYSTEMS[experiment.system]

    def sampler(rng: np.random.Generator):
        case = cases[rng.integers(len(cases))]
        return system.crop(case, experiment.augmentation, experiment.training.crop, rng)

    return fit_members(
        experiment, checkpoint, channels=1, outputs=system.OUTPUTS, sampler=sampler, loss=system.loss
    )


def answers(experiment: ImageExperiment, members: Sequence[nn.Module], case) -> list[np.ndarray]:
    """Probabilities `[exported, h, w]` for each picture of a case, averaged over the turns it was trained with."""
    system = SYSTEMS[experiment.system]
    stride, turns = experiment.network.stride, experiment.augmentation.turns
    return [predict(members, picture, system.EXPORTED, stride, turns) for picture in system.pictures(case)]


def cross_validate(options: argparse.Namespace) -> None:
    """Trains a network without each fold, scores it on the fold and writes `scores.json` and the probabilities."""
    experiment = ImageExperiment.read(options.config)
    system = SYSTEMS[experiment.system]
    cases = system.read(options.data)
    fold = system.folds(cases, options.folds)
    scores = []
    for number in options.only or range(options.folds):
        held_out = [case for case, of in zip(cases, fold, strict=True) if of == number]
        kept = [case for case, of in zip(cases, fold, strict=True) if of != number]
        members = train(experiment, kept, options.out / f"fold-{number + 1}.pt")
        given = [answers(experiment, members, case) for case in held_out]
        if system.KEPT:
            names = (system.name(case) for case in held_out)
            np.savez_compressed(options.out / f"fold-{number + 1}.npz", **dict(zip(names, (g[0][0] for g in given), strict=True)))
        found = [system.score(case, part) for case, part in zip(held_out, given, strict=True)]
        scores += found
        log.info("fold %d: %s", number + 1, json.dumps(system.summary(found)))
        result = {"cases": len(scores), **system.summary(scores)}
        (options.out / "scores.json").write_text(json.dumps(result, indent=1) + "\n")
    print(json.dumps(result, indent=1))


def add_parser(subparsers) -> None:
    """The subcommand `cross-validate-images`."""
    parser = subparsers.add_parser("cross-validate-images", help="cross-validate a network over images")
    parser.add_argument("config", type=Path, help="experiment, JSON")
    parser.add_argument("--data", type=Path, required=True, help="folder of the pictures and their truth")
    parser.add_argument("--folds", type=int, default=3)
    parser.add_argument("--only", type=int, action="append", metavar="FOLD", help="of the folds, from 0 (default: all)")
    parser.add_argument("--out", type=Path, required=True, help="folder for checkpoints and scores; gone on from where it exists")
    parser.set_defaults(run=cross_validate)
