"""Training with resumable checkpoints: an interrupted run that goes on gives the same weights as one that did not."""

import copy
import logging
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from .data import LAYERS, Rays, soft_labels
from .experiment import Experiment, Training
from .networks import Ensemble
from .normalise import INTENSITY, normalise

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Labelled:
    """Normalised rays with their truth, as tensors."""

    rays: torch.Tensor
    """`[n, c, 1, s]` network input."""
    boundaries_t: torch.Tensor
    """`[n, 7]` true positions."""
    length_mm: torch.Tensor
    """`[n]` scale of `t`."""
    weight: torch.Tensor
    """`[n, 7]` factor on each boundary's error."""
    taught: torch.Tensor | None = None
    """`[n, classes, s]` probabilities of a larger network, half of the labels where given."""

    @classmethod
    def of(cls, rays: Rays, channels: list[dict]) -> "Labelled":
        """All of the rays, normalised as one data set."""
        if rays.boundaries_t is None:
            raise ValueError("boundaries_t: expected true boundaries to train on, found none")
        return cls(
            torch.from_numpy(normalise(rays, channels))[:, :, None],
            torch.from_numpy(rays.boundaries_t.astype(np.float32)),
            torch.from_numpy(rays.length_mm.astype(np.float32)),
            torch.ones(rays.boundaries_t.shape),
        )

    @classmethod
    def join(cls, parts: Sequence["Labelled"]) -> "Labelled":
        """Several data sets, each normalised on its own, one after the other."""
        known = [name for name in cls.__annotations__ if getattr(parts[0], name) is not None]
        return cls(**{name: torch.cat([getattr(part, name) for part in parts]) for name in known})

    def balanced(self, region: np.ndarray) -> "Labelled":
        """The same with each inner boundary's error as a share of that of the constant guess, the median, and with regions
        weighed by the root of their number of rays. The outermost and innermost boundary count nothing.
        """
        spread = (self.boundaries_t - self.boundaries_t.median(0).values).abs() * self.length_mm[:, None]
        _, which, count = np.unique(region, return_inverse=True, return_counts=True)
        share = torch.from_numpy((count**-0.5)[which].astype(np.float32))
        weight = (share / share.mean())[:, None] / spread.mean(0)
        weight[:, [0, -1]] = 0
        return replace(self, weight=weight)

    def __len__(self) -> int:
        return len(self.rays)

    def __getitem__(self, index: torch.Tensor | np.ndarray) -> "Labelled":
        known = {name: getattr(self, name) for name in Labelled.__annotations__}
        return Labelled(**{name: array[index] for name, array in known.items() if array is not None})


def sample_weights(samples: int) -> torch.Tensor:
    """Share of the ray that each sample stands for (the trapezoid rule)."""
    weights = torch.ones(samples)
    weights[0] = weights[-1] = 0.5
    return weights / weights.sum()


def expected_boundaries(probabilities: torch.Tensor) -> torch.Tensor:
    """Boundaries `[n, 7]` as expectations: boundary k lies at the sum over samples of P(class <= k).

    `probabilities` is `[n, classes, samples]`. Exact where classes come in order; with seven classes the last boundary
    is the end of the ray.
    """
    above = probabilities.cumsum(1)[:, : len(LAYERS) + 1]
    return (above * sample_weights(probabilities.shape[2])).sum(2)


def loss(logits: torch.Tensor, batch: Labelled, training: Training) -> torch.Tensor:
    """Weighted sum of the soft-label cross-entropy and the mean boundary error in mm."""
    logits = logits.float()[:, :, 0]
    total = logits.new_zeros(())
    if training.cross_entropy:
        labels = torch.from_numpy(soft_labels(batch.boundaries_t.numpy(), logits.shape[2], logits.shape[1]))
        if batch.taught is not None:
            labels = (labels + batch.taught.float()) / 2
        total = total + training.cross_entropy * functional.cross_entropy(logits, labels)
    if training.boundary:
        error = (expected_boundaries(logits.softmax(1)) - batch.boundaries_t).abs() * batch.length_mm[:, None]
        total = total + training.boundary * (error * batch.weight).mean()
    return total


def jitter(rays: torch.Tensor, intensity: torch.Tensor, training: Training, generator: torch.Generator) -> torch.Tensor:
    """One random gain and offset a ray on its intensity channels (`intensity`: `[c]`, 1 for those)."""
    if not (training.gain_jitter or training.offset_jitter):
        return rays
    noise = torch.randn(2, len(rays), 1, 1, 1, generator=generator)
    gain = (noise[0] * training.gain_jitter).exp()
    mask = intensity[None, :, None, None]
    return rays * (1 + mask * (gain - 1)) + mask * noise[1] * training.offset_jitter


@torch.no_grad()
def predict(model: nn.Module, rays: torch.Tensor, batch: int = 4096) -> torch.Tensor:
    """Class probabilities `[n, classes, samples]` of normalised rays `[n, c, 1, s]`."""
    model.eval()
    return torch.cat([model(part).softmax(1)[:, :, 0] for part in rays.split(batch)])


