"""Commands for sections on wafers: make pictures, train the network, score it."""

import argparse
import json
import logging
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import nn

from ..image_experiment import ImageExperiment
from ..image_train import fit
from . import decode
from .cases import BEYOND_SCALE, HELD_OUT_SCALES, Case, cases, crop, normalised, padded
from .loss import loss
from .quads import read_shapes
from .score import score
from .targets import EXPORTED, OUTPUTS
from .wafer import Wafer

log = logging.getLogger(__name__)
#: Wafers a run trains on, and their size.
WAFERS, WAFER_PX = 96, 1536


@torch.no_grad()
def answer(model: nn.Module, case: Case, stride: int) -> np.ndarray:
    """What the network says about a whole picture, `[12, h, w]` blocks."""
    image = padded(normalised(case.picture, case.levels), stride)
    inputs = torch.from_numpy(image)[None].to(memory_format=torch.channels_last)
    return model(inputs)[0, :EXPORTED].numpy()


def train(options: argparse.Namespace) -> None:
    """Trains one network on made wafers; goes on where it was interrupted."""
    experiment = ImageExperiment.read(options.config)
    pool = cases(options.data, "train", options.wafers, WAFER_PX)

    def sampler(rng: np.random.Generator):
        return crop(pool[rng.integers(len(pool))], experiment.augmentation, experiment.training.crop, rng)

    start = torch.load(options.start / "network.pt", weights_only=True)["mean"] if options.start else None
    fit(experiment, 2, OUTPUTS, sampler, loss, options.out / "network.pt", start=start)


def trained(experiment: ImageExperiment, checkpoint: Path) -> nn.Module:
    """The network of a run, finished or not."""
    saved = torch.load(checkpoint, weights_only=True)
    if saved["experiment"] != experiment.to_dict():
        raise ValueError(f"{checkpoint}: expected a run of this experiment, found another")
    model = experiment.build(2, OUTPUTS)
    model.load_state_dict(saved["mean"])
    return model.eval().to(memory_format=torch.channels_last)


def scale_sets() -> tuple[tuple[str, float | None], ...]:
    """What is scored: scales as in training, one held out, one beyond."""
    return ("known", None), ("held_out", sum(HELD_OUT_SCALES) / 2), ("beyond", BEYOND_SCALE)


def score_run(options: argparse.Namespace) -> None:
    """Scores a network on wafers it never saw: other outlines, layouts, looks; scales as in training, held out and beyond."""
    experiment = ImageExperiment.read(options.config)
    model = trained(experiment, options.run_folder / "network.pt")
    result = {}
    for name, scale in scale_sets():
        pool = cases(options.data, options.split, options.wafers, options.size, scale)
        pictures = ([], [])
        start = time.perf_counter()
        for case in pool:
            found = answer(model, case, experiment.network.stride)
            for kind, truth in enumerate((case.parts.tissue, case.parts.magnet)):
                pictures[kind].append((truth, decode.parts(found, kind)))
        log.info("%s: %.1f s", name, time.perf_counter() - start)
        result[name] = {"tissue": score(pictures[0]), "magnet": score(pictures[1])}
    text = json.dumps(result, indent=1)
    (options.run_folder / "scores.json").write_text(text + "\n")
    print(text)


def make(options: argparse.Namespace) -> None:
    """Writes the picture of a made wafer, made in bands, and its truth."""
    outlines = read_shapes(options.data, options.split)
    wafer = Wafer.make(outlines[options.seed % len(outlines)], (options.size, options.size), options.scale, options.seed)
    look = wafer.look
    if options.look_seed is not None:
        look = Wafer.make(outlines[0], (1, 1), options.scale, options.look_seed).look
    wafer = replace(wafer, look=replace(look, **json.loads(options.look)))
    picture = np.empty((2, options.size, options.size), np.uint8)
    for top in range(0, options.size, 1024):
        height = min(1024, options.size - top)
        picture[:, top : top + height] = wafer.picture(top, 0, height, options.size)
    options.out.mkdir(parents=True, exist_ok=True)
    for name, channel in zip(("intensity", "fluorescence"), picture, strict=True):
        Image.fromarray(channel).save(options.out / f"{name}.png")
    truth = [{"tissue": s.tissue.round(3).tolist(), "magnet": s.magnet.round(3).tolist()} for s in wafer.sections]
    words = {"seed": options.seed, "scale": options.scale, "size": [options.size] * 2, "sections": truth}
    (options.out / "truth.json").write_text(json.dumps(words) + "\n")


def add_parser(subparsers) -> None:
    """The subcommands `make-wafer`, `train-wafers` and `score-wafers`."""
    parser = subparsers.add_parser("make-wafer", help="make the picture of a wafer with its truth")
    parser.add_argument("--data", type=Path, required=True, help="folder of real wafers' outlines")
    parser.add_argument("--split", choices=("train", "validate", "test"), default="test")
    parser.add_argument("--size", type=int, default=2048, help="pixels a side")
    parser.add_argument("--scale", type=float, default=1.0, help="1 is a third of the source pictures' resolution")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--look-seed", type=int, help="looks as the wafer of this seed")
    parser.add_argument("--look", default="{}", help="JSON of what looks otherwise: names and values of `look.Look`")
    parser.add_argument("--out", type=Path, required=True, help="folder")
    parser.set_defaults(run=make)

    parser = subparsers.add_parser("train-wafers", help="train the network that finds sections, on made wafers")
    parser.add_argument("config", type=Path, help="experiment, JSON")
    parser.add_argument("--data", type=Path, required=True, help="folder of real wafers' outlines")
    parser.add_argument("--wafers", type=int, default=WAFERS, help="made wafers to train on")
    parser.add_argument("--start", type=Path, help="folder of a run of the same network whose weights to begin with")
    parser.add_argument("--out", type=Path, required=True, help="folder for the checkpoint; gone on from where it exists")
    parser.set_defaults(run=train)

    parser = subparsers.add_parser("score-wafers", help="score a trained network on made wafers it never saw")
    parser.add_argument("config", type=Path, help="experiment, JSON")
    parser.add_argument("--data", type=Path, required=True, help="folder of real wafers' outlines")
    parser.add_argument("--split", choices=("validate", "test"), default="validate")
    parser.add_argument("--wafers", type=int, default=6)
    parser.add_argument("--size", type=int, default=1536, help="pixels a side")
    parser.add_argument("--run", type=Path, required=True, dest="run_folder", help="folder of `train-wafers`")
    parser.set_defaults(run=score_run)
