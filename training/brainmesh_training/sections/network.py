"""The network that finds sections: a U-Net that works on blocks of pixels and answers once a block."""

from dataclasses import dataclass
from typing import Literal

import torch
from torch import nn
from torch.nn import functional

from ..image_networks import _convolutions


@dataclass(frozen=True)
class StridedUNet:
    """A U-Net over blocks of `stem` x `stem` pixels, with one answer a block."""

    kind: Literal["strided_unet"]
    widths: tuple[int, ...]
    """Maps at each scale, from the finest."""
    stem: int = 4

    def __post_init__(self) -> None:
        object.__setattr__(self, "widths", tuple(self.widths))
        if len(self.widths) < 2 or min(self.widths) < 1:
            raise ValueError(f"network.widths: expected at least two, each at least 1, found {self.widths}")

    @property
    def stride(self) -> int:
        """Sizes of images must be multiples of this."""
        return self.stem * 2 ** (len(self.widths) - 1)

    def build(self, channels: int, outputs: int) -> nn.Module:
        """Freshly initialised: `[n, channels, h, w]` to `[n, outputs, h / stem, w / stem]`."""
        return _StridedUNet(self, channels, outputs)


class _StridedUNet(nn.Module):
    def __init__(self, shape: StridedUNet, channels: int, outputs: int) -> None:
        super().__init__()
        self.unshuffle = nn.PixelUnshuffle(shape.stem)
        self.encoders, self.decoders = nn.ModuleList(), nn.ModuleList()
        width = channels * shape.stem**2
        for maps in shape.widths:
            self.encoders.append(_convolutions(width, maps))
            width = maps
        for maps in reversed(shape.widths[:-1]):
            self.decoders.append(_convolutions(width + maps, maps))
            width = maps
        self.head = nn.Conv2d(width, outputs, 1)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        values = self.unshuffle(image)
        kept: list[torch.Tensor] = []
        for encoder in self.encoders:
            values = encoder(functional.max_pool2d(values, 2) if kept else values)
            kept.append(values)
        values = kept.pop()
        for decoder in self.decoders:
            values = functional.interpolate(values, scale_factor=2.0, mode="nearest")
            values = decoder(torch.cat([values, kept.pop()], 1))
        return self.head(values)
