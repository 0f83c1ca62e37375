"""A trained network over images as a model folder: `model.onnx`, `rdf.yaml`, test tensors and the card."""

import copy
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
import yaml
from onnx import helper, numpy_helper
from torch import nn

from .export import OPSET
from .image_experiment import ImageExperiment

#: Numbers in a tensor from which its size counts.
HALVED_FROM = 256


@dataclass(frozen=True)
class ImageAbout:
    """What the manifest says beside the network."""

    description: str
    license: str
    cite: list[dict[str, str]]
    channel: str
    """Of the input."""
    classes: tuple[str, ...]
    preprocessing: list[dict]
    """Steps of bioimage.io."""
    brainmesh: dict
    """Settings of `brainmesh segment`."""
    axes: tuple[str, str] = ("y", "x")
    spacing_mm: float | None = None
    version: str = "1.0.0"
    card: str = ""


class Exported(nn.Module):
    """Networks with their batch norms folded, the stem as one strided convolution, and only the exported logits (their mean).

    `shift` is added to them.
    """

    def __init__(self, members: Sequence[nn.Module], exported: int, shift: float = 0.0) -> None:
        super().__init__()
        self.members = nn.ModuleList(prepared(member, exported) for member in members)
        for member in self.members if shift else ():
            last = [part for part in member.modules() if isinstance(part, nn.Conv2d)][-1]
            last.bias.data += shift

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """`[batch, 1, h, w]` to logits `[batch, exported, h, w]`."""
        if len(self.members) == 1:
            return self.members[0](image)
        return sum(member(image) for member in self.members) / len(self.members)


def prepared(model: nn.Module, exported: int) -> nn.Module:
    """The same function of the first `exported` outputs, with nothing left that only training needs."""
    model = copy.deepcopy(model).eval()
    for part in model.modules():
        if isinstance(part, nn.Sequential):
            for place in range(len(part) - 1):
                if isinstance(part[place], nn.Conv2d) and isinstance(part[place + 1], nn.BatchNorm2d):
                    part[place] = nn.utils.fuse_conv_bn_eval(part[place], part[place + 1])
                    part[place + 1] = nn.Identity()
    if not hasattr(model, "unshuffle"):
        return model
    model.dropout = nn.Identity()
    if isinstance(model.unshuffle, nn.PixelUnshuffle):
        stem = model.unshuffle.downscale_factor
        model.encoders[0][0] = strided(model.encoders[0][0], stem)
        model.unshuffle = nn.Identity()
        keep = exported * stem**2
    else:
        keep = exported
    head = nn.Conv2d(model.head.in_channels, keep, 1)
    head.weight.data, head.bias.data = model.head.weight.data[:keep], model.head.bias.data[:keep]
    model.head = head
    return model.eval()


def strided(convolution: nn.Conv2d, stem: int) -> nn.Conv2d:
    """What pixels to channels and then a 3x3 convolution do, as one convolution: not every engine has the former."""
    maps, inputs = convolution.weight.shape[:2]
    channels = inputs // stem**2
    whole = nn.Conv2d(channels, maps, 3 * stem, stride=stem, padding=stem)
    weight = convolution.weight.data.reshape(maps, channels, stem, stem, 3, 3)
    whole.weight.data = weight.permute(0, 1, 4, 2, 5, 3).reshape(maps, channels, 3 * stem, 3 * stem).contiguous()
    whole.bias.data = convolution.bias.data
    return whole


def write_onnx(members: Sequence[nn.Module], exported: int, stride: int, path: Path, shift: float = 0.0) -> None:
    """Exports the networks with free sizes, logits out, and checks the file."""
    size = max(4 * stride, 32)
    free = {0: "batch", 2: "height", 3: "width"}
    torch.onnx.export(
        Exported(members, exported, shift).eval(),
        (torch.zeros(1, 1, size, size),),
        str(path),
        input_names=["image"],
        output_names=["classes"],
        dynamic_axes={"image": free, "classes": free},
        opset_version=OPSET,
        dynamo=False,
    )
    model = halved(onnx.load(path))
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, path)


