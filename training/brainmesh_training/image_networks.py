"""Networks over images: U-Nets, plain stacks of convolutions, and the fully convolutional AlexNet.

All map `[images, channels, height, width]` to logits `[images, classes, height, width]`.
"""

from dataclasses import dataclass
from typing import Literal

import torch
from torch import nn
from torch.nn import functional


@dataclass(frozen=True)
class UNet:
    """A U-Net with batch normalisation.

    With a `stem` of 2 every 2x2 pixels become channels before the network and pixels again after it: four times fewer
    positions for the same number of maps, which is what a processor is good at.
    """

    kind: Literal["unet"]
    widths: tuple[int, ...]
    """Maps at each scale, from the finest."""
    stem: int = 1
    dropout: float = 0.0
    """After the coarsest scale."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "widths", tuple(self.widths))
        if len(self.widths) < 2 or min(self.widths) < 1:
            raise ValueError(f"network.widths: expected at least two, each at least 1, found {self.widths}")

    @property
    def stride(self) -> int:
        """Sizes of images must be multiples of this."""
        return self.stem * 2 ** (len(self.widths) - 1)

    def build(self, channels: int, classes: int) -> nn.Module:
        """Freshly initialised."""
        return _UNet(self, channels, classes)


def _convolutions(inputs: int, maps: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    for start in (inputs, maps):
        layers += [nn.Conv2d(start, maps, 3, padding=1, bias=False), nn.BatchNorm2d(maps), nn.ReLU(inplace=True)]
    return nn.Sequential(*layers)


class _UNet(nn.Module):
    def __init__(self, shape: UNet, channels: int, classes: int) -> None:
        super().__init__()
        square = shape.stem**2
        self.unshuffle = nn.PixelUnshuffle(shape.stem) if shape.stem > 1 else nn.Identity()
        self.shuffle = nn.PixelShuffle(shape.stem) if shape.stem > 1 else nn.Identity()
        self.encoders, self.decoders = nn.ModuleList(), nn.ModuleList()
        width = channels * square
        for maps in shape.widths:
            self.encoders.append(_convolutions(width, maps))
            width = maps
        for maps in reversed(shape.widths[:-1]):
            self.decoders.append(_convolutions(width + maps, maps))
            width = maps
        self.dropout = nn.Dropout2d(shape.dropout)
        self.head = nn.Conv2d(width, classes * square, 1)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        values = self.unshuffle(image)
        kept: list[torch.Tensor] = []
        for encoder in self.encoders:
            if kept:
                values = functional.max_pool2d(values, 2)
            values = encoder(values)
            kept.append(values)
        values = self.dropout(kept.pop())
        for decoder in self.decoders:
            values = functional.interpolate(values, scale_factor=2.0, mode="nearest")
            values = decoder(torch.cat([values, kept.pop()], 1))
        return self.shuffle(self.head(values))


@dataclass(frozen=True)
class Stack:
    """Same-padded convolutions with ReLU between and a 1x1 convolution at the end: the small networks of the course
    (document 001) and those of the EM ablation (document 003).
    """

    kind: Literal["stack"]
    kernels: tuple[int, ...]
    maps: tuple[int, ...]
    dilations: tuple[int, ...] = ()
    dropout: float = 0.0
    """After every convolution but the last."""

    def __post_init__(self) -> None:
        for name in ("kernels", "maps", "dilations"):
            object.__setattr__(self, name, tuple(getattr(self, name)))
        for name in ("maps", "dilations") if self.dilations else ("maps",):
            if len(getattr(self, name)) != len(self.kernels):
                raise ValueError(f"network.{name}: expected {len(self.kernels)}, as kernels, found {len(getattr(self, name))}")
        if any(kernel % 2 == 0 for kernel in self.kernels):
            raise ValueError(f"network.kernels: expected odd numbers, found {self.kernels}")

    @property
    def stride(self) -> int:
        """Sizes of images may be any."""
        return 1

    @property
    def reach(self) -> int:
        """Pixels to each side that an answer depends on."""
        return sum(d * (k // 2) for k, d in zip(self.kernels, self.dilations or [1] * len(self.kernels), strict=True))

    def build(self, channels: int, classes: int) -> nn.Sequential:
        """Freshly initialised."""
        layers: list[nn.Module] = []
        width = channels
        for kernel, maps, dilation in zip(self.kernels, self.maps, self.dilations or [1] * len(self.kernels), strict=True):
            layers += [nn.Conv2d(width, maps, kernel, padding=dilation * (kernel // 2), dilation=dilation), nn.ReLU()]
            layers += [nn.Dropout(self.dropout)] if self.dropout else []
            width = maps
        return nn.Sequential(*layers, nn.Conv2d(width, classes, 1))


@dataclass(frozen=True)
class CourseUNet:
    """The U-Net of the course (document 001): 32 to 512 maps, no normalisation, 2x2 convolutions after upsampling.

    The course's own code left one skip connection unused; here all are.
    """

    kind: Literal["course_unet"]
    widths: tuple[int, ...] = (32, 64, 128, 256, 512)

    def __post_init__(self) -> None:
        object.__setattr__(self, "widths", tuple(self.widths))

    @property
    def stride(self) -> int:
        """Sizes of images must be multiples of this."""
        return 2 ** (len(self.widths) - 1)

    def build(self, channels: int, classes: int) -> nn.Module:
        """Freshly initialised."""
        return _CourseUNet(self.widths, channels, classes)


def _plain(inputs: int, maps: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, maps, 3, padding=1), nn.ReLU(), nn.Conv2d(maps, maps, 3, padding=1), nn.ReLU()
    )


class _CourseUNet(nn.Module):
    def __init__(self, widths: tuple[int, ...], channels: int, classes: int) -> None:
        super().__init__()
        self.encoders = nn.ModuleList(_plain(i, o) for i, o in zip((channels, *widths), widths))
        down = list(reversed(widths))
        self.ups = nn.ModuleList(nn.ConvTranspose2d(i, o, 2, stride=2) for i, o in zip(down, down[1:]))
        self.decoders = nn.ModuleList(_plain(2 * o, o) for o in down[1:])
        self.head = nn.Conv2d(widths[0], classes, 1)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        values, kept = image, []
        for encoder in self.encoders:
            values = encoder(functional.max_pool2d(values, 2) if kept else values)
            kept.append(values)
        kept.pop()
        for up, decoder in zip(self.ups, self.decoders, strict=True):
            values = decoder(torch.cat([up(values), kept.pop()], 1))
        return self.head(values)


@dataclass(frozen=True)
class FcnAlexnet:
    """AlexNet with its dense layers as convolutions and one 32x transposed convolution (Long et al. 2015; document 004).

    The groups and the local response normalisation of the original are kept, as is the padding of 100 pixels.
    """

    kind: Literal["fcn_alexnet"]

    @property
    def stride(self) -> int:
        """Sizes of images may be any from 1."""
        return 1

    def build(self, channels: int, classes: int) -> nn.Module:
        """Freshly initialised: from scratch it does not learn the ventricle."""
        return _FcnAlexnet(channels, classes)


class _FcnAlexnet(nn.Module):
    def __init__(self, channels: int, classes: int) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(channels, 96, 11, stride=4, padding=100),
            nn.ReLU(),
            nn.MaxPool2d(3, 2, ceil_mode=True),
            nn.LocalResponseNorm(5),
            nn.Conv2d(96, 256, 5, padding=2, groups=2),
            nn.ReLU(),
            nn.MaxPool2d(3, 2, ceil_mode=True),
            nn.LocalResponseNorm(5),
            nn.Conv2d(256, 384, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(384, 384, 3, padding=1, groups=2),
            nn.ReLU(),
            nn.Conv2d(384, 256, 3, padding=1, groups=2),
            nn.ReLU(),
            nn.MaxPool2d(3, 2, ceil_mode=True),
            nn.Conv2d(256, 4096, 6),
            nn.ReLU(),
            nn.Dropout(0.5),
            nn.Conv2d(4096, 4096, 1),
            nn.ReLU(),
            nn.Dropout(0.5),
            nn.Conv2d(4096, classes, 1),
        )
        self.up = nn.ConvTranspose2d(classes, classes, 63, stride=32, bias=False)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        values = self.up(self.features(image))
        top, left = ((values.shape[axis] - image.shape[axis]) // 2 for axis in (2, 3))
        return values[:, :, top : top + image.shape[2], left : left + image.shape[3]]


SHAPES = {"unet": UNet, "stack": Stack, "course_unet": CourseUNet, "fcn_alexnet": FcnAlexnet}


def image_network(values: dict) -> UNet | Stack | CourseUNet | FcnAlexnet:
    """From parsed JSON."""
    kind = values.get("kind")
    if kind not in SHAPES:
        raise ValueError(f"network.kind: expected {', '.join(SHAPES)}, found {kind!r}")
    return SHAPES[kind](**values)
