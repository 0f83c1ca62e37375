"""Labelled rays for the extended model: a reproducible set of made cortices, rendered and sampled by brainmesh itself.

Every phantom becomes a folder with `rays.npz` and the arguments it was made with (`arguments.json`). Spacing, image
faults, error of the given surfaces, layer model and geometry change from one to the next, so that whole phantoms
can be held out.
"""

import argparse
import gzip
import json
import logging
import subprocess
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .folds import SEED

log = logging.getLogger(__name__)

CHANNELS = "raw,smoothed:0.163,smoothed:1,smoothed:2,depth,thickness"
SAMPLES = 200


@dataclass(frozen=True)
class Scale:
    """A voxel size with the size of phantom that goes with it: about as many rays and at most 64 million voxels."""

    spacing_mm: float
    extent_mm: float
    edge_mm: float


FINE, HALF, MRI, COARSE = Scale(0.02, 6.0, 0.25), Scale(0.04, 9.0, 0.3), Scale(0.1, 16.0, 0.5), Scale(0.2, 24.0, 0.8)
SCALES = (FINE, HALF, FINE, MRI, FINE, HALF, MRI, COARSE)
"""Fine ones more often: their stains show most and they have fewest rays."""
ARTEFACTS = ("none", "mild", "mild", "full", "full")
SURFACE_ERRORS_MM = (0.0, 0.05, 0.1)
LAYER_MODELS = ("equivolumetric", "equidistant", "blended")
DETAILS_MM = (0.5, 2.5, 2.5, 5.0)
"""Correlation length of the thickness of layers along the cortex: rough, as in the BigBrain, smooth."""
AREA_MM = 5.0
"""Size of areas: several in a phantom."""
EDGE_FACTORS = (1.0, 1.0, 2.0)
"""How much coarser than its scale asks a mesh may be: smoothing along the cortex does less on a coarse one."""


def arguments(index: int, seed: int, ribbons: list[tuple[Path, Path]]) -> list[str]:
    """Arguments of `brainmesh phantom` for phantom `index`.

    Scales, surface errors and layer models take turns, so that any prefix of the series is balanced; the rest is drawn.
    Every third phantom is a patch of one of the given (pial, white) `ribbons`, if there are any.
    """
    random = np.random.default_rng((seed, index))
    scale = SCALES[index % len(SCALES)]
    turn = index // len(SCALES)
    artefacts = ARTEFACTS[random.integers(len(ARTEFACTS))]
    edge_mm = scale.edge_mm * EDGE_FACTORS[random.integers(len(EDGE_FACTORS))]
    pial, white = ribbons[random.integers(len(ribbons))] if ribbons and turn % 3 == 2 else (None, None)
    geometry = ["--shape", "folded"] if pial is None else ["--shape", "patch", "--pial", str(pial), "--white", str(white)]
    return [
        *geometry,
        *("--extent-mm", str(scale.extent_mm), "--spacing-mm", str(scale.spacing_mm), "--edge-mm", str(edge_mm)),
        *("--artefacts", artefacts),
        *("--detail-mm", str(DETAILS_MM[random.integers(len(DETAILS_MM))]), "--area-mm", str(AREA_MM)),
        *("--surface-error-mm", str(SURFACE_ERRORS_MM[(turn + index) % len(SURFACE_ERRORS_MM)])),
        *("--layer-model", LAYER_MODELS[(turn // len(SURFACE_ERRORS_MM) + index) % len(LAYER_MODELS)]),
        *("--seed", str(seed * 100_000 + index)),
        *("--channels", CHANNELS, "--samples", str(SAMPLES), "--rays", "--rays-only"),
    ]


def make(program: Path, out: Path, indices: range, seed: int = SEED, ribbons: list[tuple[Path, Path]] | None = None) -> list[Path]:
    """Makes the phantoms that are not there yet and returns the folders of all that could be made.

    A phantom whose rays all miss the volume is left out and logged: a random patch can lie where the surfaces touch.
    """
    out.mkdir(parents=True, exist_ok=True)
    made = []
    for index in indices:
        folder = out / f"phantom-{index:04d}"
        if not (folder / "arguments.json").exists():
            command = arguments(index, seed, ribbons or [])
            run = subprocess.run([program, "phantom", "--out", folder, *command], capture_output=True, text=True)
            if run.returncode != 0:
                log.warning("phantom %d: %s", index, run.stderr.strip())
                continue
            (folder / "arguments.json").write_text(json.dumps(command) + "\n")
            log.info("phantom %d: %s", index, run.stdout.splitlines()[0])
        made.append(folder)
    return made


def fsaverage5(folder: Path) -> list[tuple[Path, Path]]:
    """(pial, white) of both hemispheres of fsaverage5 from the nilearn package (BSD-3), unpacked into `folder`."""
    import nilearn.datasets

    folder.mkdir(parents=True, exist_ok=True)
    pairs = []
    source = Path(nilearn.datasets.__file__).parent / "data" / "fsaverage5"
    for side in ("left", "right"):
        pair = []
        for surface in ("pial", "white"):
            target = folder / f"{surface}_{side}.surf.gii"
            if not target.exists():
                target.write_bytes(gzip.decompress((source / f"{surface}_{side}.gii.gz").read_bytes()))
            pair.append(target)
        pairs.append(tuple(pair))
    return pairs


def add_parser(subparsers) -> None:
    """The subcommand `phantoms`."""
    parser = subparsers.add_parser("phantoms", help="make labelled rays with `brainmesh phantom`")
    parser.add_argument("--program", type=Path, default=Path("brainmesh"), help="the brainmesh program")
    parser.add_argument("--out", type=Path, required=True, help="folder, one subfolder a phantom")
    parser.add_argument("--first", type=int, default=0, help="number of the first phantom")
    parser.add_argument("--count", type=int, default=96, help="how many")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--fsaverage5", action="store_true", help="cut every third phantom from fsaverage5 (needs nilearn)")
    parser.add_argument("--ribbon", type=Path, nargs=2, metavar=("PIAL", "WHITE"), help="cut every third phantom from this")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Makes the phantoms asked for."""
    ribbons = fsaverage5(options.out / "fsaverage5") if options.fsaverage5 else []
    ribbons += [tuple(options.ribbon)] if options.ribbon else []
    indices = range(options.first, options.first + options.count)
    made = make(options.program, options.out, indices, options.seed, ribbons)
    print(f"{len(made)} of {options.count} phantoms in {options.out}")
