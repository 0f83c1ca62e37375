"""Training on made rays: short, on the CPU."""

import dataclasses

import numpy as np
import pytest
import torch

from brainmesh_training import export, metrics, networks
from brainmesh_training.data import Rays, load, save, soft_labels
from brainmesh_training.experiment import Experiment, Training
from brainmesh_training.folds import region_folds, splits
from brainmesh_training.networks import Dense, Ensemble, Network
from brainmesh_training.normalise import fix, normalise
from brainmesh_training.train import Labelled, expected_boundaries, fit, predict

CHANNELS = [{"kind": "raw", "normalisation": "dataset"}, {"kind": "thickness", "fwhm_mm": 0.0, "normalisation": "fixed"}]


def toy_rays(count: int = 600, samples: int = 40, seed: int = 1) -> Rays:
    """Rays whose intensity is the class number with some noise, so that classes can be told apart."""
    rng = np.random.default_rng(seed)
    boundaries = np.sort(rng.uniform(0.1, 0.9, (count, 7)), axis=1)
    labels = soft_labels(boundaries, samples, 8)
    intensity = np.einsum("ncs,c->ns", labels, np.arange(8)) + rng.normal(0, 0.05, (count, samples))
    thickness = np.broadcast_to(boundaries[:, 6:] - boundaries[:, :1], (count, samples))
    return Rays(
        values=np.stack([intensity, thickness], 1).astype(np.float32),
        channels=[{"kind": "raw"}, {"kind": "thickness", "fwhm_mm": 0.0}],
        defects=np.zeros(count, np.uint8),
        pial_t=np.full(count, 0.0),
        white_t=np.full(count, 1.0),
        length_mm=np.full(count, 3.0),
        boundaries_t=boundaries,
        region=np.arange(count) // 50 + 1,
    )


def experiment(rays: Rays, **training) -> Experiment:
    return Experiment(
        name="toy",
        span="extended",
        samples=rays.samples,
        classes=8,
        channels=fix([channel | {"normalisation": "fixed"} for channel in CHANNELS], rays),
        network=Network(blocks=2, kernel=5, maps=16),
        training=Training(**{"batch": 100, "learning_rate": 1e-2, "boundary": 1.0} | training),
    )


def test_tutorial_network_has_the_published_shape():
    # BN(2), conv 2 -> 64; then 7 x (BN(64), conv 64 -> 64), all 25 taps with bias; 1x1 conv 64 -> 7.
    expected = (2 * 2 + 2 * 64 * 25 + 64) + 7 * (2 * 64 + 64 * 64 * 25 + 64) + (64 * 7 + 7)
    assert networks.parameters(networks.TUTORIAL.build(2, 7)) == expected


def test_soft_labels_give_the_boundaries_back():
    boundaries = np.sort(np.random.default_rng(0).uniform(0, 1, (100, 7)), axis=1)
    labels = soft_labels(boundaries, 33, 8)
    np.testing.assert_allclose(labels.sum(1), 1, atol=1e-6)
    np.testing.assert_allclose(expected_boundaries(torch.from_numpy(labels)), boundaries, atol=1e-6)
    tutorial = soft_labels(boundaries, 33, 7)
    np.testing.assert_array_equal(tutorial[:, 1:], labels[:, 1:7])
    np.testing.assert_allclose(tutorial[:, 0], labels[:, 0] + labels[:, 7])


def test_folds_keep_regions_whole():
    region = np.random.default_rng(2).integers(0, 12, 1000)
    fold = region_folds(region, 5)
    assert all(len(np.unique(fold[region == name])) == 1 for name in range(12))
    assert (fold[region == 0] == -1).all()
    held_out = np.concatenate([test for _, test in splits(region, region >= 0, 5)])
    assert sorted(held_out) == list(np.flatnonzero(region))
    for train, test in splits(region, region >= 0, 5):
        assert not set(region[train]) & set(region[test])


def test_normalisation_is_that_of_the_manifest():
    rays = toy_rays()
    values = normalise(rays, fix(CHANNELS, rays))
    raw = values[:, 0]
    assert np.median(raw) == pytest.approx(0, abs=1e-5)
    assert 1.4826 * np.median(np.abs(raw)) == pytest.approx(1, abs=1e-5)
    assert values[:, 1].mean() == pytest.approx(0, abs=1e-5)
    assert values[:, 1].std() == pytest.approx(1, abs=1e-5)
    per_ray = normalise(rays, [{"kind": "raw", "normalisation": "per_ray"}])
    np.testing.assert_allclose(per_ray.mean(2), 0, atol=1e-5)
    np.testing.assert_allclose(per_ray.std(2), 1, atol=1e-4)
    defect = dataclasses.replace(rays, defects=np.arange(len(rays)) == 3)
    assert not normalise(defect, fix(CHANNELS, defect))[3].any()
    with pytest.raises(ValueError, match="smoothed"):
        normalise(rays, [{"kind": "smoothed", "fwhm_mm": 3.0, "normalisation": "per_ray"}])


def test_rays_survive_the_file(tmp_path):
    rays = toy_rays(20)
    save(rays, tmp_path / "rays.npz")
    again = load(tmp_path / "rays.npz")
    assert again.channels == rays.channels
    for name, array in vars(rays).items():
        if isinstance(array, np.ndarray):
            np.testing.assert_array_equal(array, getattr(again, name))


