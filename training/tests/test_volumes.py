import numpy as np
import pytest

from brainmesh_training.data import Rays, join
from brainmesh_training.networks import Network
from brainmesh_training.normalise import normalise


def made(gain: float) -> Rays:
    values = np.random.default_rng(4).normal(size=(30, 1, 20)).astype(np.float32)
    return Rays(
        values=gain * values,
        channels=[{"kind": "raw"}],
        defects=np.zeros(30, int),
        pial_t=np.zeros(30),
        white_t=np.ones(30),
        length_mm=np.ones(30),
    )


def test_every_volume_is_normalised_on_its_own():
    joined = join([made(1), made(7)])
    values = normalise(joined, [{"kind": "raw", "normalisation": "dataset"}])
    np.testing.assert_allclose(values[:30], values[30:], atol=1e-5)
    np.testing.assert_array_equal(np.unique(joined.volume), [1, 2])


def test_volumes_with_different_channels_are_not_joined():
    other = made(1)
    object.__setattr__(other, "channels", [{"kind": "depth"}])
    with pytest.raises(ValueError, match="same in every file"):
        join([made(1), other])


def test_dilated_taps_keep_the_length_and_are_checked():
    import torch

    model = Network(blocks=3, kernel=9, maps=4, dilations=(1, 4, 8)).build(2, 8)
    assert model(torch.zeros(1, 2, 1, 50)).shape == (1, 8, 1, 50)
    with pytest.raises(ValueError, match="dilations: expected 3"):
        Network(blocks=3, kernel=9, maps=4, dilations=(1, 2))
