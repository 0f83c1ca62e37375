"""The extended model that ships: trained on every phantom, exported, with its card."""

import argparse
import json
from pathlib import Path

import numpy as np

from . import extended
from .data import Rays
from .experiment import Experiment
from .export import About, write_model
from .networks import parameters

ABOUT = About(
    description="Six cortical layers along rays that reach 0.5 mm beyond pia and white surface, at 20 to 200 micrometre "
    "voxels. Trained on made cortices only.",
    license="Apache-2.0",
    authors=["The brainmesh authors"],
    cite=[
        {
            "text": "Wagstyl K et al. 2020. BigBrain 3D atlas of cortical layers: cortical and laminar thickness gradients "
            "diverge in sensory and motor cortices. PLoS Biology 18(4): e3000678 (method; layer statistics of the made "
            "cortices)",
            "doi": "10.1371/journal.pbio.3000678",
        },
    ],
)

CARD = """# {name}

{description}

- Input `[rays, {channels}, 1, {samples}]` float32: {channel_names}; dark is dense. Output: probabilities of outside, I..VI
  and white matter for each sample.
- Network: {blocks} x ({kernel}-tap convolution, BN, ReLU), {maps} maps, dilations {dilations}, then a 1x1 convolution and softmax;
  {parameters} parameters, the BN folded into the convolutions in `model.onnx`. The network of the 1-D FCN tutorial (8 blocks of
  25 taps and 64 maps: 722,000 parameters) sees about as far but costs {ratio:.0f} times as much.{taught}
- Training: {rays} rays of {phantoms} phantoms (`brainmesh phantom`: folded sheets and patches of fsaverage5, layer statistics of the
  published BigBrain layers, voxels of 20, 40, 100 and 200 um, image faults none to full, error of the given surfaces
  0 to 0.1 mm). {epochs} epochs, AdamW, one-cycle learning rate up to {learning_rate}, seed {seed}.

## Scores

Cross-validation: no phantom is in both training and test. Boundary errors are of the plain decoder in `brainmesh_training.decode`, on
single rays, without smoothing over the mesh, in micrometres. The constant guess puts every boundary at its median place in
the given ribbon.

{summary}

    {commands}

## What this does not show

The test rays come from the same generator as the training rays. No real labelled extended rays are public, so nothing here
says how large the error on a real section is. Channels and the decoder's `evidence` were chosen on phantoms of
the same generator; `docs/accuracy.md` scores phantoms that neither training nor calibration saw. {limits}

## Terms

Weights: Apache-2.0. No image or surface of the BigBrain was used; the generator knows published means and correlations of its layers
and fitted intensity statistics. fsaverage5 comes with nilearn (BSD-3).
"""


TUTORIAL_PARAMETERS = 722_000
TAUGHT = (
    " Half of its labels in training were the probabilities of a larger network on the same rays (`--teacher`); in the "
    "cross-validation each fold learnt from one that saw the same phantoms."
)


def card(experiment: Experiment, rays: Rays, scores: dict, weights: int, commands: list[str], taught: bool = False) -> str:
    """`README.md` of the model folder."""
    network = experiment.network
    worst = max(scores["boundary_errors_um"].items(), key=lambda item: max(item[1]["network"]["mean"]))
    return CARD.format(
        name=experiment.name,
        description=ABOUT.description,
        channels=len(experiment.channels),
        samples=experiment.samples,
        channel_names=", ".join(channel_text(channel) for channel in experiment.channels),
        blocks=network.blocks,
        kernel=network.kernel,
        maps=network.maps,
        dilations=", ".join(map(str, network.dilations)),
        parameters=f"{weights:,}",
        rays=f"{len(rays):,}",
        phantoms=scores["phantoms"],
        epochs=experiment.training.epochs,
        learning_rate=experiment.training.learning_rate,
        seed=experiment.training.seed,
        summary=extended.summary(scores),
        commands="\n    ".join(commands),
        ratio=TUTORIAL_PARAMETERS / weights,
        taught=TAUGHT if taught else "",
        limits=f"At {worst[0]} voxels the worst boundary is off by {max(worst[1]['network']['mean']):.0f} um on average.",
    )


def channel_text(channel: dict) -> str:
    """Such as `smoothed along the cortex 1 mm (per ray)`."""
    kind = {"smoothed": "smoothed along the cortex"}.get(channel["kind"], channel["kind"])
    width = f" {channel['fwhm_mm']:g} mm" if channel.get("fwhm_mm") else ""
    scale = channel["normalisation"] if isinstance(channel["normalisation"], str) else "fixed"
    return f"{kind}{width} ({scale.replace('_', ' ')})"


def add_parser(subparsers) -> None:
    """The subcommand `ship-extended`."""
    parser = subparsers.add_parser("ship-extended", help="train the extended model on every phantom and export it")
    parser.add_argument("config", type=Path, help="experiment, JSON")
    parser.add_argument("--phantoms", type=Path, required=True, help="folder made by the subcommand phantoms")
    parser.add_argument("--rays-per-phantom", type=int, default=600)
    parser.add_argument("--scores", type=Path, required=True, help="scores.json of cross-validate-extended with this config")
    parser.add_argument("--checkpoint", type=Path, help="gone on from where it exists")
    parser.add_argument("--teacher", type=Path, help="checkpoint of a larger network on the same rays, to learn from")
    parser.add_argument("--out", type=Path, required=True, help="model folder")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Trains, exports and writes the card."""
    experiment = Experiment.read(options.config)
    document = json.loads(options.scores.read_text())
    if not experiment.trains_as(document["experiment"]):
        raise ValueError(f"{options.scores}: expected the scores of {options.config}, found those of another experiment")
    rays = extended.load_phantoms(options.phantoms, options.rays_per_phantom)
    model = extended.train_on(experiment, rays, np.arange(len(rays)), options.checkpoint, options.teacher)
    difference = write_model(experiment, model, rays, ABOUT, options.out)
    scores = document["scores"]
    # Phantoms without usable rays are made too.
    made = 1 + max(int(path.name.removeprefix("phantom-")) for path in options.phantoms.glob("phantom-*"))
    thinned = f"--rays-per-phantom {options.rays_per_phantom}"
    config = f"configs/{options.config.name}"
    commands = [
        f"python -m brainmesh_training phantoms --out phantoms --count {made} --fsaverage5",
        f"python -m brainmesh_training cross-validate-extended {config} --phantoms phantoms {thinned} --folds {scores['folds']} --out run",
        f"python -m brainmesh_training ship-extended {config} --phantoms phantoms {thinned} --scores run/scores.json --out {experiment.name}",
    ]
    taught = options.teacher is not None
    if taught:
        commands[1] += " --teachers run-of-the-teacher"
        commands[2] += " --teacher teacher.pt"
    text = card(experiment, rays, scores, parameters(model), commands, taught)
    (options.out / "README.md").write_text(text)
    print(f"{options.out}: ONNX Runtime differs from torch by {difference:.1e} at most")
