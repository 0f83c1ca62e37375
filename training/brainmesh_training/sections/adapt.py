"""Another wafer: a trained network learns its look from a few sections outlined on it."""

import argparse
import hashlib
import json
import logging
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import nn

from ..image_experiment import ImageExperiment
from ..image_train import fit
from . import decode
from .cases import cases, crop, levels, normalised, padded
from .labels import read_labels
from .loss import loss
from .paste import background_pieces, pasted, windows
from .run import WAFER_PX
from .score import score
from .targets import EXPORTED, OUTPUTS, Parts

log = logging.getLogger(__name__)
#: Fewer cannot show how sections differ.
LEAST_LABELS = 3
#: What the network is so sure of is no background; it errs on strange wafers, so that texture has to tell as well.
DOUBTED = 0.3
#: Share of crops from this wafer; the rest are from made ones, so that nothing is forgotten.
OWN = 0.6
#: Largest side of the pictures made.
MOST_PX = 1536
Image.MAX_IMAGE_PIXELS = None


@dataclass(frozen=True)
class Base:
    """A trained network."""

    experiment: ImageExperiment
    weights: dict[str, torch.Tensor]

    @classmethod
    def read(cls, path: Path) -> "Base":
        """From a checkpoint, or the folder of a run."""
        path = path / "network.pt" if path.is_dir() else path
        saved = torch.load(path, weights_only=True)
        experiment = ImageExperiment.from_dict(saved["experiment"])
        if experiment.system != "sections":
            raise ValueError(f"{path}: expected a network that finds sections, found one of {experiment.system}")
        return cls(experiment, saved["mean"])

    def network(self) -> nn.Module:
        """As it was trained."""
        model = self.experiment.build(2, OUTPUTS)
        model.load_state_dict(self.weights)
        return model.eval().to(memory_format=torch.channels_last)


