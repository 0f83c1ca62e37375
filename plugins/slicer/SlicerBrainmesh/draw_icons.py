"""Draws the icon (folded layers), the thumbnail of the sample and the screenshot.

    python draw_icons.py ../../../docs/pictures/slicer.png     (needs Pillow, numpy)
"""

import sys
from pathlib import Path

import numpy as np
from PIL import Image

HERE = Path(__file__).parent
MODULE_ICONS = HERE / "BrainmeshRays" / "Resources" / "Icons"
# The program's palette (Okabe and Ito 2008), and how deep each layer reaches in a cortex 1 thick.
COLORS = ((230, 159, 0), (240, 228, 66), (0, 158, 115), (86, 180, 233), (0, 114, 178), (213, 94, 0))
DEPTHS = (0.0, 0.12, 0.24, 0.5, 0.6, 0.78, 1.0)


def icon(size: int) -> Image.Image:
    """A gyrus between two sulci: layers by the distance from a wave, drawn four times too large and scaled down."""
    fine = np.linspace(0, 1, 4 * size)
    x, y = np.meshgrid(fine, fine)
    wave_x = np.linspace(-0.3, 1.3, 2000)
    wave_y = 0.5 + 0.27 * np.cos(2 * np.pi * (wave_x - 0.5)) * -1
    pixels = np.zeros((*x.shape, 4), np.uint8)
    distance = np.full(x.shape, np.inf)
    for px, py in zip(wave_x[::4], wave_y[::4]):
        distance = np.minimum(distance, np.hypot(x - px, y - py))
    outside = y < np.interp(x, wave_x, wave_y)
    depth = np.where(outside, -distance, distance) / 0.3
    for color, upper, lower in zip(COLORS, DEPTHS, DEPTHS[1:]):
        pixels[(depth >= upper) & (depth < lower)] = (*color, 255)
    return Image.fromarray(pixels).resize((size, size), Image.LANCZOS)


def main(picture: str) -> None:
    icon(128).save(HERE / "Brainmesh.png", optimize=True)
    icon(64).save(MODULE_ICONS / "BrainmeshRays.png", optimize=True)
    scene = Image.open(picture).convert("RGB")
    scene.save(HERE / "Screenshots" / "layers.jpg", quality=85)
    side = scene.height
    scene.crop((0, 0, side, side)).resize((260, 260)).save(MODULE_ICONS / "BrainmeshPhantom.jpg", quality=85)


if __name__ == "__main__":
    main(*sys.argv[1:])
