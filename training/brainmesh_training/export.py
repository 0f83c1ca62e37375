"""A trained network as a model folder: `model.onnx`, `rdf.yaml`, test tensors and the card."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
import yaml
from torch import nn

from .data import CLASSES, Rays
from .experiment import Experiment
from .networks import Ensemble, Probabilities
from .normalise import normalise

OPSET = 17
TEST_RAYS = 4


@dataclass(frozen=True)
class About:
    """What the manifest says beside the network."""

    description: str
    license: str
    authors: list[str]
    cite: list[dict[str, str]]  # text and doi
    version: str = "1.0.0"


def fold_batch_norms(model: nn.Module) -> nn.Module:
    """The same function with every BN that follows a convolution or dense layer folded into it. Dropout goes too."""
    if isinstance(model, Ensemble):
        return Ensemble([fold_batch_norms(member) for member in model.members]).eval()
    folded: list[nn.Module] = []
    for layer in model.eval():
        if isinstance(layer, nn.Dropout):
            continue
        if isinstance(layer, nn.BatchNorm2d) and folded and isinstance(folded[-1], nn.Conv2d):
            folded[-1] = torch.nn.utils.fuse_conv_bn_eval(folded[-1], layer)
        elif isinstance(layer, nn.BatchNorm1d) and folded and isinstance(folded[-1], nn.Linear):
            folded[-1] = torch.nn.utils.fuse_linear_bn_eval(folded[-1], layer)
        else:
            folded.append(layer)
    return nn.Sequential(*folded).eval()


def write_onnx(model: nn.Module, channels: int, samples: int, path: Path) -> None:
    """Exports the network with its softmax and a free batch size, and checks the file."""
    torch.onnx.export(
        Probabilities(fold_batch_norms(model)).eval(),
        (torch.zeros(2, channels, 1, samples),),
        str(path),
        input_names=["rays"],
        output_names=["probabilities"],
        dynamic_axes={"rays": {0: "batch"}, "probabilities": {0: "batch"}},
        opset_version=OPSET,
        dynamo=False,
    )
    onnx.checker.check_model(onnx.load(path), full_check=True)


def run_onnx(path: Path, rays: np.ndarray) -> np.ndarray:
    """Probabilities `[n, classes, 1, s]` by ONNX Runtime on the CPU."""
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return session.run(None, {"rays": rays})[0]


def layer_fractions(rays: Rays) -> dict[str, list[float]]:
    """Mean and SD over rays of each layer's share of cortical thickness."""
    boundaries = rays.select(rays.usable()).boundaries_t.astype(np.float64)
    thickness = np.diff(boundaries, axis=1)
    share = thickness / thickness.sum(1, keepdims=True)
    return {"mean": share.mean(0).round(5).tolist(), "sd": share.std(0).round(5).tolist()}


def write_model(experiment: Experiment, model: nn.Module, rays: Rays, about: About, folder: Path) -> float:
    """Writes the folder and returns the largest difference between ONNX Runtime and torch on the test rays.

    `rays` are the training rays: the first few usable ones become the test tensors and all of them give the prior of
    layer fractions. `experiment.channels` must already hold fixed means and SDs.
    """
    folder.mkdir(parents=True, exist_ok=True)
    write_onnx(model, len(experiment.channels), experiment.samples, folder / "model.onnx")
    chosen = np.linspace(0, len(rays) - 1, TEST_RAYS).astype(int)
    inputs = normalise(rays, experiment.channels)[chosen][:, :, None]
    outputs = run_onnx(folder / "model.onnx", inputs)
    with torch.no_grad():
        difference = float(np.abs(Probabilities(model.eval())(torch.from_numpy(inputs)).numpy() - outputs).max())
    np.save(folder / "test_input.npy", inputs)
    np.save(folder / "test_output.npy", outputs)
    document = manifest(experiment, layer_fractions(rays), about, folder)
    (folder / "rdf.yaml").write_text(yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=120))
    return difference


def manifest(experiment: Experiment, fractions: dict, about: About, folder: Path) -> dict:
    """`rdf.yaml`, in the form of bioimage.io 0.5 with brainmesh's part under `config`."""

    def file(name: str) -> dict:
        return {"source": name, "sha256": hashlib.sha256((folder / name).read_bytes()).hexdigest()}

    def axes(names: list[str]) -> list[dict]:
        return [
            {"type": "batch"},
            {"type": "channel", "channel_names": names},
            {"type": "space", "id": "y", "size": 1},
            {"type": "space", "id": "x", "size": experiment.samples},
        ]

    brainmesh = {
        "task": "layers",
        "span": experiment.span,
        "samples": experiment.samples,
        "polarity": experiment.polarity,
        "channels": experiment.channels,
        "layer_fractions": fractions,
        "extension_mm": experiment.extension_mm,
    }
    if experiment.decoder:
        brainmesh["decoder"] = experiment.decoder
    return {
        "format_version": "0.5.4",
        "type": "model",
        "name": experiment.name,
        "description": about.description,
        "license": about.license,
        "authors": [{"name": name} for name in about.authors],
        "cite": about.cite,
        "version": about.version,
        "documentation": "README.md",
        "inputs": [
            {
                "id": "rays",
                "axes": axes([channel_name(channel) for channel in experiment.channels]),
                "data": {"type": "float32"},
                "test_tensor": file("test_input.npy"),
            }
        ],
        "outputs": [
            {
                "id": "probabilities",
                "axes": axes(list(CLASSES[: experiment.classes])),
                "data": {"type": "float32"},
                "test_tensor": file("test_output.npy"),
            }
        ],
        "weights": {"onnx": {"opset_version": OPSET, **file("model.onnx")}},
        "config": {"brainmesh": brainmesh},
    }


def channel_name(channel: dict) -> str:
    """Kind and smoothing, such as `smoothed_0p163mm`: an identifier, as bioimage.io wants."""
    fwhm_mm = channel.get("fwhm_mm", 0)
    return f"{channel['kind']}_{fwhm_mm:g}mm".replace(".", "p") if fwhm_mm else channel["kind"]
