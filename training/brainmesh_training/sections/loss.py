"""The loss of the network that finds sections."""

import torch
from torch.nn import functional


def loss(outputs: torch.Tensor, truth: dict[str, torch.Tensor], weights: dict[str, float]) -> torch.Tensor:
    """Of outputs `[n, 14, h, w]`: heat (cross-entropy weighted by the squared error: Li et al. 2020, quality focal loss),
    parts, corners and partners (absolute error in units, quadratic below a pixel).
    """
    heat, ask = truth["heat"], truth["ask"]
    entropy = functional.binary_cross_entropy_with_logits(outputs[:, :2], heat, reduction="none")
    off = (torch.sigmoid(outputs[:, :2]) - heat).detach().abs()
    total = weights.get("heat", 1.0) * (ask * off**2 * entropy).sum() / heat.sum().clamp(min=16)
    total = total + weights.get("inside", 1.0) * functional.binary_cross_entropy_with_logits(outputs[:, 12:14], truth["inside"])
    vote = truth["vote"][:, None]
    scale = vote.sum().clamp(min=1)
    for name, first, last in (("corners", 2, 10), ("partner", 10, 12)):
        error = functional.smooth_l1_loss(outputs[:, first:last], truth[name], reduction="none", beta=1 / 32)
        total = total + weights.get(name, 1.0) * (vote * error).sum() / scale
    return total