def read_channel(path: Path, scale: int) -> np.ndarray:
    """Grey values from 0 to 255, `[h, w]`; greater ones by the largest in the picture. `scale` pixels a side become one."""
    with Image.open(path) as image:
        if len(image.getbands()) > 1:
            raise ValueError(f"{path}: expected grey values, found channels {'+'.join(image.getbands())}")
        values = np.asarray(image)
    if values.dtype != np.uint8:
        most = float(values.max())
        if not np.isfinite(most) or most <= 0 or values.min() < 0:
            raise ValueError(f"{path}: expected grey values from 0, found {values.min()} to {most}")
        values = (values * (255 / most)).astype(np.float32)
    if scale > 1:
        height, width = (side // scale * scale for side in values.shape)
        blocks = values[:height, :width].reshape(height // scale, scale, width // scale, scale)
        values = blocks.mean((1, 3), dtype=np.float32)
    return values


def read_picture(intensity: Path, fluorescence: Path | None, scale: int = 1) -> np.ndarray:
    """`[2, h, w]`; 0 where there is no fluorescence."""
    grey = read_channel(intensity, scale)
    glow = np.zeros_like(grey) if fluorescence is None else read_channel(fluorescence, scale)
    if glow.shape != grey.shape:
        raise ValueError(f"{fluorescence}: expected {grey.shape} pixels as {intensity}, found {glow.shape}")
    return np.stack([grey, glow])


@torch.no_grad()
def answer(model: nn.Module, picture: np.ndarray, between: np.ndarray, stride: int) -> np.ndarray:
    """What the network says, `[12, h / 4, w / 4]`."""
    image = padded(normalised(picture, between), stride)
    return model(torch.from_numpy(image)[None].to(memory_format=torch.channels_last))[0, :EXPORTED].numpy()


def pictures(base: Base, picture: np.ndarray, labels: Parts, count: int, seed: int) -> list:
    """`count` new pictures of the wafer."""
    model, stride, between = base.network(), base.experiment.network.stride, levels(picture)

    def find(part: np.ndarray) -> list[np.ndarray]:
        said = answer(model, part, between, stride)
        return [found.quad for kind in (0, 1) for found in decode.parts(said, kind, DOUBTED)]

    pieces = background_pieces(windows(picture, labels, find))
    log.info("background from %d squares of %d pixels", len(pieces), pieces.shape[-1])
    length = np.linalg.norm(np.ptp(np.concatenate([labels.tissue, labels.magnet], 1), 1), axis=1).max()
    side = int(np.clip(4 * length, base.experiment.training.crop, MOST_PX)) // 64 * 64
    rngs = (np.random.default_rng([seed, 71, number]) for number in range(count))
    return [pasted(picture, labels, pieces, between, (side, side), rng) for rng in rngs]


def check_labels(path: Path, labels: Parts, picture: np.ndarray) -> None:
    """Enough, and of this picture."""
    if len(labels.tissue) < LEAST_LABELS:
        raise ValueError(f"{path}: expected {LEAST_LABELS} sections or more, found {len(labels.tissue)}")
    height, width = picture.shape[1:]
    centres = np.concatenate([labels.tissue.mean(1), labels.magnet.mean(1)])
    outside = ((centres < -0.5) | (centres > [width - 0.5, height - 0.5])).any(1)
    if outside.any():
        first = centres[outside][0].round(1).tolist()
        raise ValueError(f"{path}: expected sections within {width} x {height} pixels, found one around {first}")


def adapted_experiment(base: ImageExperiment, steps: int, rate: float) -> ImageExperiment:
    """The base's, trained on for a little."""
    training = replace(base.training, steps=steps, learning_rate=rate, warmup=max(1, steps // 10), running_mean=0.98)
    return replace(base, name=f"{base.name}-adapted", training=training)


def sha256(path: Path) -> str:
    """Of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def adapt(options: argparse.Namespace) -> None:
    """Fine-tunes; goes on where it was interrupted, with the same inputs alone."""
    base = Base.read(options.base)
    picture = read_picture(options.picture, options.fluorescence, options.scale)
    labels = read_labels(options.labels, options.scale)
    check_labels(options.labels, labels, picture)
    checkpoint = options.base / "network.pt" if options.base.is_dir() else options.base
    files = {"picture": options.picture, "fluorescence": options.fluorescence, "labels": options.labels, "base": checkpoint}
    inputs = {name: sha256(file) for name, file in files.items() if file} | {"scale": options.scale}
    inputs |= {"pictures": options.pictures, "wafers": options.wafers, "learned": options.learned}
    experiment = adapted_experiment(base.experiment, options.steps, options.rate)
    options.out.mkdir(parents=True, exist_ok=True)
    note = options.out / "adapted.json"
    if note.exists() and json.loads(note.read_text())["inputs"] != inputs:
        raise ValueError(f"{note}: expected a run on these files, found one on others")
    note.write_text(json.dumps({"inputs": inputs, "sections": len(labels.tissue)}, indent=1) + "\n")
    (options.out / "config.json").write_text(json.dumps(experiment.to_dict(), indent=1) + "\n")

    own = pictures(base, picture, labels, options.pictures, experiment.training.seed)
    if options.show:
        tall = [np.concatenate(list(made.picture), 1) for made in own[:2]]
        Image.fromarray(np.concatenate(tall).clip(0, 255).astype(np.uint8)).save(options.show)
    made = cases(options.data, "train", options.wafers, WAFER_PX)

    def sampler(rng: np.random.Generator):
        pool = own if rng.random() < OWN else made
        return crop(pool[rng.integers(len(pool))], experiment.augmentation, experiment.training.crop, rng)

    model = fit(
        experiment, 2, OUTPUTS, sampler, loss, options.out / "network.pt", start=base.weights, learned=tuple(options.learned)
    )
    if options.check:
        stride = experiment.network.stride
        scores = {"before": checked(base.network(), options.check, stride), "after": checked(model, options.check, stride)}
        note.write_text(json.dumps({"inputs": inputs, "sections": len(labels.tissue), "check": scores}, indent=1) + "\n")
        print(json.dumps(scores, indent=1))


def checked(model: nn.Module, folder: Path, stride: int) -> dict[str, dict[str, float]]:
    """Scores on a picture of `make-wafer`."""
    picture = read_picture(folder / "intensity.png", folder / "fluorescence.png")
    truth = read_labels(folder / "truth.json")
    said = answer(model, picture, levels(picture), stride)
    return {
        name: score([(quads, decode.parts(said, kind))])
        for kind, (name, quads) in enumerate((("tissue", truth.tissue), ("magnet", truth.magnet)))
    }


def add_parser(subparsers) -> None:
    """The subcommand `adapt-sections`."""
    parser = subparsers.add_parser("adapt-sections", help="teach a network that finds sections another wafer, from a few outlines")
    parser.add_argument("--picture", type=Path, required=True, help="intensity")
    parser.add_argument("--fluorescence", type=Path, help="of the same size; without it there is none")
    parser.add_argument("--labels", type=Path, required=True, help="5 to 20 sections: JSON as truth.json, or .magc")
    parser.add_argument("--scale", type=int, default=1, help="so many pixels a side become one before the network")
    parser.add_argument("--base", type=Path, required=True, help="folder of `train-wafers`, or its checkpoint")
    parser.add_argument("--data", type=Path, required=True, help="folder of real wafers' outlines, for made wafers beside")
    parser.add_argument("--out", type=Path, required=True, help="folder for the checkpoint; gone on from where it exists")
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--rate", type=float, default=1e-3, help="learning rate")
    parser.add_argument("--pictures", type=int, default=24, help="new pictures of the wafer")
    parser.add_argument("--wafers", type=int, default=8, help="made wafers beside")
    parser.add_argument("--learned", nargs="+", default=[], help="parts of the network that learn (such as head decoders.3); default all")
    parser.add_argument("--check", type=Path, help="folder of `make-wafer`: scores before and after")
    parser.add_argument("--show", type=Path, help="PNG of two of the new pictures, to look at")
    parser.set_defaults(run=adapt)
