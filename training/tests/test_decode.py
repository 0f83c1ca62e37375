import numpy as np
import pytest

from brainmesh_training.data import soft_labels
from brainmesh_training.decode import expected_boundaries


def random_boundaries(rays: int) -> np.ndarray:
    return np.sort(np.random.default_rng(1).uniform(0.05, 0.95, (rays, 7)), axis=1)


@pytest.mark.parametrize("classes", [7, 8])
def test_sharp_probabilities_give_back_their_boundaries(classes: int) -> None:
    truth = random_boundaries(40)
    found = expected_boundaries(soft_labels(truth, 200, classes))
    # Shares of a boundary sample are read as evidence, not as lengths: half a sample at most is lost.
    assert np.abs(found - truth).max() < 0.51 / 199


def test_a_stray_sample_does_not_move_a_boundary() -> None:
    truth = random_boundaries(20)
    probabilities = 0.9 * soft_labels(truth, 200, 8) + 0.1 / 8
    clean = expected_boundaries(probabilities)
    strayed = probabilities.copy()
    strayed[:, :, 190] = np.eye(8)[3] * 0.5 + 0.5 / 8
    assert np.abs(expected_boundaries(strayed) - clean).max() < 0.01


def test_boundaries_are_ordered_whatever_the_evidence() -> None:
    noise = np.random.default_rng(2).dirichlet(np.ones(8), (30, 50)).transpose(0, 2, 1)
    found = expected_boundaries(noise)
    assert (np.diff(found, axis=1) >= 0).all() and (found >= 0).all() and (found <= 1).all()


def test_an_absent_layer_has_no_thickness() -> None:
    truth = random_boundaries(10)
    truth[:, 4] = truth[:, 3]
    found = expected_boundaries(soft_labels(truth, 200, 8))
    assert (found[:, 4] - found[:, 3]).max() < 0.2 / 199


def test_other_classes_are_refused() -> None:
    with pytest.raises(ValueError, match="7 or 8 classes"):
        expected_boundaries(np.ones((1, 6, 10)))
