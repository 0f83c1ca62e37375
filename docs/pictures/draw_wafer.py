"""Draws `wafer.jpg`: a made wafer as the camera sees it, and the same with fluorescence (blue) and true outlines.

python docs/pictures/draw_wafer.py DATA SEED OUT.jpg   (DATA: folder of real wafers' outlines; training/ on PYTHONPATH)
"""

import sys
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from brainmesh_training.sections.quads import read_shapes
from brainmesh_training.sections.wafer import Wafer

SIZE = 760


def main(data: Path, seed: int, out: Path) -> None:
    outlines = read_shapes(data, "test")
    wafer = Wafer.make(outlines[seed % len(outlines)], (SIZE, SIZE), 0.9, seed)
    grey, glow = wafer.picture(0, 0, SIZE, SIZE).astype(float)
    plain = np.repeat(grey[:, :, None], 3, 2)
    blue = np.stack([grey * 0.85, grey * 0.85, grey * 0.6 + glow * 0.7], -1)
    both = Image.fromarray(np.concatenate([plain, blue], 1).clip(0, 255).astype(np.uint8))
    pen = ImageDraw.Draw(both)
    for section in wafer.sections:
        for quad, colour in ((section.tissue, (255, 210, 0)), (section.magnet, (255, 60, 60))):
            corners = [(x + SIZE, y) for x, y in quad]
            pen.line([*corners, corners[0]], colour, 1)
    both.save(out, quality=72)
    print(len(wafer.sections), wafer.look)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]))
