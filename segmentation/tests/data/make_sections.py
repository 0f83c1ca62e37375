"""Fixtures of the system that finds sections on wafers; the same bytes every time.

python make_sections.py      (numpy, scipy, onnx; no PyTorch) writes beside this file

- `sections_answer.npy` and `sections.json`: a made answer of a network (true outlines, noise, peaks that mean nothing) and what
  `training/brainmesh_training/sections/decode.py` reads from it.
- `made-sections/`: a network whose answer can be worked out by hand. Tissue is where intensity is bright around a place (a Gaussian
  of SD 2.5 pixels), magnet parts where fluorescence is (logit 16 times the mean, less 4); every part is 24 pixels wide and 12 high; the partner of tissue
  lies 14 pixels below. Pixels between -.5 and .5 in; steps of 16, an answer looks 12 pixels far.
"""

import hashlib
import json
import sys
from pathlib import Path

import numpy
import onnx
from onnx import TensorProto, helper, numpy_helper

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[2] / "training"))
MODEL = HERE / "made-sections"
ROWS, COLUMNS = 40, 46
WIDTH, HEIGHT, PARTNER = 24.0, 12.0, 14.0


def answer():
    """Sections of several sizes and angles, two of them side by side, two cut by the border."""
    from brainmesh_training.sections.targets import STRIDE, Parts, targets

    rng = numpy.random.default_rng(11)
    tissue, magnet = [], []
    places = [(40, 40, 10, 1), (88, 44, 95, 0.9), (118, 46, 95, 0.9), (150, 120, 200, 1.2), (60, 120, 300, 0.7), (181, 30, 0, 0.8)]
    for x, y, degrees, size in places:
        turn = numpy.deg2rad(degrees)
        turn = numpy.array([[numpy.cos(turn), numpy.sin(turn)], [-numpy.sin(turn), numpy.cos(turn)]]) * size
        box = numpy.array([[-28, 11], [-27, -12], [27, -12], [29, 12.0]])
        tissue.append(box @ turn + [x, y])
        magnet.append((box * [1, 0.8] + [0, 22]) @ turn + [x, y])
    truth = targets(Parts(numpy.stack(tissue), numpy.stack(magnet)), ROWS * STRIDE, COLUMNS * STRIDE)
    heat = truth["heat"].clip(1e-4, 1 - 1e-4)
    made = numpy.concatenate([numpy.log(heat / (1 - heat)), truth["corners"], truth["partner"]])
    made[:2] += rng.normal(size=made[:2].shape) * 0.2
    made[2:] += rng.normal(size=made[2:].shape) * 0.03
    for _ in range(12):
        made[rng.integers(2), rng.integers(ROWS), rng.integers(COLUMNS)] = rng.uniform(-0.8, 1.5)
    return made.astype("float32")


def write_answer():
    from brainmesh_training.sections import decode

    made = answer()
    numpy.save(HERE / "sections_answer.npy", made)

    def said(part):
        return None if part is None else {"corners": part.quad.tolist(), "confidence": part.confidence, "toward": part.toward.tolist()}

    found = [{"tissue": said(section.tissue), "magnet": said(section.magnet)} for section in decode.sections(made)]
    text = json.dumps({"size": [COLUMNS * 4, ROWS * 4], "threshold": decode.THRESHOLD, "sections": found}, indent=1)
    (HERE / "sections.json").write_text(text + "\n")


