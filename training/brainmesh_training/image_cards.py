"""What the manifests and cards of the models over images say."""

import json
import math
from collections.abc import Iterable
from dataclasses import dataclass

from .image_experiment import ImageExperiment
from .image_export import ImageAbout
from .membrane import PIXEL_MM
from .scans import PERCENTILE
from .tissue_synthesis import CLASSES
from .ventricle import CENTRE_SHARE, PERCENTILES

WHOLE_SLICE = {"axes": ["channel", "y", "x"], "eps": 1e-6}

ABOUT = {
    "membrane": ImageAbout(
        description="Cell interiors in transmission electron micrographs of serial sections of neural tissue, 4 nm a pixel.",
        license="CC-BY-NC-4.0",
        cite=[
            {
                "text": "Arganda-Carreras I et al. 2015. Crowdsourcing the creation of image segmentation algorithms for "
                "connectomics. Frontiers in Neuroanatomy 9: 142 (data and scores)",
                "doi": "10.3389/fnana.2015.00142",
            }
        ],
        channel="em",
        classes=("interior",),
        preprocessing=[{"id": "zero_mean_unit_variance", "kwargs": WHOLE_SLICE}],
        brainmesh={"window": [512, 512], "output": "probability:interior"},
        spacing_mm=PIXEL_MM,
        card="Not for commercial use, because the training pictures are free for research only: ISBI 2012 challenge (Cardona et "
        "al. 2010, Arganda-Carreras et al. 2015), which may not be passed on and is not part of this model. Drosophila larva, "
        "ventral nerve cord, one stack of one animal: neighbouring sections of the same cells were in training, as held-out "
        "sections of this stack always have them; other tissue, stains and pixel sizes were not seen.",
    ),
    "ventricle": ImageAbout(
        description="The cavity of the left ventricle (endocardium) in short-axis cine MR.",
        license="Apache-2.0",
        cite=[
            {
                "text": "Radau P et al. 2009. Evaluation framework for algorithms segmenting short axis cardiac MRI. "
                "The MIDAS Journal (data and scores)",
                "doi": "10.54294/g80ruo",
            }
        ],
        channel="cine_mr",
        classes=("cavity",),
        preprocessing=[
            {
                "id": "scale_range",
                "kwargs": {
                    "axes": ["channel", "y", "x"],
                    "min_percentile": PERCENTILES[0],
                    "max_percentile": PERCENTILES[1],
                    "eps": 1e-6,
                },
            },
            {"id": "clip", "kwargs": {"min": 0.0, "max": 1.0}},
            {"id": "zero_mean_unit_variance", "kwargs": WHOLE_SLICE},
        ],
        brainmesh={"window": [256, 256], "component": {"near_centre_sd": CENTRE_SHARE}},
        card="Training pictures: Sunnybrook Cardiac Data (Radau et al. 2009, CC0), as pictures by SegNetCMR (MIT). One hospital, "
        "one scanner; whole patients are held out. The outlines of patient SC-N-06 lie 9 to 30 mm beside the ventricle in all 13 "
        "frames (the network finds it). Papillary muscles belong to the cavity. Scores are of the part with the most probability "
        "near the picture's centre, its holes filled. Not a medical device.",
    ),
    "tissue": ImageAbout(
        description="Fluid of the ventricles, grey and white matter on T1-weighted MR of the head, slice by slice in any view.",
        license="Apache-2.0",
        cite=[
            {
                "text": "Billot B et al. 2023. SynthSeg: segmentation of brain MRI scans of any contrast and resolution without "
                "retraining. Medical Image Analysis 86: 102789 (label maps, intensity priors, method)",
                "doi": "10.1016/j.media.2023.102789",
            }
        ],
        channel="t1",
        classes=CLASSES,
        preprocessing=[
            {"id": "scale_range", "kwargs": {"min_percentile": 0.0, "max_percentile": PERCENTILE, "eps": 1e-6}},
        ],
        brainmesh={
            "orientation": "RAS",
            "window": [256, 256],
            "nonzero": True,
            "views": ["z", "y", "x"],
            "largest_component": True,
            "refine": {"classes": ["grey_matter", "white_matter"]},
            "labels": [
                {"class": "csf", "value": 1, "color": [60, 120, 220]},
                {"class": "grey_matter", "value": 2, "color": [150, 150, 150]},
                {"class": "white_matter", "value": 3, "color": [240, 240, 240]},
            ],
        },
        spacing_mm=1.0,
        card="No scan was seen in training: images are made from the 16 label maps of SynthSeg (Apache-2.0), with its priors of "
        "T1 contrast. Fluid outside the brain has a class of its own (`outer_csf`), which counts as background, as FreeSurfer "
        "has it. Brainstem, ventral diencephalon and optic chiasm are white matter, choroid plexus is fluid. Scores on made images "
        "are of heads held out, yet of images made by the same recipe; MNI152 is an average of 152 people, smoother than a scan. "
        "Not a medical device.",
    ),
}


