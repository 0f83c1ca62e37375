"""Made pictures of wafers: any region of one, the same whatever region it is asked in."""

import functools
from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter

from . import noise
from .canvas import Canvas, bounds, field_shading
from .draw import REACH_PX, draw_debris, draw_dummy, draw_section
from .layout import CELL_PX, Habits, Placed, deal
from .look import Look
from .quads import Shape

#: Pixels around a region that its own depend on (blur).
HALO_PX = 12


@dataclass(frozen=True)
class Wafer:
    """A wafer with all its sections; pictures of it are made where they are asked for."""

    seed: int
    size: tuple[int, int]
    """Height and width, pixels."""
    scale: float
    """1 is a third of the source pictures' resolution."""
    sections: list[Placed]
    look: Look

    @classmethod
    def make(cls, shapes: list[Shape], size: tuple[int, int], scale: float, seed: int) -> "Wafer":
        """Deals sections and draws a look; everything follows from `seed`."""
        rng = np.random.default_rng([seed, 7])
        habits, look = Habits.draw(rng), Look.draw(rng).scaled(scale)
        return cls(seed, size, scale, deal(rng, shapes, size, scale, habits), look)

    @functools.cached_property
    def cells(self) -> dict[tuple[int, int], list[int]]:
        """Sections that touch each cell of CELL_PX pixels."""
        cells: dict[tuple[int, int], list[int]] = {}
        for section in self.sections:
            low, high = bounds(np.concatenate(section.outlines), REACH_PX)
            for y in range(low[1] // CELL_PX, high[1] // CELL_PX + 1):
                for x in range(low[0] // CELL_PX, high[0] // CELL_PX + 1):
                    cells.setdefault((y, x), []).append(section.number)
        return cells

    def near(self, top: int, left: int, height: int, width: int) -> list[Placed]:
        """Sections that may show in a region, in the order they lie on each other."""
        rows = range(top // CELL_PX, (top + height - 1) // CELL_PX + 1)
        columns = range(left // CELL_PX, (left + width - 1) // CELL_PX + 1)
        return [self.sections[n] for n in sorted({n for y in rows for x in columns for n in self.cells.get((y, x), ())})]

    def picture(self, top: int, left: int, height: int, width: int) -> np.ndarray:
        """uint8 `[2, height, width]`: intensity and fluorescence."""
        look = self.look
        place = (top - HALO_PX, left - HALO_PX, height + 2 * HALO_PX, width + 2 * HALO_PX)
        canvas = Canvas.blank(place, look, self.seed)
        draw_debris(canvas, self.seed, look.debris, self.scale)
        near = self.near(*place)
        for section in near:
            if section.dummy is not None:
                draw_dummy(canvas, section, look, self.seed)
        for section in near:
            draw_section(canvas, section, look, self.seed, self.scale)
        inner = (slice(HALO_PX, -HALO_PX),) * 2
        grey = gaussian_filter(canvas.grey * field_shading(place, look, self.seed), look.blur_px)[inner]
        glow = gaussian_filter(canvas.glow, look.blur_px * 1.3)[inner]
        if look.inverted:
            grey = 1.05 - grey
        grey = grey + look.noise * noise.white(self.seed + 11, top, left, height, width)
        glow = glow + 0.6 * look.noise * noise.white(self.seed + 12, top, left, height, width)
        if not look.glow:
            glow = np.zeros_like(glow)
        return (np.stack([grey, glow]) * 255 + 0.5).clip(0, 255).astype(np.uint8)
