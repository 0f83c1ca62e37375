"""Equivolumetric surfaces against the published formula, computed here from the files alone."""

import json

import numpy as np
import pytest

nib = pytest.importorskip("nibabel")

FRACTIONS = (0.1, 0.37, 0.5, 0.9)


def areas(vertices, triangles):
    """A third of the triangles around each vertex."""
    a, b, c = (vertices[triangles[:, k]] for k in range(3))
    area = np.linalg.norm(np.cross(b - a, c - a), axis=1) / 6
    return sum(np.bincount(triangles[:, k], area, len(vertices)) for k in range(3))


def published(share, pial, white):
    """Equation 10 of Waehnert et al. 2014, turned round to count from the pia."""
    from_white = (-white + np.sqrt((1 - share) * pial**2 + share * white**2)) / (pial - white)
    return 1 - from_white


@pytest.fixture(scope="module")
def ribbon(brainmesh, tmp_path_factory):
    """A folded phantom with its surfaces of equal volume fractions."""
    folder = tmp_path_factory.mktemp("equivolume")
    brainmesh("phantom", "--spacing-mm", 0.3, "--extent-mm", 12, "--artefacts", "none", "--out", folder)
    surfaces = ["--pial", folder / "pial.surf.gii", "--white", folder / "white.surf.gii"]
    brainmesh("equivolume", *surfaces, "--fractions", ",".join(map(str, FRACTIONS)), "--out", folder / "depths")
    return folder


def test_depths_follow_the_published_formula(ribbon):
    pial, triangles = nib.load(ribbon / "pial.surf.gii").agg_data()
    white = nib.load(ribbon / "white.surf.gii").agg_data("pointset").astype(float)
    pial = pial.astype(float)
    of_pial, of_white = areas(pial, triangles), areas(white, triangles)
    # Without folds a test could not tell the formula from the plain distance.
    assert np.abs(np.log(of_pial / of_white)).std() > 0.1
    depths = nib.load(ribbon / "depths" / "depths.shape.gii")
    names = [dict(array.meta)["Name"] for array in depths.darrays]
    assert names == [f"equivolume{share}" for share in FRACTIONS]
    for share, depth in zip(FRACTIONS, depths.agg_data(), strict=True):
        expected = published(share, of_pial, of_white)
        assert np.allclose(depth, expected, atol=1e-6)
        surface, same = nib.load(ribbon / "depths" / f"equivolume{share}.surf.gii").agg_data()
        assert np.array_equal(same, triangles)
        assert np.allclose(surface, pial + expected[:, None] * (white - pial), atol=1e-5)


def test_volumes_between_surfaces_are_the_shares_asked_for(ribbon):
    """Each prism is cut in three tetrahedra; over the whole ribbon its model errors nearly cancel."""
    pial, triangles = nib.load(ribbon / "pial.surf.gii").agg_data()
    white = nib.load(ribbon / "white.surf.gii").agg_data("pointset").astype(float)

    def volume(above, below):
        p, q = above[triangles], below[triangles]
        corners = ((p[:, 0], p[:, 1], p[:, 2], q[:, 2]), (p[:, 0], p[:, 1], q[:, 2], q[:, 1]), (p[:, 0], q[:, 1], q[:, 2], q[:, 0]))
        return sum(np.abs(np.einsum("ij,ij->i", b - a, np.cross(c - a, d - a))).sum() / 6 for a, b, c, d in corners)

    whole = volume(pial.astype(float), white)
    for share in FRACTIONS:
        surface = nib.load(ribbon / "depths" / f"equivolume{share}.surf.gii").agg_data("pointset").astype(float)
        assert abs(volume(pial.astype(float), surface) / whole - share) < 0.02
    report = json.loads((ribbon / "depths" / "report.json").read_text())
    assert report["checked_fractions"] == [0.0, *FRACTIONS, 1.0]
