"""The same point of the brain in Python, in nibabel, and in what the command line writes."""

import brainmesh
import nibabel
import numpy as np
import pytest
from conftest import command

SHAPE = (7, 9, 11)
MARK = (5, 2, 8)


def affine(code, spacing=(0.5, 0.7, 1.1), turn=0.0, shear=0.0):
    """Axes that lead where `code` says, perhaps turned about (1, 1, 1) and sheared."""
    matrix = np.zeros((3, 3))
    for axis, letter in enumerate(code):
        matrix["LRPAIS".index(letter) // 2, axis] = -spacing[axis] if letter in "LPI" else spacing[axis]
    k = np.array([[0, -1, 1], [1, 0, -1], [-1, 1, 0]]) / np.sqrt(3)
    rotation = np.eye(3) + np.sin(turn) * k + (1 - np.cos(turn)) * k @ k
    full = np.eye(4)
    full[:3, :3] = rotation @ matrix @ np.array([[1, shear, 0], [0, 1, shear], [0, 0, 1]])
    full[:3, 3] = (-31.25, 14.5, 7.75)
    return full


AFFINES = [affine("RAS"), affine("LPS"), affine("LAS"), affine("PIR"), affine("ASL"), affine("RAS", turn=0.4)]


def marked():
    """No two voxels are alike, and one is the brightest."""
    data = np.arange(np.prod(SHAPE), dtype=np.float32).reshape(SHAPE, order="F")
    data[MARK] = 10_000
    return data


def brightest(volume):
    index = np.unravel_index(np.argmax(volume.data), volume.data.shape)
    return (volume.world_from_voxel @ [*index, 1])[:3]


@pytest.mark.parametrize("matrix", AFFINES, ids=range(len(AFFINES)))
def test_the_mark_stands_at_one_point_of_the_world(matrix, tmp_path):
    expected = (matrix @ [*MARK, 1])[:3]
    path = tmp_path / "marked.nii"
    nibabel.save(nibabel.Nifti1Image(marked(), matrix), path)
    image = nibabel.load(path)
    index = np.unravel_index(np.argmax(image.get_fdata()), SHAPE)
    by_nibabel = nibabel.affines.apply_affine(image.affine, index)
    ours = brainmesh.read_volume(path)
    assert ours.orientation == "".join(nibabel.aff2axcodes(image.affine))
    places = {"nibabel": by_nibabel, "brainmesh": brightest(ours)}
    for ending in ("nrrd", "mnc", "mha", "mgz", "nii.gz"):
        done = command("convert", path, tmp_path / f"converted.{ending}")
        assert done.returncode == 0, done.stderr
        places[ending] = brightest(brainmesh.read_volume(tmp_path / f"converted.{ending}"))
    for name, place in places.items():
        assert np.abs(place - expected).max() < 1e-4, name


def test_a_sheared_matrix_is_kept(tmp_path):
    matrix = affine("LPS", turn=0.3, shear=0.2)
    volume = brainmesh.Volume(marked(), matrix)
    volume.save(tmp_path / "sheared.nii")
    for read in (brainmesh.read_volume(tmp_path / "sheared.nii"), volume):
        assert np.allclose(read.world_from_voxel, matrix, atol=1e-5)
        assert np.abs(brightest(read) - (matrix @ [*MARK, 1])[:3]).max() < 1e-4
    assert np.allclose(nibabel.load(tmp_path / "sheared.nii").affine, matrix, atol=1e-5)


def test_a_part_lies_where_it_lay_in_the_whole(tmp_path):
    brainmesh.Volume(marked(), AFFINES[3]).save(tmp_path / "whole.nii.gz")
    file = brainmesh.VolumeFile(tmp_path / "whole.nii.gz")
    part = file.read_region((4, 1, 6), (6, 5, 10))
    assert part.shape == (2, 4, 4) and np.array_equal(part.data, marked()[4:6, 1:5, 6:10])
    assert np.abs(brightest(part) - (AFFINES[3] @ [*MARK, 1])[:3]).max() < 1e-4


@pytest.mark.parametrize("ending", ["surf.gii", "ply", "vtk", "vtp", "obj", "glb", "mz3"])
def test_a_surface_comes_back_to_its_place(ending, made, tmp_path):
    made.pial.save(tmp_path / f"pial.{ending}")
    back = brainmesh.read_surface(tmp_path / f"pial.{ending}")
    assert np.abs(back.vertices - made.pial.vertices).max() < 1e-4
    if ending == "surf.gii":
        points, triangles = nibabel.load(tmp_path / "pial.surf.gii").agg_data(("pointset", "triangle"))
        assert np.abs(points - made.pial.vertices).max() < 1e-4 and np.array_equal(triangles, made.pial.triangles)