#: How scores are called in cards, in this order; docs/systems.md defines them.
WORDS = {
    "v_rand": "V_rand, best threshold",
    "v_info": "V_info, best threshold",
    "pixel_error": "pixel error, best threshold",
    "rand_error": "Rand error (borders not thinned), best threshold",
    "v_rand_at_threshold": "V_rand at 0.5",
    "v_info_at_threshold": "V_info at 0.5",
    "pixel_error_at_threshold": "pixel error at 0.5",
    "rand_error_at_threshold": "Rand error at 0.5",
    "good": "good contours (share)",
    "dice_good": "Dice of good contours",
    "distance_mm": "distance of good contours, mm (1.37 mm a pixel)",
    "conformity_good": "conformity of good contours",
    "dice_all_frames": "mean Dice of all frames",
    "pixel_accuracy": "pixel accuracy (an empty answer has .98)",
    "missed_frames": "frames without any overlap",
    "accuracy": "accuracy (made slices, one view)",
    "dice_csf": "Dice of fluid",
    "dice_grey_matter": "Dice of grey matter",
    "dice_white_matter": "Dice of white matter",
}


@dataclass(frozen=True)
class Made:
    """How the networks of a model came about."""

    networks: int
    parameters: int
    """Of all networks, with outputs that only training needs."""
    folds: list[int]
    """Whose networks are shipped, from 1."""
    of_folds: int
    seen: int
    """Cases that at least one of the networks was trained on."""
    cases: int
    seconds: float
    """Processor time of training."""


def table(header: tuple[str, ...], rows: Iterable[tuple]) -> str:
    """In Markdown."""
    return "\n".join(f"| {' | '.join(map(str, row))} |" for row in (header, ["---"] * len(header), *rows))


def number(value: float, digits: int = 4) -> str:
    """Counts as they are, shares with some digits, a dash for what is not defined."""
    return str(value) if isinstance(value, int) else f"{value:.{digits}f}" if math.isfinite(value) else "-"


def patients(scores: dict) -> str:
    """Each patient's scores, the worst first."""
    rows = sorted(scores.get("patients", {}).items(), key=lambda item: item[1]["dice_all_frames"])
    if not rows:
        return ""
    header = ("patient, worst first", "frames", "good", "Dice of good", "distance of good, mm", "Dice of all")
    keys = ("good", "dice_good", "distance_mm", "dice_all_frames")
    return "\n" + table(header, [(name, row["frames"], *(number(row[key], 3) for key in keys)) for name, row in rows]) + "\n"


def volumes(rows: dict[str, dict[str, float]]) -> str:
    """Whole volumes: difficulties and the template, by view."""
    if not rows:
        return ""
    keys = ("accuracy", "dice_csf", "dice_grey_matter", "dice_white_matter")
    lines = [(name, *(f"{row[key]:.3f}" if key in row else "-" for key in keys)) for name, row in rows.items()]
    header = ("whole volumes, view", "accuracy", "Dice of fluid", "of grey matter", "of white matter")
    return "\n" + table(header, lines) + "\n"


def card(experiment: ImageExperiment, about: ImageAbout, scores: dict, made: Made, of_volumes: dict | None = None) -> str:
    """`README.md` of a model."""
    training = experiment.training
    second = scores.get("without_misdrawn")
    header = ("score", "value", "without patients drawn beside the ventricle") if second else ("score", "value")
    both = [scores, second] if second else [scores]
    rows = [
        (words, *(number(values[name]) for values in both)) for name, words in WORDS.items() if scores.get(name) is not None
    ]
    numbers = " and ".join(map(str, made.folds))
    moved = ""
    if "threshold" in scores:
        moved = f"""
What is 0.5 in the model was {scores["threshold"]:.2f} in the networks, where V_info and pixel error of the held-out pictures are best
together: a constant added to the logits.
"""
    average = "The network that is shipped is the one that was scored."
    if len(made.folds) > 1:
        average = "The average that is shipped has seen all of them: its own scores on them would say nothing."
    command = f"configs/{experiment.name}.json --data DATA --folds {made.of_folds}"
    only = "".join(f" --only {fold - 1}" for fold in made.folds) if len(made.folds) < made.of_folds else ""
    volume_command = f"\n    python -m brainmesh_training score-tissue {command}{only} --run run" if of_volumes else ""
    return f"""# {experiment.name}

{about.description}

- Network: {json.dumps(experiment.to_dict()["network"])}.
- {made.networks} network(s) of a cross-validation, logits averaged: fold {numbers} of {made.of_folds}. {made.parameters:,} parameters with
  outputs that only training needs; stored as float16, computed in float32.
- Each: {training.steps} steps of {training.batch} crops of {training.crop} pixels, AdamW, learning rate {training.learning_rate} (warm-up,
  half a cosine), running mean of the weights, seed {training.seed}. Processor time of all: {made.seconds / 3600:.1f} hours.
- Together they saw {made.seen} of the {made.cases} cases given.

## Scores

Each case is scored by the one network that did not see it, {scores["cases"]} cases in {len(scores["folds"])} of {made.of_folds} folds.
{average}

{table(header, rows)}
{patients(scores)}{moved}{volumes(of_volumes or {})}
    python -m brainmesh_training cross-validate-images {command}{only} --out run{volume_command}
    python -m brainmesh_training ship-images {command}{only} --run run --out {experiment.name}

Definitions: docs/systems.md.

## Terms and limits

Weights: {about.license}. {about.card}
"""
