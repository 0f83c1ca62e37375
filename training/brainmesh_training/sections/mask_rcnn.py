"""Mask R-CNN (He et al. 2017) with ResNet-50-FPN as document 002 has it, by torchvision, and its export.

The whole cannot be exported with the current exporter (non-maximum suppression). So there are three graphs, and what lies
between them is arithmetic that `settings.json` describes:

- `detector.onnx`: `image` `[1, 3, h, w]` (resized, normalised, padded to multiples of 32) to `features_0` .. `features_3`
  `[1, c, h / 4, w / 4]` .. `[1, c, h / 32, w / 32]`, and for these and one level more (every second position of the last)
  `objectness_n` `[1, anchors, ..]` (logits) and `deltas_n` `[1, 4 anchors, ..]`.
- `boxes.onnx`: `regions` `[n, c, 7, 7]` to `classes` `[n, k]` (logits, 0 is background) and `deltas` `[n, 4 k]`.
- `masks.onnx`: `regions` `[n, c, 14, 14]` to `masks` `[n, k, 28, 28]` (logits).
"""

import json
from collections import OrderedDict
from pathlib import Path

import torch
from torch import nn
from torchvision.models.detection import MaskRCNN
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.models.detection.backbone_utils import resnet_fpn_backbone
from torchvision.models.detection.faster_rcnn import FastRCNNPredictor, TwoMLPHead
from torchvision.models.detection.mask_rcnn import MaskRCNNHeads, MaskRCNNPredictor
from torchvision.models.detection.rpn import RPNHead
from torchvision.ops.feature_pyramid_network import FeaturePyramidNetwork, LastLevelMaxPool

OPSET = 20
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


class Detector(nn.Module):
    """Backbone, pyramid and the head of the region proposals."""

    def __init__(self, model: MaskRCNN) -> None:
        super().__init__()
        self.backbone, self.head = model.backbone, model.rpn.head

    def forward(self, image: torch.Tensor) -> tuple[torch.Tensor, ...]:
        features = list(self.backbone(image).values())
        objectness, deltas = self.head(features)
        return (*features[:-1], *objectness, *deltas)


class Boxes(nn.Module):
    """Class and box of each region."""

    def __init__(self, model: MaskRCNN) -> None:
        super().__init__()
        self.head, self.predictor = model.roi_heads.box_head, model.roi_heads.box_predictor

    def forward(self, regions: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return self.predictor(self.head(regions))


class Masks(nn.Module):
    """Outline of each region."""

    def __init__(self, model: MaskRCNN) -> None:
        super().__init__()
        self.head, self.predictor = model.roi_heads.mask_head, model.roi_heads.mask_predictor

    def forward(self, regions: torch.Tensor) -> torch.Tensor:
        return self.predictor(self.head(regions))


def settings(model: MaskRCNN) -> dict:
    """Everything between the graphs."""
    heads, rpn = model.roi_heads, model.rpn
    return {
        "min_size_px": model.transform.min_size[-1],
        "max_size_px": model.transform.max_size,
        "mean": list(model.transform.image_mean),
        "std": list(model.transform.image_std),
        "size_divisible_px": model.transform.size_divisible,
        "anchors_px": [cell.tolist() for cell in rpn.anchor_generator.cell_anchors],
        "proposals": {
            "before_suppression": rpn.pre_nms_top_n(),
            "after_suppression": rpn.post_nms_top_n(),
            "overlap": rpn.nms_thresh,
            "least_score": rpn.score_thresh,
            "least_size_px": rpn.min_size,
            "weights": list(rpn.box_coder.weights),
        },
        "regions": {
            "box_size": heads.box_roi_pool.output_size[0],
            "mask_size": heads.mask_roi_pool.output_size[0],
            "sampling_ratio": heads.box_roi_pool.sampling_ratio,
            "canonical_scale_px": heads.box_roi_pool.canonical_scale,
            "canonical_level": heads.box_roi_pool.canonical_level,
        },
        "detections": {
            "least_score": heads.score_thresh,
            "overlap": heads.nms_thresh,
            "most": heads.detections_per_img,
            "least_size_px": 1e-2,
            "weights": list(heads.box_coder.weights),
        },
        # torchvision.models.detection._utils.BoxCoder
        "largest_log_scale": rpn.box_coder.bbox_xform_clip,
        "classes": ["background", "tissue", "magnet"],
    }


def export(model: MaskRCNN, folder: Path) -> None:
    """Writes the three graphs and `settings.json`."""
    folder.mkdir(parents=True, exist_ok=True)
    model = model.eval()
    channels = model.backbone.out_channels
    levels = len(ANCHORS_PX)
    names = [f"features_{n}" for n in range(levels - 1)]
    names += [f"objectness_{n}" for n in range(levels)] + [f"deltas_{n}" for n in range(levels)]
    down, right = torch.export.Dim("down", min=2, max=512), torch.export.Dim("right", min=2, max=512)
    regions = {0: torch.export.Dim("regions", min=1)}
    heads = model.roi_heads
    graphs = (
        ("detector", Detector(model), (1, 3, 128, 160), "image", names, {2: 32 * down, 3: 32 * right}),
        ("boxes", Boxes(model), (3, channels, *heads.box_roi_pool.output_size), "regions", ["classes", "deltas"], regions),
        ("masks", Masks(model), (3, channels, *heads.mask_roi_pool.output_size), "regions", ["masks"], regions),
    )
    for name, graph, shape, given, found, free in graphs:
        torch.onnx.export(
            graph.eval(),
            (torch.zeros(shape),),
            str(folder / f"{name}.onnx"),
            input_names=[given],
            output_names=found,
            opset_version=OPSET,
            dynamic_shapes=(free,),
            dynamo=True,
            external_data=False,
            verbose=False,
        )
    (folder / "settings.json").write_text(json.dumps(settings(model), indent=1) + "\n")
