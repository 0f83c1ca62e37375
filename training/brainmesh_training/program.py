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

from .data import load
from .experiment import Experiment
from .export import write_model
from .folds import splits
from .ribbon import fit_ribbon
from .ship_ribbon import ABOUT

HEMISPHERE = {
    "--pial": "tpl-bigbrain_hemi-L_desc-pial.surf.gii",
    "--white": "tpl-bigbrain_hemi-L_desc-white.surf.gii",
    "--profiles": "tpl-bigbrain_hemi-L_desc-profiles18.npy",
    "--mask": "tpl-bigbrain_hemi-L_desc-mmp1_parcellation.label.gii",
}
MAPS = ("thickness.shape.gii", "uncertainty.shape.gii")
THICKNESS = "tpl-bigbrain_hemi-L_desc-layers_thickness.npy"


def hemisphere_arguments(data: Path) -> list[str]:
    """The inputs of `brainmesh rays2surface` or `profiles` for the left BigBrain hemisphere."""
    files = [str(word) for option, name in HEMISPHERE.items() for word in (option, data / name)]
    return [*files, "--profiles-span", "pial-white", "--missing-value", "65535"]


def held_out_result(options: argparse.Namespace) -> None:
    """Runs the network of every fold through the program and writes the held-out thickness as one result folder.

    Networks come from the checkpoints of `cross-validate-ribbon`, which are finished and so not trained again.
    """
    experiment, rays = Experiment.read(options.config), load(options.rays)
    merged = None
    for fold, (train, held_out) in enumerate(splits(rays.region, rays.usable(), options.folds)):
        fixed, _, model = fit_ribbon(experiment, rays, train, options.run_folder / f"fold-{fold + 1}.pt")
        with tempfile.TemporaryDirectory() as scratch:
            folder = Path(scratch)
            write_model(fixed, model, rays.select(train), ABOUT, folder / "model")
            command = [options.program, "rays2surface", *hemisphere_arguments(options.data), "--model", folder / "model"]
            subprocess.run([*command, "--smoothing", options.smoothing, "--out", folder / "out"], check=True)
            maps = {name: nibabel.load(folder / "out" / name) for name in MAPS}
        if merged is None:
            merged = maps
            for array in (array for image in merged.values() for array in image.darrays):
                array.data = np.where(np.isin(np.arange(len(array.data)), held_out), array.data, np.nan)
        for name, image in maps.items():
            for whole, part in zip(merged[name].darrays, image.darrays, strict=True):
                whole.data[held_out] = part.data[held_out]
    options.out.mkdir(parents=True, exist_ok=True)
    for name, image in merged.items():
        nibabel.save(image, options.out / name)


def add_parser(subparsers) -> None:
    """The subcommand `score-ribbon`."""
    parser = subparsers.add_parser("score-ribbon", help="score each fold's ribbon network through the program")
    parser.add_argument("config", type=Path, help="experiment, JSON")
    parser.add_argument("--rays", type=Path, required=True, help="labelled rays, .npz")
    parser.add_argument("--run-folder", type=Path, required=True, help="folder of `cross-validate-ribbon`, for its checkpoints")
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--program", type=Path, required=True, help="the brainmesh program")
    parser.add_argument("--data", type=Path, required=True, help="folder of the left BigBrain hemisphere")
    parser.add_argument("--smoothing", default="0", help="as in `brainmesh rays2surface`; 0 lets nothing cross regions")
    parser.add_argument("--out", type=Path, required=True, help="folder for the merged thickness")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Merges held-out results and prints the program's own scores."""
    held_out_result(options)
    truth = ["--truth-thickness", options.data / THICKNESS, "--parcels", options.data / HEMISPHERE["--mask"]]
    subprocess.run([options.program, "evaluate", "layers", "--result", options.out, *truth], check=True)
