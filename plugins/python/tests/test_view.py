"""Pictures for notebooks."""

import numpy as np
import pytest

matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("Agg")


def drawn(ax):
    """Share of the picture that is not background."""
    canvas = ax.figure.canvas
    canvas.draw()
    picture = np.asarray(canvas.buffer_rgba())[..., :3]
    return (picture != picture[0, 0]).any(-1).mean()


def test_a_surface_with_values(made):
    values = made.pial.vertices[:, 2]
    ax = made.pial.show(values, backend="matplotlib", label="z (mm)")
    assert drawn(ax) > 0.1
    assert ax.get_xlabel() == "right (mm)"


def test_layers_over_a_slice(made, result):
    ax = result.plot(volume=made.volume, plane="coronal", at_mm=0.5)
    assert len(ax.lines) == 7 and drawn(ax) > 0.2
    # Each contour is a circle about the middle, in the order of the layers.
    radii = [np.hypot(*line.get_data()).mean() for line in ax.lines]
    assert all(outer > inner for outer, inner in zip(radii, radii[1:]))
    extent = ax.images[0].get_extent()
    assert np.allclose(extent, [-11.0, 11.0, -11.0, 11.0], atol=0.2)


def test_values_of_another_length(made):
    with pytest.raises(ValueError, match="values: expected shape"):
        made.pial.show([1, 2, 3])


def test_pyvista(made):
    pyvista = pytest.importorskip("pyvista")
    plotter = made.pial.show(made.pial.vertices[:, 2], backend="pyvista")
    assert isinstance(plotter, pyvista.Plotter)
    (actor,) = plotter.actors.values() if len(plotter.actors) == 1 else (next(iter(plotter.actors.values())),)
    assert actor.mapper.dataset.n_points == len(made.pial.vertices)


def test_without_a_library_it_says_what_to_install(monkeypatch, made):
    import brainmesh.view as view

    monkeypatch.setattr(view, "find_spec", lambda name: None)
    with pytest.raises(ImportError, match=r"brainmesh\[view\]"):
        made.pial.show()
