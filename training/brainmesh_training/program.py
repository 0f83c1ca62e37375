"""Scores the ribbon model through the program itself: `brainmesh rays2surface` with each fold's network.

Every vertex takes its thickness from the network that saw nothing of its region. The networks' inputs are the whole
hemisphere's (they hold no truth); with `--smoothing 0` nothing of another region's prediction reaches a vertex.
"""

import argparse
import subprocess
import tempfile
from pathlib import Path

import nibabel
import numpy as np

HEMISPHERE = {
    "--pial": "tpl-bigbrain_hemi-L_desc-pial.surf.gii",
    "--white": "tpl-bigbrain_hemi-L_desc-white.surf.gii",
    "--profiles": "tpl-bigbrain_hemi-L_desc-profiles18.npy",
    "--mask": "tpl-bigbrain_hemi-L_desc-mmp1_parcellation.label.gii",
}
THICKNESS = "tpl-bigbrain_hemi-L_desc-layers_thickness.npy"


def hemisphere_arguments(data: Path) -> list[str]:
    """The inputs of `brainmesh rays2surface` or `profiles` for the left BigBrain hemisphere."""
    files = [str(word) for option, name in HEMISPHERE.items() for word in (option, data / name)]
    return [*files, "--profiles-span", "pial-white", "--missing-value", "65535"]


def held_out_result(program: Path, data: Path, folds: Path, smoothing: str, out: Path) -> None:
    """Runs every `fold*` model below `folds` and writes the held-out thickness as one result folder."""
    merged, seen = None, None
    for model in sorted(path for path in folds.glob("fold*") if path.is_dir()):
        held_out = np.load(folds / f"{model.name}.heldout.npy") > 0
        with tempfile.TemporaryDirectory() as folder:
            command = [program, "rays2surface", *hemisphere_arguments(data), "--model", model, "--smoothing", smoothing]
            subprocess.run([*command, "--out", Path(folder) / "out"], check=True)
            result = nibabel.load(Path(folder) / "out" / "thickness.shape.gii")
        if merged is None:
            merged, seen = result, np.zeros_like(held_out)
            for array in merged.darrays:
                array.data = np.full_like(array.data, np.nan)
        if (seen & held_out).any():
            raise ValueError(f"{model}: some held-out vertices were held out by an earlier fold too")
        seen |= held_out
        for whole, part in zip(merged.darrays, result.darrays, strict=True):
            whole.data[held_out] = part.data[held_out]
    if merged is None:
        raise ValueError(f"{folds}: expected model folders fold*, found none")
    out.mkdir(parents=True, exist_ok=True)
    nibabel.save(merged, out / "thickness.shape.gii")


def add_parser(subparsers) -> None:
    """The subcommand `score-ribbon`."""
    parser = subparsers.add_parser("score-ribbon", help="score each fold's ribbon network through the program")
    parser.add_argument("folds", type=Path, help="folder of fold models and fold*.heldout.npy")
    parser.add_argument("--program", type=Path, required=True, help="the brainmesh program")
    parser.add_argument("--data", type=Path, required=True, help="folder of the left BigBrain hemisphere")
    parser.add_argument("--smoothing", default="0", help="as in `brainmesh rays2surface`; 0 lets nothing cross regions")
    parser.add_argument("--out", type=Path, required=True, help="folder for the merged thickness")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Merges held-out results and prints the program's own scores."""
    held_out_result(options.program, options.data, options.folds, options.smoothing, options.out)
    truth = ["--truth-thickness", options.data / THICKNESS, "--parcels", options.data / HEMISPHERE["--mask"]]
    subprocess.run([options.program, "evaluate", "layers", "--result", options.out, *truth], check=True)
