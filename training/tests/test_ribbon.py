"""The ribbon model on made hemispheres: labels, cross-validation and the model folder."""

import json

import numpy as np
import pytest
import yaml

from brainmesh_training import ribbon, ship_ribbon
from brainmesh_training.data import Rays, load, save
from brainmesh_training.experiment import Experiment, Training
from brainmesh_training.export import run_onnx
from brainmesh_training.networks import Network

SAMPLES = 20
CHANNELS = [
    {"kind": "raw", "normalisation": "dataset"},
    {"kind": "area_ratio", "fwhm_mm": 8.0, "normalisation": "fixed"},
]


def hemisphere(count: int = 500) -> tuple[Rays, np.ndarray, np.ndarray]:
    """Rays, layer thickness in mm and regions; the intensity tells how thick layers I to III are."""
    rng = np.random.default_rng(5)
    thickness = rng.uniform(0.2, 0.6, (count, 6))
    thickness[:10] = 0
    total = np.where(thickness.sum(1) > 0, thickness.sum(1), 1)
    middle = thickness[:, :3].sum(1) / total
    t = np.linspace(0, 1, SAMPLES)
    intensity = 100 + 10 * (t > middle[:, None]) + rng.normal(0, 0.5, (count, SAMPLES))
    ratio = np.broadcast_to(rng.normal(size=(count, 1)), intensity.shape)
    rays = Rays(
        values=np.stack([intensity, ratio], 1).astype(np.float32),
        channels=[{"kind": "raw"}, {"kind": "area_ratio", "fwhm_mm": 8.0}],
        defects=np.zeros(count, np.int32),
        pial_t=np.zeros(count),
        white_t=np.ones(count),
        length_mm=np.ones(count),
    )
    return rays, thickness, np.arange(count) // 25


def experiment(**training) -> Experiment:
    return Experiment(
        name="toy-ribbon",
        span="pial-white",
        samples=SAMPLES,
        classes=7,
        channels=CHANNELS,
        network=Network(blocks=3, kernel=9, maps=16),
        training=Training(
            **{"epochs": 12, "batch": 64, "learning_rate": 1e-2, "schedule": "one_cycle", "boundary": 10.0} | training
        ),
    )


def test_labels_are_cumulative_thickness():
    rays, thickness, region = hemisphere()
    labelled = ribbon.label(rays, thickness, region)
    # Rows of zeros are the medial wall; region 0 (here the first 25 vertices) is none.
    np.testing.assert_array_equal(np.flatnonzero(~labelled.usable()), np.arange(25))
    known = labelled.usable()
    np.testing.assert_allclose(np.diff(labelled.boundaries_t[known]) * labelled.length_mm[known, None], thickness[known])
    np.testing.assert_array_equal(labelled.boundaries_t[known][:, [0, 6]], np.tile([0.0, 1.0], (known.sum(), 1)))
    with pytest.raises(ValueError, match="thickness"):
        ribbon.label(rays, thickness[:, :5], region)
    with pytest.raises(ValueError, match="region"):
        ribbon.label(rays, thickness, region[:-1])


def test_a_perfect_prediction_has_no_error():
    labelled = ribbon.label(*hemisphere())
    known = labelled.select(labelled.usable())
    scores = ribbon.report(known, known.boundaries_t)
    assert scores["mean"] == [0] * 5
    np.testing.assert_allclose(scores["region_correlation"], 1)
    # One hundredth of the ribbon too deep is 10 um for each mm of it.
    shifted = ribbon.report(known, known.boundaries_t + 0.01)
    np.testing.assert_allclose(shifted["bias"], 10 * known.length_mm.mean())


def test_cross_validation_finds_the_boundary_that_can_be_seen(tmp_path):
    labelled = ribbon.label(*hemisphere())
    save(labelled, tmp_path / "rays.npz")
    scores = ribbon.cross_validate(experiment(), load(tmp_path / "rays.npz"), 2, tmp_path / "run")
    assert scores["rays"] == 475 and scores["regions"] == 19
    # III-IV is drawn into the intensity to within a sample (about 125 um at 2.4 mm).
    assert scores["network"]["mean"][2] < 60 < scores["constant"]["mean"][2]
    assert scores["network"]["region_correlation"][2] > 0.9
    assert "| mean error, um |" in ribbon.summary(scores)
    found = np.load(tmp_path / "run" / "boundaries.npy")
    np.testing.assert_array_equal(np.isfinite(found).all(1), labelled.usable())


def test_the_shipped_folder_is_whole(tmp_path):
    labelled = ribbon.label(*hemisphere())
    save(labelled, tmp_path / "rays.npz")
    toy = experiment(epochs=1)
    (tmp_path / "config.json").write_text(json.dumps(toy.to_dict()))
    ribbon.cross_validate(toy, labelled, 2, tmp_path / "run")
    scores = tmp_path / "run" / "scores.json"
    options = {"config": tmp_path / "config.json", "rays": tmp_path / "rays.npz", "scores": scores, "single_vertex": scores}
    ship_ribbon.run(ship_ribbon.argparse.Namespace(**options, checkpoint=None, out=tmp_path / "model"))
    manifest = yaml.safe_load((tmp_path / "model" / "rdf.yaml").read_text())
    assert manifest["license"] == "CC-BY-NC-SA-4.0"
    assert manifest["config"]["brainmesh"]["span"] == "pial-white"
    assert manifest["config"]["brainmesh"]["channels"][1]["normalisation"]["fixed"]["sd"] > 0
    assert manifest["outputs"][0]["axes"][1]["channel_names"] == ["outside", "I", "II", "III", "IV", "V", "VI"]
    assert sum(manifest["config"]["brainmesh"]["layer_fractions"]["mean"]) == pytest.approx(1, abs=1e-4)
    rays, expected = (np.load(tmp_path / "model" / f"test_{name}.npy") for name in ("input", "output"))
    np.testing.assert_array_equal(run_onnx(tmp_path / "model" / "model.onnx", rays), expected)
    card = (tmp_path / "model" / "README.md").read_text()
    assert "--channels raw,area-ratio:8 --samples 20" in card and "{" not in card

    options["config"].write_text(json.dumps(experiment(epochs=2).to_dict()))
    with pytest.raises(ValueError, match="another"):
        ship_ribbon.run(ship_ribbon.argparse.Namespace(**options, checkpoint=None, out=tmp_path / "other"))
