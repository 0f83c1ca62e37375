"""Training on images with resumable checkpoints: a run that was interrupted gives the same weights as one that was not."""

import copy
import logging
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import nn

from .image_experiment import ImageExperiment, ImageTraining

log = logging.getLogger(__name__)

Sampler = Callable[[np.random.Generator], tuple[np.ndarray, dict[str, np.ndarray]]]
"""One crop: the image `[c, h, w]` and what the loss needs, by name."""
Loss = Callable[[torch.Tensor, dict[str, torch.Tensor], dict[str, float]], torch.Tensor]
#: Steps between checkpoints.
KEEP_EVERY = 200


def rate(training: ImageTraining, step: int) -> float:
    """Learning rate of a step, counted from 0."""
    warm = min(1.0, (step + 1) / max(training.warmup, 1))
    return training.learning_rate * warm * 0.5 * (1 + math.cos(math.pi * step / training.steps))


def fit(
    experiment: ImageExperiment,
    channels: int,
    outputs: int,
    sampler: Sampler,
    loss: Loss,
    checkpoint: Path | None = None,
    validate: Callable[[nn.Module], float] | None = None,
    start: dict[str, torch.Tensor] | None = None,
    learned: tuple[str, ...] = (),
) -> nn.Module:
    """Trains one network and returns the running mean of its weights; the best one where `validate` (less is better) says.

    `checkpoint` is gone on from where it exists; one of another experiment is refused. `start` are weights to begin with;
    with `learned` only parts whose names begin so change, statistics included.
    """
    training = experiment.training
    torch.manual_seed(training.seed)
    model = experiment.build(channels, outputs).to(memory_format=torch.channels_last)
    if start is not None:
        model.load_state_dict(start)
    for name, weights in model.named_parameters():
        weights.requires_grad_(name.startswith(learned or ""))
    mean = copy.deepcopy(model)
    optimiser = torch.optim.AdamW(model.parameters(), training.learning_rate, weight_decay=training.weight_decay)
    state = {"step": 0, "best": math.inf, "best_step": 0, "weights": None, "seconds": 0.0, "history": []}
    if checkpoint is not None and checkpoint.exists():
        saved = torch.load(checkpoint, weights_only=True)
        if saved["experiment"] != experiment.to_dict():
            raise ValueError(f"{checkpoint}: expected a run of this experiment, found another")
        for part, module in (("model", model), ("mean", mean), ("optimiser", optimiser)):
            module.load_state_dict(saved[part])
        state = saved["state"]

    start, total = time.process_time(), 0.0
    while state["step"] < training.steps and not state.get("stopped"):
        step = state["step"]
        for group in optimiser.param_groups:
            group["lr"] = rate(training, step)
        # All randomness of a step follows from its number, so that a resumed run draws the same.
        torch.manual_seed(training.seed * 1_000_003 + step)
        crops = [sampler(np.random.default_rng([training.seed, step, place])) for place in range(training.batch)]
        inputs = torch.from_numpy(np.stack([image for image, _ in crops])).to(memory_format=torch.channels_last)
        targets = {name: torch.from_numpy(np.stack([part[name] for _, part in crops])) for name in crops[0][1]}
        model.train()
        if learned:
            for name, part in model.named_modules():
                part.training = name.startswith(learned)
        with torch.autocast("cpu", torch.bfloat16, enabled=training.bf16):
            logits = model(inputs)
        value = loss(logits.float(), targets, training.loss)
        optimiser.zero_grad()
        value.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 5.0)
        optimiser.step()
        # Early weights are soon forgotten: the mean spans a tenth of the steps so far, at most what was asked for.
        keep = min(training.running_mean, (1 + step) / (10 + step))
        follow(mean, model, keep)
        total += value.item()
        state["step"] = step + 1
        if validate is not None and training.check_every and state["step"] % training.check_every == 0:
            score = validate(mean.eval())
            log.info("step %d: validation %.5f", state["step"], score)
            if score < state["best"]:
                state |= {"best": score, "best_step": state["step"], "weights": copy.deepcopy(mean.state_dict())}
            waited = (state["step"] - state["best_step"]) // training.check_every
            state["stopped"] = bool(training.patience) and waited >= training.patience
        if state["step"] % KEEP_EVERY == 0 or state["step"] == training.steps or state.get("stopped"):
            state["seconds"] += time.process_time() - start
            state["history"].append(total / KEEP_EVERY)
            log.info("step %d of %d: loss %.5f, %.0f s", state["step"], training.steps, state["history"][-1], state["seconds"])
            start, total = time.process_time(), 0.0
            if checkpoint is not None:
                write_checkpoint(checkpoint, experiment, model, mean, optimiser, state)
    if state["weights"] is not None:
        mean.load_state_dict(state["weights"])
    return mean.eval()


@torch.no_grad()
def follow(mean: nn.Module, model: nn.Module, keep: float) -> None:
    """Moves the running mean of weights and statistics towards those of the model."""
    for old, new in zip(mean.state_dict().values(), model.state_dict().values(), strict=True):
        if old.is_floating_point():
            old.lerp_(new, 1 - keep)
        else:
            old.copy_(new)


def write_checkpoint(path: Path, experiment: ImageExperiment, model, mean, optimiser, state: dict) -> None:
    """Whole or not at all: written beside and renamed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".partial")
    parts = {"model": model.state_dict(), "mean": mean.state_dict(), "optimiser": optimiser.state_dict()}
    torch.save({"experiment": experiment.to_dict(), "state": state, **parts}, temporary)
    temporary.replace(path)


def fit_members(experiment: ImageExperiment, checkpoint: Path | None, **rest) -> list[nn.Module]:
    """`training.members` networks with seeds one after the other, each with its own checkpoint."""
    members = []
    for number in range(experiment.training.members):
        seeded = replace(experiment, training=replace(experiment.training, seed=experiment.training.seed + number))
        path = checkpoint and checkpoint.with_stem(f"{checkpoint.stem}-{number + 1}" if number else checkpoint.stem)
        members.append(fit(seeded, checkpoint=path, **rest))
    return members


@torch.no_grad()
def predict(
    members: Sequence[nn.Module], image: np.ndarray, exported: int, stride: int, turns: Sequence[tuple[int, bool]]
) -> np.ndarray:
    """Mean probabilities `[exported, h, w]` of an image `[c, h, w]` over flips; networks' logits are averaged first.

    `turns` are (quarter turns, mirrored) pairs; the image is padded by reflection to a multiple of `stride`.
    """
    height, width = image.shape[1:]
    side = [(0, 0), (0, -height % stride), (0, -width % stride)]
    padded = np.pad(image, side, mode="reflect" if min(height, width) > stride else "edge")
    total = 0.0
    for quarter, mirrored in turns:
        turned = np.rot90(padded[:, :, ::-1] if mirrored else padded, quarter, (1, 2))
        inputs = torch.from_numpy(np.ascontiguousarray(turned))[None].float()
        logits = sum(model(inputs)[0, :exported] for model in members) / len(members)
        answer = np.rot90(probabilities(logits).numpy(), -quarter, (1, 2))
        total = total + (answer[:, :, ::-1] if mirrored else answer)
    return (total / len(turns))[:, :height, :width].astype(np.float32)


def probabilities(logits: torch.Tensor) -> torch.Tensor:
    """Of logits `[exported, h, w]`: a sigmoid of one, a softmax over several."""
    return torch.sigmoid(logits) if len(logits) == 1 else logits.softmax(0)
