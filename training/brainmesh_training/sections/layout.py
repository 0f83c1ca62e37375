"""Sections dealt over a wafer: rows and clusters as the water left them, no two on top of each other."""

from dataclasses import dataclass, field

import numpy as np

from .quads import Shape


@dataclass(frozen=True)
class Placed:
    """One section on the wafer."""

    number: int
    tissue: np.ndarray
    """`[4, 2]` corners, image pixels; order as in `quads`."""
    magnet: np.ndarray
    """Likewise."""
    dummy: np.ndarray | None
    """`[4, 2]` corners of the strip of empty resin; no part of the truth."""

    @property
    def body(self) -> np.ndarray:
        """Both parts and the seam between them."""
        return np.stack([self.tissue[1], self.tissue[2], self.magnet[3], self.magnet[0]])

    @property
    def outlines(self) -> list[np.ndarray]:
        """All that lies on the wafer."""
        return [self.body] if self.dummy is None else [self.body, self.dummy]


@dataclass(frozen=True)
class Habits:
    """How a wafer's sections lie; drawn once a wafer."""

    crowding: float
    """Share of sections that lie against another."""
    gap_px: float
    """Largest gap between those."""
    turn_degrees: float
    """SD of the angle between those."""
    shape: str
    """What is covered: `all`, `ring` or `patches`."""
    dummies: float
    """Share of sections with a strip."""
    dummy_gap_px: float
    """Largest gap between tissue and strip; near 0 most are attached."""
    dummy_height: float
    """Of the strip, as a share of the tissue's."""
    patience: int
    """Places tried in a row without success before the wafer is full: how densely it is covered."""

    @classmethod
    def draw(cls, rng: np.random.Generator) -> "Habits":
        """Of a random wafer."""
        return cls(
            crowding=rng.uniform(0.3, 0.95),
            gap_px=rng.choice([2.0, 6.0, 20.0]),
            turn_degrees=rng.choice([2.0, 6.0, 15.0]),
            shape=str(rng.choice(["all", "all", "ring", "patches"])),
            dummies=rng.choice([0.0, 0.3, 0.9, 1.0]),
            dummy_gap_px=rng.choice([0.0, 3.0, 12.0]),
            dummy_height=rng.uniform(0.15, 0.4),
            patience=int(rng.choice([15, 60, 250, 400])),
        )


#: Pixels that outlines may reach into each other.
SLACK_PX = 1.5
CELL_PX = 256


def penetration(first: np.ndarray, others: np.ndarray) -> np.ndarray:
    """How deep convex `[n, 4, 2]` reach into a convex `[4, 2]`: negative where a side parts them (separating axes)."""
    found = np.full(len(others), np.inf)
    for sides in (np.broadcast_to(first, others.shape), others):
        along = np.roll(sides, -1, 1) - sides
        normal = np.stack([along[..., 1], -along[..., 0]], -1)
        normal = normal / np.linalg.norm(normal, axis=-1, keepdims=True)
        mine = np.einsum("nsk,ck->nsc", normal, first)
        theirs = np.einsum("nsk,nck->nsc", normal, others)
        depth = np.minimum(mine.max(-1) - theirs.min(-1), theirs.max(-1) - mine.min(-1))
        found = np.minimum(found, depth.min(-1))
    return found


@dataclass
class _Table:
    """Outlines found by place."""

    cells: dict[tuple[int, int], list[np.ndarray]] = field(default_factory=dict)

    @staticmethod
    def keys(outline: np.ndarray) -> list[tuple[int, int]]:
        low, high = (np.floor(edge / CELL_PX).astype(int) for edge in (outline.min(0), outline.max(0)))
        return [(y, x) for y in range(low[1], high[1] + 1) for x in range(low[0], high[0] + 1)]

    def add(self, outline: np.ndarray) -> None:
        for key in self.keys(outline):
            self.cells.setdefault(key, []).append(outline)

    def is_free(self, outline: np.ndarray) -> bool:
        near = [other for key in self.keys(outline) for other in self.cells.get(key, ())]
        return not near or bool((penetration(outline, np.stack(near)) < SLACK_PX).all())


