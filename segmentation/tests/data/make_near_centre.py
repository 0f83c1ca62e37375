"""Makes `near_centre.json`: probability maps in 255ths and the part that the training package's `ventricle.mask` takes of each.

    PYTHONPATH=../../../training python make_near_centre.py
"""

import json
import pathlib

import numpy as np
from brainmesh_training.ventricle import CENTRE_SHARE, mask


def blobs(rng, height, width, tops):
    """Soft blobs of these heights, some with a hole, on a low floor."""
    y, x = np.mgrid[:height, :width]
    levels = rng.integers(0, 3, (height, width)).astype(float)
    for top in tops:
        cy, cx, size = rng.uniform(0, height), rng.uniform(0, width), rng.uniform(2, 6)
        away = np.hypot((y - cy) / rng.uniform(0.7, 1.4), x - cx) / size
        levels = np.maximum(levels, top * np.exp(-(away**4)))
        if rng.random() < 0.7:
            levels[(np.hypot(y - cy, x - cx) < size / 3)] = 1
    return levels.round().astype(int)


rng = np.random.default_rng(1609)
cases = []
for height, width, tops in (
    (20, 24, (250, 250, 240)), (24, 20, (200, 255)), (33, 17, (255, 130, 128, 127)), (16, 16, (100, 90)), (21, 30, (60, 60, 30)),
    (8, 40, (255, 255, 255)), (25, 25, (140, 180, 220, 250)), (12, 12, (20,)), (25, 32, (129, 127)),
):  # fmt: skip
    levels = blobs(rng, height, width, tops)
    found = mask((levels / 255).astype(np.float32))
    rows = ["".join("#" if belongs else "." for belongs in row) for row in found]
    cases.append({"width": width, "levels": levels.ravel().tolist(), "part": rows})
lines = ",\n ".join(json.dumps(case) for case in cases)
pathlib.Path("near_centre.json").write_text(f'{{"sd": {CENTRE_SHARE}, "cases": [\n {lines}\n]}}\n')
