"""Small networks for images, with answers that follow from arithmetic or, for the random ones, from ONNX Runtime.

    python segmentation/tests/data/make_image_networks.py [FOLDER NAME...]

writes NAME/model.onnx, NAME/rdf.yaml (JSON, which is YAML) and test tensors beside this file, or into a folder. Needs numpy,
onnx and onnxruntime.

- above-half: label 1 where the intensity is above 0.5, by a 1x1 convolution and a sigmoid that is all but a step; 2-D.
- rises-right: label 1 where the intensity rises along x, 2 where it falls; a kernel of three along x; 2-D, RAS.
- strided-2d, strided-3d: random weights, a stride of 2 and back, softmax over three classes; an answer depends on 4 voxels around it.
- views-2d: as strided-2d, sees slices across z, y and x and their mirror images along x; `whole_input.npy` `[z, y, x]` is a
  volume with no voxel of 0 and `whole_output.npy` `[class, z, y, x]` the mean over all, computed here slice by slice.
- classes-25: random weights, 25 classes, 3-D; not kept here: for measuring memory.
"""

import hashlib
import json
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

FOLDER = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent
OPSET = 17


def save(name, nodes, weights, dimensions, classes):
    """The network with free sizes along its space axes."""
    space = [f"size_{n}" for n in range(dimensions)]
    graph = helper.make_graph(
        nodes,
        name,
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["batch", 1, *space])],
        [helper.make_tensor_value_info("classes", TensorProto.FLOAT, ["batch", classes, *space])],
        [numpy_helper.from_array(np.asarray(value, np.float32), key) for key, value in weights.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], producer_name="make_image_networks")
    model.ir_version = 9
    onnx.checker.check_model(model, full_check=True)
    (FOLDER / name).mkdir(exist_ok=True)
    onnx.save(model, FOLDER / name / "model.onnx")


def file(name, part):
    return {"source": part, "sha256": hashlib.sha256((FOLDER / name / part).read_bytes()).hexdigest()}


def describe(name, axes, classes, settings, step, preprocessing=(), postprocessing=(), halo=0, shape=(24, 32)):
    """Manifest, and test tensors by ONNX Runtime."""
    rng = np.random.default_rng(5)
    image = rng.random((1, 1, *shape), np.float32)
    session = onnxruntime.InferenceSession(FOLDER / name / "model.onnx", providers=["CPUExecutionProvider"])
    # Test tensors are from before preprocessing: here that is the z-score of the whole, or nothing.
    seen = (image - image.mean()) / (image.std() + 1e-6) if preprocessing else image
    (answer,) = session.run(None, {"image": seen})
    np.save(FOLDER / name / "test_input.npy", image)
    np.save(FOLDER / name / "test_output.npy", answer)

    def tensor(identifier, names, part, size, **more):
        space = [{"type": "space", "id": axis, **size} for axis in axes]
        channel = {"type": "channel", "channel_names": list(names)}
        return {
            "id": identifier,
            "axes": [{"type": "batch"}, channel, *space],
            "data": {"type": "float32"},
            "test_tensor": file(name, part),
            **more,
        }

    inputs = tensor("image", ["t1"], "test_input.npy", {"size": {"min": step, "step": step}})
    outputs = tensor("classes", classes, "test_output.npy", {"size": {"min": step, "step": step}, "halo": halo})
    inputs["preprocessing"], outputs["postprocessing"] = list(preprocessing), list(postprocessing)
    document = {
        "format_version": "0.5.4",
        "type": "model",
        "name": name,
        "description": "For tests.",
        "license": "CC0-1.0",
        "authors": [{"name": "brainmesh"}],
        "cite": [],
        "version": "1.0.0",
        "inputs": [inputs],
        "outputs": [outputs],
        "weights": {"onnx": {"opset_version": OPSET, **file(name, "model.onnx")}},
        "config": {"brainmesh": {"task": "segmentation", **settings}},
    }
    (FOLDER / name / "rdf.yaml").write_text(json.dumps(document, indent=1) + "\n")


def conv(inputs, output, **attributes):
    return helper.make_node("Conv", inputs, [output], **attributes)


def above_half():
    nodes = [conv(["image", "w", "b"], "scores", kernel_shape=[1, 1]), helper.make_node("Sigmoid", ["scores"], ["classes"])]
    save("above-half", nodes, {"w": [[[[1000.0]]]], "b": [-500.0]}, 2, 1)
    describe("above-half", "yx", ["tissue"], {"window": [16, 16]}, 1)


def rises_right():
    kernel = np.zeros((3, 1, 1, 3))
    kernel[1, 0, 0] = [-1, 0, 1]
    kernel[2, 0, 0] = [1, 0, -1]
    nodes = [conv(["image", "w", "b"], "classes", kernel_shape=[1, 3], pads=[0, 1, 0, 1])]
    save("rises-right", nodes, {"w": kernel, "b": [0.1, 0.0, 0.0]}, 2, 3)
    settings = {"orientation": "RAS", "window": [8, 8], "overlap": 0.5}
    describe("rises-right", "yx", ["background", "rises", "falls"], settings, 1, halo=1)


