"""`brainmesh segment tissue` and a published classifier on made scans of heads and on MNI152: Dice, seconds, memory.

    cd training && python ../benches/tissue.py ../target/release/brainmesh MODEL DATA [--heads 0 2] [--peer PYTHON]

DATA holds label_maps, priors and mni152; heads are their numbers in order. `--peer` names a Python with dipy, whose three
Gaussians with a Markov field (TissueClassifierHMRF: Zhang, Brady, Smith 2001) classify the same files: its darkest class
is fluid. Scores are those of `brainmesh_training.tissue_volume`. Needs what training needs.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import nibabel
import numpy as np
from brainmesh_training import tissue
from brainmesh_training.tissue_synthesis import Priors
from brainmesh_training.tissue_volume import DIFFICULTIES, made_scan

PEER = """
import sys, nibabel, numpy
from dipy.segment.tissue import TissueClassifierHMRF
image = nibabel.load(sys.argv[1])
found = TissueClassifierHMRF(verbose=False).classify(numpy.asarray(image.dataobj, float), 3, 0.1)[1]
nibabel.save(nibabel.Nifti1Image(found.astype("uint8"), image.affine), sys.argv[2])
"""


def timed(command: list[str]) -> tuple[float, float, float]:
    """Seconds by the wall, of processors, and MiB at most."""
    start = time.perf_counter()
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    errors = child.stderr.read()
    _, status, usage = os.wait4(child.pid, 0)
    if status:
        sys.exit(f"{command[0]}: {errors.decode()}")
    return time.perf_counter() - start, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def scans(data: Path, heads: list[int]):
    """Name, intensities and classes."""
    priors = Priors.read(data / "priors")
    paths = sorted((data / "label_maps").glob("*.nii.gz"))
    for number in heads:
        head = tissue.read_head(paths[number])
        rng = np.random.default_rng(tissue.hash_of(head.name))
        image, truth = made_scan(head, priors, rng)
        for name, change in DIFFICULTIES.items():
            yield f"{head.name}, {name}", *change(image, truth, rng)
    parts = [np.asarray(nibabel.load(next((data / "mni152").glob(f"*_{name}_*"))).dataobj, np.float32) for name in ("t1", "gm", "wm")]
    grey, white = parts[1] / 255, parts[2] / 255
    yield "MNI152", parts[0], np.stack([1 - grey - white, np.zeros_like(grey), grey, white]).argmax(0)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("model")
    parser.add_argument("data", type=Path)
    parser.add_argument("--heads", type=int, nargs="*", default=[0, 2])
    parser.add_argument("--peer")
    options = parser.parse_args()
    for name, image, truth in scans(options.data, options.heads):
        with tempfile.TemporaryDirectory() as folder:
            scan, found = Path(folder) / "scan.nii", Path(folder) / "found.nii"
            affine = np.diag([1.0, 1, 1, 1])
            affine[:3, 3] = -np.array(image.shape) / 2
            scale = 30000 / image.max()
            nibabel.save(nibabel.Nifti1Image(np.rint(image * scale).astype(np.int16), affine), scan)
            commands = {"brainmesh": [options.program, "segment", "tissue", scan, "-o", found, "--force", "--model", options.model]}
            if options.peer:
                commands["dipy"] = [options.peer, "-c", PEER, scan, found]
            for program, command in commands.items():
                wall, cpu, peak = timed([str(word) for word in command])
                labels = np.asarray(nibabel.load(found).dataobj).astype(int)
                if name == "MNI152":
                    # Its maps do not tell fluid from outside.
                    labels = np.where(labels == 1, 0, labels)
                row = tissue.summary([tissue.confusion(truth, labels)])
                row |= {"wall_s": wall, "cpu_s": cpu, "peak_MiB": peak}
                print(json.dumps({"scan": name, "program": program} | {key: round(value, 4) for key, value in row.items()}), flush=True)


if __name__ == "__main__":
    main()
