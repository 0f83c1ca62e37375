"""Time and peak memory of `brainmesh segment`, and of a sum over the whole volume as most programs keep it.

    python segmentation/tests/data/make_image_networks.py FOLDER classes-25
    python benches/windows.py target/release/brainmesh FOLDER/classes-25 [--shape 256 256 400] [--json]

Both run the same windows (64 voxels, a quarter of overlap, Gaussian weights) through the same ONNX Runtime on a made volume of
int16, each in a process of its own, and their labels are compared. Needs numpy, nibabel and onnxruntime.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from pathlib import Path

import nibabel
import numpy as np

WINDOW, OVERLAP = 64, 0.25


def starts(length):
    if length <= WINDOW:
        return [0]
    stride = int(WINDOW * (1 - OVERLAP))
    return [*range(0, length - WINDOW, stride), length - WINDOW]


def whole_volume(model, source, target):
    """Sums of all classes over the whole volume, z, y, x."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = len(os.sched_getaffinity(0))
    session = onnxruntime.InferenceSession(model / "model.onnx", options, providers=["CPUExecutionProvider"])
    image = nibabel.load(source)
    volume = np.ascontiguousarray(image.get_fdata(dtype=np.float32).T)
    volume = (volume - volume.mean(dtype=np.float64)) / (volume.std(dtype=np.float64) + 1e-6)
    volume = volume.astype(np.float32)
    gauss = np.exp(-0.5 * ((np.arange(WINDOW) - (WINDOW - 1) / 2) / (WINDOW / 8)) ** 2).astype(np.float32)
    gauss = np.maximum(gauss, 1e-3)
    weights = gauss[:, None, None] * gauss[:, None] * gauss
    sums = None
    for z in starts(volume.shape[0]):
        for y in starts(volume.shape[1]):
            for x in starts(volume.shape[2]):
                place = np.s_[z : z + WINDOW, y : y + WINDOW, x : x + WINDOW]
                [classes] = session.run(None, {"image": volume[place][None, None]})
                if sums is None:
                    sums = np.zeros((classes.shape[1], *volume.shape), np.float32)
                sums[(slice(None), *place)] += classes[0] * weights
    labels = sums.argmax(0).astype(np.uint8)
    nibabel.save(nibabel.Nifti1Image(labels.T, image.affine), target)


def child(command):
    """Seconds and peak bytes of a process."""
    began = time.perf_counter()
    process = os.spawnvp(os.P_NOWAIT, command[0], command)
    _, status, usage = os.wait4(process, 0)
    if status:
        sys.exit(f"{command[0]} failed")
    return {"seconds": time.perf_counter() - began, "peak_bytes": usage.ru_maxrss * 1024}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", type=Path)
    parser.add_argument("model", type=Path)
    parser.add_argument("--shape", type=int, nargs=3, default=[256, 256, 400])
    parser.add_argument("--alone", action="store_true", help="without the sum over the whole volume")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--peer", nargs=2, type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.peer:
        whole_volume(options.model, *options.peer)
        return
    with tempfile.TemporaryDirectory() as folder:
        source, ours, theirs = (str(Path(folder) / name) for name in ("volume.nii", "ours.nii", "theirs.nii"))
        noise = np.random.default_rng(1).integers(-200, 1200, options.shape[:2], dtype=np.int16)
        volume = np.stack([np.roll(noise, 7 * k, k % 2) for k in range(options.shape[2])], axis=2)
        nibabel.save(nibabel.Nifti1Image(volume, np.eye(4)), source)
        del volume
        command = [str(options.program), "segment", str(options.model), source, "-o", ours, "--device", "cpu"]
        rows = {"brainmesh": child(command)}
        if not options.alone:
            peer = [sys.executable, __file__, str(options.program), str(options.model), "--peer", source, theirs]
            rows["whole volume"] = child(peer)
            a, b = (np.asarray(nibabel.load(path).dataobj) for path in (ours, theirs))
            rows["same_labels"] = float((a == b).mean())
    if options.json:
        print(json.dumps({"shape": options.shape, **rows}))
        return
    for name, row in rows.items():
        text = f"{row:.6f}" if isinstance(row, float) else f"{row['seconds']:.1f} s, {row['peak_bytes'] / 2**20:.0f} MiB"
        print(f"{name}: {text}")


if __name__ == "__main__":
    main()
