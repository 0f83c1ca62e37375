"""Commands for Mask R-CNN on wafers: train on made wafers, score, write the model folder."""

import argparse
import copy
import dataclasses
import json
import logging
import math
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn

from ..augment import Augmentation
from ..image_experiment import ImageTraining
from ..image_train import follow, rate, write_checkpoint
from .cases import Case, cases, normalised, piece
from .run import WAFER_PX, WAFERS, scale_sets
from .score import score
from .targets import Parts

log = logging.getLogger(__name__)
#: Steps between checkpoints.
KEEP_EVERY = 50
#: Shortest side, in pixels, of what is seen of a part that is to be found.
LEAST_SEEN_PX = 6.0
#: Side of the tiles that a trained network sees.
TILE_PX = 512


@dataclass(frozen=True)
class Experiment:
    """A Mask R-CNN and its training."""

    name: str
    tiny: bool
    """The handful of maps of tests instead of ResNet-50."""
    anchors: int
    """Anchors of a crop that the proposals learn from."""
    regions: int
    """Regions of a crop that the heads learn from."""
    training: ImageTraining
    augmentation: Augmentation

    @classmethod
    def read(cls, path: Path) -> "Experiment":
        """From a JSON file; unknown or missing fields are a `TypeError`."""
        values = json.loads(Path(path).read_text())
        parts = {"training": ImageTraining(**values["training"]), "augmentation": Augmentation(**values["augmentation"])}
        return cls(**(values | parts))

    def to_dict(self) -> dict:
        """What a checkpoint keeps."""
        return json.loads(json.dumps(dataclasses.asdict(self)))

    def build(self) -> nn.Module:
        """The network, freshly initialised."""
        from .mask_rcnn import mask_rcnn, tiny_mask_rcnn

        few = {"rpn_pre_nms_top_n_train": 500, "rpn_post_nms_top_n_train": 200}
        few |= {"rpn_batch_size_per_image": self.anchors, "box_batch_size_per_image": self.regions}
        if not self.tiny:
            return mask_rcnn(TILE_PX, **few)
        plain = {"image_mean": [0.0] * 3, "image_std": [1.0] * 3, "min_size": TILE_PX, "max_size": TILE_PX}
        return tiny_mask_rcnn(**plain, **few)


def inputs(image: np.ndarray) -> torch.Tensor:
    """The three channels of document 002, `[3, h, w]`, of intensity and fluorescence."""
    return torch.from_numpy(np.ascontiguousarray(image[[0, 0, 1]]))


def target(parts: Parts, size: int) -> dict[str, torch.Tensor]:
    """Boxes, labels and masks of what a square piece shows. A pixel spans from its number to the next, as torchvision has it."""
    y, x = np.mgrid[:size, :size]
    boxes, labels, masks = [np.zeros((0, 4))], [], []
    for label, quads in ((1, parts.tissue), (2, parts.magnet)):
        for quad in quads:
            mask = drawn(quad, x, y)
            low, high = (quad.min(0) + 0.5).clip(0, size), (quad.max(0) + 0.5).clip(0, size)
            if (high - low).min() >= LEAST_SEEN_PX and mask.any():
                boxes.append(np.concatenate([low, high])[None])
                labels.append(label)
                masks.append(mask)
    made = np.stack(masks) if masks else np.zeros((0, size, size), bool)
    box = torch.from_numpy(np.concatenate(boxes).astype(np.float32))
    return {"boxes": box, "labels": torch.tensor(labels, dtype=torch.int64), "masks": torch.from_numpy(made.astype(np.uint8))}


def drawn(quad: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Which pixels' centres lie in a convex outline, clockwise on the screen."""
    inside = np.ones(x.shape, bool)
    for a, b in zip(quad, np.roll(quad, -1, 0), strict=True):
        inside &= (b[0] - a[0]) * (y - a[1]) - (b[1] - a[1]) * (x - a[0]) >= 0
    return inside


def fit(experiment: Experiment, pool: list[Case], checkpoint: Path) -> nn.Module:
    """Trains one network and returns the running mean of its weights; goes on from the checkpoint where it exists."""
    training = experiment.training
    torch.manual_seed(training.seed)
    model = experiment.build().to(memory_format=torch.channels_last)
    # Pieces are seen as they are.
    model.transform.min_size, model.transform.max_size = (training.crop,), training.crop
    mean = copy.deepcopy(model)
    optimiser = torch.optim.AdamW(model.parameters(), training.learning_rate, weight_decay=training.weight_decay)
    state = {"step": 0, "seconds": 0.0, "history": []}
    if checkpoint.exists():
        saved = restored(experiment, checkpoint)
        for part, module in (("model", model), ("mean", mean), ("optimiser", optimiser)):
            module.load_state_dict(saved[part])
        state = saved["state"]
    model.train()
    start, sums = time.process_time(), {}
    while state["step"] < training.steps:
        step = state["step"]
        for group in optimiser.param_groups:
            group["lr"] = rate(training, step)
        # All randomness of a step follows from its number, so that a resumed run draws the same.
        torch.manual_seed(training.seed * 1_000_003 + step)
        images, targets = [], []
        for place in range(training.batch):
            rng = np.random.default_rng([training.seed, step, place])
            image, parts = piece(pool[rng.integers(len(pool))], experiment.augmentation, training.crop, rng)
            images.append(inputs(image))
            targets.append(target(parts, training.crop))
        with torch.autocast("cpu", torch.bfloat16, enabled=training.bf16):
            losses = model(images, targets)
        value = sum(part.float() for part in losses.values())
        if not math.isfinite(value.item()):
            raise ValueError(f"step {step}: expected a finite loss, found {value.item()}")
        optimiser.zero_grad()
        value.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 5.0)
        optimiser.step()
        follow(mean, model, min(training.running_mean, (1 + step) / (10 + step)))
        for name, part in losses.items():
            sums[name] = sums.get(name, 0.0) + part.item() / KEEP_EVERY
        state["step"] = step + 1
        if state["step"] % KEEP_EVERY == 0 or state["step"] == training.steps:
            state["seconds"] += time.process_time() - start
            state["history"].append(dict(sums))
            words = ", ".join(f"{name.removeprefix('loss_')} {part:.3f}" for name, part in sums.items())
            log.info("step %d of %d: %s; %.0f s", state["step"], training.steps, words, state["seconds"])
            start, sums = time.process_time(), {}
            write_checkpoint(checkpoint, experiment, model, mean, optimiser, state)
    return mean.eval()