def test_a_resumed_run_equals_an_uninterrupted_one(tmp_path):
    rays = toy_rays()
    parts = rays.select(np.arange(400)), rays.select(np.arange(400, 600))
    for schedule in ("exponential", "one_cycle"):
        whole = experiment(parts[0], epochs=4, schedule=schedule, gain_jitter=0.1, offset_jitter=0.1)
        checkpoint = tmp_path / f"{schedule}.pt"
        train, held_out = (Labelled.of(part, whole.channels) for part in parts)
        straight = fit(whole, train, held_out)
        with pytest.MonkeyPatch.context() as patch:
            interrupt_after(patch, 2)
            with pytest.raises(KeyboardInterrupt):
                fit(whole, train, held_out, checkpoint)
        resumed = fit(whole, train, held_out, checkpoint)
        for a, b in zip(straight.state_dict().values(), resumed.state_dict().values(), strict=True):
            assert torch.equal(a, b)
    other = experiment(parts[0], epochs=5)
    with pytest.raises(ValueError, match="another"):
        fit(other, train, held_out, checkpoint)


def interrupt_after(patch: pytest.MonkeyPatch, epochs: int) -> None:
    """Makes training stop once that many checkpoints are written."""
    from brainmesh_training import train

    written = []
    write = train.write_checkpoint

    def stop(*arguments):
        write(*arguments)
        written.append(1)
        if len(written) == epochs:
            raise KeyboardInterrupt

    patch.setattr(train, "write_checkpoint", stop)


def test_a_separable_toy_is_learnt_and_exported(tmp_path):
    rays = toy_rays(1200)
    train, held_out = rays.select(np.arange(1000)), rays.select(np.arange(1000, 1200))
    toy = experiment(train, epochs=20, schedule="one_cycle")
    model = fit(toy, Labelled.of(train, toy.channels))
    inputs = normalise(held_out, toy.channels)[:, :, None]
    probabilities = predict(model, torch.from_numpy(inputs)).numpy()
    truth = soft_labels(held_out.boundaries_t, rays.samples, 8).argmax(1)
    counts = metrics.confusion(truth, probabilities.argmax(1), 8)
    assert metrics.accuracy(counts) > 0.95
    found = expected_boundaries(torch.from_numpy(probabilities)).numpy()
    assert max(metrics.boundary_errors(held_out.boundaries_t, found)["mean"]) < 1 / (rays.samples - 1)

    about = export.About("A toy", "CC0-1.0", ["Nobody"], [])
    assert export.write_model(toy, model, train, about, tmp_path) < 1e-5
    for count in (1, 7):
        np.testing.assert_allclose(
            export.run_onnx(tmp_path / "model.onnx", inputs[:count])[:, :, 0], probabilities[:count], atol=1e-5
        )


def test_exported_networks_equal_torch_in_either_order(tmp_path):
    rays = np.random.default_rng(3).normal(size=(5, 2, 1, 60)).astype(np.float32)
    for network in (Network(2, 9, 8, "before"), Network(2, 9, 8, "after", dropout=0.2)):
        model = network.build(2, 7)
        for module in model:
            if isinstance(module, torch.nn.BatchNorm2d):
                torch.nn.init.uniform_(module.running_mean)
                torch.nn.init.uniform_(module.running_var, 0.5, 2)
        export.write_onnx(model, 2, 60, tmp_path / "model.onnx")
        expected = predict(model, torch.from_numpy(rays)).numpy()
        np.testing.assert_allclose(export.run_onnx(tmp_path / "model.onnx", rays)[:, :, 0], expected, atol=1e-5)


def test_an_exported_ensemble_of_dense_networks_is_the_mean_of_their_probabilities(tmp_path):
    rays = torch.from_numpy(np.random.default_rng(3).normal(size=(5, 3, 1, 20)).astype(np.float32))
    members = [Dense((16, 8), dropout=0.2).build([True, False, True], 20, 7) for _ in range(3)]
    for module in (module for member in members for module in member if isinstance(module, torch.nn.BatchNorm1d)):
        torch.nn.init.uniform_(module.running_mean)
        torch.nn.init.uniform_(module.running_var, 0.5, 2)
    expected = sum(predict(member, rays) for member in members).numpy() / 3
    export.write_onnx(Ensemble(members), 3, 20, tmp_path / "model.onnx")
    np.testing.assert_allclose(export.run_onnx(tmp_path / "model.onnx", rays.numpy())[:, :, 0], expected, atol=1e-5)
    # Of the channel that does not vary only the first sample is read.
    rays[:, 1, :, 1:] = 9
    np.testing.assert_allclose(predict(Ensemble(members), rays).numpy(), expected, atol=1e-5)


def test_scores_by_hand():
    counts = metrics.confusion(np.array([0, 0, 1, 2]), np.array([0, 1, 1, 2]), 4)
    assert metrics.accuracy(counts) == 0.75
    np.testing.assert_allclose(metrics.jaccard(counts), [0.5, 0.5, 1, np.nan])
    np.testing.assert_allclose(metrics.jaccard(metrics.fold_white(counts[:3, :3])), [2 / 3, 0.5])
    errors = metrics.boundary_errors(np.zeros((2, 1)), np.array([[1.0], [-3.0]]))
    assert errors["mean"] == [2.0] and errors["bias"] == [-1.0]