def strided(dimensions, name=None):
    rng = np.random.default_rng(dimensions)
    name, threes, twos = name or f"strided-{dimensions}d", [3] * dimensions, [2] * dimensions

    def random(outputs, inputs, kernel, transposed=False):
        shape = (inputs, outputs, *kernel) if transposed else (outputs, inputs, *kernel)
        return rng.normal(0, (2 / (inputs * np.prod(kernel))) ** 0.5, shape)

    ones = [1] * (2 * dimensions)
    nodes = [
        conv(["image", "w0", "b0"], "c0", kernel_shape=threes, pads=ones),
        helper.make_node("Relu", ["c0"], ["a0"]),
        conv(["a0", "w1", "b1"], "c1", kernel_shape=threes, pads=ones, strides=twos),
        helper.make_node("Relu", ["c1"], ["a1"]),
        helper.make_node("ConvTranspose", ["a1", "w2", "b2"], ["u"], kernel_shape=twos, strides=twos),
        helper.make_node("Concat", ["u", "a0"], ["both"], axis=1),
        conv(["both", "w3", "b3"], "scores", kernel_shape=threes, pads=ones),
        helper.make_node("Softmax", ["scores"], ["classes"], axis=1),
    ]
    weights = {
        "w0": random(6, 1, threes), "b0": rng.normal(0, 0.2, 6), "w1": random(8, 6, threes), "b1": rng.normal(0, 0.2, 8),
        "w2": random(6, 8, twos, True), "b2": rng.normal(0, 0.2, 6), "w3": 4 * random(3, 12, threes), "b3": np.zeros(3),
    }
    save(name, nodes, weights, dimensions, 3)
    if name == "views-2d":
        return
    zscore = {"id": "zero_mean_unit_variance", "kwargs": {"axes": ["channel", "z", "y", "x"][: 1 + dimensions]}}
    if dimensions == 2:
        zscore["kwargs"]["axes"] = ["channel", "y", "x"]
    settings = {"window": [16] * dimensions, "overlap": 0.5, "output": "probability:one"}
    describe(
        name, "zyx"[3 - dimensions:], ["background", "one", "two"], settings, 2, [zscore], halo=4,
        shape=(24, 32) if dimensions == 2 else (8, 12, 10),
    )


def views():
    name = "views-2d"
    strided(2, name)
    zscore = {"id": "zero_mean_unit_variance", "kwargs": {"axes": ["batch", "channel", "y", "x"]}}
    settings = {"orientation": "RAS", "window": [32, 32], "nonzero": True, "views": ["z", "y", "x"], "flips": ["x"]}
    describe(name, "yx", ["background", "one", "two"], settings, 2, [zscore], halo=4)
    document = json.loads((FOLDER / name / "rdf.yaml").read_text())
    for axis in (axis for tensor in ("inputs", "outputs") for axis in document[tensor][0]["axes"]):
        if axis["type"] == "space":
            axis |= {"scale": 1.0, "unit": "millimeter"}
    (FOLDER / name / "rdf.yaml").write_text(json.dumps(document, indent=1) + "\n")
    volume = np.random.default_rng(3).gamma(4.0, 20.0, (12, 17, 14)).astype(np.float32) + 1
    session = onnxruntime.InferenceSession(FOLDER / name / "model.onnx", providers=["CPUExecutionProvider"])
    seen = ((volume - volume.mean(dtype=np.float64)) / (volume.std(dtype=np.float64) + 1e-6)).astype(np.float32)
    total = np.zeros((3, *volume.shape))
    for across in range(3):
        for n in range(volume.shape[across]):
            # Of [z, y, x] the rows come before the columns: the later axis of x, y, z is the row.
            picture = seen.take(n, across)
            height, width = picture.shape
            # x is the columns of all but the slices across it.
            for mirrored in (False, True) if across < 2 else (False,):
                given = np.pad(picture[:, ::-1] if mirrored else picture, ((0, height % 2), (0, width % 2)))
                (found,) = session.run(None, {"image": given[None, None]})
                found = found[0, :, :height, :width]
                place = [slice(None)] + [n if axis == across else slice(None) for axis in range(3)]
                total[tuple(place)] += (found[:, :, ::-1] if mirrored else found) / (2 if across < 2 else 1) / 3
    np.save(FOLDER / name / "whole_input.npy", volume)
    np.save(FOLDER / name / "whole_output.npy", total.astype(np.float32))


def classes_25():
    rng = np.random.default_rng(25)
    threes = [3] * 3
    nodes = [
        conv(["image", "w0", "b0"], "c0", kernel_shape=threes, pads=[1] * 6),
        helper.make_node("Relu", ["c0"], ["a0"]),
        conv(["a0", "w1", "b1"], "scores", kernel_shape=[1] * 3),
        helper.make_node("Softmax", ["scores"], ["classes"], axis=1),
    ]
    weights = {
        "w0": rng.normal(0, 0.3, (8, 1, *threes)), "b0": rng.normal(0, 0.2, 8),
        "w1": rng.normal(0, 1, (25, 8, 1, 1, 1)), "b1": np.zeros(25),
    }
    save("classes-25", nodes, weights, 3, 25)
    zscore = {"id": "zero_mean_unit_variance", "kwargs": {"axes": ["channel", "z", "y", "x"]}}
    names = ["background", *(f"class_{n}" for n in range(1, 25))]
    describe("classes-25", "zyx", names, {"window": [64] * 3, "overlap": 0.25}, 1, [zscore], halo=1, shape=(6, 7, 8))


NETWORKS = {
    "above-half": above_half, "rises-right": rises_right, "strided-2d": lambda: strided(2), "strided-3d": lambda: strided(3),
    "views-2d": views,
}
for name in sys.argv[2:] or NETWORKS:
    (NETWORKS | {"classes-25": classes_25})[name]()
