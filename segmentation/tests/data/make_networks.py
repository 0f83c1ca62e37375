"""Makes the small networks of this folder, with outputs computed by ONNX Runtime.

    python make_networks.py                   # the networks of this folder
    python make_networks.py FOLDER NAME...    # these, elsewhere; `tutorial-2d` is for `brainmesh bench segment`

needs torch, onnx, onnxscript and onnxruntime. Every network has random weights and random running statistics, so that
no part of it can be left out unnoticed. Written per network: NAME/model.onnx, NAME/test_input.npy, NAME/test_output.npy
and NAME/rdf.yaml, a manifest as brainmesh reads it (JSON, which is YAML).
"""

import hashlib
import json
import sys
from pathlib import Path

import numpy
import onnx
import onnxruntime
import torch
from torch import nn

LAYERS = ["I", "II", "III", "IV", "V", "VI"]


class Ray(nn.Module):
    """Rays as [N, C, 1, S] in a 2-D network, or [N, C, S] in a 1-D one."""

    def __init__(self, two_dimensional, channels, maps, kernel, blocks, classes, dilation=1, style="before", bias=True, head="probabilities"):
        super().__init__()
        self.ending = head
        norm = nn.BatchNorm2d if two_dimensional else nn.BatchNorm1d
        self.style = style

        def conv(inputs, outputs, width, spread):
            reach = spread * (width - 1)
            if two_dimensional:
                return nn.Conv2d(inputs, outputs, (1, width), padding=(0, reach // 2), dilation=(1, spread), bias=bias)
            return nn.Conv1d(inputs, outputs, width, padding=reach // 2, dilation=spread, bias=bias)

        widths = [channels] + [maps] * blocks
        normalised = widths[:-1] if style == "before" else widths[1:]
        self.norms = nn.ModuleList(norm(width) for width in normalised)
        self.convs = nn.ModuleList(conv(a, b, kernel, dilation**i) for i, (a, b) in enumerate(zip(widths, widths[1:])))
        self.head = conv(maps * (2 if style == "dense" else 1), classes, 1, 1)

    def forward(self, x):
        first = None
        for norm, conv in zip(self.norms, self.convs):
            if self.style == "before":
                x = conv(torch.relu(norm(x)))
            elif self.style == "residual" and conv.in_channels == conv.out_channels:
                x = torch.relu(x + norm(conv(x)))
            else:
                x = torch.relu(norm(conv(x)))
            first = x if first is None else first
        if self.style == "dense":
            x = torch.cat([first, x], dim=1)
        x = self.head(x)
        if self.ending == "class-of-scores":
            return torch.argmax(x, dim=1)
        x = torch.softmax(x, dim=1)
        return torch.argmax(x, dim=1, keepdim=True) if self.ending == "class-of-probabilities" else x


NETWORKS = {
    # Wagstyl's tutorial in small: BatchNorm, ReLU, convolution; seven classes, one dimension.
    "before-1d": dict(two_dimensional=False, channels=2, maps=7, kernel=9, blocks=3, classes=7, samples=40, style="before", keeps_norms=True),
    # Convolution, BatchNorm, ReLU with dilation, two dimensions, eight classes, samples that fill no block.
    "dilated-2d": dict(two_dimensional=True, channels=3, maps=8, kernel=5, blocks=3, classes=8, samples=53, dilation=2, style="after", keeps_norms=True),
    # Residual sums; convolutions without bias.
    "residual-2d": dict(two_dimensional=True, channels=2, maps=12, kernel=3, blocks=3, classes=8, samples=31, style="residual", bias=False),
    # Concatenation; fewer samples than the kernel reaches.
    "dense-1d": dict(two_dimensional=False, channels=1, maps=5, kernel=25, blocks=2, classes=8, samples=11, style="dense"),
    # Kernel and maps of the real thing, where a frequency-domain engine pays.
    "long-2d": dict(two_dimensional=True, channels=2, maps=16, kernel=25, blocks=3, classes=8, samples=200, style="before"),
    # Ends in ArgMax: of probabilities, with the axis kept, and of scores, without it.
    "classes-1d": dict(two_dimensional=False, channels=2, maps=6, kernel=9, blocks=2, classes=7, samples=37, style="after", head="class-of-probabilities"),
    "classes-2d": dict(two_dimensional=True, channels=2, maps=6, kernel=7, blocks=2, classes=8, samples=29, style="before", head="class-of-scores"),
    # Embedded by the crate's tests.
    "made-layers": dict(two_dimensional=True, channels=3, maps=4, kernel=5, blocks=2, classes=8, samples=20, style="before"),
}
# Too large to be kept here.
LARGE = {
    # Wagstyl's tutorial: 288 MFLOP a ray.
    "tutorial-2d": dict(two_dimensional=True, channels=2, maps=64, kernel=25, blocks=8, classes=7, samples=200, style="before"),
}
RAYS = 21


def sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def manifest(name, folder, options):
    channels = [
        {"kind": "smoothed", "fwhm_mm": 0.163, "normalisation": "per_ray"},
        {"kind": "raw", "normalisation": "dataset"},
        {"kind": "depth", "normalisation": {"fixed": {"mean": 0.5, "sd": 0.5}}},
    ][: options["channels"]]
    classes = ["outside", *LAYERS, "white"][: options["classes"]]

    def axes(names):
        row = [{"type": "space", "id": "y", "size": 1}] if options["two_dimensional"] else []
        ray = {"type": "space", "id": "x", "size": options["samples"]}
        return [{"type": "batch"}, {"type": "channel", "channel_names": names}, *row, ray]

    def tensor(identifier, names, file):
        source = {"source": file, "sha256": sha256(folder / file)}
        return {"id": identifier, "axes": axes(names), "data": {"type": "float32"}, "test_tensor": source}

    return {
        "format_version": "0.5.4",
        "type": "model",
        "name": name,
        "description": "Random weights, for tests.",
        "license": "CC0-1.0",
        "authors": [{"name": "brainmesh"}],
        "cite": [],
        "version": "1.0.0",
        "inputs": [tensor("rays", [channel["kind"] for channel in channels], "test_input.npy")],
        "outputs": [tensor("probabilities", classes, "test_output.npy")],
        "weights": {"onnx": {"source": "model.onnx", "opset_version": 18, "sha256": sha256(folder / "model.onnx")}},
        "config": {
            "brainmesh": {
                "task": "layers",
                "span": "extended",
                "samples": options["samples"],
                "polarity": "dark_is_dense",
                "channels": channels,
                "layer_fractions": {
                    "mean": [0.091, 0.071, 0.280, 0.110, 0.164, 0.284],
                    "sd": [0.019, 0.029, 0.067, 0.076, 0.036, 0.065],
                },
                "extension_mm": 0.5,
            }
        },
    }


def answer(network, rays):
    """What ONNX Runtime gives; of a network that ends in ArgMax the probabilities before it, else 1 for the class."""

    def run(network):
        session = onnxruntime.InferenceSession(network.SerializeToString(), providers=["CPUExecutionProvider"])
        return session.run(None, {"rays": rays})[0]

    output = run(network)
    last = network.graph.node[-1]
    if last.op_type != "ArgMax":
        return output
    before = onnx.ModelProto()
    before.CopyFrom(network)
    del before.graph.node[-1], before.graph.output[:]
    before.graph.output.append(onnx.helper.make_tensor_value_info(last.input[0], onnx.TensorProto.FLOAT, None))
    values = run(before)
    classes = output.reshape(values.shape[0], 1, *values.shape[2:])
    assert (values.argmax(1, keepdims=True) == classes).all()
    if before.graph.node[-1].op_type == "Softmax":
        return values
    numbers = numpy.arange(values.shape[1]).reshape(-1, *[1] * (values.ndim - 2))
    return (classes == numbers).astype(numpy.float32)


def make(name, options, folder):
    torch.manual_seed(20)
    samples = options["samples"]
    network = Ray(**{key: value for key, value in options.items() if key not in ("samples", "keeps_norms")})
    with torch.no_grad():
        for module in network.modules():
            if isinstance(module, (nn.BatchNorm1d, nn.BatchNorm2d)):
                module.weight.uniform_(0.7, 1.3)
                module.bias.uniform_(-0.5, 0.5)
                module.running_mean.uniform_(-0.5, 0.5)
                module.running_var.uniform_(0.5, 2.0)
            elif isinstance(module, (nn.Conv1d, nn.Conv2d)):
                # Keeps the size of activations, so that the classes differ.
                module.weight.normal_(0.0, (1.5 / (module.weight.numel() / module.out_channels)) ** 0.5)
        network.head.weight *= 3.0
    network.eval()

    row = (1,) if options["two_dimensional"] else ()
    rays = torch.randn(RAYS, options["channels"], *row, samples)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "model.onnx"
    torch.onnx.export(
        network, (rays,), path, input_names=["rays"], output_names=["probabilities"], opset_version=18, dynamo=True,
        dynamic_shapes={"x": {0: torch.export.Dim("batch")}}, external_data=False, optimize=not options.get("keeps_norms", False),
    )
    # Paths and versions of the machine that exported it are of no use here.
    exported = onnx.load(path)
    for node in exported.graph.node:
        del node.metadata_props[:]
        node.doc_string = ""
    for value in [*exported.graph.input, *exported.graph.output, *exported.graph.value_info]:
        del value.metadata_props[:]
    del exported.graph.metadata_props[:], exported.graph.value_info[:]
    onnx.save(exported, path)

    probabilities = answer(exported, rays.numpy())
    with torch.no_grad():
        expected = network(rays).numpy()
        if "head" in options:
            assert (probabilities.argmax(1) == expected.reshape(probabilities.argmax(1).shape)).all()
        else:
            assert numpy.abs(probabilities - expected).max() < 1e-5
    numpy.save(folder / "test_input.npy", rays.numpy())
    numpy.save(folder / "test_output.npy", probabilities)
    (folder / "rdf.yaml").write_text(json.dumps(manifest(name, folder, options), indent=1) + "\n")


def main():
    base = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent
    for name in sys.argv[2:] or NETWORKS:
        make(name, (NETWORKS | LARGE)[name], base / name)


if __name__ == "__main__":
    main()