def fit(
    experiment: Experiment, train: Labelled, held_out: Labelled | None = None, checkpoint: Path | None = None
) -> nn.Sequential:
    """Trains a network and returns the weights of the best epoch on `held_out` rays, or else of the last epoch.

    `checkpoint` is written after every epoch and, where it exists, gone on from; one of another experiment is refused.
    """
    training = experiment.training
    torch.manual_seed(training.seed)
    intensity = torch.tensor([float(channel["kind"] in INTENSITY) for channel in experiment.channels])
    model = experiment.build()
    drawn = min(training.rays_per_epoch or len(train), len(train))
    batches = math.ceil(drawn / training.batch)
    if training.schedule == "one_cycle":
        optimiser = torch.optim.AdamW(model.parameters(), training.learning_rate, weight_decay=training.weight_decay)
        schedule = torch.optim.lr_scheduler.OneCycleLR(
            optimiser, training.learning_rate, total_steps=training.epochs * batches
        )
    else:
        optimiser = torch.optim.Adam(model.parameters(), training.learning_rate, weight_decay=training.weight_decay)
        schedule = torch.optim.lr_scheduler.ExponentialLR(optimiser, training.decay ** (1 / batches))
    state = {"epoch": 0, "best": math.inf, "best_epoch": 0, "weights": copy.deepcopy(model.state_dict())}
    if checkpoint is not None and checkpoint.exists():
        saved = torch.load(checkpoint, weights_only=True)
        if not experiment.trains_as(saved["experiment"]) or saved["rays"] != len(train):
            raise ValueError(f"{checkpoint}: expected a run of this experiment on these rays, found another")
        model.load_state_dict(saved["model"])
        optimiser.load_state_dict(saved["optimiser"])
        schedule.load_state_dict(saved["schedule"])
        state = saved["state"]

    while state["epoch"] < training.epochs:
        if training.patience and held_out is not None and state["epoch"] - state["best_epoch"] >= training.patience:
            break
        start = time.perf_counter()
        epoch = state["epoch"] + 1
        # All randomness of an epoch follows from its number, so that a resumed run draws the same.
        generator = torch.Generator().manual_seed(training.seed * 100_003 + epoch)
        torch.manual_seed(training.seed * 100_003 + epoch)
        order = torch.randperm(len(train), generator=generator)[:drawn]
        model.train()
        total = 0.0
        for index in order.split(training.batch):
            part = train[index]
            inputs = jitter(part.rays, intensity, training, generator)
            with torch.autocast("cpu", torch.bfloat16, enabled=training.bf16):
                logits = model(inputs)
            value = loss(logits, part, training)
            optimiser.zero_grad()
            value.backward()
            optimiser.step()
            schedule.step()
            total += value.item() * len(index)
        state["epoch"] = epoch
        score = total / drawn
        if held_out is not None:
            score = evaluate(model, held_out, training)
        if held_out is None or score < state["best"]:
            state |= {"best": score, "best_epoch": epoch, "weights": copy.deepcopy(model.state_dict())}
        validation = "" if held_out is None else f", validation {score:.5f}"
        log.info("epoch %d: train %.5f%s, %.1f s", epoch, total / drawn, validation, time.perf_counter() - start)
        if checkpoint is not None:
            write_checkpoint(checkpoint, experiment, len(train), model, optimiser, schedule, state)
    model.load_state_dict(state["weights"])
    return model.eval()


def fit_members(experiment: Experiment, train: Labelled, checkpoint: Path | None = None) -> nn.Module:
    """The network, or an ensemble of `training.members` with seeds one after the other, each with its own checkpoint."""
    members = []
    for number in range(experiment.training.members):
        seeded = replace(experiment, training=replace(experiment.training, seed=experiment.training.seed + number))
        path = checkpoint and checkpoint.with_stem(f"{checkpoint.stem}-{number + 1}" if number else checkpoint.stem)
        members.append(fit(seeded, train, checkpoint=path))
    return members[0] if len(members) == 1 else Ensemble(members).eval()


@torch.no_grad()
def evaluate(model: nn.Module, held_out: Labelled, training: Training) -> float:
    """Mean loss over held-out rays."""
    model.eval()
    total = 0.0
    for index in torch.arange(len(held_out)).split(4096):
        part = held_out[index]
        total += loss(model(part.rays), part, training).item() * len(part)
    return total / len(held_out)


def write_checkpoint(path: Path, experiment: Experiment, rays: int, model, optimiser, schedule, state: dict) -> None:
    """Whole or not at all: written beside and renamed."""
    temporary = path.with_suffix(".partial")
    torch.save(
        {
            "experiment": experiment.to_dict(),
            "rays": rays,
            "model": model.state_dict(),
            "optimiser": optimiser.state_dict(),
            "schedule": schedule.state_dict(),
            "state": state,
        },
        temporary,
    )
    temporary.replace(path)
