"""Mask R-CNN (He et al. 2017) with ResNet-50-FPN as document 002 has it, by torchvision; and a tiny one for tests."""

from collections import OrderedDict

import torch
from torch import nn
from torchvision.models.detection import MaskRCNN
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.models.detection.backbone_utils import resnet_fpn_backbone
from torchvision.models.detection.faster_rcnn import FastRCNNPredictor, TwoMLPHead
from torchvision.models.detection.mask_rcnn import MaskRCNNHeads, MaskRCNNPredictor
from torchvision.models.detection.rpn import RPNHead
from torchvision.ops.feature_pyramid_network import FeaturePyramidNetwork, LastLevelMaxPool

#: Background, tissue part, magnet part.
CLASSES = 3
#: Of document 002: one size a level.
ANCHORS_PX = (16, 32, 64, 128, 256)
RATIOS = (0.5, 1.0, 2.0)


def anchors() -> AnchorGenerator:
    """Three shapes at every position of five levels."""
    return AnchorGenerator(tuple((size,) for size in ANCHORS_PX), (RATIOS,) * len(ANCHORS_PX))


def mask_rcnn(tile_px: int = 512, **rest) -> MaskRCNN:
    """The network of document 002, freshly initialised; tiles of `tile_px` are seen as they are."""
    backbone = resnet_fpn_backbone(backbone_name="resnet50", weights=None, norm_layer=nn.BatchNorm2d, trainable_layers=5)
    sizes = {"min_size": tile_px, "max_size": tile_px, "box_detections_per_img": 300}
    # Greys come normalised.
    sizes |= {"image_mean": [0.0] * 3, "image_std": [1.0] * 3}
    return MaskRCNN(backbone, CLASSES, rpn_anchor_generator=anchors(), **(sizes | rest))


class TinyBackbone(nn.Module):
    """Four levels and a pyramid as ResNet-FPN's, with a handful of maps: for tests."""

    def __init__(self, maps: int) -> None:
        super().__init__()
        self.out_channels = maps
        widths = (maps, maps + 2, maps + 4, maps + 6)
        self.stem = nn.Sequential(nn.Conv2d(3, maps, 7, 2, 3), nn.ReLU(), nn.MaxPool2d(3, 2, 1))
        steps = zip((maps, *widths[:-1]), widths, (1, 2, 2, 2), strict=True)
        self.levels = nn.ModuleList(nn.Sequential(nn.Conv2d(i, o, 3, s, 1), nn.ReLU()) for i, o, s in steps)
        self.pyramid = FeaturePyramidNetwork(list(widths), maps, LastLevelMaxPool())

    def forward(self, image: torch.Tensor) -> dict[str, torch.Tensor]:
        """Features by level, as `BackboneWithFPN`."""
        values, found = self.stem(image), OrderedDict()
        for number, level in enumerate(self.levels):
            values = level(values)
            found[str(number)] = values
        return self.pyramid(found)


def tiny_mask_rcnn(maps: int = 8, **rest) -> MaskRCNN:
    """The same structure in about 30,000 parameters: for tests."""
    return MaskRCNN(
        TinyBackbone(maps),
        rpn_anchor_generator=anchors(),
        rpn_head=RPNHead(maps, len(RATIOS)),
        box_head=TwoMLPHead(maps * 49, 32),
        box_predictor=FastRCNNPredictor(32, CLASSES),
        mask_head=MaskRCNNHeads(maps, (maps, maps), 1),
        mask_predictor=MaskRCNNPredictor(maps, maps, CLASSES),
        **rest,
    )
