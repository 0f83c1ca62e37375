"""Ray networks: stacks of same-padded convolutions along the samples of a ray.

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
