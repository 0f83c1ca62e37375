"""What the network is to say: per block of pixels a heat map of the centres of parts, corners, and the way to the partner.

Channels: 0 and 1 logits of the heat of tissue and magnet parts; 2..9 from the block's centre to the four corners of the part
it lies in (x, y of corner 0, 1, 2, 3); 10 and 11 to the centre of the partner (x, y); lengths in UNIT_PX. 12 and 13, in
training alone, logits of lying in a tissue or magnet part.
"""

from dataclasses import dataclass

import numpy as np

STRIDE = 4
UNIT_PX = 32.0
EXPORTED, OUTPUTS = 12, 14
#: SD of the heat around a centre, as a share of half the part's length and width.
HEAT_SHARE = 0.25
#: Blocks within this share of the way from the centre to the sides vote for corners.
VOTE_SHARE = 0.6
#: Parts of which less is in the crop are neither demanded nor wrong.
LEAST_SEEN = 0.6


@dataclass(frozen=True)
class Parts:
    """The truth of a picture: section n has `tissue[n]` and `magnet[n]`, `[n, 4, 2]` pixels."""

    tissue: np.ndarray
    magnet: np.ndarray

    def moved(self, by: np.ndarray) -> "Parts":
        """Shifted by x, y."""
        return Parts(self.tissue + by, self.magnet + by)

    def mirrored(self, width: int) -> "Parts":
        """Left and right swapped in a picture of that width; corners are clockwise again, seams where they were."""

        def swap(quads: np.ndarray) -> np.ndarray:
            return (quads * [-1, 1] + [width - 1, 0])[:, ::-1]

        return Parts(swap(self.tissue), swap(self.magnet))

    def turned(self, height: int, width: int) -> "Parts":
        """A quarter turn as `np.rot90`: against the clock on the screen; `height` and `width` before it."""

        def turn(quads: np.ndarray) -> np.ndarray:
            return np.stack([quads[..., 1], width - 1 - quads[..., 0]], -1)

        return Parts(turn(self.tissue), turn(self.magnet))


def block_centres(start: int, stop: int) -> np.ndarray:
    """Pixel positions of the middles of blocks."""
    return np.arange(start, stop) * STRIDE + (STRIDE - 1) / 2


def within(quad: np.ndarray, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where positions lie in a part: -1..1 along (from corner 0 to 3) and across (from 0 to 1), by its mean sides."""
    along = (quad[3] - quad[0] + quad[2] - quad[1]) / 4
    across = (quad[1] - quad[0] + quad[2] - quad[3]) / 4
    inverse = np.linalg.inv(np.stack([along, across], 1))
    dx, dy = x - quad[:, 0].mean(), y - quad[:, 1].mean()
    return inverse[0, 0] * dx + inverse[0, 1] * dy, inverse[1, 0] * dx + inverse[1, 1] * dy


def seen(quad: np.ndarray, height: int, width: int) -> float:
    """About the share of a part that lies in a picture."""
    t = (np.arange(8) + 0.5) / 8
    u, v = np.meshgrid(t, t)
    u, v = u[..., None], v[..., None]
    at = (1 - u) * (1 - v) * quad[0] + (1 - u) * v * quad[1] + u * v * quad[2] + u * (1 - v) * quad[3]
    return float(((at > -0.5) & (at < np.array([width, height]) - 0.5)).all(-1).mean())


def targets(parts: Parts, height: int, width: int) -> dict[str, np.ndarray]:
    """For a picture of whole blocks: `heat`, `inside`, `ask` `[2, h, w]`, `corners` `[8, h, w]`, `partner` `[2, h, w]`, `vote` `[h, w]`."""
    rows, columns = height // STRIDE, width // STRIDE
    heat, inside = np.zeros((2, 2, rows, columns), np.float32)
    ask = np.ones((2, rows, columns), np.float32)
    corners, partner = np.zeros((8, rows, columns), np.float32), np.zeros((2, rows, columns), np.float32)
    vote = np.zeros((rows, columns), np.float32)
    for kind, (quads, others) in enumerate(((parts.tissue, parts.magnet), (parts.magnet, parts.tissue))):
        for quad, other in zip(quads, others, strict=True):
            low = np.floor(quad.min(0) / STRIDE).astype(int).clip(0) - 1
            high = np.ceil(quad.max(0) / STRIDE).astype(int) + 2
            place = (slice(max(low[1], 0), min(high[1], rows)), slice(max(low[0], 0), min(high[0], columns)))
            if place[0].start >= place[0].stop or place[1].start >= place[1].stop:
                continue
            x, y = block_centres(place[1].start, place[1].stop)[None], block_centres(place[0].start, place[0].stop)[:, None]
            u, v = within(quad, x, y)
            is_in = (np.abs(u) < 1) & (np.abs(v) < 1)
            inside[kind][place][is_in] = 1
            if seen(quad, height, width) < LEAST_SEEN:
                ask[kind][place][is_in] = 0
                continue
            warm = np.exp(-(u**2 + v**2) / (2 * HEAT_SHARE**2))
            heat[kind][place] = np.maximum(heat[kind][place], warm)
            core = (np.abs(u) < VOTE_SHARE) & (np.abs(v) < VOTE_SHARE)
            for number, corner in enumerate(quad):
                corners[2 * number][place][core] = np.broadcast_to((corner[0] - x) / UNIT_PX, core.shape)[core]
                corners[2 * number + 1][place][core] = np.broadcast_to((corner[1] - y) / UNIT_PX, core.shape)[core]
            middle = other.mean(0)
            partner[0][place][core] = np.broadcast_to((middle[0] - x) / UNIT_PX, core.shape)[core]
            partner[1][place][core] = np.broadcast_to((middle[1] - y) / UNIT_PX, core.shape)[core]
            vote[place][core] = 0.2 + warm[core]
    return {"heat": heat, "inside": inside, "ask": ask, "corners": corners, "partner": partner, "vote": vote}
