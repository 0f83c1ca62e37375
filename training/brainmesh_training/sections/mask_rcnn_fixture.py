"""A tiny Mask R-CNN with made weights and torchvision's own result: what the port in Rust is held to.

`python -m brainmesh_training.sections.mask_rcnn_fixture FOLDER` writes the graphs, `settings.json` and `expected.npz`:
`image` `[3, h, w]`; `input` (as the detector sees it); `proposals`, their `box_regions` of the first sixteen; `boxes`, `scores`,
`labels`, `masks` (28 x 28, probabilities) and `pasted` `[n, h, w]`.
"""

import sys
from pathlib import Path

import numpy as np
import torch

from .mask_rcnn import export, tiny_mask_rcnn


def made(seed: int = 3):
    """Weights drawn so that scores and boxes spread and do not saturate: ties would make the order a matter of taste."""
    torch.manual_seed(seed)
    model = tiny_mask_rcnn(
        min_size=112,
        max_size=180,
        image_mean=[0.4, 0.5, 0.3],
        image_std=[0.25, 0.2, 0.3],
        rpn_pre_nms_top_n_test=120,
        rpn_post_nms_top_n_test=60,
        box_detections_per_img=12,
        box_score_thresh=0.4,
    ).eval()
    with torch.no_grad():
        for name, weight in model.named_parameters():
            gain = 1.0
            if "rpn.head.cls_logits" in name or "cls_score" in name:
                gain = 2.5
            elif "bbox_pred" in name:
                gain = 4.0
            elif "mask_fcn_logits" in name:
                gain = 6.0
            if name.endswith("cls_score.bias"):
                # No class has a start.
                gain = 0.0
            weight.copy_(torch.randn_like(weight) * gain / max(weight[0].numel(), 8) ** 0.5)
    return model


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
        "image": image.numpy(),
        "input": seen.tensors[0].numpy(),
        "proposals": proposals.numpy(),
        "box_regions": regions[:16].numpy(),
        "boxes": whole["boxes"].numpy(),
        "scores": whole["scores"].numpy(),
        "labels": whole["labels"].numpy().astype(np.int32),
        "masks": inner["masks"][:, 0].numpy(),
        "pasted": whole["masks"][:, 0].numpy(),
    }


def main(folder: Path) -> None:
    """Writes everything."""
    model = made()
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:96, :130]
    image = np.stack([np.sin(x / 9 + k) * np.cos(y / (7 + k)) * 0.4 + 0.5 for k in range(3)])
    image = (image + rng.normal(size=image.shape) * 0.1).clip(0, 1).astype(np.float32)
    expected = result(model, torch.from_numpy(image))
    export(model, folder)
    np.savez_compressed(folder / "expected.npz", **expected)
    print(len(expected["proposals"]), expected["boxes"].round(1).tolist(), expected["scores"], expected["labels"])


if __name__ == "__main__":
    main(Path(sys.argv[1]))
