"""Time and peak memory of `brainmesh segment sections`, and of a Mask R-CNN (ResNet-50-FPN) in ONNX Runtime's own Python, on one picture.

    python benches/sections.py target/release/brainmesh MODEL MASK_RCNN PICTURE [--fluorescence PICTURE2] [--threads 2] [--whole] [--json]

Both models are folders with rdf.yaml; that of the Mask R-CNN comes from `python -m brainmesh_training ship-mask-rcnn` (`--made` serves: its
weights do not matter here). The peer sees tiles of the size its settings say, each a quarter over the next as document 002 has it, on each of
which its three graphs run: the detector, the head of boxes on as many regions as its settings propose (torchvision's number), and
the head of masks on `--found` regions, about what a tile holds that is full of sections. Everything between the graphs is left out,
which is to the peer's advantage. `--whole` also runs MASK_RCNN through brainmesh, with everything. Every program has a process of its own.
Seconds are by the wall and begin before the picture is read. Needs numpy, Pillow, PyYAML and onnxruntime.
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

#: A 512 pixel tile of sections of 130 x 95 pixels each holds about twenty, of two parts.
FOUND = 40
STEP = 0.75


def peer(folder, picture, fluorescence, threads, found):
    """Runs the graphs over all tiles; prints how many."""
    import onnxruntime
    import yaml
    from PIL import Image

    Image.MAX_IMAGE_PIXELS = None
    settings = yaml.safe_load((folder / "rdf.yaml").read_text())["config"]["brainmesh"]["settings"]
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    detector, boxes, masks = (
        onnxruntime.InferenceSession(folder / f"{name}.onnx", options, providers=["CPUExecutionProvider"])
        for name in ("detector", "boxes", "masks")
    )
    grey = np.asarray(Image.open(picture)).astype(np.float32) / 255 - 0.5
    glow = np.asarray(Image.open(fluorescence)).astype(np.float32) / 255 - 0.5 if fluorescence else np.full_like(grey, -0.5)
    edge = settings["max_size_px"]
    step = int(edge * STEP)
    regions = settings["regions"]
    proposed = settings["proposals"]["after_suppression"]
    channels = boxes.get_inputs()[0].shape[1]
    rng = np.random.default_rng(1)
    for_boxes = rng.normal(size=(proposed, channels, regions["box_size"], regions["box_size"])).astype(np.float32)
    for_masks = rng.normal(size=(found, channels, regions["mask_size"], regions["mask_size"])).astype(np.float32)
    tiles = 0
    for top in range(0, max(grey.shape[0] - edge, 0) + step, step):
        for left in range(0, max(grey.shape[1] - edge, 0) + step, step):
            tile = np.zeros((1, 3, edge, edge), np.float32)
            part = grey[top : top + edge, left : left + edge]
            if not part.size:
                continue
            tile[0, :2, : part.shape[0], : part.shape[1]] = part
            tile[0, 2, : part.shape[0], : part.shape[1]] = glow[top : top + edge, left : left + edge]
            detector.run(None, {"image": tile})
            boxes.run(None, {"regions": for_boxes})
            masks.run(None, {"regions": for_masks})
            tiles += 1
    print(json.dumps({"tiles": tiles}))


def child(command):
    """What a process prints, its seconds, processor seconds and peak MiB."""
    began = time.perf_counter()
    process = subprocess.Popen([str(word) for word in command], stdout=subprocess.PIPE)
    said = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        sys.exit(f"{command[0]} failed")
    took = {"seconds": time.perf_counter() - began, "processor_seconds": usage.ru_utime + usage.ru_stime}
    return json.loads(said), {**took, "peak_mib": usage.ru_maxrss / 1024}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", type=Path)
    parser.add_argument("model", type=Path)
    parser.add_argument("mask_rcnn", type=Path)
    parser.add_argument("picture", type=Path)
    parser.add_argument("--fluorescence", type=Path)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--found", type=int, default=FOUND)
    parser.add_argument("--whole", action="store_true")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--as-peer", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.as_peer:
        peer(options.mask_rcnn, options.picture, options.fluorescence, options.threads, options.found)
        return
    with tempfile.TemporaryDirectory() as folder:
        extra = ["--fluorescence", options.fluorescence] if options.fluorescence else []
        common = [options.program, "segment", "sections", options.picture, *extra, "--force", "--json", "--threads", options.threads]
        runs = {
            "brainmesh": [*common, "--model", options.model, "-o", Path(folder) / "a.magc"],
            "Mask R-CNN in ONNX Runtime": [sys.executable, __file__, *sys.argv[1:], "--as-peer"],
        }
        if options.whole:
            runs["Mask R-CNN in brainmesh"] = [*common, "--model", options.mask_rcnn, "-o", Path(folder) / "b.magc"]
        rows = {}
        for name, command in runs.items():
            said, took = child(command)
            rows[name] = took | {key: said[key] for key in ("tiles", "tissue", "magnet", "device", "network_seconds", "size") if key in said}
    width, height = rows["brainmesh"]["size"]
    for row in rows.values():
        row["seconds_a_megapixel"] = row["seconds"] / (width * height / 1e6)
        row["times_brainmesh"] = row["seconds"] / rows["brainmesh"]["seconds"]
        # Less moved by whatever else the machine does.
        row["times_brainmesh_processor"] = row["processor_seconds"] / rows["brainmesh"]["processor_seconds"]
    if options.json:
        print(json.dumps(rows, indent=1))
        return
    for name, row in rows.items():
        print(
            f"{name:28} {row['seconds_a_megapixel']:7.2f} s a megapixel ({row['times_brainmesh']:.1f}x), "
            f"{row['processor_seconds']:.1f} processor s ({row['times_brainmesh_processor']:.1f}x), {row['peak_mib']:.0f} MiB, {row['tiles']} tiles"
        )


if __name__ == "__main__":
    main()
