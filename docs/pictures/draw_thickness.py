"""Thickness of layers on a hemisphere, seen from both sides: python draw_thickness.py LAYERS OUT.jpg

LAYERS is a folder that `brainmesh rays2surface` wrote. Needs numpy, nibabel and Pillow.
"""

import sys
from pathlib import Path

import nibabel
import numpy as np
from PIL import Image, ImageDraw

# Black, purple, orange, light yellow, equally far apart in lightness; grey where there is no cortex.
STOPS = np.array([[20, 12, 60], [110, 30, 120], [205, 70, 80], [250, 160, 70], [252, 250, 190]], float)
WIDTH, HEIGHT = 480, 360


def colours(value: np.ndarray, low: float, high: float) -> np.ndarray:
    place = np.clip((value - low) / (high - low), 0, 1) * (len(STOPS) - 1)
    channels = [np.interp(np.nan_to_num(place), range(len(STOPS)), STOPS[:, channel]) for channel in range(3)]
    return np.where(np.isnan(value)[:, None], 150, np.stack(channels, 1))


def view(points: np.ndarray, triangles: np.ndarray, colour: np.ndarray, towards_x: float) -> np.ndarray:
    """Orthographic, along x: each triangle as points no further apart than a third of a pixel, the nearest of a pixel stays."""
    across, up, depth = -towards_x * points[:, 1], points[:, 2], towards_x * points[:, 0]
    scale = 0.95 * min(WIDTH / np.ptp(across), HEIGHT / np.ptp(up))
    column = WIDTH / 2 + scale * (across - (across.max() + across.min()) / 2)
    row = HEIGHT / 2 - scale * (up - (up.max() + up.min()) / 2)
    corner = points[triangles]
    normal = np.cross(corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0])
    facing = towards_x * normal[:, 0] / np.linalg.norm(normal, axis=1).clip(1e-12)
    picture, nearest = np.full((HEIGHT * WIDTH, 3), 255.0), np.full(HEIGHT * WIDTH, -np.inf)
    steps = 6
    for a in range(steps + 1):
        for b in range(steps + 1 - a):
            weight = np.array([a, b, steps - a - b]) / steps
            pixel = (row[triangles] @ weight).astype(int) * WIDTH + (column[triangles] @ weight).astype(int)
            far = depth[triangles] @ weight
            order = np.lexsort((far, pixel))
            last = np.r_[pixel[order][1:] != pixel[order][:-1], True]
            best = order[last]
            best = best[far[best] > nearest[pixel[best]]]
            nearest[pixel[best]] = far[best]
            light = 0.45 + 0.55 * np.abs(facing[best])
            picture[pixel[best]] = (colour[triangles[best]].transpose(0, 2, 1) @ weight) * light[:, None]
    return picture.reshape(HEIGHT, WIDTH, 3)


layers, out = Path(sys.argv[1]), sys.argv[2]
points, triangles = (array.data for array in nibabel.load(layers / "layer3.surf.gii").darrays[:2])
maps = {array.meta["Name"]: array.data for array in nibabel.load(layers / "thickness.shape.gii").darrays}
rows = []
for name, low, high in (("III", 0.3, 0.9), ("IV", 0.1, 0.4)):
    shade = colours(maps[name].astype(float), low, high)
    pair = np.hstack([view(points.astype(float), triangles, shade, side) for side in (-1.0, 1.0)])
    bar = colours(np.repeat(np.linspace(high, low, 200)[:, None], 16, 1).ravel(), low, high).reshape(200, 16, 3)
    panel = Image.fromarray(np.hstack([pair, np.full((HEIGHT, 90, 3), 255.0)]).round().astype(np.uint8))
    panel.paste(Image.fromarray(bar.round().astype(np.uint8)), (2 * WIDTH + 14, 80))
    draw = ImageDraw.Draw(panel)
    for text, y in ((f"layer {name}", 50), (f"{high:.1f} mm", 76), (f"{low:.1f} mm", 270)):
        draw.text((2 * WIDTH + (34 if y > 60 else 14), y), text, fill="black")
    rows.append(np.asarray(panel))
Image.fromarray(np.vstack(rows)).save(out, quality=82, optimize=True)
