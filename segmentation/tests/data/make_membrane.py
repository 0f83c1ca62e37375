"""A network in the form of the `membrane` system whose answer can be worked out by hand, with test tensors from numpy.

python make_membrane.py      (numpy, onnx) writes made-membrane/ beside this file; the same bytes every time.

Each slice is brought to mean 0 and SD 1 (z). The score of a pixel is 4 z, and 2 z of its left neighbour, and z of the one
above it (0 beyond the edge); the probability is its sigmoid. So mirrored slices give other answers, which are averaged.
Pixels of 4 nm; sizes 8, 12, 16 ...
"""

import hashlib
import json
from pathlib import Path

import numpy
import onnx
from onnx import TensorProto, helper, numpy_helper

MODEL = Path(__file__).parent / "made-membrane"
LEFT, ABOVE, HERE = 2.0, 1.0, 4.0


def main():
    MODEL.mkdir(exist_ok=True)
    weight = numpy.zeros((1, 1, 3, 3), "float32")
    weight[0, 0, 1, 0], weight[0, 0, 0, 1], weight[0, 0, 1, 1] = LEFT, ABOVE, HERE
    # Every attribute is written, as exporters do: rten 0.27 does not know the default strides.
    shape = {"kernel_shape": [3, 3], "strides": [1, 1], "dilations": [1, 1], "pads": [1, 1, 1, 1], "group": 1}
    sizes = ["n", 1, "y", "x"]
    graph = helper.make_graph(
        [helper.make_node("Conv", ["image", "weight", "bias"], ["scores"], name="conv", **shape)],
        "made",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, sizes)],
        [helper.make_tensor_value_info("scores", TensorProto.FLOAT, sizes)],
        [numpy_helper.from_array(weight, "weight"), numpy_helper.from_array(numpy.zeros(1, "float32"), "bias")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.checker.check_model(model)
    onnx.save(model, MODEL / "model.onnx")

    image = numpy.random.default_rng(3).integers(0, 256, (1, 1, 12, 16)).astype("float32")
    z = (image.astype("float64") - image.mean()) / (image.astype("float64").std() + 1e-6)
    padded = numpy.pad(z, ((0, 0), (0, 0), (1, 0), (1, 0)))
    scores = HERE * z + LEFT * padded[:, :, 1:, :-1] + ABOVE * padded[:, :, :-1, 1:]
    numpy.save(MODEL / "test_input.npy", image)
    numpy.save(MODEL / "test_output.npy", (1 / (1 + numpy.exp(-scores))).astype("float32"))

    def reference(name):
        return {"source": name, "sha256": hashlib.sha256((MODEL / name).read_bytes()).hexdigest()}

    def axes(name):
        space = {"type": "space", "size": {"min": 8, "step": 4}, "scale": 4e-06, "unit": "millimeter"}
        spaces = [{**space, "id": axis} for axis in "yx"]
        return [{"type": "batch"}, {"type": "channel", "channel_names": [name]}, *spaces]

    normalise = {"id": "zero_mean_unit_variance", "kwargs": {"axes": ["channel", "y", "x"], "eps": 1e-06}}
    manifest = {
        "format_version": "0.5.4",
        "type": "model",
        "name": "made-membrane",
        "description": "For tests.",
        "license": "CC0-1.0",
        "authors": [{"name": "brainmesh"}],
        "cite": [],
        "version": "1.0.0",
        "inputs": [
            {
                "id": "image",
                "axes": axes("em"),
                "data": {"type": "float32"},
                "test_tensor": reference("test_input.npy"),
                "preprocessing": [normalise],
            }
        ],
        "outputs": [
            {
                "id": "classes",
                "axes": axes("interior"),
                "data": {"type": "float32"},
                "test_tensor": reference("test_output.npy"),
                "postprocessing": [{"id": "sigmoid"}],
            }
        ],
        "weights": {"onnx": {"opset_version": 17, **reference("model.onnx")}},
        "config": {
            "brainmesh": {
                "task": "segmentation",
                "window": [64, 64],
                "output": "probability:interior",
                "flips": ["x", "y"],
            }
        },
    }
    (MODEL / "rdf.yaml").write_text(json.dumps(manifest, indent=1) + "\n")


if __name__ == "__main__":
    main()