def restored(experiment: Experiment, checkpoint: Path) -> dict:
    """A checkpoint of this experiment; any other is refused."""
    saved = torch.load(checkpoint, weights_only=True)
    if saved["experiment"] != experiment.to_dict():
        raise ValueError(f"{checkpoint}: expected a run of this experiment, found another")
    return saved


def trained(experiment: Experiment, checkpoint: Path) -> nn.Module:
    """The network of a run, finished or not."""
    model = experiment.build()
    model.load_state_dict(restored(experiment, checkpoint)["mean"])
    return model.eval()


@torch.no_grad()
def found(model: nn.Module, image: np.ndarray) -> tuple[list, list]:
    """Tissue and magnet parts of a square picture `[2, size, size]`, seen as it is."""
    from .mask_rcnn_parts import parts

    model.transform.min_size, model.transform.max_size = (image.shape[1],), image.shape[1]
    [answer] = model([inputs(image)])
    return parts(*(answer[name].numpy() for name in ("boxes", "labels", "scores")), answer["masks"][:, 0].numpy())


def train(options: argparse.Namespace) -> None:
    """Trains on made wafers; goes on where it was interrupted."""
    fit(Experiment.read(options.config), cases(options.data, "train", options.wafers, WAFER_PX), options.out / "mask-rcnn.pt")


def score_run(options: argparse.Namespace) -> None:
    """Scores on wafers it never saw."""
    experiment = Experiment.read(options.config)
    model = trained(experiment, options.run_folder / "mask-rcnn.pt")
    result = {}
    for name, scale in scale_sets():
        pictures = ([], [])
        for case in cases(options.data, options.split, options.wafers, options.size, scale):
            answer = found(model, normalised(case.picture, case.levels))
            for kind, truth in enumerate((case.parts.tissue, case.parts.magnet)):
                pictures[kind].append((truth, answer[kind]))
        result[name] = {"tissue": score(pictures[0]), "magnet": score(pictures[1])}
        log.info("%s: %s", name, result[name])
    text = json.dumps(result, indent=1)
    (options.run_folder / "scores.json").write_text(text + "\n")
    print(text)


def ship(options: argparse.Namespace) -> None:
    """Writes the model folder of a run, finished or not."""
    from .mask_rcnn_export import write_folder

    experiment = Experiment.read(options.config)
    model = experiment.build().eval() if options.made else trained(experiment, options.run_folder / "mask-rcnn.pt")
    write_folder(model, options.out, experiment.name, "Mask R-CNN with ResNet-50-FPN for sections on wafers.")


def add_parser(subparsers) -> None:
    """The subcommands `train-mask-rcnn`, `score-mask-rcnn` and `ship-mask-rcnn`."""
    parser = subparsers.add_parser("train-mask-rcnn", help="train Mask R-CNN on made wafers")
    parser.add_argument("config", type=Path, help="experiment, JSON")
    parser.add_argument("--data", type=Path, required=True, help="folder of real wafers' outlines")
    parser.add_argument("--wafers", type=int, default=WAFERS, help="made wafers to train on")
    parser.add_argument("--out", type=Path, required=True, help="folder for the checkpoint; gone on from where it exists")
    parser.set_defaults(run=train)

    parser = subparsers.add_parser("score-mask-rcnn", help="score a Mask R-CNN on made wafers it never saw")
    parser.add_argument("config", type=Path, help="experiment, JSON")
    parser.add_argument("--data", type=Path, required=True, help="folder of real wafers' outlines")
    parser.add_argument("--split", choices=("validate", "test"), default="validate")
    parser.add_argument("--wafers", type=int, default=6)
    parser.add_argument("--size", type=int, default=TILE_PX, help="pixels a side")
    parser.add_argument("--run", type=Path, required=True, dest="run_folder", help="folder of `train-mask-rcnn`")
    parser.set_defaults(run=score_run)

    parser = subparsers.add_parser("ship-mask-rcnn", help="write the model folder of a Mask R-CNN")
    parser.add_argument("config", type=Path, help="experiment, JSON")
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--run", type=Path, dest="run_folder", help="folder of `train-mask-rcnn`")
    source.add_argument("--made", action="store_true", help="with weights as drawn, to time it")
    parser.add_argument("--out", type=Path, required=True, help="model folder")
    parser.set_defaults(run=ship)
