"""A network in the form of the `tissue` system whose answer can be worked out by hand, with test tensors from numpy.

python make_tissue.py      (numpy, onnx) writes made-tissue/ beside this file; the same bytes every time.

Intensities are divided by 100. The score of a class is 40 m v - 20 m^2 (which is -20 (v - m)^2 but for what all classes
share), with m = 0, .35, .65, 1, .15 for background, fluid, grey, white, outer fluid: the likeliest class is the one whose m
is nearest. All three views see the same. Voxels of 1 mm; sizes 8, 12, 16 ...
"""

import hashlib
import json
from pathlib import Path

import numpy
import onnx
from onnx import TensorProto, helper, numpy_helper

MODEL = Path(__file__).parent / "made-tissue"
CLASSES = ("background", "csf", "grey_matter", "white_matter", "outer_csf")
MEANS = numpy.array([0.0, 0.35, 0.65, 1.0, 0.15])


def main():
    MODEL.mkdir(exist_ok=True)
    weight = (40 * MEANS).astype("float32").reshape(5, 1, 1, 1)
    bias = (-20 * MEANS**2).astype("float32")
    # Every attribute is written, as exporters do: rten 0.27 does not know the default strides.
    shape = {"kernel_shape": [1, 1], "strides": [1, 1], "dilations": [1, 1], "pads": [0, 0, 0, 0], "group": 1}
    graph = helper.make_graph(
        [helper.make_node("Conv", ["image", "weight", "bias"], ["scores"], name="conv", **shape)],
        "made",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["n", 1, "y", "x"])],
        [helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["n", 5, "y", "x"])],
        [numpy_helper.from_array(weight, "weight"), numpy_helper.from_array(bias, "bias")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.checker.check_model(model)
    onnx.save(model, MODEL / "model.onnx")

    image = numpy.random.default_rng(3).integers(0, 130, (1, 1, 12, 16)).astype("float32")
    scores = 40 * MEANS[None, :, None, None] * image / 100 - 20 * MEANS[None, :, None, None] ** 2
    powers = numpy.exp(scores - scores.max(1, keepdims=True))
    numpy.save(MODEL / "test_input.npy", image)
    numpy.save(MODEL / "test_output.npy", (powers / powers.sum(1, keepdims=True)).astype("float32"))

    def reference(name):
        return {"source": name, "sha256": hashlib.sha256((MODEL / name).read_bytes()).hexdigest()}

    def axes(names):
        space = {"type": "space", "size": {"min": 8, "step": 4}, "scale": 1.0, "unit": "millimeter"}
        channel = {"type": "channel", "channel_names": list(names)}
        return [{"type": "batch"}, channel, {"id": "y", **space}, {"id": "x", **space}]

    labels = {"csf": (1, [60, 120, 220]), "grey_matter": (2, [150, 150, 150]), "white_matter": (3, [240, 240, 240])}
    document = {
        "format_version": "0.5.4",
        "type": "model",
        "name": "made-tissue",
        "description": "For tests.",
        "license": "CC0-1.0",
        "authors": [{"name": "brainmesh"}],
        "cite": [],
        "version": "1.0.0",
        "inputs": [
            {
                "id": "image",
                "axes": axes(["t1"]),
                "data": {"type": "float32"},
                "test_tensor": reference("test_input.npy"),
                "preprocessing": [{"id": "scale_linear", "kwargs": {"gain": 0.01}}],
            }
        ],
        "outputs": [
            {
                "id": "classes",
                "axes": axes(CLASSES),
                "data": {"type": "float32"},
                "test_tensor": reference("test_output.npy"),
                "postprocessing": [{"id": "softmax", "kwargs": {"axis": "channel"}}],
            }
        ],
        "weights": {"onnx": {"opset_version": 17, **reference("model.onnx")}},
        "config": {
            "brainmesh": {
                "task": "segmentation",
                "orientation": "RAS",
                "window": [256, 256],
                "nonzero": True,
                "views": ["z", "y", "x"],
                "largest_component": True,
                "labels": [
                    {"class": name, "value": value, "color": color} for name, (value, color) in labels.items()
                ],
            }
        },
    }
    (MODEL / "rdf.yaml").write_text(json.dumps(document, indent=1) + "\n")


main()
