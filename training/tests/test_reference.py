import numpy as np
import pytest

from brainmesh_training.data import soft_labels
from brainmesh_training.reference import boundaries_of, load_reference

RAY = [0, 0, 1, 1, 2, 3, 3, 3, 5, 6, 6, 0]


def write(folder, raw, geo, classes, regions):
    for name, values in (("raw", raw), ("geo", geo), ("cls", classes), ("regions", regions)):
        np.savetxt(folder / f"training_{name}.txt", values, fmt="%g")


def test_boundaries_lie_between_the_classes():
    found = boundaries_of(np.array([RAY]))[0] * 11
    # After samples 1, 3, 4, 7, 7 (IV is absent), 8 and 10.
    np.testing.assert_allclose(found, [1.5, 3.5, 4.5, 7.5, 7.5, 8.5, 10.5])
    white = [7 if c == 0 and i > 2 else c for i, c in enumerate(RAY)]
    np.testing.assert_allclose(boundaries_of(np.array([white]))[0] * 11, found)
    np.testing.assert_array_equal(soft_labels(found[None] / 11, 12, 7).argmax(1)[0], RAY)


def test_rays_that_step_back_have_no_boundaries():
    assert np.isnan(boundaries_of(np.array([[0, 1, 2, 1, 3, 0], [0, 0, 0, 0, 0, 0]]))).all()


def test_the_folder_is_read(tmp_path):
    values = np.random.default_rng(5).normal(size=(3, 12)).round(3)
    write(tmp_path, values, 2 * values, [RAY] * 3, [0, 7, 7])
    rays = load_reference(tmp_path)
    np.testing.assert_allclose(rays.values[:, 1], values, atol=1e-6)
    np.testing.assert_allclose(rays.values[:, 0], 2 * values, atol=1e-6)
    np.testing.assert_array_equal(rays.region, [1, 2, 2])
    write(tmp_path, values, values[:, :5], [RAY] * 3, [0, 7, 7])
    with pytest.raises(ValueError, match="training_geo"):
        load_reference(tmp_path)
