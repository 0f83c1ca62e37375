"""A tiny Mask R-CNN with made weights and torchvision's own result: what the port in Rust is held to.

`python -m brainmesh_training.sections.mask_rcnn_fixture FOLDER` writes the folder of a model (`mask_rcnn.write_folder`) and `NAME.npy` in
`plain/` (the smaller side decides the size) and `long/` (the larger does). Both: `image` (uint8 `[3, h, w]`, of 255), `boxes`, `scores`, `labels`.
Plain alone: `input` (every ninth row of what the detector sees), `proposals`, their `box_regions` of the first six, `masks` (28 x 28, probabilities)
and of the first three every second row of `pasted` `[3, h / 2, w]`.
"""

import sys
from pathlib import Path

import numpy as np
import torch

from .mask_rcnn import tiny_mask_rcnn
from .mask_rcnn_export import write_folder

#: Rows of the detector's input that are kept.
EVERY = 9
PICTURES = {"plain": (80, 108), "long": (40, 150)}


@torch.no_grad()
def made(seed: int = 1):
    """Weights drawn so that scores and boxes spread and do not saturate: ties would make the order a matter of taste."""
    torch.manual_seed(seed)
    model = tiny_mask_rcnn(
        min_size=112,
        max_size=180,
        image_mean=[0.4, 0.5, 0.3],
        image_std=[0.25, 0.2, 0.3],
        rpn_pre_nms_top_n_test=120,
        rpn_post_nms_top_n_test=60,
        box_detections_per_img=10,
        box_score_thresh=0.7,
    ).eval()
    gains = {"rpn.head.cls_logits": 2.5, "bbox_pred": 4.0}
    for name, weight in model.named_parameters():
        gain = next((gain for part, gain in gains.items() if part in name), 1.0)
        weight.copy_(torch.randn_like(weight) * gain / max(weight[0].numel(), 8) ** 0.5)
    # No class starts ahead of another, and none has logits that hardly differ: over the regions of a made picture.
    heads = model.roi_heads
    seen, _ = model.transform([torch.rand(3, 96, 130)])
    features = model.backbone(seen.tensors)
    proposals, _ = model.rpn(seen, features)
    even(heads.box_predictor.cls_score, heads.box_head(heads.box_roi_pool(features, proposals, seen.image_sizes)), 1.5)
    regions = heads.mask_head(heads.mask_roi_pool(features, proposals, seen.image_sizes))
    predictor = heads.mask_predictor
    even(predictor.mask_fcn_logits, predictor.relu(predictor.conv5_mask(regions)), 2.0)
    return model


def even(layer: torch.nn.Module, given: torch.Tensor, spread: float) -> None:
    """Scales and shifts a layer so that each of its outputs has mean 0 and this standard deviation."""
    answer = layer(given).transpose(0, 1).flatten(1)
    factor = spread / answer.std(1)
    layer.weight.mul_(factor.reshape(-1, *[1] * (layer.weight.ndim - 1)))
    layer.bias.copy_((layer.bias - answer.mean(1)) * factor)


@torch.no_grad()
def result(model, image: torch.Tensor) -> dict[str, np.ndarray]:
    """What torchvision finds, step by step and as a whole."""
    seen, _ = model.transform([image])
    features = model.backbone(seen.tensors)
    [proposals], _ = model.rpn(seen, features)
    regions = model.roi_heads.box_roi_pool(features, [proposals], seen.image_sizes)
    [inner], _ = model.roi_heads(features, [proposals], seen.image_sizes)
    [whole] = model([image])
    assert (whole["labels"] == inner["labels"]).all()
    return {
        "input": seen.tensors[0].numpy(),
        "proposals": proposals.numpy(),
        "box_regions": regions.numpy(),
        "boxes": whole["boxes"].numpy(),
        "scores": whole["scores"].numpy(),
        "labels": whole["labels"].numpy().astype(np.int32),
        "masks": inner["masks"][:, 0].numpy(),
        "pasted": whole["masks"][:, 0].numpy(),
    }


def picture(height: int, width: int) -> np.ndarray:
    """Waves and noise, uint8 `[3, height, width]`."""
    y, x = np.mgrid[:height, :width]
    image = np.stack([np.sin(x / 9 + k) * np.cos(y / (7 + k)) * 0.4 + 0.5 for k in range(3)])
    noise = np.random.default_rng(height).normal(size=image.shape) * 0.1
    return np.round(255 * (image + noise).clip(0, 1)).astype(np.uint8)


def main(folder: Path) -> None:
    """Writes everything."""
    model = made()
    write_folder(model, folder, "made-mask-rcnn", "A tiny Mask R-CNN with made weights, for tests.")
    for name, size in PICTURES.items():
        image = picture(*size)
        found = result(model, torch.from_numpy(image / np.float32(255)))
        keep = {"image": image} | {part: found[part] for part in ("boxes", "scores", "labels")}
        if name == "plain":
            keep |= {"input": found["input"][:, ::EVERY], "proposals": found["proposals"], "masks": found["masks"]}
            keep |= {"box_regions": found["box_regions"][:6], "pasted": found["pasted"][:3, ::2]}
        (folder / name).mkdir(parents=True, exist_ok=True)
        for part, values in keep.items():
            np.save(folder / name / f"{part}.npy", np.ascontiguousarray(values))
        print(name, len(found["proposals"]), found["boxes"].round(1).tolist(), found["scores"], found["labels"])


if __name__ == "__main__":
    torch.set_num_threads(1)
    main(Path(sys.argv[1]))
