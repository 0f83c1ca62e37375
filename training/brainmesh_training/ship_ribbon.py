"""The ribbon model that ships: trained on a whole hemisphere, exported, with its card."""

import argparse
import dataclasses
import json
from pathlib import Path

import numpy as np

from . import ribbon
from .data import Rays, load
from .experiment import Experiment
from .export import About, write_model
from .networks import parameters
from .ship import channel_text

ABOUT = About(
    description="Six cortical layers between given pial and white surfaces, from cell-body staining at a few depths and the "
    "shape of the ribbon. Trained on the left hemisphere of the BigBrain.",
    license="CC-BY-NC-SA-4.0",
    authors=["The brainmesh authors"],
    cite=[
        {
            "text": "Amunts K et al. 2013. BigBrain: an ultrahigh-resolution 3D human brain model. Science 340: 1472-1475 "
            "(data)",
            "doi": "10.1126/science.1235381",
        },
        {
            "text": "Wagstyl K et al. 2020. BigBrain 3D atlas of cortical layers: cortical and laminar thickness gradients "
            "diverge in sensory and motor cortices. PLoS Biology 18(4): e3000678 (layers)",
            "doi": "10.1371/journal.pbio.3000678",
        },
        {
            "text": "Paquola C et al. 2021. The BigBrainWarp toolbox for integration of BigBrain 3D histology with "
            "multimodal neuroimaging. eLife 10: e70119 (intensity profiles)",
            "doi": "10.7554/eLife.70119",
        },
    ],
)

CARD = """# {name}

{description}

- Input `[rays, {channels}, 1, {samples}]` float32, samples evenly spaced from the pia to the white surface; dark is dense.
  Channels: {channel_names}.
- Output: probabilities of outside (unused here) and layers I..VI at each sample. They are marginals: boundary k is the
  integral of P(layer <= k) along the ray, the quantity the network was trained on. A further state model would bias it.
- Network: the mean probabilities of {members} networks, each {hidden} dense units with BN and ReLU over all samples of the varying
  channels and one of the others, then class scores of all samples and softmax; {parameters} parameters in training, the BN
  folded into the dense layers in `model.onnx`.
- Training: {rays} rays, {epochs} epochs of {drawn} rays drawn anew, AdamW, one-cycle learning rate up to {learning_rate}, seeds from
  {seed} on. Loss: mean absolute boundary error as a share of the constant guess's (weight {boundary:g}), regions weighed by the
  root of their size, and soft-label cross-entropy (weight {cross_entropy:g}).

## Scores

Left hemisphere, {folds}-fold cross-validation over the {regions} areas of HCP-MMP1: no area is in both training and test.
{test_rays} vertices. Position of a boundary is its share of the ribbon; errors are that share times the published total
thickness, of single rays without smoothing over the mesh. The constant guess is the median of the training vertices.

{summary}

Mean thickness of layers I to VI in mm, shares times the published total: {layers}; published: {true_layers}. The last row of the
table is the share of held-out errors within 1.645 reported standard deviations, each fold's with the factors of the other
folds; the factors of all folds together are {sd_scale}.

The same network and folds with one vertex's own intensities alone (`ribbon-single-vertex`): mean error
{single_errors} um, correlation {single_correlations}.

{commands}

## What this does not show

- The truth is itself the output of a network on the 20 um volume, trained by its authors on manually labelled patches (Wagstyl
  2020): the scores are agreement with that atlas, in its own brain. No second brain was available.
- Areas next to a held-out one are in the training set, and layers change smoothly across borders; whoever needs the
  strict figure holds out larger regions with `--regions`.
- Errors shrink by {gain:.0%} against a constant guess, not to nothing: where staining is weak the network falls back on the
  average cortex with the given shape.
- Intensities are scaled by the median and spread of the whole data set: give it a hemisphere or a large patch, not ten rays.

## Terms

Weights and test tensors: CC BY-NC-SA 4.0 (not for commercial use, share alike), because they are derived from BigBrain data
under these terms: surfaces and layers of the BigBrain release (Amunts 2013, Wagstyl 2020) and intensity profiles (BigBrainWarp,
Paquola 2021).
"""

