"""Pictures of held-out cases of a cross-validation: a good one, the median and the worst, with the truth and what was found."""

import argparse
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from .image_experiment import ImageExperiment
from .image_run import SYSTEMS, add_run_options, answers, folds, train

#: Of outlines: the truth's, what was found, and where both run.
TRUE, FOUND, BOTH = (60, 220, 60), (255, 70, 60), (255, 220, 60)
#: Pixels of a shown picture's larger side.
SIDE = 320
GAP = 6
TITLE = 20


@dataclass(frozen=True)
class Shown:
    """A held-out picture with its score; more is better."""

    name: str
    score: float
    words: str
    """The score, as it is written below."""
    grey: np.ndarray
    """`[h, w]`."""
    truth: np.ndarray
    """`[h, w]` numbers of parts, 0 beside them."""
    found: np.ndarray
    group: str = ""
    """Whose it is, where several pictures are one's."""


def edges(parts: np.ndarray, factor: int) -> np.ndarray:
    """Where the number of a part changes, on pixels made `factor` times finer; a line lies on the part with the larger number."""
    fine = parts.repeat(factor, 0).repeat(factor, 1)
    around = np.pad(fine, 1, mode="edge")
    beside = (around[:-2, 1:-1], around[2:, 1:-1], around[1:-1, :-2], around[1:-1, 2:])
    return np.any([fine > other for other in beside], axis=0)


def panel(shown: Shown, factor: int, outlines: bool) -> Image.Image:
    """The picture between its 1st and 99th percentile, with outlines where asked for."""
    low, high = np.percentile(shown.grey, (1, 99))
    grey = np.clip((shown.grey - low) / max(high - low, 1e-6), 0, 1) * 255
    fine = grey.astype(np.uint8).repeat(factor, 0).repeat(factor, 1)
    colour = np.stack([fine] * 3, -1)
    if outlines:
        true, found = edges(shown.truth, factor), edges(shown.found, factor)
        colour[true], colour[found], colour[true & found] = TRUE, FOUND, BOTH
    return Image.fromarray(colour)


def chosen(pictures: list[Shown]) -> list[tuple[str, Shown]]:
    """A good one (upper decile), the median and the worst, by score; and the median of the worst group."""
    ordered = sorted(pictures, key=lambda shown: shown.score)
    last = len(ordered) - 1
    rows = [("good", ordered[round(0.9 * last)]), ("median", ordered[last // 2]), ("worst", ordered[0])]
    groups: dict[str, list[Shown]] = {}
    for shown in ordered:
        groups.setdefault(shown.group, []).append(shown)
    if len(groups) > 1:
        worst = min(groups.values(), key=lambda members: np.mean([shown.score for shown in members]))
        mean = np.mean([shown.score for shown in worst])
        rows.append((f"median of the worst, {worst[0].group} (mean {mean:.3f})", worst[(len(worst) - 1) // 2]))
    return rows


def sheet(rows: list[tuple[str, Shown]]) -> Image.Image:
    """For each case a row: the picture, and the picture with both outlines."""
    font = ImageFont.load_default(13)
    drawn = []
    for title, shown in rows:
        factor = max(1, round(SIDE / max(shown.grey.shape)))
        drawn.append((f"{title}: {shown.name}, {shown.words}", [panel(shown, factor, lines) for lines in (False, True)]))
    width = max(max(sum(image.width for image in images) + GAP, int(font.getlength(title)) + 8) for title, images in drawn)
    height = sum(images[0].height + TITLE + GAP for _, images in drawn) + TITLE
    whole = Image.new("RGB", (width, height), (20, 20, 20))
    pen, top = ImageDraw.Draw(whole), 0
    for title, images in drawn:
        pen.text((4, top + 3), title, fill=(235, 235, 235), font=font)
        left = 0
        for image in images:
            whole.paste(image, (left, top + TITLE))
            left += image.width + GAP
        top += images[0].height + TITLE + GAP
    for word, colour, left in (("drawn", TRUE, 4), ("found", FOUND, 64), ("both", BOTH, 124)):
        pen.text((left, top), word, fill=colour, font=font)
    return whole


def moved(probability: np.ndarray, threshold: float) -> np.ndarray:
    """Probabilities whose logits are moved so that `threshold` becomes 0.5."""
    yes, no = probability * (1 - threshold), (1 - probability) * threshold
    return yes / np.maximum(yes + no, 1e-12)


def run(options: argparse.Namespace) -> None:
    """Scores every held-out picture again, from the run's probabilities where it kept them, and writes the sheet."""
    experiment = ImageExperiment.read(options.config)
    system = SYSTEMS[experiment.system]
    pictures: list[Shown] = []
    # As exported: probabilities at the threshold of the cross-validation become 0.5.
    threshold = json.loads((options.run_folder / "scores.json").read_text()).get("threshold", 0.5)
    for fold in folds(experiment, options):
        kept = fold.checkpoint.with_suffix(".npz")
        stored = np.load(kept) if kept.exists() else None
        members = [] if stored else train(experiment, fold.kept, fold.checkpoint)
        for case in fold.held_out:
            given = [stored[system.name(case)][None]] if stored else answers(experiment, members, case)
            if system.EXPORTED == 1:
                given = [moved(probability, threshold) for probability in given]
            pictures += [Shown(**view) for view in system.views(case, given)]
    options.out.parent.mkdir(parents=True, exist_ok=True)
    sheet(chosen(pictures)).save(options.out, quality=80)
    for title, shown in chosen(pictures):
        print(f"{title}: {shown.name}, {shown.words}")


def add_parser(subparsers) -> None:
    """The subcommand `picture-cases`."""
    parser = subparsers.add_parser("picture-cases", help="draw a good, a median and the worst held-out case of a run")
    add_run_options(parser, "--run")
    parser.add_argument("--out", type=Path, required=True, help="picture, JPEG or PNG")
    parser.set_defaults(run=run)
