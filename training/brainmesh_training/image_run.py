"""Cross-validation of the systems that segment images: `membrane`, `ventricle` and `tissue`.

Each system is a module with the same functions: `read`, `folds`, `crop`, `pictures`, `loss`, `score`, `summary`, `views`.
"""

import argparse
import json
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType

import numpy as np
import torch
from torch import nn

from . import membrane, tissue, ventricle
from .image_experiment import ImageExperiment
from .image_train import fit_members, predict

log = logging.getLogger(__name__)

SYSTEMS: dict[str, ModuleType] = {"membrane": membrane, "ventricle": ventricle, "tissue": tissue}
#: One in so many of the folds of what a network may see is for the looks that stop its training early.
LOOKED_AT = 6
#: Crops that are looked at.
LOOKS = 24


@dataclass(frozen=True)
class Fold:
    """One part of a cross-validation, counted from 1."""

    number: int
    kept: list
    held_out: list
    checkpoint: Path


def folds(experiment: ImageExperiment, options: argparse.Namespace) -> Iterator[Fold]:
    """Those that were asked for."""
    system = SYSTEMS[experiment.system]
    cases = system.read(options.data)
    of_case = system.folds(cases, options.folds)
    for wanted in options.only or range(options.folds):
        if not 0 <= wanted < options.folds:
            raise ValueError(f"--only: expected 0 to {options.folds - 1}, found {wanted}")
        held_out = [case for case, fold in zip(cases, of_case, strict=True) if fold == wanted]
        kept = [case for case, fold in zip(cases, of_case, strict=True) if fold != wanted]
        yield Fold(wanted + 1, kept, held_out, options.run_folder / f"fold-{wanted + 1}.pt")


def train(experiment: ImageExperiment, cases: Sequence, checkpoint: Path | None) -> list[nn.Module]:
    """The networks of an experiment, trained on cases drawn at random; with `check_every` some are only looked at."""
    system, training = SYSTEMS[experiment.system], experiment.training
    validate = None
    if training.check_every:
        apart = system.folds(cases, LOOKED_AT) == 0
        looked_at = [case for case, is_apart in zip(cases, apart, strict=True) if is_apart]
        cases = [case for case, is_apart in zip(cases, apart, strict=True) if not is_apart]
        validate = looker(experiment, looked_at)

    def sampler(rng: np.random.Generator):
        case = cases[rng.integers(len(cases))]
        return system.crop(case, experiment.augmentation, training.crop, rng)

    return fit_members(
        experiment,
        checkpoint,
        channels=1,
        outputs=system.OUTPUTS,
        sampler=sampler,
        loss=system.loss,
        validate=validate,
    )


def looker(experiment: ImageExperiment, cases: Sequence):
    """The mean loss of a network over crops that are the same at every look."""
    system, training = SYSTEMS[experiment.system], experiment.training

    @torch.no_grad()
    def validate(model: nn.Module) -> float:
        total = 0.0
        for number in range(LOOKS):
            rng = np.random.default_rng([training.seed, LOOKS, number])
            image, targets = system.crop(cases[number % len(cases)], experiment.augmentation, training.crop, rng)
            named = {name: torch.from_numpy(values[None]) for name, values in targets.items()}
            total += system.loss(model(torch.from_numpy(image[None])), named, training.loss).item()
        return total / LOOKS

    return validate


def answers(experiment: ImageExperiment, members: Sequence[nn.Module], case) -> list[np.ndarray]:
    """Probabilities `[exported, h, w]` for each picture of a case, averaged over the turns it was trained with."""
    system = SYSTEMS[experiment.system]
    stride, turns = experiment.network.stride, experiment.augmentation.turns
    return [predict(members, picture, system.EXPORTED, stride, turns) for picture in system.pictures(case)]


def cross_validate(options: argparse.Namespace) -> None:
    """Trains a network without each fold, scores it on the fold and writes the folds' and the pooled scores."""
    experiment = ImageExperiment.read(options.config)
    if options.steps:
        experiment = replace(experiment, training=replace(experiment.training, steps=options.steps))
    system = SYSTEMS[experiment.system]
    for fold in folds(experiment, options):
        members = train(experiment, fold.kept, fold.checkpoint)
        given = [answers(experiment, members, case) for case in fold.held_out]
        names = [system.name(case) for case in fold.held_out]
        if system.KEPT:
            parts = dict(zip(names, (answer[0][0] for answer in given), strict=True))
            np.savez_compressed(fold.checkpoint.with_suffix(".npz"), **parts)
        found = [system.score(case, part) for case, part in zip(fold.held_out, given, strict=True)]
        log.info("fold %d: %s", fold.number, json.dumps(system.summary(found)))
        scored = dict(zip(names, found, strict=True))
        fold.checkpoint.with_suffix(".json").write_text(json.dumps(scored, default=np.ndarray.tolist) + "\n")
    print(json.dumps(pooled(system, options.run_folder), indent=1))


def pooled(system: ModuleType, run: Path) -> dict:
    """Scores over all folds that a run has by now, also written to its `scores.json`."""
    files = sorted(run.glob("fold-*.json"))
    scores = [score for file in files for score in json.loads(file.read_text()).values()]
    result = {"folds": [file.stem for file in files], "cases": len(scores), **system.summary(scores)}
    (run / "scores.json").write_text(json.dumps(result, indent=1) + "\n")
    return result


def add_run_options(parser: argparse.ArgumentParser, run: str) -> None:
    """What every command over a cross-validation is told; `run` names the option of its folder."""
    parser.add_argument("config", type=Path, help="experiment, JSON")
    parser.add_argument("--data", type=Path, required=True, help="folder of the pictures and their truth")
    parser.add_argument("--folds", type=int, default=3)
    parser.add_argument("--only", type=int, action="append", metavar="FOLD", help="of the folds, from 0 (default: all)")
    parser.add_argument(
        run, dest="run_folder", type=Path, required=True, help="folder for checkpoints and scores; gone on from where it exists"
    )


def add_parser(subparsers) -> None:
    """The subcommand `cross-validate-images`."""
    parser = subparsers.add_parser("cross-validate-images", help="cross-validate a network over images")
    add_run_options(parser, "--out")
    parser.add_argument("--steps", type=int, help="of training, instead of the experiment's: for trying things")
    parser.set_defaults(run=cross_validate)
