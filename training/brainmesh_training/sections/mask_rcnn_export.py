"""A Mask R-CNN as a model folder.

The whole cannot be exported with the current exporter (non-maximum suppression). So there are three graphs, and what lies
between them is arithmetic that the manifest's `settings` describe:

- `detector.onnx`: `image` `[1, 3, h, w]` (resized, normalised, padded to multiples of 32) to `features_0` .. `features_3`
  `[1, c, h / 4, w / 4]` .. `[1, c, h / 32, w / 32]`, and for these and one level more (every second position of the last)
  `objectness_n` `[1, anchors, ..]` (logits) and `deltas_n` `[1, 4 anchors, ..]`.
- `boxes.onnx`: `regions` `[n, c, 7, 7]` to `classes` `[n, k]` (logits, 0 is background) and `deltas` `[n, 4 k]`.
- `masks.onnx`: `regions` `[n, c, 14, 14]` to `masks` `[n, k, 28, 28]` (logits).
"""

import hashlib
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
import yaml
from torch import nn
from torchvision.models.detection import MaskRCNN

from .cases import LEAST_SPREAD, PERCENTILES
from .mask_rcnn import ANCHORS_PX

OPSET = 20
#: The output that the test tensors show: it depends on the backbone, the pyramid and the head.
TESTED = "objectness_0"
#: Of the three inputs, as document 002 has them.
CHANNELS = ("intensity", "intensity", "fluorescence")


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
    }


def export(model: MaskRCNN, folder: Path) -> None:
    """Writes the three graphs."""
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
        strip(folder / f"{name}.onnx")


def strip(path: Path) -> None:
    """Takes out where in the exporter's machine each node came from."""
    model = onnx.load(path)
    graph = model.graph
    for part in (model, graph, *graph.node, *graph.initializer, *graph.value_info, *graph.input, *graph.output):
        part.ClearField("metadata_props")
        part.ClearField("doc_string")
    del graph.value_info[:]
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, path)


def write_folder(model: MaskRCNN, folder: Path, name: str, description: str) -> None:
    """Writes the graphs, test tensors and `rdf.yaml`."""
    export(model, folder)
    y, x = np.mgrid[:64, :64]
    given = np.stack([np.sin(x / 7 + k) * np.cos(y / (5 + k)) * 0.5 for k in range(3)])[None].astype(np.float32)
    session = onnxruntime.InferenceSession(str(folder / "detector.onnx"), providers=["CPUExecutionProvider"])
    [found] = session.run([TESTED], {"image": given})
    np.save(folder / "test_input.npy", given)
    np.save(folder / "test_output.npy", found)
    (folder / "rdf.yaml").write_text(yaml.safe_dump(manifest(model, folder, name, description), sort_keys=False, width=120))


def manifest(model: MaskRCNN, folder: Path, name: str, description: str) -> dict:
    """`rdf.yaml`, in the form of bioimage.io 0.5 with brainmesh's part under `config`. Of the detector's outputs one is described."""

    def file(name: str) -> dict:
        return {"source": name, "sha256": hashlib.sha256((folder / name).read_bytes()).hexdigest()}

    def tensor(id: str, channels, space: list[dict], test: str) -> dict:
        axes = [{"type": "batch", "size": 1}, {"type": "channel", "channel_names": list(channels)}, *space]
        return {"id": id, "axes": axes, "data": {"type": "float32"}, "test_tensor": file(test)}

    step = model.transform.size_divisible
    inputs = [{"type": "space", "id": axis, "size": {"min": 2 * step, "step": step}} for axis in "yx"]
    halves = [{"type": "space", "id": axis, "size": {"tensor_id": "image", "axis_id": axis}, "scale": 4} for axis in "yx"]
    anchors = [f"anchor_{n}" for n in range(model.rpn.anchor_generator.num_anchors_per_location()[0])]
    return {
        "format_version": "0.5.4",
        "type": "model",
        "name": name,
        "description": description,
        "license": "MIT",
        "authors": [{"name": "The brainmesh authors"}],
        "cite": [{"text": "He K et al. 2017. Mask R-CNN. ICCV", "doi": "10.1109/ICCV.2017.322"}],
        "version": "1.0.0",
        "inputs": [tensor("image", CHANNELS, inputs, "test_input.npy")],
        "outputs": [tensor(TESTED, anchors, halves, "test_output.npy")],
        "weights": {"onnx": {"opset_version": OPSET, **file("detector.onnx")}},
        "config": {
            "brainmesh": {
                "task": "mask-rcnn",
                "boxes": file("boxes.onnx"),
                "masks": file("masks.onnx"),
                "classes": ["background", "tissue", "magnet"],
                "percentiles": [list(pair) for pair in PERCENTILES],
                "least_spread": LEAST_SPREAD,
                "settings": settings(model),
            }
        },
    }
