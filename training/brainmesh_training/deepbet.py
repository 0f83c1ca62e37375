"""The brain extraction of deepbet 1.0.2 (Fisch et al. 2024, MIT) as a model folder, from an installed `deepbet` package.

    python -m brainmesh_training deepbet --out FOLDER
    brainmesh segment FOLDER T1.nii.gz -o mask.nii.gz

A first network finds the brain in the whole volume at 128^3, a second outlines it in the box around that at 256^3.
"""

import argparse
import hashlib
from importlib.metadata import distribution
from pathlib import Path

import onnx
import torch
import yaml

OPSET = 17
FINE, COARSE = 256, 128


def add_parser(commands) -> None:
    parser = commands.add_parser("deepbet", help="export deepbet's networks as a model folder")
    parser.add_argument("--out", type=Path, required=True)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    installed = distribution("deepbet")
    folder: Path = arguments.out
    folder.mkdir(parents=True, exist_ok=True)
    for source, target, edge in (("model.pt", "model.onnx", FINE), ("bbox_model.pt", "locator.onnx", COARSE)):
        export(Path(str(installed.locate_file(f"data/models/{source}"))), folder / target, edge)
    (folder / "README.md").write_text(CARD.format(version=installed.version))
    document = yaml.safe_dump(manifest(folder, installed.version), sort_keys=False, allow_unicode=True, width=120)
    (folder / "rdf.yaml").write_text(document)


def export(source: Path, target: Path, edge: int) -> None:
    """A TorchScript network of one channel in, scores of two classes out, of `edge` voxels along x, y, z."""
    network = torch.jit.load(str(source), map_location="cpu").eval()
    # The exporter traces the network once; any numbers do.
    torch.onnx.export(
        network,
        (torch.rand(1, 1, edge, edge, edge),),
        str(target),
        input_names=["image"],
        output_names=["classes"],
        opset_version=OPSET,
        dynamo=False,
    )
    onnx.save(without_softmax(onnx.load(target)), target)


def without_softmax(model: onnx.ModelProto) -> onnx.ModelProto:
    """Without the softmax at its end: it is most of ONNX Runtime's time, and brainmesh does it faster (the manifest asks)."""
    [output] = model.graph.output
    [last] = [node for node in model.graph.node if output.name in node.output]
    assert last.op_type == "Softmax", last.op_type
    [before] = [node for node in model.graph.node if last.input[0] in node.output]
    before.output[0] = output.name
    model.graph.node.remove(last)
    onnx.checker.check_model(model, full_check=True)
    return model


def manifest(folder: Path, version: str) -> dict:
    def file(name: str) -> dict:
        return {"source": name, "sha256": hashlib.sha256((folder / name).read_bytes()).hexdigest()}

    def axes(names: list[str]) -> list[dict]:
        space = [{"type": "space", "id": axis, "size": FINE} for axis in "xyz"]
        return [{"type": "batch"}, {"type": "channel", "channel_names": names}, *space]

    # deepbet.utils.normalize: percentiles of the whole at 128^3, mean and SD of what the network sees.
    percentiles = {"min_percentile": 0.5, "max_percentile": 99.5, "eps": 1e-12}
    preprocessing = [
        {"id": "scale_range", "kwargs": percentiles},
        {"id": "clip", "kwargs": {"min": 0.0, "max": 1.0}},
        {"id": "zero_mean_unit_variance", "kwargs": {"axes": ["channel", "x", "y", "z"], "eps": 1e-12}},
        {"id": "scale_linear", "kwargs": {"gain": 0.226, "offset": 0.449}},
    ]
    locator = {
        "onnx": file("locator.onnx"),
        "size": [COARSE] * 3,
        "class": 1,
        "threshold": 0.5,
        "least_share": 0.02,
        "margin": 0.1,
        "percentiles": True,
    }
    brainmesh = {
        "task": "segmentation",
        "orientation": "RAS",
        "fit": True,
        "interpolation": "nearest",
        "largest_component": True,
        "fill_holes": True,
        "locator": locator,
    }
    return {
        "format_version": "0.5.4",
        "type": "model",
        "name": "deepbet",
        "description": "Brain extraction of T1-weighted MR images of adults.",
        "license": "MIT",
        "authors": [{"name": "Lukas Fisch and others"}],
        "cite": [
            {
                "text": "Fisch L et al. 2024. deepbet: Fast brain extraction of T1-weighted MRI using Convolutional Neural "
                "Networks. Computers in Biology and Medicine 179: 108845",
                "doi": "10.1016/j.compbiomed.2024.108845",
            }
        ],
        "version": version,
        "documentation": "README.md",
        "inputs": [
            {"id": "image", "axes": axes(["t1"]), "data": {"type": "float32"}, "preprocessing": preprocessing}
        ],
        "outputs": [
            {
                "id": "classes",
                "axes": axes(["background", "brain"]),
                "data": {"type": "float32"},
                "postprocessing": [{"id": "softmax", "kwargs": {"axis": "channel"}}],
            }
        ],
        "weights": {"onnx": {"opset_version": OPSET, **file("model.onnx")}},
        "config": {"brainmesh": brainmesh},
    }


CARD = """# deepbet

Brain extraction of deepbet {version} (MIT, https://github.com/wwu-mmll/deepbet), exported by `brainmesh_training deepbet`.
"""
