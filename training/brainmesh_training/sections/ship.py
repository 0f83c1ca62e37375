"""The network that finds sections as a model folder: `model.onnx`, `rdf.yaml`, test tensors, card."""

import argparse
import hashlib
import json
import logging
from pathlib import Path

import numpy as np
import onnx
import torch
import yaml

from ..export import OPSET
from ..image_experiment import ImageExperiment
from ..image_export import halved, run_onnx
from ..networks import parameters
from .cases import LEAST_SPREAD, PERCENTILES
from .decode import THRESHOLD
from .export import CHANNELS, write_onnx
from .run import trained
from .targets import EXPORTED, STRIDE, UNIT_PX

log = logging.getLogger(__name__)
DESCRIPTION = "Tissue and magnet parts of brain sections on silicon wafers, with their corners, in light and fluorescence pictures."
CITE = {
    "text": "Templier T. 2019. MagC, magnetic collection of ultrathin sections for volumetric correlative light and electron "
    "microscopy. eLife 8: e45696 (what such wafers are)",
    "doi": "10.7554/eLife.45696",
}
CHANNEL_NAMES = ["intensity", "fluorescence"]
OUTPUT_NAMES = [
    *("tissue_heat", "magnet_heat"),
    *(f"corner_{n}_{axis}" for n in range(4) for axis in "xy"),
    *("partner_x", "partner_y"),
]


def test_picture(step: int) -> np.ndarray:
    """`[1, 2, h, w]` as the network sees it: a dark tissue part with a glowing magnet part beside it, and noise."""
    rng = np.random.default_rng(1609)
    y, x = np.mgrid[: 2 * step, : 3 * step]
    tissue, magnet = (abs(x - 96) < 60) & (abs(y - 52) < 25), (abs(x - 96) < 60) & (abs(y - 90) < 12)
    grey = np.select([tissue, magnet], [0.3, 0.1], -0.2)
    glow = np.where(magnet, 0.5, -0.5)
    return (np.stack([grey, glow])[None] + rng.normal(size=(1, 2, *x.shape)) * 0.03).astype(np.float32)


def manifest(name: str, step: int, folder: Path) -> dict:
    """`rdf.yaml`, in the form of bioimage.io 0.5 with brainmesh's part under `config`."""

    def file(source: str) -> dict:
        return {"source": source, "sha256": hashlib.sha256((folder / source).read_bytes()).hexdigest()}

    def axes(channels: list[str], spaces: list[dict]) -> list[dict]:
        return [{"type": "batch"}, {"type": "channel", "channel_names": channels}, *spaces]

    def tensor(name: str, of: list[dict], test: str) -> dict:
        return {"id": name, "axes": of, "data": {"type": "float32"}, "test_tensor": file(test)}

    free = [{"type": "space", "id": axis, "size": {"min": 2 * step, "step": step}} for axis in "yx"]
    blocks = [
        {"type": "space", "id": axis, "size": {"tensor_id": "image", "axis_id": axis}, "scale": float(STRIDE)} for axis in "yx"
    ]
    settings = {"task": "sections", "stride": STRIDE, "unit_px": UNIT_PX, "step": step, "threshold": THRESHOLD}
    settings |= {"percentiles": [list(pair) for pair in PERCENTILES], "least_spread": LEAST_SPREAD}
    return {
        "format_version": "0.5.4",
        "type": "model",
        "name": name,
        "description": DESCRIPTION,
        "license": "Apache-2.0",
        "authors": [{"name": "The brainmesh authors"}],
        "cite": [CITE],
        "version": "1.0.0",
        "documentation": "README.md",
        "inputs": [tensor("image", axes(CHANNEL_NAMES, free), "test_input.npy")],
        "outputs": [tensor("sections", axes(OUTPUT_NAMES, blocks), "test_output.npy")],
        "weights": {"onnx": {"opset_version": OPSET, **file("model.onnx")}},
        "config": {"brainmesh": settings},
    }


SCORES = (
    ("parts", "true parts", ".0f"),
    ("map50", "mask mAP@.5", ".4f"),
    ("map", "mask mAP@.5:.95", ".4f"),
    ("recall", "recall at .5", ".4f"),
    ("median_centre_px", "median error of the centre, px", ".2f"),
    ("median_angle_degrees", "median error of the angle, degrees", ".2f"),
    ("worst_angle_degrees", "largest", ".1f"),
    ("doubles", "found twice", ".0f"),
    ("spurious", "found where nothing is", ".0f"),
)
SETS = {"known": "scales as in training (.6 to 1.5)", "held_out": "scale 1.02, left out of training", "beyond": "scale 1.65"}


