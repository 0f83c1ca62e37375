"""What is trained: a JSON file, checked once."""

import dataclasses
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from torch import nn

from .networks import Dense, Network

#: Kinds of channels that hold one value a ray.
CONSTANT = ("thickness", "curvature", "area_ratio")


@dataclass(frozen=True)
class Training:
    """How a network is trained. The defaults are those of the 1-D FCN tutorial."""

    epochs: int = 200
    batch: int = 1024
    learning_rate: float = 5e-4
    decay: float = 0.99
    """Factor on the learning rate after every epoch; used by the schedule `exponential`."""
    schedule: Literal["exponential", "one_cycle"] = "exponential"
    weight_decay: float = 1e-3
    """L2 penalty; decoupled (AdamW) where `one_cycle` is used."""
    patience: int = 25
    """Epochs without a better validation loss before training stops; 0 trains to the end."""
    validation_share: float = 0.1
    """Share of the training regions that decide about stopping."""
    cross_entropy: float = 1.0
    """Weight of the cross-entropy against soft labels."""
    boundary: float = 0.0
    """Weight of the mean absolute boundary error in mm, boundaries being expectations of the class probabilities."""
    balanced: bool = False
    """Each boundary's error over that of the constant guess, and regions weighed by the root of their size: without it
    the boundaries that vary most and the largest regions decide."""
    members: int = 1
    """Networks trained with seeds one after the other, whose probabilities are averaged."""
    rays_per_epoch: int = 0
    """Rays drawn each epoch, without replacement; 0 takes all."""
    gain_jitter: float = 0.0
    """SD of a random log gain of each ray's intensity channels."""
    offset_jitter: float = 0.0
    """SD of a random offset of each ray's intensity channels, in normalised units."""
    bf16: bool = False
    """Forward and backward passes in bfloat16; weights stay float32."""
    seed: int = 1609


@dataclass(frozen=True)
class Experiment:
    """A network, its input and its training."""

    name: str
    span: Literal["extended", "pial-white"]
    samples: int
    classes: int
    """8, or 7 where white matter is outside or beyond the ray."""
    channels: list[dict]
    """Channels as brainmesh-core writes them, each with a `normalisation`: `per_ray`, `dataset` or `fixed`."""
    network: Network | Dense
    training: Training
    polarity: Literal["dark_is_dense", "bright_is_dense"] = "dark_is_dense"
    extension_mm: float = 0.0
    decoder: dict = field(default_factory=dict)
    """Settings of brainmesh's decoder that go with this model."""

    def __post_init__(self) -> None:
        if self.classes not in (7, 8):
            raise ValueError(f"classes: expected 7 or 8, found {self.classes}")
        if self.training.boundary and self.classes == 7 and self.span == "extended":
            raise ValueError("training.boundary: expected 0 where outside and white matter share a class")

    @classmethod
    def from_dict(cls, values: dict) -> "Experiment":
        """From parsed JSON; unknown or missing fields are a `TypeError`."""
        shape = Dense if "hidden" in values["network"] else Network
        parts = {"network": shape(**values["network"]), "training": Training(**values["training"])}
        return cls(**(values | parts))

    @classmethod
    def read(cls, path: Path) -> "Experiment":
        """From a JSON file."""
        return cls.from_dict(json.loads(Path(path).read_text()))

    def build(self) -> nn.Sequential:
        """The network, freshly initialised."""
        if isinstance(self.network, Dense):
            varying = [channel["kind"] not in CONSTANT for channel in self.channels]
            return self.network.build(varying, self.samples, self.classes)
        return self.network.build(len(self.channels), self.classes)

    def trains_as(self, values: dict) -> bool:
        """Whether parsed JSON describes the same training; the decoder's settings follow it and do not change it."""
        other = Experiment.from_dict(json.loads(json.dumps(values)) | {"decoder": self.decoder})
        return json.dumps(other.to_dict()) == json.dumps(self.to_dict())

    def to_dict(self) -> dict:
        """What `from_dict` takes."""
        return dataclasses.asdict(self)
