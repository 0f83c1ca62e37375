"""An 8-bit variant of a trained network, and what it costs in accuracy.

Weights become int8 (one scale an output channel), maps uint8 between QuantizeLinear and DequantizeLinear, with scales
from the values that calibration rays give (onnxruntime.quantization, static). Softmax stays in floats. The variant runs in
ONNX Runtime alone.
"""

import argparse
import hashlib
import shutil
import tempfile
from pathlib import Path

import numpy as np
import onnx
import yaml
from onnxruntime.quantization import CalibrationDataReader, CalibrationMethod, QuantFormat, QuantType, quantize_static

from . import extended
from .data import Rays
from .export import run_onnx
from .normalise import normalise

BATCH = 256


class Calibration(CalibrationDataReader):
    """Rays in the order and number in which the quantiser asks for them."""

    def __init__(self, rays: np.ndarray) -> None:
        self.batches = iter([{"rays": rays[i : i + BATCH]} for i in range(0, len(rays), BATCH)])

    def get_next(self) -> dict | None:
        return next(self.batches, None)


def quantise(model: Path, rays: np.ndarray, out: Path) -> None:
    """Writes the model folder `out`: the 8-bit network, with the manifest and test input of `model`.

    `rays` `[n, c, 1, s]` are normalised rays to calibrate with: training rays, never those it is scored on.
    """
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        # Rewritten with shapes, which the quantiser needs.
        prepared = Path(folder) / "model.onnx"
        onnx.save(onnx.shape_inference.infer_shapes(onnx.load(model / "model.onnx")), prepared)
        quantize_static(
            prepared,
            out / "model.onnx",
            Calibration(rays),
            quant_format=QuantFormat.QDQ,
            op_types_to_quantize=["Conv"],
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            calibrate_method=CalibrationMethod.MinMax,
        )
    shutil.copy(model / "test_input.npy", out / "test_input.npy")
    np.save(out / "test_output.npy", run_onnx(out / "model.onnx", np.load(out / "test_input.npy")))
    document = manifest_of(model)
    document["name"] += "-int8"
    document["description"] += " Quantised to 8 bits."
    for part in (document["inputs"][0]["test_tensor"], document["outputs"][0]["test_tensor"], document["weights"]["onnx"]):
        part["sha256"] = hashlib.sha256((out / part["source"]).read_bytes()).hexdigest()
    (out / "rdf.yaml").write_text(yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=120))


def manifest_of(model: Path) -> dict:
    """`rdf.yaml` of a model folder."""
    return yaml.safe_load((model / "rdf.yaml").read_text())


def channels_of(model: Path) -> list[dict]:
    """What the network takes."""
    return manifest_of(model)["config"]["brainmesh"]["channels"]


def compare(models: list[Path], rays: Rays) -> list[dict]:
    """Scores of models of the same input on labelled rays, and how often each names the class that the first does."""
    inputs = normalise(rays, channels_of(models[0]))[:, :, None]
    guess = np.full_like(rays.boundaries_t, np.nan)
    scores, first = [], None
    for model in models:
        probabilities = run_onnx(model / "model.onnx", inputs)[:, :, 0]
        first = probabilities if first is None else first
        scores.append(
            extended.report(rays, probabilities, guess)
            | {
                "equal_classes": float((probabilities.argmax(1) == first.argmax(1)).mean()),
                "largest_difference": float(np.abs(probabilities - first).max()),
            }
        )
    return scores


def summary(names: list[str], scores: list[dict]) -> str:
    """Scores as a Markdown table, one row a model and voxel size."""
    lines = [
        "| model | voxel | rays | accuracy | Jaccard | equal classes | pia | I-II | II-III | III-IV | IV-V | V-VI | white |",
        "|---|---|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for name, score in zip(names, scores):
        whole = f"{score['accuracy']:.4f} | {np.mean(score['jaccard']):.4f} | {100 * score['equal_classes']:.2f} %"
        for spacing, kinds in score["boundary_errors_um"].items():
            errors = " | ".join(f"{value:.1f}" for value in kinds["network"]["mean"])
            lines.append(f"| {name} | {spacing} | {kinds['rays']} | {whole} | {errors} |")
            whole = " | | "
    return "\n".join(lines)


def add_parser(subparsers) -> None:
    """The subcommand `quantise`."""
    parser = subparsers.add_parser("quantise", help="make an 8-bit variant of an extended model and score both")
    parser.add_argument("model", type=Path, help="model folder")
    parser.add_argument("--phantoms", type=Path, required=True, help="folder of phantoms to calibrate with")
    parser.add_argument("--held-out", type=Path, help="folder of other phantoms to score both networks on")
    parser.add_argument("--rays-per-phantom", type=int, default=400)
    parser.add_argument("--out", type=Path, required=True, help="model folder of the variant")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Quantises and prints the scores."""
    rays = extended.load_phantoms(options.phantoms, options.rays_per_phantom)
    quantise(options.model, normalise(rays, channels_of(options.model))[:, :, None], options.out)
    if options.held_out:
        held_out = extended.load_phantoms(options.held_out, options.rays_per_phantom)
        models = [options.model, options.out]
        print(summary([manifest_of(model)["name"] for model in models], compare(models, held_out)))
