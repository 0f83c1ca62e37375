"""Makes `instances.json`: outlines of true and found objects, and what pycocotools 2.0.11 scores them.

Masks are drawn 16 times as fine, and no overlap lies within .002 of a threshold, so that the share of a pixel a drawn mask is
off decides nothing.
"""

import contextlib
import io
import json
from pathlib import Path

import numpy as np
from pycocotools import mask as coco_mask
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

FINE, SIZE = 16, 160
THRESHOLDS = np.linspace(0.5, 0.95, 10)


def quad(rng, centre, turn):
    corners = np.array([[-14, -8], [14, -8], [14, 8], [-14, 8]]) * rng.uniform(0.8, 1.2) + rng.normal(size=(4, 2))
    c, s = np.cos(turn), np.sin(turn)
    return corners @ np.array([[c, s], [-s, c]]) + centre


def picture(rng, count):
    """Objects on a grid, most found with some error, some twice, and some that are not there."""
    truth, found = [], []
    for place in rng.permutation(12)[:count]:
        centre = np.array([30 + 36 * (place % 4), 30 + 42 * (place // 4)]) + rng.normal(size=2)
        turn = rng.uniform(0, np.pi)
        truth.append(quad(rng, centre, turn))
        for _ in range(rng.choice([0, 1, 1, 1, 2])):
            shake = rng.normal(size=(4, 2)) * rng.choice([0.3, 1.0, 3.0])
            found.append((truth[-1] + shake + rng.normal(size=2) * rng.choice([0.2, 2.0]), rng.uniform(0.2, 1)))
    for _ in range(rng.integers(3)):
        found.append((quad(rng, rng.uniform(25, 135, 2), rng.uniform(0, 3)), rng.uniform(0.1, 0.7)))
    return truth, found


def drawn(outline):
    flat = (outline * FINE).ravel().tolist()
    return coco_mask.merge(coco_mask.frPyObjects([flat], SIZE * FINE, SIZE * FINE))


def box(outline):
    low, high = outline.min(0), outline.max(0)
    return [*low.tolist(), *(high - low).tolist()]


def scored(pictures, kind):
    """`at_50` and `mean` of pycocotools, or None where an overlap is too near a threshold."""
    images = [{"id": n + 1, "height": SIZE * FINE, "width": SIZE * FINE} for n in range(len(pictures))]
    truths, results = [], []
    for n, (truth, found) in enumerate(pictures):
        for outline in truth:
            shape = box(outline)
            truths.append({"id": len(truths) + 1, "image_id": n + 1, "category_id": 1, "bbox": shape, "iscrowd": 0})
            truths[-1] |= {"area": shape[2] * shape[3], "segmentation": drawn(outline)}
        for outline, confidence in found:
            part = {"bbox": box(outline)} if kind == "bbox" else {"segmentation": drawn(outline)}
            results.append({"image_id": n + 1, "category_id": 1, "score": confidence, **part})
    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO()
        coco.dataset = {"images": images, "annotations": truths, "categories": [{"id": 1, "name": "section"}]}
        coco.createIndex()
        run = COCOeval(coco, coco.loadRes(results), kind)
        run.params.maxDets = [1000]
        run.params.areaRng, run.params.areaRngLbl = [[0, 1e10]], ["all"]
        run.evaluate()
        run.accumulate()
    near = np.concatenate([np.ravel(overlaps) for overlaps in run.ious.values() if len(overlaps)])
    if np.abs(near[:, None] - THRESHOLDS).min() < 0.002:
        return None
    precision = run.eval["precision"][:, :, 0, 0, 0]
    return {"at_50": float(precision[0].mean()), "mean": float(precision.mean())}


cases, seed = [], 0
while len(cases) < 4:
    seed += 1
    rng = np.random.default_rng(seed)
    pictures = [picture(rng, int(rng.integers(3, 9))) for _ in range(2)]
    # As they stand in the file.
    rounded = [([t.round(3) for t in truth], [(f.round(3), round(c, 4)) for f, c in found]) for truth, found in pictures]
    boxes = scored(rounded, "bbox")
    masks = boxes and scored(rounded, "segm")
    if not masks:
        continue
    written = [
        {
            "truth": [t.tolist() for t in truth],
            "found": [{"outline": f.tolist(), "confidence": c} for f, c in found],
        }
        for truth, found in rounded
    ]
    cases.append({"pictures": written, "boxes": boxes, "masks": masks})
text = json.dumps({"made_by": "make_instances.py with pycocotools 2.0.11", "cases": cases}, separators=(",", ":"))
(Path(__file__).parent / "instances.json").write_text(text + "\n")
