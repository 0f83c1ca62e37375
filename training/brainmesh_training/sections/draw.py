"""What lies on a wafer, drawn: sections, strips of resin, debris."""

import numpy as np
from scipy.ndimage import map_coordinates

from . import noise
from .canvas import Canvas, cover, outside_px
from .layout import CELL_PX, Placed
from .look import Look, brain, texture

#: Pixels around an outline that it changes (fringes and ragged edges).
REACH_PX = 12


def part_texture(quad: np.ndarray, far: int, pattern: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """A pattern laid over a part; `far` is its first far corner."""
    corner = np.roll(quad, -far, 0)
    along, down = corner[1] - corner[0], corner[3] - corner[0]
    inverse = np.linalg.inv(np.stack([along, down], 1))
    u = inverse[0, 0] * (x - corner[0, 0]) + inverse[0, 1] * (y - corner[0, 1])
    v = inverse[1, 0] * (x - corner[0, 0]) + inverse[1, 1] * (y - corner[0, 1])
    return map_coordinates(pattern, [v * (pattern.shape[0] - 1), u * (pattern.shape[1] - 1)], order=1, mode="nearest")


def draw_dummy(canvas: Canvas, section: Placed, look: Look, seed: int) -> None:
    """The strip of resin beside the tissue, of one or two shades."""
    window = canvas.window(section.dummy, 3)
    if window is None:
        return
    place, x, y = window
    rng = np.random.default_rng([seed, section.number, 31])
    tone = look.tissue + rng.normal() * look.spread + rng.uniform(-0.03, 0.12)
    quad = section.dummy
    pattern = texture(rng, look.streaks, look.mottle)
    if rng.random() < 0.5:
        pattern = pattern.copy()
        pattern[: int(rng.uniform(0.2, 0.7) * 64)] += rng.uniform(-0.1, 0.1)
    grey = tone + part_texture(quad, 1, pattern, x, y)
    outside = outside_px(quad, x, y)
    # Behind a rough end, and never drawn over.
    canvas.lay(place, cover(outside), grey, look.glow_floor)


def draw_section(canvas: Canvas, section: Placed, look: Look, seed: int, scale: float) -> None:
    """Tissue, magnet part, the seam between them and the fringe around."""
    window = canvas.window(section.body, REACH_PX)
    if window is None:
        return
    place, x, y = window
    rng = np.random.default_rng([seed, section.number, 32])
    thick = rng.normal()
    light = 0.3 if rng.random() < 0.04 else 0.0
    tones = [look.tissue, look.magnet]
    # A thin section is lighter in both parts.
    tones = [np.clip(tone + light + look.spread * (thick + 0.3 * rng.normal()), 0.08, 0.92) for tone in tones]
    patterns = [texture(rng, look.streaks, look.mottle), texture(rng, 0.4 * look.streaks, 0.7 * look.mottle)]
    if look.brain:
        patterns[0] = patterns[0] + look.brain * rng.uniform(0.5, 1) * brain(rng)
    glow = look.glow * np.exp(look.glow_spread * rng.normal())
    beads = rng.poisson(look.beads)
    spots, bright = rng.uniform(0.02, 0.98, (beads, 2)), rng.exponential(0.25, beads)
    seam_dark = look.seam * rng.uniform(0.3, 1)
    rim = look.rim * rng.uniform(0.3, 1)
    hem = look.seam * rng.uniform(0, 0.5)
    ragged = look.ragged_px * noise.smooth(seed + 40 + section.number, int(y[0, 0]), int(x[0, 0]), y.size, x.size, 2.5)

    tissue, magnet = section.tissue.copy(), section.magnet.copy()
    middle = (tissue[[0, 3]] + magnet[[1, 2]]) / 2
    tissue[[0, 3]] += look.closed * (middle - tissue[[0, 3]])
    magnet[[1, 2]] += look.closed * (middle - magnet[[1, 2]])
    if look.bevel:
        tissue = bevelled(tissue, rng.uniform(0, look.bevel, 2))
    body = np.minimum(outside_px(tissue, x, y), outside_px(magnet, x, y))
    fringe = np.exp(-(((body - 1.5) / 1.2) ** 2)) * (body > 0)
    canvas.grey[place] *= 1 + rim * fringe
    # Annotators left up to 8 pixels between the parts; what lies there is resin, and no bare wafer.
    mean = (tones[0] + tones[1]) / 2 - seam_dark / 2
    canvas.lay(place, cover(outside_px(seam(section), x, y)), mean, look.glow_floor + 0.4 * glow)
    parts = ((tissue, section.tissue, 1, look.glow_floor * 1.1), (magnet, section.magnet, 3, None))
    for number, (outline, quad, far, fixed) in enumerate(parts):
        outside = outside_px(outline, x, y)
        pattern = part_texture(quad, far, patterns[number], x, y)
        grey = tones[number] + pattern - hem * np.exp(-((outside / 1.2) ** 2))
        shine = fixed if fixed is not None else look.glow_floor + glow * (1 + 2 * pattern)
        canvas.lay(place, cover(outside + ragged * (1.0 if number == 0 else 0.3)), grey, shine)
    near_seam = line_px(middle[0], middle[1], x, y)
    canvas.grey[place] *= 1 - seam_dark * np.exp(-((near_seam / 1.1) ** 2)) * (body < 0)
    if look.glow:
        draw_beads(canvas, section, spots, bright * min(1.0, 0.4 + 0.6 * scale))


def bevelled(quad: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """With its far corners (1 and 2) cut off by shares of the short sides."""
    seam_a, far_a, far_b, seam_b = quad
    cuts = []
    for corner, short, long, share in ((far_a, seam_a, far_b, shares[0]), (far_b, seam_b, far_a, shares[1])):
        reach = share * np.linalg.norm(short - corner) + 0.01
        ends = [corner + reach * (to - corner) / np.linalg.norm(to - corner) for to in (short, long)]
        cuts.append(ends)
    return np.stack([seam_a, cuts[0][0], cuts[0][1], cuts[1][1], cuts[1][0], seam_b])


def seam(section: Placed) -> np.ndarray:
    """What lies between the parts, and a quarter of each."""
    tissue, magnet = section.tissue, section.magnet
    return np.stack(
        [
            0.75 * tissue[0] + 0.25 * tissue[1],
            0.75 * tissue[3] + 0.25 * tissue[2],
            0.75 * magnet[2] + 0.25 * magnet[3],
            0.75 * magnet[1] + 0.25 * magnet[0],
        ]
    )


def line_px(start: np.ndarray, end: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Distance from a segment."""
    along = end - start
    t = (((x - start[0]) * along[0] + (y - start[1]) * along[1]) / (along @ along)).clip(0, 1)
    return np.hypot(x - start[0] - t * along[0], y - start[1] - t * along[1])


def draw_beads(canvas: Canvas, section: Placed, spots: np.ndarray, bright: np.ndarray) -> None:
    """Bright beads of the magnet part, in the fluorescence alone, each in one pixel and its neighbours."""
    a, b, c, d = section.magnet[1], section.magnet[2], section.magnet[3], section.magnet[0]
    u, v = spots[:, :1], spots[:, 1:]
    at = (1 - u) * (1 - v) * a + u * (1 - v) * b + u * v * c + (1 - u) * v * d
    x, y = at[:, 0] - canvas.left, at[:, 1] - canvas.top
    column, row = np.floor(x).astype(int), np.floor(y).astype(int)
    height, width = canvas.glow.shape
    for down in (0, 1):
        for right in (0, 1):
            r, c_ = row + down, column + right
            weight = np.abs(1 - down - (y - row)) * np.abs(1 - right - (x - column)) * bright * 3
            inside = (r >= 0) & (r < height) & (c_ >= 0) & (c_ < width)
            np.add.at(canvas.glow, (r[inside], c_[inside]), weight[inside])


def draw_debris(canvas: Canvas, seed: int, density: float, scale: float) -> None:
    """Specks, clumps and hairs, each cell of CELL_PX with its own."""
    reach = 60
    height, width = canvas.grey.shape
    for row in range((canvas.top - reach) // CELL_PX, (canvas.top + height + reach) // CELL_PX + 1):
        for column in range((canvas.left - reach) // CELL_PX, (canvas.left + width + reach) // CELL_PX + 1):
            rng = np.random.default_rng([seed, 51, row & 0xFFFFFFFF, column & 0xFFFFFFFF])
            for _ in range(rng.poisson(density * CELL_PX**2 / 1e6 * 3)):
                start = (np.array([column, row]) + rng.uniform(0, 1, 2)) * CELL_PX
                kind = rng.random()
                count = 1 if kind < 0.7 else int(rng.integers(4, 16)) if kind < 0.9 else int(rng.integers(20, 50))
                if kind < 0.9:
                    points = start + rng.normal(size=(count, 2)) * 6 * scale * (count > 1)
                    radius = rng.uniform(0.4, 2.5, count) * (scale if count > 1 else 1)
                else:
                    turn = np.cumsum(rng.normal(size=count) * 0.3) + rng.uniform(0, 6)
                    points = start + np.cumsum(np.stack([np.cos(turn), np.sin(turn)], 1), 0)
                    radius = np.full(count, rng.uniform(0.3, 0.7))
                dark = rng.uniform(0.3, 0.9)
                for point, size in zip(points, radius, strict=True):
                    dab(canvas, point, size, dark)


def dab(canvas: Canvas, point: np.ndarray, radius: float, dark: float) -> None:
    """A dark round spot."""
    window = canvas.window(point[None], radius + 1)
    if window is not None:
        place, x, y = window
        canvas.grey[place] *= 1 - dark * np.clip(radius + 0.5 - np.hypot(x - point[0], y - point[1]), 0, 1)
