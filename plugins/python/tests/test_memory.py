"""Arrays that cross without being copied, and how long they live."""

import copy
import gc
import pickle
import types

import brainmesh
import numpy as np
import pytest


def address(array):
    return array.__array_interface__["data"][0]


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64", "float32", "float64"])
@pytest.mark.parametrize("order", ["F", "C"])
def test_a_volume_keeps_the_array_it_is_given(dtype, order):
    data = np.zeros((3, 4, 5), dtype, order)
    volume = brainmesh.Volume(data, np.eye(4))
    assert volume.data is data
    assert brainmesh.Volume(data[::2, 1:], np.eye(4)).data.base is data


def test_mappings_of_any_kind_and_no_triangles(tmp_path):
    volume = brainmesh.Volume(np.zeros((2, 2, 2)), np.eye(4), labels=types.MappingProxyType({1: "a"}))
    assert volume.labels == {1: "a"}
    surface = brainmesh.Surface([[0, 0, 0]], [])
    assert surface.triangles.shape == (0, 3)
    surface.save(tmp_path / "point.vtp", maps=types.MappingProxyType({"a": [1.0]}))
    assert brainmesh.read_maps(tmp_path / "point.vtp")["a"] == [1.0]


def test_other_types_become_the_nearest(tmp_path):
    assert brainmesh.Volume(np.ones((2, 2, 2), bool), np.eye(4)).data.dtype == np.uint8
    assert brainmesh.Volume(np.ones((2, 2, 2), np.float16), np.eye(4)).data.dtype == np.float32
    swapped = np.arange(8, dtype=">i4").reshape(2, 2, 2)
    assert np.array_equal(brainmesh.Volume(swapped, np.eye(4)).data, swapped)
    assert brainmesh.Volume([[[1, 2], [3, 4]]], np.eye(4)).shape == (1, 2, 2)


def test_what_is_read_lies_with_the_first_axis_fastest_and_is_handed_over_once(made, tmp_path):
    made.volume.save(tmp_path / "a.nii")
    volume = brainmesh.read_volume(tmp_path / "a.nii")
    assert volume.data.flags.f_contiguous and volume.data is volume.data
    assert volume.data.dtype == np.float32
    assert volume.data.flags.writeable


def test_any_order_in_memory_gives_the_same_layers(made, result):
    for data in (np.ascontiguousarray(made.volume.data), made.volume.data.astype("float64"), made.volume.data.astype(">f4")):
        volume = brainmesh.Volume(data, made.volume.world_from_voxel)
        again = brainmesh.rays2surface(made.pial, made.white, volume)
        assert np.array_equal(again.surfaces[3].vertices, result.surfaces[3].vertices)


def test_volumes_and_surfaces_are_copied_and_pickled(made):
    volume = brainmesh.Volume(np.arange(24).reshape(2, 3, 4), np.diag([-1, 2, 3, 1.0]), labels={3: "three"})
    for again in (copy.copy(volume), copy.deepcopy(volume), pickle.loads(pickle.dumps(volume))):
        assert np.array_equal(again.data, volume.data) and again.labels == {3: "three"}
        assert np.array_equal(again.world_from_voxel, volume.world_from_voxel)
    again = pickle.loads(pickle.dumps(made.pial))
    assert np.array_equal(again.vertices, made.pial.vertices) and again.structure == "left"


def test_surfaces_give_views_of_their_own_memory(made):
    surface = made.pial
    assert address(surface.vertices) == address(surface.vertices)
    assert address(surface.triangles) == address(surface.triangles)
    assert surface.vertices.dtype == np.float64 and surface.triangles.dtype == np.uint32
    for array in (surface.vertices, surface.triangles):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0


def test_views_outlive_their_surface():
    surface = brainmesh.Surface([[0, 0, 0], [1, 0, 0], [0, 2, 0]], [[0, 1, 2]])
    vertices, triangles = surface.vertices, surface.triangles
    del surface
    gc.collect()
    other = [np.full((3, 3), 7.0) for _ in range(100)]
    assert vertices[2, 1] == 2 and triangles[0, 2] == 2 and len(other) == 100


def test_a_surface_copies_what_it_is_given():
    """Its triangles were checked: nobody may change them afterwards."""
    vertices, triangles = np.eye(3), np.array([[0, 1, 2]])
    surface = brainmesh.Surface(vertices, triangles)
    vertices[0] = 9
    triangles[0] = 9
    assert surface.vertices[0, 0] == 1 and surface.triangles.max() == 2

