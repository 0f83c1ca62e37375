"""Sections: shares, unknown boundaries, cropped rays, and scores worked by hand."""

import numpy as np
import pytest

pytest.importorskip("sklearn")
from brainmesh_training import section  # noqa: E402
from brainmesh_training.data import Rays  # noqa: E402

NAN = np.nan


def made(boundaries: list[list[float]], length_mm: float = 2.0) -> Rays:
    """Rays over the ribbon alone, whose one channel is the place along the ray."""
    rays = len(boundaries)
    values = np.broadcast_to(np.linspace(0, 1, section.SAMPLES, dtype=np.float32), (rays, 1, section.SAMPLES))
    return Rays(
        values=values.copy(),
        channels=[{"kind": "raw"}],
        defects=np.zeros(rays, int),
        pial_t=np.zeros(rays),
        white_t=np.ones(rays),
        length_mm=np.full(rays, length_mm),
        boundaries_t=np.array(boundaries),
        region=np.ones(rays, int),
    )


WHOLE = [0, 0.1, 0.2, 0.5, 0.6, 0.8, 1]
TORN = [NAN, NAN, NAN, 0.4, 0.5, 0.7, 1]


def test_unknown_boundaries_go_to_the_end_they_lie_beyond():
    filled = section.complete(made([TORN, [0, 0.1, 0.2, 0.5, NAN, NAN, NAN]])).boundaries_t
    np.testing.assert_allclose(filled, [[0, 0, 0, 0.4, 0.5, 0.7, 1], [0, 0.1, 0.2, 0.5, 1, 1, 1]])


def test_errors_leave_out_what_is_not_known():
    found = np.array([[0, 0.1, 0.2, 0.5, 0.6, 0.8, 1]])
    errors = section.errors_um(found, made([TORN]))
    # 0.1 of 2 mm on each of the three boundaries that are known.
    assert errors["mean_um"] == 200
    assert errors["boundaries_um"] == {"III-IV": 200, "IV-V": 200, "V-VI": 200}


def test_distances_from_white_carry_over_to_shorter_rays_and_shares_do_not():
    train = [made([WHOLE], length_mm=2.0)]
    # The outer half torn off: the same cortex, 1 mm long.
    torn = made([[NAN, NAN, NAN, 0, 0.2, 0.6, 1]], length_mm=1.0)
    assert section.errors_um(section.by_distance(train, torn), torn)["mean_um"] == pytest.approx(0, abs=0.1)
    assert section.errors_um(section.by_constants(train, torn), torn)["mean_um"] == pytest.approx(1000 * (0.5 + 0.4 + 0.2) / 3, abs=0.1)


def test_a_cropped_ray_keeps_what_lies_where_in_mm_from_white():
    rays = made([WHOLE] * 50)
    cropped = section.cropped(rays, np.random.default_rng(0))
    mm = lambda r: (1 - r.boundaries_t) * r.length_mm[:, None]  # noqa: E731
    np.testing.assert_allclose(mm(cropped)[:, 3:], mm(rays)[:, 3:])
    # The channel holds the old place: a boundary is met where its old place is read.
    for ray in range(50):
        read = np.interp(cropped.boundaries_t[ray, 4], np.linspace(0, 1, section.SAMPLES), cropped.values[ray, 0])
        assert read == pytest.approx(0.6, abs=0.01)
    assert cropped.length_mm.min() < 1.5 < cropped.length_mm.max() + 0.5
