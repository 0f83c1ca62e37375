"""The extended model's path from phantom folders to scores, on made rays."""

import argparse
import dataclasses
import hashlib
import json

import numpy as np
import pytest
import yaml

from brainmesh_training import extended, phantoms, ship
from brainmesh_training.data import Rays, save, soft_labels
from brainmesh_training.experiment import Experiment, Training
from brainmesh_training.networks import Network


def made_rays(seed: int, count: int = 60, samples: int = 40) -> Rays:
    """Rays with a given ribbon at 0.2..0.8, true boundaries around it and intensities that tell the class."""
    random = np.random.default_rng(seed)
    boundaries = 0.2 + 0.6 * np.linspace(0, 1, 7) + random.uniform(-0.03, 0.03, (count, 7))
    intensity = np.einsum("ncs,c->ns", soft_labels(boundaries, samples, 8), [0, 3, 7, 4, 9, 2, 6, 1])
    return Rays(
        values=intensity[:, None].astype(np.float32),
        channels=[{"kind": "raw"}],
        defects=np.zeros(count, np.int32),
        pial_t=np.full(count, 0.2),
        white_t=np.full(count, 0.8),
        length_mm=np.full(count, 4.0),
        boundaries_t=boundaries,
        region=np.ones(count, np.int32),
        spacing_mm=np.full(count, 0.02 if seed % 2 else 0.1),
    )


@pytest.fixture
def folder(tmp_path):
    for number in range(6):
        (tmp_path / f"phantom-{number:04d}").mkdir()
        save(made_rays(number), tmp_path / f"phantom-{number:04d}" / "rays.npz")
    return tmp_path


def toy() -> Experiment:
    return Experiment(
        name="toy",
        span="extended",
        samples=40,
        classes=8,
        channels=[{"kind": "raw", "normalisation": "per_ray"}],
        network=Network(blocks=2, kernel=5, maps=16, dilations=(1, 2)),
        training=Training(epochs=6, batch=20, learning_rate=1e-2, schedule="one_cycle", patience=0),
    )


def test_phantoms_are_thinned_and_are_the_regions(folder):
    rays = extended.load_phantoms(folder, 25)
    assert len(rays) == 6 * 25
    np.testing.assert_array_equal(np.unique(rays.region), np.arange(1, 7))
    again = extended.load_phantoms(folder, 25)
    np.testing.assert_array_equal(rays.values, again.values)
    with pytest.raises(ValueError, match="phantom"):
        extended.load_phantoms(folder / "phantom-0000", 25)


def test_scores_of_a_perfect_and_of_a_shifted_prediction():
    rays = made_rays(1)
    labels = soft_labels(rays.boundaries_t, rays.samples, 8)
    perfect = extended.report(rays, labels, rays.boundaries_t)
    assert perfect["accuracy"] == 1 and perfect["jaccard_7_classes"] == [1] * 7
    sample_um = 4000 / (rays.samples - 1)
    shifted = extended.report(rays, np.roll(labels, 1, axis=2), rays.boundaries_t)
    errors = shifted["boundary_errors_um"]["20 um"]
    np.testing.assert_allclose(errors["network"]["bias"], sample_um, atol=0.3 * sample_um)
    np.testing.assert_allclose(errors["constant"]["mean"], 0, atol=1e-9)


def test_cross_validation_beats_the_constant_guess(folder):
    rays = extended.load_phantoms(folder, 60)
    scores = extended.cross_validate(toy(), rays, 3, folder / "run")
    assert (folder / "run" / "scores.json").exists()
    assert scores["accuracy"] > 0.9
    for errors in scores["boundary_errors_um"].values():
        assert np.mean(errors["network"]["mean"]) < np.mean(errors["constant"]["mean"])
    assert set(scores["boundary_errors_um"]) == {"20 um", "100 um"}
    assert "| 20 um | mean |" in extended.summary(scores)


def test_the_constant_guess_follows_the_given_ribbon():
    rays = made_rays(3)
    moved = dataclasses.replace(rays, pial_t=rays.pial_t + 0.1, white_t=rays.white_t + 0.1)
    difference = extended.constant_guess(rays, moved) - extended.constant_guess(rays, rays)
    np.testing.assert_allclose(difference, 0.1, atol=1e-12)


def test_any_prefix_of_the_phantoms_is_balanced():
    made = [phantoms.arguments(index, 1609, []) for index in range(72)]

    def values(option: str) -> dict:
        found = [command[command.index(option) + 1] for command in made]
        return {value: found.count(value) for value in found}

    assert values("--spacing-mm") == {"0.02": 27, "0.04": 18, "0.1": 18, "0.2": 9}
    assert values("--surface-error-mm") == {"0.0": 27, "0.05": 27, "0.1": 18}
    assert set(values("--layer-model").values()) == {24}
    assert len(values("--seed")) == 72
    assert made == [phantoms.arguments(index, 1609, []) for index in range(72)]


def test_the_model_folder_that_ships_says_how_it_was_scored(folder, tmp_path):
    config = tmp_path / "toy.json"
    config.write_text(json.dumps(toy().to_dict()))
    common = {"config": config, "phantoms": folder, "reference": None, "rays_per_phantom": 40}
    extended.run(argparse.Namespace(**common, folds=2, teachers=None, out=tmp_path / "run"))
    scores = tmp_path / "run" / "scores.json"
    ship.run(argparse.Namespace(**common, scores=scores, checkpoint=None, teacher=None, out=tmp_path / "toy"))
    manifest = yaml.safe_load((tmp_path / "toy" / "rdf.yaml").read_text())
    for file in (manifest["weights"]["onnx"], manifest["inputs"][0]["test_tensor"], manifest["outputs"][0]["test_tensor"]):
        assert hashlib.sha256((tmp_path / "toy" / file["source"]).read_bytes()).hexdigest() == file["sha256"]
    card = (tmp_path / "toy" / "README.md").read_text()
    accuracy = json.loads(scores.read_text())["scores"]["accuracy"]
    assert f"accuracy {accuracy:.4f}" in card and "cross-validate-extended" in card
    other = dataclasses.replace(toy(), network=Network(blocks=1, kernel=5, maps=16))
    config.write_text(json.dumps(other.to_dict()))
    with pytest.raises(ValueError, match="another experiment"):
        ship.run(argparse.Namespace(**common, scores=scores, checkpoint=None, teacher=None, out=tmp_path / "toy"))


def test_a_small_network_learns_from_a_large_one(folder, tmp_path):
    """With labels that are all wrong, what is learnt can only come from the teacher."""
    rays = extended.load_phantoms(folder, 60)
    everything = np.arange(len(rays))
    extended.train_on(toy(), rays, everything, tmp_path / "teacher.pt")
    taught = extended.taught_by(tmp_path / "teacher.pt", rays).float().numpy()
    truth = soft_labels(rays.boundaries_t, rays.samples, 8)
    assert (taught.argmax(1) == truth.argmax(1)).mean() > 0.8

    one_class = dataclasses.replace(rays, boundaries_t=np.ones_like(rays.boundaries_t))
    student = dataclasses.replace(toy(), network=Network(blocks=2, kernel=5, maps=8, dilations=(1, 2)))
    model = extended.train_on(student, one_class, everything, None, tmp_path / "teacher.pt")
    found = extended.predict(model, extended.tensor(rays, student)).numpy()
    # Half of every label says "outside": the other half is the teacher's.
    assert (found[:, 1:].argmax(1) == truth[:, 1:].argmax(1))[:, 10:30].mean() > 0.6
