"""Results as other programs see them: nibabel reads every file, ONNX Runtime agrees with the built-in engine."""

import json
from pathlib import Path

import numpy as np
import pytest
from conftest import rays2surface

nib = pytest.importorskip("nibabel")


def vertices(path):
    return nib.load(path).agg_data("pointset")


def test_nibabel_reads_every_result(sphere):
    layers = sphere / "layers"
    pial = nib.load(sphere / "pial.surf.gii")
    for k in range(7):
        surface = nib.load(layers / f"layer{k}.surf.gii")
        assert np.array_equal(surface.agg_data("triangle"), pial.agg_data("triangle"))
        metadata = dict(surface.darrays[0].meta)
        assert metadata["AnatomicalStructurePrimary"] == "CortexLeft"
        from_freesurfer, triangles = nib.freesurfer.read_geometry(layers / f"layer{k}.fs")
        assert np.allclose(from_freesurfer, surface.agg_data("pointset"), atol=1e-4)
        assert np.array_equal(triangles, pial.agg_data("triangle"))
    thickness = nib.load(layers / "thickness.shape.gii")
    names = [dict(array.meta)["Name"] for array in thickness.darrays]
    assert names == ["total", "I", "II", "III", "IV", "V", "VI"]
    total, *parts = thickness.agg_data()
    assert np.allclose(total, np.sum(parts, axis=0), atol=1e-4, equal_nan=True)
    labels = nib.load(layers / "defects.label.gii")
    missing = (labels.agg_data() >= 1) & (labels.agg_data() <= 6)
    assert np.array_equal(missing, np.isnan(total))


def test_thickness_is_the_distance_between_neighbouring_surfaces(sphere):
    layers = sphere / "layers"
    thickness = nib.load(layers / "thickness.shape.gii").agg_data()
    for k in range(1, 7):
        distance = np.linalg.norm(vertices(layers / f"layer{k}.surf.gii") - vertices(layers / f"layer{k - 1}.surf.gii"), axis=1)
        known = ~np.isnan(thickness[k])
        assert np.allclose(distance[known], thickness[k][known], atol=1e-4)


def test_onnx_runtime_finds_the_same_surfaces(brainmesh, sphere, tmp_path):
    runtime = pytest.importorskip("onnxruntime")
    library = sorted(Path(runtime.__file__).parent.glob("capi/libonnxruntime.*"))[0]
    brainmesh(*rays2surface(sphere), "--out", tmp_path / "cpu", "--device", "cpu", "--onnxruntime", library)
    for k in range(7):
        name = f"layer{k}.surf.gii"
        difference = np.linalg.norm(vertices(tmp_path / "cpu" / name) - vertices(sphere / "layers" / name), axis=1)
        assert difference.max() < 1e-3, f"{name}: {difference.max()} mm"
    assert "ONNX Runtime" in json.loads((tmp_path / "cpu" / "report.json").read_text())["device"]


@pytest.mark.parametrize(
    "name",
    ["anatomical.nii", "functional.nii", "example4d.nii.gz", "example_nifti2.nii.gz", "standard.nii.gz",
     "reoriented_anat_moved.nii", "tiny.mnc", "minc1_1_scale.mnc", "small.mnc", "minc2_1_scale.mnc", "minc2_4d.mnc"],
)
def test_volumes_lie_where_nibabel_puts_them(brainmesh, name):
    path = Path(nib.__file__).parent / "tests" / "data" / name
    info = json.loads(brainmesh("info", "--json", path))
    image = nib.load(path)
    # brainmesh orders MINC axes x, y, z as everywhere; nibabel keeps the order of the file. Compare what both mean.
    affine, ours = image.affine, np.array(info["world_from_voxel"])
    shape = image.shape[-3:] if name.endswith(".mnc") else image.shape[:3]
    assert sorted(info["shape"]) == sorted(shape)
    corners = np.array(np.meshgrid(*[[0, n - 1] for n in shape], indexing="ij")).reshape(3, -1)
    theirs_mm = affine[:3, :3] @ corners + affine[:3, 3:]
    corners = np.array(np.meshgrid(*[[0, n - 1] for n in info["shape"]], indexing="ij")).reshape(3, -1)
    ours_mm = ours[:3, :3] @ corners + ours[:3, 3:]
    assert np.allclose(sorted(map(tuple, np.round(theirs_mm.T, 3))), sorted(map(tuple, np.round(ours_mm.T, 3))), atol=2e-3)
