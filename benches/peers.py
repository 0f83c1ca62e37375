"""What other programs do on this machine, beside `brainmesh bench segment`: rays a second of ONNX Runtime from Python,
and how fast one multiplies matrices.

    python benches/peers.py FOLDER/model.onnx [--rays 1024] [--threads 2] [--repeats 3]

needs numpy, onnx, onnxruntime and torch. ONNX Runtime runs the network as it is and in the other of its two forms, at
batches of 1, 64 and 1024. The ceilings are single-precision products of square matrices (torch: MKL or OpenBLAS) and the
network's own inner convolution (torch: oneDNN), the best of several sizes and repeats. Prints JSON.
"""

import argparse
import json
import time

import numpy
import onnx
import onnxruntime
import torch
from onnx import numpy_helper


def forms(path):
    """The file in one and in two dimensions."""
    own = onnx.load(path)
    rank = len(own.graph.input[0].type.tensor_type.shape.dim)
    other = onnx.ModelProto()
    other.CopyFrom(own)
    graph = other.graph
    constants = {tensor.name: tensor for tensor in graph.initializer}
    widen = rank == 3
    for node in graph.node:
        if node.op_type != "Conv":
            continue
        tensor = constants[node.input[1]]
        weights = numpy_helper.to_array(tensor)
        weights = weights[:, :, None] if widen else weights[:, :, 0]
        tensor.CopyFrom(numpy_helper.from_array(weights, tensor.name))
        for attribute in node.attribute:
            sizes = list(attribute.ints)
            if attribute.name in ("kernel_shape", "strides", "dilations"):
                sizes = [1, *sizes] if widen else sizes[1:]
            elif attribute.name == "pads":
                sizes = [0, sizes[0], 0, sizes[1]] if widen else [sizes[1], sizes[3]]
            del attribute.ints[:]
            attribute.ints.extend(sizes)
    for port in [*graph.input, *graph.output]:
        sizes = port.type.tensor_type.shape.dim
        if widen:
            last = sizes[2].dim_value
            sizes[2].dim_value = 1
            sizes.add().dim_value = last
        else:
            del sizes[2]
    del graph.value_info[:]
    return {"1d": own, "2d": other} if widen else {"1d": other, "2d": own}


def best(repeats, run):
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - start)
    return min(seconds)


def onnx_runtime(path, rays, threads, repeats):
    networks = forms(path)
    sizes = [dim.dim_value for dim in networks["1d"].graph.input[0].type.tensor_type.shape.dim]
    values = numpy.random.default_rng(1).standard_normal((rays, *sizes[1:]), dtype=numpy.float32)
    outputs = []
    for form, network in networks.items():
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        session = onnxruntime.InferenceSession(
            network.SerializeToString(), options, providers=["CPUExecutionProvider"]
        )
        name = session.get_inputs()[0].name
        shaped = values if form == "1d" else values[:, :, None]
        for batch in (1, 64, 1024):

            def run():
                return [session.run(None, {name: shaped[i : i + batch]})[0] for i in range(0, rays, batch)]

            outputs.append(numpy.concatenate(run()).reshape(rays, -1))
            seconds = best(repeats, run)
            yield {"engine": f"onnxruntime-{form}", "batch": batch, "threads": threads, "rays_per_s": rays / seconds}
    assert max(numpy.abs(outputs[0] - other).max() for other in outputs) < 1e-4, "the forms differ"


def ceilings(threads, repeats):
    torch.set_num_threads(threads)
    rates = {}
    for size in (512, 1024, 2048):
        a, b = torch.randn(size, size), torch.randn(size, size)
        seconds = best(4 * repeats, lambda: torch.mm(a, b))
        rates["matrix product"] = max(rates.get("matrix product", 0), 2 * size**3 / seconds / 1e9)
    for rays in (16, 64, 256):
        maps, weights = torch.randn(rays, 64, 1, 200), torch.randn(64, 64, 1, 25)
        seconds = best(4 * repeats, lambda: torch.nn.functional.conv2d(maps, weights, padding=(0, 12)))
        rate = 2 * rays * 64 * 64 * 25 * 200 / seconds / 1e9
        rates["convolution"] = max(rates.get("convolution", 0), rate)
    return [{"ceiling": name, "threads": threads, "gflop_per_s": rate} for name, rate in rates.items()]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("--rays", type=int, default=1024)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=3)
    arguments = parser.parse_args()
    rows = list(onnx_runtime(arguments.model, arguments.rays, arguments.threads, arguments.repeats))
    with torch.inference_mode():
        rows += ceilings(arguments.threads, arguments.repeats)
    versions = {package.__name__: package.__version__ for package in (onnxruntime, torch)}
    print(json.dumps({"versions": versions, "rows": rows}, indent=1))


if __name__ == "__main__":
    main()
