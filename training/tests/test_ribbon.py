"""The ribbon model on made hemispheres: labels, cross-validation and the model folder."""

import json

import numpy as np
import pytest
import torch
import yaml

from brainmesh_training import ribbon, ship_ribbon
from brainmesh_training.data import Rays, load, save
from brainmesh_training.experiment import Experiment, Training
from brainmesh_training.export import run_onnx
from brainmesh_training.networks import Dense
from brainmesh_training.train import Labelled

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
        network=Dense((32, 16)),
        training=Training(
            **{"epochs": 12, "batch": 64, "learning_rate": 1e-2, "schedule": "one_cycle", "boundary": 1.0, "balanced": True, "cross_entropy": 0.3} | training
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


def test_standard_deviations_are_those_of_the_probabilities():
    """Layer I certain down to a place that is uniform over half of the ray: its SD is that of the uniform distribution."""
    samples = 2001
    t = torch.linspace(0, 1, samples)
    first = ((0.75 - t) / 0.5).clamp(0, 1)  # P(boundary I-II lies deeper than t)
    probabilities = torch.zeros(1, 7, samples)
    probabilities[0, 1], probabilities[0, 6] = first, 1 - first

    class Known(torch.nn.Module):
        def forward(self, rays):
            return probabilities[:, :, None].clamp(min=1e-12).log()

    place, sd = ribbon.boundaries_of(Known(), torch.zeros(1, 1, 1, samples))
    assert place[0, 1] == pytest.approx(0.5, abs=1e-3)
    assert sd[0, 1] == pytest.approx(0.5 / 12**0.5, abs=1e-3)


def test_scales_make_nine_in_ten_errors_lie_within():
    rng = np.random.default_rng(2)
    labelled = ribbon.label(*hemisphere(4000))
    rays = labelled.select(labelled.usable())
    wide = np.array([1, 2.0, 0.5, 1, 1, 3, 1])  # true SD over the reported one
    found = rays.boundaries_t + rng.normal(size=rays.boundaries_t.shape) * 0.01 * wide
    scale = ribbon.sd_scales(rays, found, np.full_like(found, 0.01))
    np.testing.assert_allclose(scale[1:-1], wide[1:-1], rtol=0.06)
    assert scale[0] == scale[-1] == 1
    halves = np.arange(len(rays)) % 2
    scores = ribbon.calibration(rays, found, np.full_like(found, 0.01), halves)
    np.testing.assert_allclose(scores["within_90"], 0.9, atol=0.02)


def test_balanced_errors_are_shares_of_the_constant_guess():
    labelled = ribbon.label(*hemisphere())
    rays = labelled.select(labelled.usable())
    channels = [{"kind": "raw", "normalisation": "dataset"}]
    region = np.where(np.arange(len(rays)) < 400, 1, 2)
    part = Labelled.of(rays, channels).balanced(region)
    weight = part.weight.numpy()
    # One region of 400 and one of 75 rays: a ray of the small one counts more by the root of 400 / 75.
    np.testing.assert_allclose(weight[-1, 1:-1] / weight[0, 1:-1], (400 / 75) ** 0.5, rtol=1e-5)
    assert (weight[:, [0, -1]] == 0).all()
    error = np.abs(rays.boundaries_t - np.median(rays.boundaries_t, axis=0)) * rays.length_mm[:, None]
    np.testing.assert_allclose(weight[:, 1:-1].mean(0) * error[:, 1:-1].mean(0), 1, rtol=1e-3)


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
    toy = experiment(epochs=1, members=2)
    (tmp_path / "config.json").write_text(json.dumps(toy.to_dict()))
    ribbon.cross_validate(toy, labelled, 2, tmp_path / "run")
    scores = tmp_path / "run" / "scores.json"
    options = {"config": tmp_path / "config.json", "rays": tmp_path / "rays.npz", "scores": scores, "single_vertex": scores}
    ship_ribbon.run(ship_ribbon.argparse.Namespace(**options, checkpoint=None, out=tmp_path / "model"))
    manifest = yaml.safe_load((tmp_path / "model" / "rdf.yaml").read_text())
    assert manifest["license"] == "CC-BY-NC-SA-4.0"
    assert manifest["config"]["brainmesh"]["span"] == "pial-white"
    assert manifest["config"]["brainmesh"]["channels"][1]["normalisation"]["fixed"]["sd"] > 0
    factors = json.loads(scores.read_text())["scores"]["calibration"]["sd_scale"]
    assert manifest["config"]["brainmesh"]["decoder"]["sd_scale"] == factors
    assert manifest["outputs"][0]["axes"][1]["channel_names"] == ["outside", "I", "II", "III", "IV", "V", "VI"]
    assert sum(manifest["config"]["brainmesh"]["layer_fractions"]["mean"]) == pytest.approx(1, abs=1e-4)
    rays, expected = (np.load(tmp_path / "model" / f"test_{name}.npy") for name in ("input", "output"))
    np.testing.assert_array_equal(run_onnx(tmp_path / "model" / "model.onnx", rays), expected)
    card = (tmp_path / "model" / "README.md").read_text()
    assert "--channels raw,area-ratio:8 --samples 20" in card and "{" not in card

    options["config"].write_text(json.dumps(experiment(epochs=2, members=2).to_dict()))
    with pytest.raises(ValueError, match="another"):
        ship_ribbon.run(ship_ribbon.argparse.Namespace(**options, checkpoint=None, out=tmp_path / "other"))