def deal(
    rng: np.random.Generator, shapes: list[Shape], size: tuple[int, int], scale: float, habits: Habits, most: int = 100_000
) -> list[Placed]:
    """Sections over an image of `size` (height, width), `scale` times as large as in the down-sized pictures.

    Ends when `most` lie or no place is found any more; bodies lie within the image.
    """
    wanted = cover(habits.shape, size, scale, rng)
    placed: list[Placed] = []
    table, misses = _Table(), 0
    while len(placed) < most and misses < habits.patience:
        shape = shapes[rng.integers(len(shapes))]
        if placed and rng.random() < habits.crowding:
            # Mostly beside one of the last: clusters grow as sections were cut.
            back = min(len(placed), 1 + int(rng.exponential(8 if rng.random() < 0.5 else len(placed))))
            angle, centre = beside(placed[-back], shape, scale, habits, rng)
        else:
            angle, centre = rng.uniform(0, 2 * np.pi), rng.uniform(0, 1, 2) * size[::-1]
        section = put(len(placed), shape, scale, angle, centre, habits, rng)
        low, high = section.body.min(0), section.body.max(0)
        inside = (low >= 0).all() and (high < np.array(size[::-1]) - 1).all()
        if not (inside and wanted(section.body.mean(0))) or not all(map(table.is_free, section.outlines)):
            misses += 1
            continue
        misses = 0
        placed.append(section)
        for outline in section.outlines:
            table.add(outline)
    return placed


def cover(shape: str, size: tuple[int, int], scale: float, rng: np.random.Generator):
    """Whether a section may lie at a place."""
    middle, half = np.array(size[::-1]) / 2, min(size) / 2
    if shape == "ring":
        inner = rng.uniform(0.3, 0.6) * half
        return lambda at: inner < np.linalg.norm(at - middle) < 0.98 * half
    if shape == "patches":
        spots = rng.uniform(0, 1, (max(2, int(np.prod(size) / (700 * scale) ** 2)), 2)) * size[::-1]
        return lambda at: np.linalg.norm(spots - at, axis=1).min() < 350 * scale
    return lambda at: True


def put(
    number: int, shape: Shape, scale: float, angle: float, centre: np.ndarray, habits: Habits, rng: np.random.Generator
) -> Placed:
    """A section with its corners a little elsewhere than in the shape it comes from."""
    c, s = np.cos(angle), np.sin(angle)
    turn = np.array([[c, s], [-s, c]]) * scale
    jitter = rng.normal(size=(2, 4, 2)).clip(-2, 2)
    tissue = (shape.tissue + jitter[0] * 1.0) @ turn + centre
    magnet = (shape.magnet + jitter[1] * 0.7) @ turn + centre
    return Placed(number, tissue, magnet, strip(shape, turn, centre, habits, rng) if rng.random() < habits.dummies else None)


def strip(shape: Shape, turn: np.ndarray, centre: np.ndarray, habits: Habits, rng: np.random.Generator) -> np.ndarray:
    """The dummy: a strip along the tissue's far side, attached or a little way off and askew."""
    far = shape.tissue[1:3]
    length = far[1, 0] - far[0, 0]
    height = np.ptp(shape.tissue[:, 1]) * habits.dummy_height * rng.uniform(0.8, 1.2)
    left = far[0, 0] + length * rng.uniform(-0.05, 0.15)
    right = far[1, 0] + length * rng.uniform(-0.15, 0.05)
    skew = rng.normal() * 3
    corners = np.array([[left, 0], [left + skew, -height], [right + skew, -height], [right, 0]])
    gap = rng.uniform(0, habits.dummy_gap_px)
    askew = np.deg2rad(rng.normal() * min(gap, 6))
    lean = np.arctan2(*(far[1] - far[0])[::-1]) + askew
    c, s = np.cos(lean), np.sin(lean)
    middle = np.array([(left + right) / 2, 0])
    corners = (corners - middle) @ np.array([[c, s], [-s, c]])
    base = far.mean(0) + [middle[0] - far[:, 0].mean(), 0]
    drop = gap + abs(np.sin(askew)) * length / 2
    return (corners + base - [0, drop]) @ turn + centre


def beside(
    other: Placed, shape: Shape, scale: float, habits: Habits, rng: np.random.Generator
) -> tuple[float, np.ndarray]:
    """Angle and centre of a section that lies against another."""
    along = (other.tissue[3] - other.tissue[0]) + (other.tissue[2] - other.tissue[1])
    angle = np.arctan2(along[1], along[0]) + np.deg2rad(rng.normal() * habits.turn_degrees)
    if rng.random() < 0.08:
        angle += rng.choice([np.pi / 2, np.pi, -np.pi / 2])
    middle = other.body.mean(0)
    # Beyond the strip where there is one: it belongs to the pile.
    pile = np.concatenate(other.outlines)
    toward = np.arctan2(along[1], along[0]) + rng.integers(4) * np.pi / 2
    out = np.array([np.cos(toward), np.sin(toward)])
    c, s = np.cos(angle), np.sin(angle)
    mine = np.concatenate([shape.tissue, shape.magnet]) @ (np.array([[c, s], [-s, c]]) * scale)
    reach = ((pile - middle) @ out).max() - (mine @ out).min() + rng.uniform(-1, habits.gap_px)
    sideways = np.array([-out[1], out[0]]) * rng.normal() * 0.15 * np.ptp(mine @ [-out[1], out[0]])
    return angle, middle + out * reach + sideways