COMMANDS = [
    "brainmesh profiles --pial pial.surf.gii --white white.surf.gii --profiles profiles18.npy --profiles-span pial-white "
    "--missing-value 65535 --mask mmp1_parcellation.label.gii --channels {channels} --samples {samples} -o rays.npz",
    "python -m brainmesh_training label-ribbon rays.npz --thickness layers_thickness.npy --regions "
    "mmp1_parcellation.label.gii --out labelled.npz",
    "python -m brainmesh_training cross-validate-ribbon configs/{name}.json --rays labelled.npz --folds {folds} --out run",
    "python -m brainmesh_training cross-validate-ribbon configs/ribbon-single-vertex.json --rays labelled.npz --folds {folds} "
    "--out single",
    "python -m brainmesh_training ship-ribbon configs/{name}.json --rays labelled.npz --scores run/scores.json "
    "--single-vertex single/scores.json --out {name}",
]


def channel_argument(channel: dict) -> str:
    """As `brainmesh profiles --channels` takes it, such as `area-ratio:8`."""
    width = f":{channel['fwhm_mm']:g}" if channel.get("fwhm_mm") else ""
    return channel["kind"].replace("_", "-") + width


def numbers(values: list[float], digits: int) -> str:
    """Such as `62/90/134`."""
    return "/".join(f"{value:.{digits}f}" for value in values)


def card(experiment: Experiment, rays: Rays, scores: dict, single: dict, weights: int) -> str:
    """`README.md` of the model folder."""
    network, training = experiment.network, experiment.training
    facts = {
        "name": experiment.name,
        "samples": experiment.samples,
        "folds": scores["folds"],
        "channels": ",".join(map(channel_argument, experiment.channels)),
    }
    commands = [command.format(**facts) for command in COMMANDS]
    return CARD.format(
        **facts | {"channels": len(experiment.channels)},
        description=ABOUT.description,
        channel_names=", ".join(map(channel_text, experiment.channels)),
        hidden=" and ".join(map(str, network.hidden)),
        members=training.members,
        drawn=f"{training.rays_per_epoch or len(rays):,}",
        parameters=f"{weights:,}",
        rays=f"{len(rays):,}",
        epochs=training.epochs,
        learning_rate=training.learning_rate,
        seed=training.seed,
        boundary=training.boundary,
        cross_entropy=training.cross_entropy,
        regions=scores["regions"],
        gain=1 - sum(scores["network"]["mean"]) / sum(scores["constant"]["mean"]),
        test_rays=f"{scores['rays']:,}",
        summary=ribbon.summary(scores),
        layers=numbers(scores["network"]["layer_mean_mm"], 3),
        true_layers=numbers(scores["network"]["true_layer_mean_mm"], 3),
        sd_scale=numbers(scores["calibration"]["sd_scale"], 2),
        single_errors=numbers(single["network"]["mean"], 0),
        single_correlations=numbers(single["network"]["region_correlation"], 2),
        commands="\n".join("    " + command for command in commands),
    )


def scores_of(path: Path, experiment: Experiment | None = None) -> dict:
    """Scores from `scores.json`; those of another experiment than the one given are refused."""
    document = json.loads(path.read_text())
    if experiment is not None and not experiment.trains_as(document["experiment"]):
        raise ValueError(f"{path}: expected the scores of {experiment.name} as configured, found another experiment")
    return document["scores"]


def add_parser(subparsers) -> None:
    """The subcommand `ship-ribbon`."""
    parser = subparsers.add_parser("ship-ribbon", help="train the ribbon model on a whole hemisphere and export it")
    parser.add_argument("config", type=Path, help="experiment, JSON")
    parser.add_argument("--rays", type=Path, required=True, help="labelled rays, .npz")
    parser.add_argument("--scores", type=Path, required=True, help="scores.json of this config")
    parser.add_argument("--single-vertex", type=Path, required=True, help="scores.json of configs/ribbon-single-vertex.json")
    parser.add_argument("--checkpoint", type=Path, help="gone on from where it exists")
    parser.add_argument("--out", type=Path, required=True, help="model folder")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Trains, exports and writes the card."""
    experiment = Experiment.read(options.config)
    scores, single = scores_of(options.scores, experiment), scores_of(options.single_vertex)
    rays = load(options.rays)
    # Regions are the training set of every fold together: vertices of none are left out here too.
    train = rays.usable() & (rays.region != 0)
    fixed, _, model = ribbon.fit_ribbon(experiment, rays, np.flatnonzero(train), options.checkpoint)
    # The network's own opinion of its errors is too wide or too narrow; held-out regions say by how much.
    fixed = dataclasses.replace(fixed, decoder=fixed.decoder | {"sd_scale": scores["calibration"]["sd_scale"]})
    used = rays.select(train)
    difference = write_model(fixed, model, used, ABOUT, options.out)
    (options.out / "README.md").write_text(card(fixed, used, scores, single, parameters(model)))
    print(f"{options.out}: ONNX Runtime differs from torch by {difference:.1e} at most")
