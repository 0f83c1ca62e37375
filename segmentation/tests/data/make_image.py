"""A small network of images as a package of bioimage.io, with test tensors from numpy and ONNX Runtime.

python make_image.py      (numpy, onnx, onnxruntime) writes made-image/ beside this file; the same bytes every time.

The test input is from before preprocessing and the test output from after postprocessing, as the format has it: two
slices, normalised together for each channel, then by a softmax over three classes.
"""

import hashlib
import json
from pathlib import Path

import numpy
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

MODEL = Path(__file__).parent / "made-image"
CHANNELS, CLASSES = 2, 3


def main():
    MODEL.mkdir(exist_ok=True)
    random = numpy.random.default_rng(20)
    weight = random.normal(size=(CLASSES, CHANNELS, 3, 3)).astype("float32")
    bias = random.normal(size=CLASSES).astype("float32")
    sizes = ["n", CHANNELS, "y", "x"]
    # Every attribute is written, as exporters do: rten 0.27 does not know the default strides.
    shape = {"kernel_shape": [3, 3], "strides": [1, 1], "dilations": [1, 1], "pads": [1, 1, 1, 1], "group": 1}
    graph = helper.make_graph(
        [helper.make_node("Conv", ["image", "weight", "bias"], ["logits"], name="conv", **shape)],
        "made",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, sizes)],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["n", CLASSES, "y", "x"])],
        [numpy_helper.from_array(weight, "weight"), numpy_helper.from_array(bias, "bias")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.checker.check_model(model)
    onnx.save(model, MODEL / "model.onnx")

    # Intensities of 12 bits whose channels differ.
    image = (random.gamma(2.0, 150.0, size=(2, CHANNELS, 12, 10)) + [[[[0.0]], [[900.0]]]]).astype("float32")
    numpy.save(MODEL / "test_input.npy", image)
    low, high = numpy.percentile(image.astype("float64"), [1, 98], axis=(0, 2, 3), keepdims=True)
    scaled = numpy.clip((image - low) / (high - low + 1e-6), 0, 1).astype("float32")
    session = onnxruntime.InferenceSession(MODEL / "model.onnx", providers=["CPUExecutionProvider"])
    logits = session.run(None, {"image": scaled})[0].astype("float64")
    shares = numpy.exp(logits - logits.max(axis=1, keepdims=True))
    numpy.save(MODEL / "test_output.npy", (shares / shares.sum(axis=1, keepdims=True)).astype("float32"))

    def reference(name):
        return {"source": name, "sha256": hashlib.sha256((MODEL / name).read_bytes()).hexdigest()}

    def axes(names, size):
        spaces = [{"type": "space", "id": axis, "size": size(axis)} for axis in "yx"]
        return [{"type": "batch"}, {"type": "channel", "channel_names": names}, *spaces]

    manifest = {
        "format_version": "0.5.4",
        "type": "model",
        "name": "made image",
        "description": "Random weights, for tests",
        "license": "Apache-2.0",
        "authors": [{"name": "The brainmesh authors"}],
        "cite": [{"text": "nobody", "url": "https://example.org/nothing"}],
        "version": "1.0.0",
        "inputs": [
            {
                "id": "image",
                "axes": axes(["nissl", "myelin"], lambda axis: {"min": 4, "step": 1}),
                "data": {"type": "float32"},
                "test_tensor": reference("test_input.npy"),
                "preprocessing": [
                    {
                        "id": "scale_range",
                        "kwargs": {"axes": ["batch", "y", "x"], "min_percentile": 1, "max_percentile": 98},
                    },
                    {"id": "clip", "kwargs": {"min": 0, "max": 1}},
                ],
            }
        ],
        "outputs": [
            {
                "id": "classes",
                "axes": axes(
                    ["background", "grey", "white"], lambda axis: {"tensor_id": "image", "axis_id": axis, "offset": 0}
                ),
                "data": {"type": "float32"},
                "test_tensor": reference("test_output.npy"),
                "postprocessing": [{"id": "softmax", "kwargs": {"axis": "channel"}}],
            }
        ],
        "weights": {"onnx": {"opset_version": 17, **reference("model.onnx")}},
    }
    (MODEL / "rdf.yaml").write_text(json.dumps(manifest, indent=1) + "\n")


if __name__ == "__main__":
    main()
