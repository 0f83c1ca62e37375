"""What is opened lies where its file says, whatever the format and the order of its axes."""

import math
from itertools import product

import brainmesh
import nibabel
import numpy as np
import pytest
from conftest import ROOT

from brainmesh.napari import _reader, _to_layers

# The phantom of formats/tests/data/make_agreeing_volumes.py.
SHAPE = (7, 6, 5)
A, B = math.radians(25), math.radians(-40)
ALONG_I = 0.9 * np.array([math.cos(A), math.sin(A), 0.0])
ALONG_J = 1.25 * np.array([-math.sin(A) * math.cos(B), math.cos(A) * math.cos(B), math.sin(B)])
ALONG_K = np.cross(ALONG_I, ALONG_J) / 0.9 / 1.25 * 2.5 + ALONG_J * 0.3
ORIGIN = np.array([-17.25, 30.5, 4.75])
I, J, K = np.indices(SHAPE)
PHANTOM = 10 + I + 11 * J + 101 * K + 13 * I * J * (K == 2)
AGREE = ROOT / "formats/tests/data/agree"


@pytest.mark.filterwarnings("ignore:Non-orthogonal slicing")
@pytest.mark.parametrize("name", sorted(path.name for path in AGREE.iterdir() if path.suffix != ".gz" or ".nii" in path.name))
def test_every_voxel_of_every_format_lies_at_its_point(viewer, name):
    """DICOM and OME-Zarr folders, both MINC, oblique and sheared, each in another order of axes."""
    [layer] = viewer.open(AGREE / name, plugin="brainmesh")
    assert [str(unit) for unit in layer.units] == ["millimeter"] * 3
    data = np.asarray(layer.data)
    inverse = np.linalg.inv(np.stack([ALONG_I, ALONG_J, ALONG_K], axis=1))
    for index in product(*map(range, data.shape)):
        voxel = inverse @ (np.array(layer.data_to_world(index)) - ORIGIN)
        place = tuple(np.rint(voxel).astype(int))
        assert np.abs(voxel - place).max() * 2.6 < 1e-4  # a voxel is at most 2.6 mm long
        assert data[index] == pytest.approx(PHANTOM[place], abs=0.3 if name == "dicom" else 1e-4)


@pytest.mark.parametrize("codes", ["RAS", "LPS", "LAS", "PSR", "IPL", "SLA"])
def test_nibabel_napari_and_the_command_line_agree(viewer, tmp_path, codes):
    """One bright voxel, three opinions."""
    ornt = nibabel.orientations.axcodes2ornt(codes)
    matrix = np.zeros((4, 4))
    for axis, (world, sign) in enumerate(ornt):
        matrix[int(world), axis] = sign * (0.5, 0.75, 1.25)[axis]
    matrix[:, 3] = (-11.5, 7.25, 31.0, 1.0)
    data = np.zeros((5, 6, 7), np.int16)
    data[1, 2, 5] = 1000
    nibabel.save(nibabel.Nifti1Image(data, matrix), tmp_path / "a.nii.gz")
    truth = matrix @ (1, 2, 5, 1)
    assert brainmesh.main(["convert", str(tmp_path / "a.nii.gz"), str(tmp_path / "b.mnc")]) == 0
    converted = nibabel.load(tmp_path / "b.mnc")
    place = np.unravel_index(np.argmax(converted.get_fdata()), converted.shape)
    assert np.abs((converted.affine @ (*place, 1))[:3] - truth[:3]).max() < 1e-4
    for name in ("a.nii.gz", "b.mnc"):
        [layer] = viewer.open(tmp_path / name, plugin="brainmesh")
        place = np.unravel_index(np.argmax(np.asarray(layer.data)), layer.data.shape)
        assert np.abs(np.array(layer.data_to_world(place)) - truth[:3]).max() < 1e-4
        # napari cuts slices along array axes: each must run along the world axis of its number.
        linear = np.abs(layer.affine.affine_matrix[:3, :3])
        assert (linear.argmax(axis=0) == [0, 1, 2]).all()
        # The slice that napari shows at that point is the one with the bright voxel.
        viewer.dims.point = truth[:3]
        assert np.asarray(layer._data_view).max() == 1000
        viewer.layers.clear()


def test_labels_have_names_and_colours(viewer, tmp_path):
    """From the file's own table."""
    data = np.zeros((4, 5, 6), np.uint8)
    data[1:3] = 7
    volume = brainmesh.Volume(data, np.eye(4), labels={7: "putamen"})
    volume.save(tmp_path / "x.seg.nrrd")
    [layer] = viewer.open(tmp_path / "x.seg.nrrd", plugin="brainmesh")
    assert type(layer).__name__ == "Labels"
    row = layer.features[layer.features["index"] == int(np.asarray(layer.data).max())]
    assert row["name"].item() == "putamen"
    nibabel.save(nibabel.Nifti1Image(data, np.eye(4)), tmp_path / "sub-01_dseg.nii.gz")
    [layer] = viewer.open(tmp_path / "sub-01_dseg.nii.gz", plugin="brainmesh")
    assert type(layer).__name__ == "Labels"
    layer.data_setitem((np.array([0]), np.array([0]), np.array([0])), 3)  # labels can be painted
    assert layer.data[0, 0, 0] == 3