def network():
    at = numpy.arange(12) - 5.5
    bell = numpy.exp(-(at[:, None] ** 2 + at**2) / (2 * 2.5**2))
    first = numpy.zeros((2, 2, 12, 12), "float32")
    first[0, 0] = first[1, 1] = bell / bell.sum()
    second, bias = numpy.zeros((12, 2, 3, 3), "float32"), numpy.zeros(12, "float32")
    # Heat: a little from the neighbours, so that an answer looks farther.
    for kind in range(2):
        second[kind, kind] = 0.5
        second[kind, kind, 1, 1] = 12.0
    corners = [(-1, 1), (-1, -1), (1, -1), (1, 1)]
    bias[:2] = -4
    bias[2:10] = numpy.array([[x * WIDTH / 2, y * HEIGHT / 2] for x, y in corners]).ravel() / 32
    second[11, :, 1, 1] = numpy.array([1, -1]) * PARTNER / 32 / 0.9
    shape = {"dilations": [1, 1], "group": 1}
    nodes = [
        helper.make_node("Conv", ["image", "first"], ["near"], name="first", kernel_shape=[12, 12], strides=[4, 4], pads=[4] * 4, **shape),
        helper.make_node("Conv", ["near", "second", "bias"], ["sections"], name="second", kernel_shape=[3, 3], strides=[1, 1], pads=[1] * 4, **shape),
    ]
    graph = helper.make_graph(
        nodes,
        "made",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["n", 2, "y", "x"])],
        [helper.make_tensor_value_info("sections", TensorProto.FLOAT, ["n", 12, "rows", "columns"])],
        [numpy_helper.from_array(a, n) for a, n in ((first, "first"), (second, "second"), (bias, "bias"))],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.checker.check_model(model)
    onnx.save(model, MODEL / "model.onnx")
    return first, second, bias


def convolved(image, weight, stride, pad):
    """`[channels, y, x]`, by its definition."""
    image = numpy.pad(image, [(0, 0), (pad, pad), (pad, pad)])
    size = weight.shape[-1]
    rows, columns = ((length - size) // stride + 1 for length in image.shape[1:])
    out = numpy.zeros((len(weight), rows, columns))
    for y in range(rows):
        for x in range(columns):
            patch = image[:, y * stride : y * stride + size, x * stride : x * stride + size]
            out[:, y, x] = (weight * patch).sum((1, 2, 3))
    return out


def write_model():
    MODEL.mkdir(exist_ok=True)
    first, second, bias = network()
    image = numpy.random.default_rng(3).uniform(-1, 1, (2, 32, 48)).astype("float32")
    said = convolved(convolved(image.astype("float64"), first, 4, 4), second, 1, 1) + bias[:, None, None]
    numpy.save(MODEL / "test_input.npy", image[None])
    numpy.save(MODEL / "test_output.npy", said[None].astype("float32"))

    def reference(name):
        return {"source": name, "sha256": hashlib.sha256((MODEL / name).read_bytes()).hexdigest()}

    def axes(names, size):
        spaces = [{"type": "space", "id": axis, "size": size} for axis in "yx"]
        return [{"type": "batch"}, {"type": "channel", "channel_names": names}, *spaces]

    ways = [f"corner_{n}_{axis}" for n in range(4) for axis in "xy"] + ["partner_x", "partner_y"]
    channels = ["tissue_heat", "magnet_heat", *ways]
    manifest = {
        "format_version": "0.5.4",
        "type": "model",
        "name": "made-sections",
        "description": "For tests.",
        "license": "CC0-1.0",
        "authors": [{"name": "brainmesh"}],
        "cite": [],
        "version": "1.0.0",
        "inputs": [
            {
                "id": "image",
                "axes": axes(["intensity", "fluorescence"], {"min": 16, "step": 16}),
                "data": {"type": "float32"},
                "test_tensor": reference("test_input.npy"),
            }
        ],
        "outputs": [
            {
                "id": "sections",
                "axes": axes(channels, None),
                "data": {"type": "float32"},
                "test_tensor": reference("test_output.npy"),
            }
        ],
        "weights": {"onnx": {"opset_version": 17, **reference("model.onnx")}},
        "config": {
            "brainmesh": {
                "task": "sections",
                "stride": 4,
                "unit_px": 32.0,
                "step": 16,
                "halo": 16,
                "threshold": 0.3,
                "percentiles": [[1, 99], [1, 99.5]],
                "least_spread": 8,
                "tissue_length_px": [16, 48],
            }
        },
    }
    (MODEL / "rdf.yaml").write_text(json.dumps(manifest, indent=1) + "\n")


if __name__ == "__main__":
    write_answer()
    write_model()
