"""Networks, augmentation and training over images, on tiny made data."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from brainmesh_training.augment import Augmentation, change_greys, sample, warp_grid
from brainmesh_training.image_experiment import ImageExperiment
from brainmesh_training.image_networks import image_network
from brainmesh_training.image_train import fit, follow, predict, rate
from brainmesh_training.networks import parameters

#: The eight ways a square can lie.
ALL_TURNS = Augmentation(quarter_turns=True).turns
CONFIGS = Path(__file__).parent.parent / "configs"


def experiment(**training) -> ImageExperiment:
    return ImageExperiment.from_dict(
        {
            "name": "tiny",
            "system": "ventricle",
            "network": {"kind": "unet", "stem": 2, "widths": [4, 8]},
            "training": {"steps": 6, "batch": 2, "crop": 16, "warmup": 2, "seed": 3} | training,
            "augmentation": {"mirror": True, "noise": 0.1},
        }
    )


def test_layers_of_the_course_have_the_documents_parameters():
    # Document 001 prints 30, 84 and 12: kernels x 3 x 3 x channels + kernels; totals 42 and 210.
    one = image_network({"kind": "stack", "kernels": [3], "maps": [3]}).build(1, 3)
    three = image_network({"kind": "stack", "kernels": [3, 3, 3], "maps": [3, 3, 3], "dropout": 0.2}).build(1, 3)
    assert [parameters(layer) for layer in three if parameters(layer)] == [30, 84, 84, 12]
    assert (parameters(one), parameters(three)) == (42, 210)


def test_the_courses_other_networks_have_their_parameters():
    # 3x3: 16 (9 + 1), then 16 (9 x 16 + 1) twice, then 1x1 to 4 classes: 4 (16 + 1).
    plain = image_network({"kind": "stack", "kernels": [3] * 3, "maps": [16] * 3})
    assert parameters(plain.build(1, 4)) == 160 + 2 * 2320 + 68
    dilated = image_network({"kind": "stack", "kernels": [3] * 3, "maps": [16] * 3, "dilations": [1, 2, 4]})
    assert parameters(dilated.build(1, 4)) == parameters(plain.build(1, 4))
    assert (plain.reach, dilated.reach) == (3, 7)
    wide = image_network({"kind": "stack", "kernels": [5] * 5, "maps": [8, 8, 16, 16, 32]})
    assert parameters(wide.build(1, 4)) == 208 + 1608 + 3216 + 6416 + 12832 + 132


def test_the_courses_unet_has_its_parameters():
    # Two 3x3 convolutions at each scale, 2x2 transposed ones between, 1x1 to 4 classes; 32 to 512 maps.
    down = [320 + 9248, 18496 + 36928, 73856 + 147584, 295168 + 590080, 1180160 + 2359808]
    across = [524544, 131200, 32832, 8224]
    up = [1179904 + 590080, 295040 + 147584, 73792 + 36928, 18464 + 9248]
    network = image_network({"kind": "course_unet"}).build(1, 4)
    assert parameters(network) == sum(down) + sum(across) + sum(up) + 132


def test_fcn_alexnet_has_alexnets_parameters():
    # Krizhevsky 2012, convolutions of 96, 256, 384, 384, 256 in groups, dense layers of 4096; then 4096 x 2 + 2, and the
    # transposed convolution 63 x 63 x 2 x 2.
    network = image_network({"kind": "fcn_alexnet"}).build(3, 2)
    convolutions = [34944, 307456, 885120, 663936, 442624]
    dense = [4096 * 256 * 36 + 4096, 4096 * 4096 + 4096]
    assert parameters(network) == sum(convolutions) + sum(dense) + 4096 * 2 + 2 + 63 * 63 * 4


@pytest.mark.parametrize("kind", ["unet", "course_unet", "stack", "fcn_alexnet"])
def test_answers_lie_on_the_images_grid(kind):
    values = {
        "unet": {"stem": 2, "widths": [4, 8, 8]},
        "course_unet": {"widths": [4, 8, 8]},
        "stack": {"kernels": [5, 3], "maps": [4, 4], "dilations": [1, 3]},
        "fcn_alexnet": {},
    }[kind]
    network = image_network({"kind": kind} | values).build(1, 3).eval()
    assert network(torch.zeros(1, 1, 40, 48)).shape == (1, 3, 40, 48)


def test_every_skip_connection_of_the_courses_unet_is_used():
    network = image_network({"kind": "course_unet", "widths": [4, 8, 8]}).build(1, 2)
    network(torch.randn(1, 1, 16, 16)).sum().backward()
    for decoder in network.decoders:
        weight = decoder[0].weight.grad
        skip = weight[:, weight.shape[1] // 2 :]
        assert skip.abs().sum() > 0


def test_the_shipped_configurations_can_be_read():
    for path in CONFIGS.glob("*.json"):
        values = json.loads(path.read_text())
        if "system" in values:
            read = ImageExperiment.from_dict(values)
            assert ImageExperiment.from_dict(read.to_dict()) == read, path


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"network": {"kind": "transformer"}}, "network.kind"),
        ({"network": {"kind": "unet", "widths": [8]}}, "network.widths"),
        ({"network": {"kind": "stack", "kernels": [4], "maps": [3]}}, "network.kernels"),
        ({"network": {"kind": "stack", "kernels": [3, 3], "maps": [3]}}, "network.maps"),
        ({"training": {"steps": 5, "crop": 30}}, "training.crop"),
        ({"augmentation": {"noise": -1}}, "augmentation.noise"),
    ],
)
def test_configurations_that_cannot_be_meant_are_refused(values, message):
    with pytest.raises(ValueError, match=message):
        ImageExperiment.from_dict(experiment().to_dict() | values)


def test_without_changes_a_crop_is_the_image():
    rng = np.random.default_rng(0)
    image = rng.normal(size=(12, 12)).astype(np.float32)
    grid = warp_grid(Augmentation(), image.shape, 12, rng, centred=True)
    got = sample(torch.from_numpy(image[None]), grid, "bilinear")[0].numpy()
    np.testing.assert_allclose(got, image, atol=1e-5)
    np.testing.assert_allclose(change_greys(image, Augmentation(), rng), image, atol=1e-6)


def test_quarter_turns_and_mirrors_are_exactly_the_eight():
    image = np.arange(64, dtype=np.float32).reshape(8, 8)
    eight = {np.rot90(image[:, ::-1] if mirrored else image, turn).tobytes() for turn, mirrored in ALL_TURNS}
    seen = set()
    for seed in range(100):
        grid = warp_grid(Augmentation(quarter_turns=True), (8, 8), 8, np.random.default_rng(seed), centred=True)
        seen.add(sample(torch.from_numpy(image[None]), grid, "nearest")[0].numpy().tobytes())
    assert seen == eight


def test_predictions_are_averaged_over_what_was_trained():
    assert len(ALL_TURNS) == 8
    assert Augmentation(mirror=True).turns == ((0, False), (0, True))
    assert Augmentation(rotation_degrees=20).turns == ((0, False),)


def test_a_rotation_keeps_distances():
    grid = warp_grid(Augmentation(rotation_degrees=40), (65, 65), 65, np.random.default_rng(1), centred=True)
    at = grid.numpy() * 65 / 2
    np.testing.assert_allclose(np.linalg.norm(at[:, 1:] - at[:, :-1], axis=-1), 1, atol=1e-4)
    np.testing.assert_allclose(at[32, 32], 0, atol=1e-4)


def test_predictions_of_an_even_network_do_not_depend_on_how_the_image_lies():
    class Blur(torch.nn.Module):
        def forward(self, image):
            return torch.nn.functional.avg_pool2d(image, 3, 1, 1) * 5

    image = np.random.default_rng(0).normal(size=(1, 10, 13)).astype(np.float32)
    plain = predict([Blur()], image, 1, 1, ((0, False),))
    np.testing.assert_allclose(predict([Blur()], image, 1, 1, ALL_TURNS), plain, atol=1e-6)


def test_predictions_undo_the_turn_they_make():
    class Point(torch.nn.Module):
        def forward(self, image):
            return image

    image = np.random.default_rng(0).normal(size=(1, 6, 9)).astype(np.float32)
    for turn in ALL_TURNS:
        found = predict([Point()], image, 1, 4, (turn,))
        np.testing.assert_allclose(found, 1 / (1 + np.exp(-image)), atol=1e-6)


def test_the_learning_rate_warms_up_and_falls_to_nothing():
    training = experiment(steps=100, warmup=10, learning_rate=1.0).training
    rates = [rate(training, step) for step in range(100)]
    assert rates[0] == pytest.approx(0.1, rel=1e-3)
    assert max(rates) == pytest.approx(1, abs=0.03)
    assert rates[50] == pytest.approx(0.5, rel=1e-3)
    assert rates[-1] < 1e-3


def test_the_running_mean_moves_by_its_share():
    old, new = torch.nn.Linear(1, 1), torch.nn.Linear(1, 1)
    with torch.no_grad():
        old.weight.fill_(1.0), new.weight.fill_(3.0)
    follow(old, new, 0.75)
    assert old.weight.item() == pytest.approx(1.5)


def disc(rng):
    y, x = np.mgrid[:16, :16] - rng.uniform(5, 11, 2)[:, None, None]
    inside = (x**2 + y**2 < 16).astype(np.float32)
    return (inside + 0.1 * rng.normal(size=(16, 16))).astype(np.float32)[None], {"cavity": inside}


def test_a_run_that_was_interrupted_gives_the_same_weights(tmp_path, monkeypatch):
    from brainmesh_training import image_train, ventricle

    monkeypatch.setattr(image_train, "KEEP_EVERY", 2)
    tiny = experiment()
    whole = fit(tiny, 1, 1, disc, ventricle.loss)

    class Stop(Exception):
        pass

    drawn = []

    def stopping(rng):
        drawn.append(0)
        if len(drawn) > 8:
            raise Stop
        return disc(rng)

    with pytest.raises(Stop):
        fit(tiny, 1, 1, stopping, ventricle.loss, checkpoint=tmp_path / "run.pt")
    again = fit(tiny, 1, 1, disc, ventricle.loss, checkpoint=tmp_path / "run.pt")
    for one, other in zip(whole.state_dict().values(), again.state_dict().values(), strict=True):
        assert torch.equal(one, other)
    with pytest.raises(ValueError, match="another"):
        fit(replace(tiny, name="other"), 1, 1, disc, ventricle.loss, checkpoint=tmp_path / "run.pt")


def test_training_stops_when_validation_does_not_get_better():
    from brainmesh_training import ventricle

    looks = []

    def validate(model):
        looks.append(float(len(looks)))
        return looks[-1]

    fit(experiment(steps=20, check_every=2, patience=3), 1, 1, disc, ventricle.loss, validate=validate)
    assert len(looks) == 4


def test_a_network_learns_discs():
    from brainmesh_training import ventricle

    model = fit(experiment(steps=150, learning_rate=0.01, batch=4, running_mean=0.9), 1, 1, disc, ventricle.loss)
    image, truth = disc(np.random.default_rng(999))
    found = predict([model], image, 1, 4, ((0, False),))[0] > 0.5
    assert (found == (truth["cavity"] > 0.5)).mean() > 0.95  # all background: 0.80
