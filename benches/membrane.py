"""Time and peak memory of `brainmesh segment membrane`, and of the same network in a loop of ONNX Runtime's own Python.

    python benches/membrane.py target/release/brainmesh MODEL [--slices 4] [--size 512] [--threads 2] [--json]

MODEL is a folder with rdf.yaml. Slices are made (smooth noise, 8 bits). Every program normalises each slice, runs its four mirror
images and averages them, in a process of its own with two threads; the probabilities are compared. One slice alone tells what
starting costs, so that `seconds_a_slice` is without it. Needs numpy, SciPy, tifffile and onnxruntime.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import tifffile

MIRRORS = [(1, 1), (1, -1), (-1, 1), (-1, -1)]


def peer(model, source, target, threads):
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(model / "model.onnx", options, providers=["CPUExecutionProvider"])
    [name] = [value.name for value in session.get_inputs()]
    pages = []
    for page in read(source):
        z = ((page - page.mean(dtype=np.float64)) / (page.std(dtype=np.float64) + 1e-6)).astype(np.float32)
        scores = [session.run(None, {name: z[None, None, ::y, ::x]})[0][0, 0, ::y, ::x] for y, x in MIRRORS]
        pages.append(np.mean([1 / (1 + np.exp(-score)) for score in scores], axis=0, dtype=np.float32))
    tifffile.imwrite(target, np.stack(pages), photometric="minisblack", compression="zlib")


def read(source):
    with tifffile.TiffFile(source) as file:
        return np.stack([page.asarray() for page in file.pages])


def child(command):
    """Seconds, processor seconds and peak bytes of a process."""
    began = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        sys.exit(f"{command[0]} failed")
    seconds = {"seconds": time.perf_counter() - began, "user_seconds": usage.ru_utime + usage.ru_stime}
    return {**seconds, "peak_bytes": usage.ru_maxrss * 1024}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", type=Path)
    parser.add_argument("model", type=Path)
    parser.add_argument("--slices", type=int, default=4)
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--peer", nargs=2, type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.peer:
        peer(options.model, *options.peer, options.threads)
        return
    from scipy import ndimage

    threads = str(options.threads)
    with tempfile.TemporaryDirectory() as folder:
        noise = np.random.default_rng(1).normal(size=(options.slices, options.size, options.size))
        smooth = ndimage.gaussian_filter(noise, (0, 3, 3))
        pages = ((smooth - smooth.min()) / np.ptp(smooth) * 255).astype(np.uint8)
        sources = {1: f"{folder}/one.tif", options.slices: f"{folder}/all.tif"}
        for count, source in sources.items():
            tifffile.imwrite(source, pages[:count], photometric="minisblack")
        ours = [str(options.program), "segment", "membrane", "--model", str(options.model), "--threads", threads]
        python = [sys.executable, __file__, str(options.program), str(options.model), "--threads", threads, "--peer"]
        results, rows = {}, {}
        for name in ("onnxruntime in python", "brainmesh cpu", "brainmesh builtin"):
            runs = []
            for source in sources.values():
                target = f"{folder}/{name}.tif".replace(" ", "-")
                words = [*ours, "--flips", "true", "--force", "--device", name.split()[-1], source, "-o", target]
                runs.append(child([*python, source, target] if name.endswith("python") else words))
            results[name] = read(target)
            more = max(options.slices - 1, 1)
            for field in ("seconds", "user_seconds"):
                runs[1][f"{field}_a_slice"] = (runs[1][field] - runs[0][field]) / more
            rows[name] = {**runs[1], "seconds_of_one": runs[0]["seconds"]}
            rows[name]["largest_difference"] = float(np.abs(results[name] - results["onnxruntime in python"]).max())
    if options.json:
        print(json.dumps({"slices": options.slices, "size": options.size, "threads": options.threads, **rows}))
        return
    for name, row in rows.items():
        print(
            f"{name}: {row['seconds_a_slice']:.2f} s a slice ({row['user_seconds_a_slice']:.2f} s of processors), one slice alone"
            f" {row['seconds_of_one']:.2f} s, {row['peak_bytes'] / 2**20:.0f} MiB, differs by {row['largest_difference']:.1e}"
        )


if __name__ == "__main__":
    main()
