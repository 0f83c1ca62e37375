"""Three slices of a scan and of its tissue beside each other: python draw_tissue.py SCAN LABELS OUT.jpg [SCAN LABELS ...]

Needs numpy, nibabel and Pillow. Fluid blue, grey matter red, white matter yellow.
"""

import sys

import nibabel
import numpy as np
from PIL import Image

COLOURS = np.array([[0, 0, 0], [60, 120, 255], [220, 70, 70], [250, 230, 120]])


def row(scan_path: str, labels_path: str) -> np.ndarray:
    """The middle of the brain from above, from the front and from the left without and with labels."""
    scan, labels = (np.asarray(nibabel.as_closest_canonical(nibabel.load(path)).dataobj) for path in (scan_path, labels_path))
    filled = np.argwhere(labels > 0)
    low, high = filled.min(0) - 8, filled.max(0) + 9
    middle = (low + high) // 2
    # Beside the gap between the hemispheres.
    middle[0] -= 14
    top = np.percentile(scan[labels == 3], 99)
    tiles = []
    for axis in (2, 1, 0):
        grey = np.take(scan, middle[axis], axis).T[::-1].astype(float) / top
        found = np.take(labels, middle[axis], axis).T[::-1].astype(int)
        plain = np.repeat(np.clip(grey, 0, 1)[..., None] * 255, 3, -1)
        mixed = np.where((found > 0)[..., None], plain * 0.45 + COLOURS[found] * 0.55, plain)
        tiles += [plain, mixed]
    height = max(tile.shape[0] for tile in tiles)
    return np.hstack([np.pad(tile, ((0, height - tile.shape[0]), (0, 4), (0, 0))) for tile in tiles])


scan, labels, out, *more = sys.argv[1:]
rows = [row(scan, labels), *(row(*pair) for pair in zip(more[::2], more[1::2], strict=True))]
width = max(part.shape[1] for part in rows)
whole = np.vstack([np.pad(part, ((0, 4), (0, width - part.shape[1]), (0, 0))) for part in rows])
Image.fromarray(whole.astype(np.uint8)).save(out, quality=85)
