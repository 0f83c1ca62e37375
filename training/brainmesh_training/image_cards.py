"""What the manifests and cards of the models over images say."""

import json

from .image_experiment import ImageExperiment
from .image_export import ImageAbout
from .networks import parameters
from .scans import PERCENTILE
from .tissue_synthesis import CLASSES
from .ventricle import PERCENTILES

WHOLE_SLICE = {"axes": ["channel", "y", "x"], "eps": 1e-6}

ABOUT = {
    "membrane": ImageAbout(
        description="Cell interiors in transmission electron micrographs of serial sections of neural tissue, 4 nm a pixel.",
        license="Apache-2.0",
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
        card="Training pictures: ISBI 2012 challenge (Cardona et al. 2010), free for research, not redistributed here: it is in "
        "this model's terms that it was learnt from them. Drosophila larva, ventral nerve cord, one stack: other tissue, other "
        "stains and other pixel sizes were not seen.",
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
        brainmesh={"window": [256, 256], "largest_component": True, "fill_holes": True},
        card="Training pictures: Sunnybrook Cardiac Data (Radau et al. 2009, CC0), as pictures by SegNetCMR (MIT). One hospital, "
        "one scanner. Papillary muscles belong to the cavity. Scores are of the largest connected part, its holes filled.",
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
            "labels": [
                {"class": "csf", "value": 1, "color": [60, 120, 220]},
                {"class": "grey_matter", "value": 2, "color": [150, 150, 150]},
                {"class": "white_matter", "value": 3, "color": [240, 240, 240]},
            ],
        },
        spacing_mm=1.0,
        card="No scan was seen in training: images are made from the 16 label maps of SynthSeg (Apache-2.0), with its priors of "
        "T1 contrast. Fluid outside the brain has a class of its own (`outer_csf`), which counts as background, as FreeSurfer "
        "has it. Brainstem, ventral diencephalon and optic chiasm are white matter, choroid plexus is fluid.",
    ),
}


def card(experiment: ImageExperiment, about: ImageAbout, scores: dict, cases: int, folds: int, members) -> str:
    """`README.md` of a model."""
    training = experiment.training
    plain = {name: value for name, value in scores.items() if isinstance(value, (int, float))}
    rows = "\n".join(f"| {name} | {value:.4f} |" for name, value in plain.items())
    patients = scores.get("patients", {})
    worst = ""
    if patients:
        rows_of = sorted(patients.items(), key=lambda item: item[1]["dice_all_frames"])
        lines = [
            f"| {name} | {row['frames']} | {row['good']:.3f} | {row['dice_good']:.3f} | {row['distance_mm']:.2f} | "
            f"{row['dice_all_frames']:.3f} |"
            for name, row in rows_of
        ]
        worst = "\n| patient, worst first | frames | good | Dice of good | distance of good, mm | Dice of all |\n"
        worst += "|---|---|---|---|---|---|\n" + "\n".join(lines) + "\n"
    return f"""# {experiment.name}

{about.description}

- Network: {json.dumps(experiment.to_dict()["network"])};
  {sum(parameters(m) for m in members):,} parameters in {len(members)} network(s), with outputs that only training needs.
- Training: {training.steps} steps of {training.batch} crops of {training.crop} pixels, AdamW, learning rate
  {training.learning_rate} (warm-up, half a cosine), running mean of the weights, seed {training.seed}. All of the data given
  ({cases} cases).

## Scores

Cross-validated over {folds} folds with the same settings; the shipped network itself was trained on all of the data.

| score | value |
|---|---|
{rows}
{worst}
    python -m brainmesh_training cross-validate-images configs/{experiment.name}.json --data DATA --folds {folds} --out run
    python -m brainmesh_training ship-images configs/{experiment.name}.json --data DATA --run run --out {experiment.name}

## Terms and limits

Weights: {about.license}. {about.card}
"""