def halved(model: onnx.ModelProto) -> onnx.ModelProto:
    """The same network with its larger weights stored as float16, cast to float32 where it is loaded: half the size.

    Engines compute as before; probabilities change by some 1e-4, for all engines alike.
    """
    graph, stored, casts = model.graph, [], []
    for tensor in graph.initializer:
        values = numpy_helper.to_array(tensor)
        if values.dtype == np.float32 and values.size >= HALVED_FROM:
            stored.append(numpy_helper.from_array(values.astype(np.float16), f"{tensor.name}_half"))
            casts.append(helper.make_node("Cast", [f"{tensor.name}_half"], [tensor.name], to=onnx.TensorProto.FLOAT))
        else:
            stored.append(tensor)
    nodes = list(graph.node)
    del graph.initializer[:], graph.node[:]
    graph.initializer.extend(stored)
    graph.node.extend(casts + nodes)
    return model


def run_onnx(path: Path, image: np.ndarray) -> np.ndarray:
    """Logits by ONNX Runtime on the CPU."""
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return session.run(None, {"image": image})[0]


def write_model(
    experiment: ImageExperiment,
    members: Sequence[nn.Module],
    exported: int,
    about: ImageAbout,
    test: tuple[np.ndarray, np.ndarray],
    folder: Path,
    shift: float = 0.0,
) -> float:
    """Writes the folder and returns the largest difference of probabilities between ONNX Runtime and torch on the test image.

    `test` is an image `[1, 1, h, w]` as it is in the file, and as the network sees it; `shift` is added to all logits.
    """
    folder.mkdir(parents=True, exist_ok=True)
    write_onnx(members, exported, experiment.network.stride, folder / "model.onnx", shift)
    raw, seen = test
    activate = (lambda x: 1 / (1 + np.exp(-x))) if exported == 1 else softmax
    outputs = activate(run_onnx(folder / "model.onnx", seen)).astype(np.float32)
    with torch.no_grad():
        logits = sum(member(torch.from_numpy(seen))[:, :exported] for member in members) / len(members) + shift
    difference = float(np.abs(activate(logits.numpy()) - outputs).max())
    np.save(folder / "test_input.npy", raw.astype(np.float32))
    np.save(folder / "test_output.npy", outputs)
    document = manifest(experiment, exported, about, folder)
    (folder / "rdf.yaml").write_text(yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=120))
    if about.card:
        (folder / "README.md").write_text(about.card)
    return difference


def softmax(logits: np.ndarray) -> np.ndarray:
    """Over the second axis."""
    powers = np.exp(logits - logits.max(1, keepdims=True))
    return powers / powers.sum(1, keepdims=True)


def manifest(experiment: ImageExperiment, exported: int, about: ImageAbout, folder: Path) -> dict:
    """`rdf.yaml`, in the form of bioimage.io 0.5 with brainmesh's part under `config`."""

    def file(name: str) -> dict:
        return {"source": name, "sha256": hashlib.sha256((folder / name).read_bytes()).hexdigest()}

    stride = experiment.network.stride
    spacing = {"scale": about.spacing_mm, "unit": "millimeter"} if about.spacing_mm else {}

    def axes(names: Sequence[str], size: Callable[[str], dict]) -> list[dict]:
        space = [{"type": "space", "id": axis, "size": size(axis), **spacing} for axis in about.axes]
        return [{"type": "batch"}, {"type": "channel", "channel_names": list(names)}, *space]

    def free(_axis: str) -> dict:
        return {"min": max(32, stride), "step": stride}

    def same(axis: str) -> dict:
        return {"tensor_id": "image", "axis_id": axis}

    activation = {"id": "sigmoid"} if exported == 1 else {"id": "softmax", "kwargs": {"axis": "channel"}}
    return {
        "format_version": "0.5.4",
        "type": "model",
        "name": experiment.name,
        "description": about.description,
        "license": about.license,
        "authors": [{"name": "The brainmesh authors"}],
        "cite": about.cite,
        "version": about.version,
        "documentation": "README.md",
        "inputs": [
            {
                "id": "image",
                "axes": axes([about.channel], free),
                "data": {"type": "float32"},
                "test_tensor": file("test_input.npy"),
                "preprocessing": about.preprocessing,
            }
        ],
        "outputs": [
            {
                "id": "classes",
                "axes": axes(about.classes, same),
                "data": {"type": "float32"},
                "test_tensor": file("test_output.npy"),
                "postprocessing": [activation],
            }
        ],
        "weights": {"onnx": {"opset_version": OPSET, **file("model.onnx")}},
        "config": {"brainmesh": {"task": "segmentation", **about.brainmesh}},
    }
