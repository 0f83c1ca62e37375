"""What is trained on images: a JSON file, checked once."""

import dataclasses
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from torch import nn

from .augment import Augmentation
from .image_networks import SHAPES, CourseUNet, FcnAlexnet, Stack, UNet, image_network
from .sections.network import StridedUNet

# It builds on `image_networks`, which therefore cannot name it.
SHAPES["strided_unet"] = StridedUNet


@dataclass(frozen=True)
class ImageTraining:
    """How a network is trained: AdamW, a warm-up and half a cosine, a running mean of the weights as the result."""

    steps: int
    batch: int = 4
    crop: int = 256
    """Pixels along each side of what is cut out of an image."""
    learning_rate: float = 2e-3
    warmup: int = 200
    weight_decay: float = 1e-2
    running_mean: float = 0.998
    """Share of the running mean of weights that a step keeps; 0 takes the last weights."""
    check_every: int = 0
    """Steps between looks at held-back validation cases; 0 never looks."""
    patience: int = 0
    """Looks without a better one before training stops; 0 trains to the end."""
    bf16: bool = False
    members: int = 1
    """Networks trained with seeds one after the other, whose probabilities are averaged."""
    seed: int = 1609
    loss: dict[str, float] = field(default_factory=dict)
    """Weights of the parts of the system's own loss."""


@dataclass(frozen=True)
class ImageExperiment:
    """A network and its training."""

    name: str
    system: Literal["membrane", "ventricle", "tissue", "sections"]
    network: UNet | Stack | CourseUNet | FcnAlexnet | StridedUNet
    training: ImageTraining
    augmentation: Augmentation

    @classmethod
    def from_dict(cls, values: dict) -> "ImageExperiment":
        """From parsed JSON; unknown or missing fields are a `TypeError`."""
        parts = {
            "network": image_network(values["network"]),
            "training": ImageTraining(**values["training"]),
            "augmentation": Augmentation(**values["augmentation"]),
        }
        made = cls(**(values | parts))
        if made.training.crop % made.network.stride:
            raise ValueError(f"training.crop: expected a multiple of {made.network.stride}, found {made.training.crop}")
        return made

    @classmethod
    def read(cls, path: Path) -> "ImageExperiment":
        """From a JSON file."""
        return cls.from_dict(json.loads(Path(path).read_text()))

    def build(self, channels: int, outputs: int) -> nn.Module:
        """The network, freshly initialised."""
        return self.network.build(channels, outputs)

    def to_dict(self) -> dict:
        """What `from_dict` takes."""
        return json.loads(json.dumps(dataclasses.asdict(self)))
