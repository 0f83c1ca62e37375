"""Images of nibabel and meshes of trimesh, there and back."""

import brainmesh
import nibabel
import numpy as np
import pytest
import trimesh


def test_an_image_of_nibabel_and_back():
    matrix = np.array([[0, -1.5, 0, 3], [2, 0, 0, -4], [0, 0.3, 1, 5], [0, 0, 0, 1.0]])
    data = np.random.default_rng(1).integers(0, 100, (4, 5, 6)).astype(np.int16)
    image = brainmesh.Volume(data, matrix).to_nibabel()
    assert np.array_equal(image.affine, matrix) and np.array_equal(np.asarray(image.dataobj), data)
    assert image.header.get_xyzt_units()[0] == "mm"
    back = brainmesh.Volume.from_nibabel(image)
    assert np.array_equal(back.data, data) and np.array_equal(back.world_from_voxel, matrix)


def test_scaling_of_an_image_is_applied(tmp_path):
    image = nibabel.Nifti1Image(np.arange(24, dtype=np.int16).reshape(2, 3, 4), np.eye(4))
    image.header.set_slope_inter(0.5, 10)
    nibabel.save(image, tmp_path / "scaled.nii")
    loaded = brainmesh.Volume.from_nibabel(nibabel.load(tmp_path / "scaled.nii"))
    assert np.allclose(loaded.data, brainmesh.read_volume(tmp_path / "scaled.nii").data)
    assert np.allclose(loaded.data, nibabel.load(tmp_path / "scaled.nii").get_fdata())


@pytest.mark.parametrize(("unit", "factor"), [("micron", 0.001), ("meter", 1000), ("mm", 1), ("unknown", 1)])
def test_the_length_unit_of_an_image_is_applied(unit, factor, tmp_path):
    """Cause: the matrix was taken as it stood, and the world was a thousand times too large."""
    image = nibabel.Nifti1Image(np.zeros((3, 4, 5), np.float32), np.diag([2, 3, 4, 1.0]))
    image.header.set_xyzt_units(unit)
    nibabel.save(image, tmp_path / "unit.nii")
    ours = brainmesh.Volume.from_nibabel(nibabel.load(tmp_path / "unit.nii"))
    assert np.allclose(ours.spacing_mm, np.array([2, 3, 4]) * factor)
    assert np.allclose(ours.world_from_voxel, brainmesh.read_volume(tmp_path / "unit.nii").world_from_voxel)


def test_a_series_is_refused():
    with pytest.raises(ValueError, match="expected 3 axes"):
        brainmesh.Volume.from_nibabel(nibabel.Nifti1Image(np.zeros((2, 2, 2, 2), np.float32), np.eye(4)))


def test_a_mesh_of_trimesh_and_back(made):
    mesh = made.pial.to_trimesh()
    assert mesh.is_watertight and np.isclose(mesh.volume, made.pial.volume_mm3) and np.isclose(mesh.area, made.pial.area_mm2)
    back = brainmesh.Surface.from_trimesh(mesh)
    assert np.array_equal(back.vertices, made.pial.vertices) and np.array_equal(back.triangles, made.pial.triangles)


def test_vertices_that_lie_at_one_place_are_kept_apart():
    """trimesh merges them unless told not to, and the correspondence of surfaces would be lost."""
    surface = brainmesh.Surface(np.zeros((3, 3)), [[0, 1, 2]])
    assert len(surface.to_trimesh().vertices) == 3


def test_contours_are_those_of_trimesh(made):
    lines = made.pial.contours([0, 0, 0.3], [0, 0, 1])
    section = made.pial.to_trimesh().section([0, 0, 1], [0, 0, 0.3])
    length = sum(np.linalg.norm(np.diff(line, axis=0), axis=1).sum() for line in lines)
    assert len(lines) == 1 and np.array_equal(lines[0][0], lines[0][-1])
    assert np.isclose(length, section.length)


def test_a_sphere_thinned_out_stays_a_sphere(made):
    thin = made.pial.decimate(0.25)
    assert abs(len(thin.triangles) / len(made.pial.triangles) - 0.25) < 0.01
    radius = np.linalg.norm(made.pial.vertices, axis=1).mean()
    assert np.abs(np.linalg.norm(thin.vertices, axis=1) - radius).max() < 0.05
    assert thin.euler_characteristic == 2
