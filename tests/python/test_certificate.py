"""Layer surfaces that do not cross, counted by another program (MeshLab) on the files that were written."""

import json
from pathlib import Path

import numpy as np
import pytest

nib = pytest.importorskip("nibabel")
pymeshlab = pytest.importorskip("pymeshlab")

BIGBRAIN = Path(__file__).resolve().parents[3] / "shared" / "data" / "bigbrain"


def intersecting(surfaces):
    """Triangles of several surfaces that meet any other, but for those next to them."""
    offsets = np.cumsum([0] + [len(vertices) for vertices, _ in surfaces[:-1]])
    vertices = np.concatenate([vertices for vertices, _ in surfaces]).astype(float)
    triangles = np.concatenate([triangles + offset for (_, triangles), offset in zip(surfaces, offsets, strict=True)])
    meshes = pymeshlab.MeshSet()
    meshes.add_mesh(pymeshlab.Mesh(vertices, triangles))
    meshes.compute_selection_by_self_intersections_per_face()
    return meshes.current_mesh().selected_face_number()


def layers(folder):
    """The seven surfaces without the triangles of vertices that have no layers."""
    used = np.isfinite(nib.load(folder / "thickness.shape.gii").agg_data()[0])
    surfaces = [nib.load(folder / f"layer{k}.surf.gii").agg_data() for k in range(7)]
    return [(vertices, triangles[used[triangles].all(axis=1)]) for vertices, triangles in surfaces]


def run(brainmesh, folder, pial, white, *more):
    """Layers with and without moving apart what crosses: MeshLab's count of each, and the reports."""
    counts, reports = [], []
    for name, options in [("parted", []), ("crossing", ["--keep-crossings"])]:
        out = folder / name
        brainmesh("rays2surface", "--pial", pial, "--white", white, *more, "--smoothing", 0, *options, "--out", out)
        counts.append(intersecting(layers(out)))
        reports.append(json.loads((out / "report.json").read_text()))
    return counts, reports


def own_count(report):
    certificate = report["certificate"]
    return sum(certificate["self_intersecting_triangles"]) + sum(certificate["crossing_triangles"])


def intensities(folder, vertices, seed):
    """Made profiles of 18 depths that differ from vertex to vertex: where layers lie does not matter here."""
    random = np.random.default_rng(seed)
    depth = np.linspace(0, 1, 18)
    dip = 0.5 + 0.05 * random.standard_normal((vertices, 1))
    values = 30000 - 9000 * np.exp(-(((depth - dip) / 0.2) ** 2)) - 6000 * depth + 300 * random.standard_normal((vertices, 18))
    np.save(folder / "profiles.npy", values.astype(np.float32))
    return ["--profiles", folder / "profiles.npy", "--profiles-span", "pial-white"]


def test_a_folded_phantom(brainmesh, tmp_path):
    brainmesh("phantom", "--spacing-mm", 0.1, "--extent-mm", 10, "--seed", 3, "--out", tmp_path)
    volume = ["--volume", tmp_path / "volume.nii.gz"]
    counts, reports = run(brainmesh, tmp_path, tmp_path / "pial.surf.gii", tmp_path / "white.surf.gii", *volume)
    assert counts[0] == 0 == own_count(reports[0])


def test_fsaverage5(brainmesh, tmp_path):
    nilearn = pytest.importorskip("importlib.metadata").distribution("nilearn")
    data = Path(nilearn.locate_file("nilearn/datasets/data/fsaverage5"))
    if not data.is_dir():
        pytest.skip("fsaverage5 is not in the nilearn package here")
    pial, white = (data / f"{name}_left.gii.gz" for name in ("pial", "white"))
    for name, path in [("pial.surf.gii", pial), ("white.surf.gii", white)]:
        nib.save(nib.load(path), tmp_path / name)
    vertices = len(nib.load(pial).agg_data("pointset"))
    more = intensities(tmp_path, vertices, 5)
    counts, reports = run(brainmesh, tmp_path, tmp_path / "pial.surf.gii", tmp_path / "white.surf.gii", *more)
    assert own_count(reports[1]) > 0
    assert counts[0] == 0 == own_count(reports[0])


@pytest.mark.skipif(not BIGBRAIN.is_dir(), reason="the BigBrain surfaces are not beside the project")
def test_the_left_bigbrain_hemisphere(brainmesh, tmp_path):
    pial, white = (BIGBRAIN / f"tpl-bigbrain_hemi-L_desc-{name}.surf.gii" for name in ("pial", "white"))
    more = ["--profiles", BIGBRAIN / "tpl-bigbrain_hemi-L_desc-profiles18.npy", "--profiles-span", "pial-white"]
    counts, reports = run(brainmesh, tmp_path, pial, white, *more)
    assert own_count(reports[1]) > 3000
    assert counts[0] == 0 == own_count(reports[0])