def test_large_files_are_read_block_by_block(tmp_path):
    """The lazy array holds what the whole has, for one volume and for several."""
    import dask.array

    rng = np.random.default_rng(1)
    for shape in ((150, 30, 140), (40, 30, 20, 3)):
        data = rng.integers(-900, 900, shape).astype(np.int16)
        matrix = np.array([[0, 2.0, 0, 1], [-1.5, 0, 0, 2], [0, 0, 1.0, 3], [0, 0, 0, 1]])
        path = tmp_path / "large.nii"
        nibabel.save(nibabel.Nifti1Image(data, matrix), path)
        [(lazy, meta, kind)] = _reader.read_volume(str(path), lazy_bytes=1000)
        [(whole, whole_meta, _)] = _reader.read_volume(str(path))
        assert isinstance(lazy, dask.array.Array) and isinstance(whole, np.ndarray) and kind == "image"
        assert lazy.shape == whole.shape and lazy.dtype == whole.dtype == np.int16
        assert (np.asarray(lazy) == whole).all()
        assert (meta["affine"] == whole_meta["affine"]).all()
        low, high = meta["contrast_limits"]
        assert -900 <= low < -800 and 800 < high <= 900
        last = tuple(n - 1 for n in data.shape[:3])
        first_volume = data if data.ndim == 3 else data[..., 0]
        lazy_last = np.asarray(lazy[0] if lazy.ndim == 4 else lazy)[tuple(n - 1 for n in lazy.shape[-3:])]
        assert lazy_last == first_volume[last]


def test_a_series_of_volumes_shares_the_world_with_surfaces(viewer, tmp_path):
    """Time is an axis of its own, in front."""
    data = np.zeros((4, 5, 6, 3), np.float32)
    data[1, 2, 3, 2] = 1
    matrix = np.diag([2.0, 3.0, 4.0, 1.0])
    nibabel.save(nibabel.Nifti1Image(data, matrix), tmp_path / "bold.nii.gz")
    [layer] = viewer.open(tmp_path / "bold.nii.gz", plugin="brainmesh")
    place = np.unravel_index(np.argmax(np.asarray(layer.data)), layer.data.shape)
    assert np.allclose(layer.data_to_world(place), (2, 2, 6, 12))


def test_surfaces_keep_their_vertices(viewer, cortex, tmp_path):
    """To the last bit, beside an image of the same world."""
    expected = nibabel.load(cortex / "pial.surf.gii").agg_data()
    [layer] = viewer.open(cortex / "pial.surf.gii", plugin="brainmesh")
    assert (layer.data[0] == expected[0]).all() and (layer.data[1] == expected[1]).all()
    assert np.allclose(layer.data_to_world(layer.data[0][5]), expected[0][5])
    for ending in ("ply", "vtp", "mz3", "stl", "glb", "obj"):
        brainmesh.read_surface(cortex / "pial.surf.gii").save(tmp_path / f"pial.{ending}")
        [other] = viewer.open(tmp_path / f"pial.{ending}", plugin="brainmesh")
        assert np.allclose(np.sort(other.data[0], axis=0)[[0, -1]], np.sort(expected[0], axis=0)[[0, -1]], atol=1e-4)


def test_maps_go_to_their_surface(viewer, cortex, tmp_path):
    """And to no other."""
    surface = nibabel.load(cortex / "pial.surf.gii").agg_data()
    values = np.linspace(0, 3, len(surface[0])).astype(np.float32)
    array = nibabel.gifti.GiftiDataArray(values, "NIFTI_INTENT_SHAPE")
    nibabel.save(nibabel.gifti.GiftiImage(darrays=[array]), tmp_path / "a.shape.gii")
    with pytest.raises(Exception, match="open the surface with [0-9,]+ vertices first"):
        viewer.open(tmp_path / "a.shape.gii", plugin="brainmesh")
    [layer] = viewer.open(cortex / "pial.surf.gii", plugin="brainmesh")
    viewer.open(tmp_path / "a.shape.gii", plugin="brainmesh")
    assert np.allclose(layer.data[2], values)


def test_bad_files_say_what_is_wrong(viewer, tmp_path):
    """An error, not a layer."""
    path = tmp_path / "cut.nii"
    nibabel.save(nibabel.Nifti1Image(np.zeros((9, 9, 9), np.int16), np.eye(4)), path)
    path.write_bytes(path.read_bytes()[:700])
    with pytest.raises(Exception) as caught:
        viewer.open(path, plugin="brainmesh")
    assert "cut.nii" in str(caught.value) or "cut.nii" in str(caught.value.__cause__)
    assert not viewer.layers


def test_what_others_read_is_left_to_them(tmp_path):
    """Folders and shared endings that hold nothing of ours."""
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "a.txt").write_text("x")
    assert _reader.get_reader(str(tmp_path / "notes")) is None
    (tmp_path / "a.obj").write_text("nothing")
    assert _reader.get_reader(str(tmp_path / "a.obj")) is None
    assert _reader.get_reader(["a.nii", "b.nii"]) is None


def test_axes_in_the_order_of_the_world():
    """The best of all six orders, also where two axes lean to the same direction."""
    assert _to_layers.axis_order(np.eye(4)) == (0, 1, 2)
    leaning = np.eye(4)
    leaning[:3, :3] = [[0.8, 0.7, 0.0], [0.5, 0.6, 0.1], [0.1, 0.1, 3.0]]
    assert _to_layers.axis_order(leaning) == (0, 1, 2)
    assert _to_layers.axis_order(leaning[:, [2, 0, 1, 3]]) == (1, 2, 0)
