"""Ray networks: stacks of same-padded convolutions along the samples of a ray, or dense layers over a whole ray.

Convolutions are written in two dimensions over `[rays, channels, 1, samples]`, the form that runs fastest in
ONNX Runtime and on GPUs. Networks return logits; the softmax is added at export.
"""

from dataclasses import dataclass
from typing import Literal

import torch
from torch import nn


@dataclass(frozen=True)
class Network:
    """Shape of a network.

    `order` is `before` for (BN, ReLU, convolution) blocks, as in the 1-D FCN tutorial of Wagstyl et al., or `after`
    for (convolution, BN, ReLU), where every BN folds into its convolution at export.
    """

    blocks: int
    kernel: int
    maps: int
    order: Literal["before", "after"] = "after"
    dropout: float = 0.0
    dilations: tuple[int, ...] = ()
    """Dilation of each block's convolution; empty is 1 throughout."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "dilations", tuple(self.dilations))
        if self.dilations and len(self.dilations) != self.blocks:
            raise ValueError(f"network.dilations: expected {self.blocks}, one a block, found {len(self.dilations)}")
        if self.kernel % 2 == 0:
            raise ValueError(f"network.kernel: expected an odd number, found {self.kernel}")
        if self.blocks < 1 or self.maps < 1:
            raise ValueError(f"network: expected at least 1 block and 1 map, found {self.blocks} and {self.maps}")

    def build(self, channels: int, classes: int) -> nn.Sequential:
        """Freshly initialised modules mapping `[rays, channels, 1, samples]` to `[rays, classes, 1, samples]`."""
        layers: list[nn.Module] = []
        for block in range(self.blocks):
            inputs = channels if block == 0 else self.maps
            dilation = self.dilations[block] if self.dilations else 1
            # A bias right before a BN would be subtracted again.
            convolution = nn.Conv2d(
                inputs,
                self.maps,
                (1, self.kernel),
                padding=(0, dilation * (self.kernel // 2)),
                dilation=(1, dilation),
                bias=self.order == "before",
            )
            if self.order == "before":
                layers += [nn.BatchNorm2d(inputs), nn.ReLU(), convolution]
            else:
                layers += [convolution, nn.BatchNorm2d(self.maps), nn.ReLU()]
            if self.dropout and block + 1 < self.blocks:
                layers.append(nn.Dropout(self.dropout))
        layers.append(nn.Conv2d(self.maps, classes, 1))
        return nn.Sequential(*layers)


@dataclass(frozen=True)
class Dense:
    """Dense layers over all samples of a ray at once, for rays whose ends are fixed (`pial-white`).

    Much cheaper than convolutions of the same reach: every weight is used once a ray, not once a sample.
    """

    hidden: tuple[int, ...]
    dropout: float = 0.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "hidden", tuple(self.hidden))
        if not self.hidden or min(self.hidden) < 1:
            raise ValueError(f"network.hidden: expected widths of at least 1, found {self.hidden}")

    def build(self, varying: list[bool], samples: int, classes: int) -> nn.Sequential:
        """Freshly initialised modules mapping `[rays, channels, 1, samples]` to `[rays, classes, 1, samples]`.

        `varying`, a channel each: whether it differs from sample to sample. Of the others one sample is read.
        """
        layers: list[nn.Module] = [Columns(varying)]
        width = sum(samples if differs else 1 for differs in varying)
        for hidden in self.hidden:
            layers += [nn.Linear(width, hidden, bias=False), nn.BatchNorm1d(hidden), nn.ReLU()]
            layers += [nn.Dropout(self.dropout)] if self.dropout else []
            width = hidden
        return nn.Sequential(*layers, nn.Linear(width, classes * samples), Rows(classes, samples))


class Columns(nn.Module):
    """`[rays, channels, 1, samples]` to `[rays, columns]`: all samples of varying channels, one of the others."""

    def __init__(self, varying: list[bool]) -> None:
        super().__init__()
        self.runs: list[tuple[int, int, bool]] = []  # channels from .. to, whether they vary
        for channel, differs in enumerate(varying):
            if self.runs and self.runs[-1][2] == differs:
                self.runs[-1] = (self.runs[-1][0], channel + 1, differs)
            else:
                self.runs.append((channel, channel + 1, differs))

    def forward(self, rays: torch.Tensor) -> torch.Tensor:
        """The columns, in the order of the channels."""
        parts = [rays[:, first:last, 0] if differs else rays[:, first:last, 0, :1] for first, last, differs in self.runs]
        return torch.cat([part.reshape(-1, part.shape[1] * part.shape[2]) for part in parts], 1)


class Rows(nn.Module):
    """`[rays, classes * samples]` to `[rays, classes, 1, samples]`."""

    def __init__(self, classes: int, samples: int) -> None:
        super().__init__()
        self.shape = (-1, classes, 1, samples)

    def forward(self, logits: torch.Tensor) -> torch.Tensor:
        """A row of samples for each class."""
        return logits.reshape(self.shape)


class Ensemble(nn.Module):
    """Networks of the same kind, whose probabilities are averaged; the logarithm of their mean are the logits."""

    def __init__(self, members: list[nn.Sequential]) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)

    def forward(self, rays: torch.Tensor) -> torch.Tensor:
        """`[rays, channels, 1, samples]` to `[rays, classes, 1, samples]`."""
        return (sum(member(rays).softmax(1) for member in self.members) / len(self.members)).log()


#: The network of the 1-D FCN tutorial: 8 x (BN, ReLU, 25-tap convolution with 64 maps).
TUTORIAL = Network(blocks=8, kernel=25, maps=64, order="before")
#: The later variant of Wagstyl et al.: 6 blocks of 49 taps.
WAGSTYL = Network(blocks=6, kernel=49, maps=64, order="before")


def parameters(model: nn.Module) -> int:
    """Number of trained parameters."""
    return sum(p.numel() for p in model.parameters() if p.requires_grad)


class Probabilities(nn.Module):
    """A network with its softmax over classes: what is exported."""

    def __init__(self, logits: nn.Module) -> None:
        super().__init__()
        self.logits = logits

    def forward(self, rays: torch.Tensor) -> torch.Tensor:
        """`[rays, channels, 1, samples]` to probabilities `[rays, classes, 1, samples]`."""
        return torch.softmax(self.logits(rays), dim=1)
