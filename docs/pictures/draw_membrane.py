"""A micrograph beside the probability of cell interiors and the cells found in it: docs/pictures/membrane.jpg.

    brainmesh segment membrane STACK -o prob.tif --instances
    python docs/pictures/draw_membrane.py STACK prob.tif prob_cells.tif --part 96 352 128 384 --out membrane.jpg

STACK is a TIFF or PNG. Needs numpy, Pillow and tifffile.
"""

import argparse
from pathlib import Path

import numpy as np
import tifffile
from PIL import Image


def page_of(path, page):
    if path.suffix == ".png":
        return np.asarray(Image.open(path))
    with tifffile.TiffFile(path) as file:
        return file.pages[page].asarray()


def coloured(cells, grey):
    """Cells in colours that neighbours do not share as a rule, over the grey picture; lines between them stay grey."""
    turns = (cells.astype(float) * 0.618033988749895) % 1
    colours = 0.5 + 0.5 * np.cos(2 * np.pi * (turns[..., None] + np.array([0, 1 / 3, 2 / 3])))
    mixed = 0.55 * grey[..., None] + 0.45 * 255 * colours
    return np.where((cells > 0)[..., None], mixed, grey[..., None])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("stack", type=Path)
    parser.add_argument("probability", type=Path)
    parser.add_argument("cells", type=Path)
    parser.add_argument("--page", type=int, default=0)
    parser.add_argument("--part", type=int, nargs=4, metavar=("TOP", "BOTTOM", "LEFT", "RIGHT"))
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    top, bottom, left, right = options.part or (0, None, 0, None)
    paths = options.stack, options.probability, options.cells
    picture, probability, cells = (page_of(path, options.page)[top:bottom, left:right] for path in paths)
    low, high = np.percentile(picture, [0.5, 99.5])
    grey = np.clip((picture - low) / max(high - low, 1e-6), 0, 1) * 255
    panels = [np.repeat(panel[..., None], 3, -1) for panel in (grey, probability * 255)] + [coloured(cells, grey)]
    gap = np.full((len(grey), 8, 3), 255.0)
    row = np.concatenate([panels[0], gap, panels[1], gap, panels[2]], axis=1)
    Image.fromarray(row.round().astype(np.uint8)).save(options.out, optimize=True, quality=82)


if __name__ == "__main__":
    main()
