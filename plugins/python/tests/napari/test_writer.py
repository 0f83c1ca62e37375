"""What is written reads back in place, also after the layer was moved in napari."""

import brainmesh
import nibabel
import numpy as np
import pytest

MATRIX = np.array([[0, 0.8, 0, -3.0], [-1.1, 0, 0, 4.0], [0, 0, 1.7, 5.0], [0, 0, 0, 1.0]])


@pytest.fixture
def scan(tmp_path):
    data = np.arange(4 * 5 * 6, dtype=np.int16).reshape(4, 5, 6)
    nibabel.save(nibabel.Nifti1Image(data, MATRIX), tmp_path / "scan.nii.gz")
    return tmp_path / "scan.nii.gz", data


@pytest.mark.parametrize("ending", ["nii.gz", "mnc", "mgz", "nrrd", "mha", "ome.zarr", "ome.tif"])
def test_an_image_comes_back_in_the_axes_of_its_file(viewer, scan, tmp_path, ending):
    path, data = scan
    [layer] = viewer.open(path, plugin="brainmesh")
    out = str(tmp_path / f"out.{ending}")
    assert layer.save(out, plugin="brainmesh") == [out]
    back = brainmesh.read_volume(out, dtype=None)
    assert np.allclose(back.data, data) and np.allclose(back.world_from_voxel, MATRIX, atol=1e-5)


def test_a_moved_layer_is_written_where_it_is(viewer, scan, tmp_path):
    path, data = scan
    [layer] = viewer.open(path, plugin="brainmesh")
    layer.translate = (10.0, 0.0, 0.0)
    layer.save(str(tmp_path / "moved.nii.gz"), plugin="brainmesh")
    moved = nibabel.load(tmp_path / "moved.nii.gz").affine
    # napari's translation is before its affine matrix, in the transposed array's first axis: file axis j, 0.8 mm a voxel
    place = layer.data_to_world((0, 0, 0))
    assert np.allclose((moved @ (0, 0, 0, 1))[:3], place)
    assert not np.allclose(moved, MATRIX)


def test_labels_keep_names(viewer, tmp_path):
    data = np.zeros((4, 5, 6), np.uint8)
    data[1] = 2
    brainmesh.Volume(data, MATRIX, labels={2: "layer II"}).save(tmp_path / "a.seg.nrrd")
    [layer] = viewer.open(tmp_path / "a.seg.nrrd", plugin="brainmesh")
    layer.save(str(tmp_path / "b.seg.nrrd"), plugin="brainmesh")
    file = brainmesh.VolumeFile(tmp_path / "b.seg.nrrd")
    assert "layer II" in file.labels.values()
    assert (np.asarray(file.read().data) > 0).sum() == 30


@pytest.mark.parametrize("ending", ["surf.gii", "ply", "vtp", "vtk", "mz3", "obj", "fs"])
def test_a_surface_comes_back(viewer, cortex, tmp_path, ending):
    [layer] = viewer.open(cortex / "white.surf.gii", plugin="brainmesh")
    out = str(tmp_path / f"lh.white.{ending}")
    layer.save(out, plugin="brainmesh")
    back = brainmesh.read_surface(out)
    assert np.abs(back.vertices - layer.data[0]).max() < 1e-4
    assert (back.triangles == layer.data[1]).all()


def test_a_mirrored_surface_stays_outward(viewer, cortex, tmp_path):
    [layer] = viewer.open(cortex / "white.surf.gii", plugin="brainmesh")
    layer.scale = (-1, 1, 1)
    layer.save(str(tmp_path / "mirror.surf.gii"), plugin="brainmesh")
    back = brainmesh.read_surface(tmp_path / "mirror.surf.gii")
    assert np.abs(back.vertices - layer.data[0] * (-1, 1, 1)).max() < 1e-4
    assert (back.triangles == layer.data[1][:, ::-1]).all()


def test_what_cannot_be_written_is_said(viewer, tmp_path):
    layer = viewer.add_image(np.zeros((5, 5, 3), np.uint8), rgb=True)
    with pytest.raises(RuntimeError, match="found colours"):
        layer.save(str(tmp_path / "a.nii.gz"), plugin="brainmesh")
    assert not (tmp_path / "a.nii.gz").exists()


def test_maps_travel_with_the_formats_that_carry_them(viewer, cortex, tmp_path):
    surface = brainmesh.read_surface(cortex / "pial.surf.gii")
    values = np.linspace(0, 1, len(surface.vertices)).astype(np.float32)
    surface.save(tmp_path / "a.ply", maps={"curvature": values})
    [layer] = viewer.open(tmp_path / "a.ply", plugin="brainmesh")
    layer.save(str(tmp_path / "b.vtp"), plugin="brainmesh")
    assert np.allclose(brainmesh.read_maps(tmp_path / "b.vtp")["curvature"], values)