def card(experiment: ImageExperiment, count: int, runs: list[dict], scores: dict) -> str:
    """README.md; `runs` are the states of the runs that went before, each with the weights of the last, and its own."""
    training = experiment.training
    kinds = [(name, kind) for name in scores for kind in scores[name]]
    head = [" ", *(f"{kind}, {SETS[name]}" for name, kind in kinds)]
    rows = [head, ["---"] * len(head)]
    rows += [[label, *(format(scores[name][kind][key], shown) for name, kind in kinds)] for key, label, shown in SCORES]
    table = "\n".join(f"| {' | '.join(row)} |" for row in rows)
    return f"""# sections

{DESCRIPTION}

- Network: {json.dumps(experiment.to_dict()["network"])}. {count:,} parameters; stored as float16, computed in float32.
- {" + ".join(str(run["step"]) for run in runs)} steps of {training.batch} crops of {training.crop} pixels, each run with the weights of the one before; AdamW, warm-up and half a
  cosine, running mean of the weights. Processor time: {sum(run["seconds"] for run in runs) / 3600:.1f} hours.
- Trained on made pictures alone: real outlines of sections on two wafers, dealt anew, under made looks (docs/wafer.md says what
  is modelled and what is not).

## Scores

Made wafers with outlines, layouts and looks (seeds) that training never saw; parts at confidence .5 or more, but mAP over all.

{table}

    python -m brainmesh_training train-wafers configs/sections.json --data DATA --out first
    python -m brainmesh_training train-wafers configs/sections-more.json --data DATA --wafers 128 --start first --out second
    python -m brainmesh_training train-wafers configs/sections-last.json --data DATA --wafers 64 --empty 0.1 --start second --out run
    python -m brainmesh_training score-wafers configs/sections-last.json --data DATA --run run --split test
    python -m brainmesh_training ship-wafers configs/sections-last.json --run run --before first second --out sections

## Terms and limits

Weights: Apache-2.0. The outlines (annotations of the BrainSegmentation projects) state no licence; none of them is part of this model.
No real picture with true outlines was at hand. On print figures of real wafers, without fluorescence and with sections of another
shape, most is missed or wrong (docs/wafer.md): look at yours (`brainmesh segment sections --preview`, `brainmesh evaluate sections`); `adapt-sections` teaches it another wafer from a few outlines.
"""


@torch.no_grad()
def ship(options: argparse.Namespace) -> None:
    """Writes the folder."""
    experiment = ImageExperiment.read(options.config)
    checkpoint = options.run_folder / "network.pt"
    model = trained(experiment, checkpoint)
    options.out.mkdir(parents=True, exist_ok=True)
    file = options.out / "model.onnx"
    write_onnx(model, experiment.network.stride, file)
    onnx.save(halved(onnx.load(file)), file)
    inputs = test_picture(experiment.network.stride)
    outputs = run_onnx(file, inputs)
    difference = np.abs(model(torch.from_numpy(inputs))[:, :EXPORTED].numpy() - outputs).max()
    np.save(options.out / "test_input.npy", inputs)
    np.save(options.out / "test_output.npy", outputs.astype(np.float32))
    document = manifest(experiment.name, experiment.network.stride, options.out)
    (options.out / "rdf.yaml").write_text(yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=120))
    scores = options.run_folder / "scores.json"
    if scores.exists():
        files = [folder / "network.pt" for folder in options.before] + [checkpoint]
        runs = [torch.load(file, weights_only=True)["state"] for file in files]
        words = card(experiment, parameters(model), runs, json.loads(scores.read_text()))
        (options.out / "README.md").write_text(words)
    log.info("%s: %.1e between ONNX Runtime and torch, %d channels", options.out, difference, CHANNELS)
    if difference > 0.05:
        raise ValueError(f"{file}: expected the network's answers to .05, found {difference}")


def add_parser(subparsers) -> None:
    """The subcommand `ship-wafers`."""
    parser = subparsers.add_parser("ship-wafers", help="write the model folder of a network that finds sections")
    parser.add_argument("config", type=Path, help="experiment, JSON")
    parser.add_argument("--run", type=Path, required=True, dest="run_folder", help="folder of `train-wafers`")
    parser.add_argument("--before", type=Path, nargs="*", default=[], help="folders of the runs it went on from, for the card")
    parser.add_argument("--out", type=Path, required=True, help="model folder")
    parser.set_defaults(run=ship)
