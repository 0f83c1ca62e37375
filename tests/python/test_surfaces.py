"""Files brainmesh writes, read back by nibabel, numpy and VTK.

    pip install nibabel numpy vtk pytest
    pytest tests/python/test_surfaces.py

The files come from `cargo run -p brainmesh-formats --example write_all`; BRAINMESH_WRITTEN names a folder that already
holds them.
"""

import gzip
import json
import os
import struct
import subprocess
from pathlib import Path

import numpy as np
import pytest

nib = pytest.importorskip("nibabel")


@pytest.fixture(scope="session")
def written(tmp_path_factory):
    if folder := os.environ.get("BRAINMESH_WRITTEN"):
        return Path(folder)
    folder = tmp_path_factory.mktemp("written")
    root = Path(__file__).resolve().parents[2]
    command = ["cargo", "run", "--release", "--quiet", "-p", "brainmesh-formats", "--example", "write_all", "--", str(folder)]
    subprocess.run(command, cwd=root, check=True)
    return folder


@pytest.fixture(scope="session")
def truth(written):
    """Vertices (float64) and triangles by way of numpy, the plainest of the formats."""
    arrays = np.load(written / "surface.npz")
    assert arrays["vertices"].dtype == np.float64 and arrays["triangles"].dtype == np.int32
    assert np.array_equal(np.load(written / "vertices.npy"), arrays["vertices"])
    return arrays


def test_npz(truth):
    assert truth["vertices"].shape == (66, 3) and truth["triangles"].shape == (128, 3)
    assert np.isnan(truth["depth"][3]) and truth["depth"][4] == np.float32(truth["vertices"][4, 2])
    # The lopsided surface is bulged towards right, anterior and superior of (20, -30, 10).
    assert truth["vertices"].max(axis=0) @ [1, 0, 0] > 66 and truth["vertices"].min(axis=0) @ [1, 0, 0] == -20


def test_gifti_surface(written, truth):
    image = nib.load(written / "gifti.surf.gii")
    points, triangles = image.darrays
    assert points.data.dtype == np.float32 and np.array_equal(points.data, truth["vertices"].astype("f4"))
    assert triangles.data.dtype == np.int32 and np.array_equal(triangles.data, truth["triangles"])
    assert points.intent == 1008 and triangles.intent == 1009 and points.encoding == 3
    assert points.meta["AnatomicalStructurePrimary"] == "CortexLeft" and points.meta["GeometricType"] == "Anatomical"
    assert triangles.meta["TopologicalType"] == "Closed"
    assert points.coordsys.dataspace == points.coordsys.xformspace == 1  # NIFTI_XFORM_SCANNER_ANAT
    assert np.array_equal(points.coordsys.xform, np.eye(4))


def test_gifti_maps(written, truth):
    image = nib.load(written / "maps.shape.gii")
    depth, half = image.darrays
    assert image.meta["AnatomicalStructurePrimary"] == "CortexLeft"
    assert depth.intent == half.intent == nib.nifti1.intent_codes["NIFTI_INTENT_SHAPE"]
    assert depth.meta["Name"] == "depth & <more>" and depth.data.dtype == np.float32
    assert np.array_equal(depth.data, truth["depth"], equal_nan=True) and np.isnan(depth.data[3])
    assert np.array_equal(half.data, np.arange(66) * 0.5)


def test_gifti_labels(written):
    image = nib.load(written / "areas.label.gii")
    (labels,) = image.darrays
    assert labels.intent == nib.nifti1.intent_codes["NIFTI_INTENT_LABEL"] and labels.data.dtype == np.int32
    assert np.array_equal(labels.data, np.where(np.arange(66) % 3 == 0, 7, 0))
    assert image.labeltable.get_labels_as_dict() == {0: "???", 7: 'area "17" & <V1>'}
    assert image.labeltable.labels[1].rgba == (0.25, 0.5, 0.75, 1.0)


def test_freesurfer(written, truth):
    points, triangles, info = nib.freesurfer.read_geometry(written / "freesurfer.fs", read_metadata=True)
    assert np.array_equal(points.astype("f4"), truth["vertices"].astype("f4"))
    assert np.array_equal(triangles, truth["triangles"])
    # The footer's geometry leaves the coordinates where they are.
    header = nib.freesurfer.mghformat.MGHHeader()
    header.set_data_shape(tuple(info["volume"]))
    header["delta"], header["Pxyz_c"] = info["voxelsize"], info["cras"]
    header["Mdc"] = np.array([info["xras"], info["yras"], info["zras"]])
    assert np.allclose(header.get_affine() @ np.linalg.inv(header.get_vox2ras_tkr()), np.eye(4))


def test_freesurfer_maps(written, truth):
    assert np.array_equal(nib.freesurfer.read_morph_data(written / "lh.depth"), truth["depth"], equal_nan=True)
    labels, colours, names = nib.freesurfer.read_annot(written / "lh.areas.annot", orig_ids=False)
    # nibabel numbers colours by the keys of the table (0 and 7) and names one after another.
    assert np.array_equal(labels, np.where(np.arange(66) % 3 == 0, 7, 0))
    assert names == [b"???", b'area "17" & <V1>'] and list(colours[7][:4]) == [64, 128, 191, 0]
    vertices, values = nib.freesurfer.read_label(written / "lh.some.label", read_scalars=True)
    assert np.array_equal(vertices, np.arange(0, 66, 5)) and np.array_equal(values, vertices / 4)


def test_gifti_time_series(written, truth):
    image = nib.load(written / "time.func.gii")
    assert [a.intent for a in image.darrays] == [nib.nifti1.intent_codes["NIFTI_INTENT_TIME_SERIES"]] * 2
    depth, half = image.agg_data("time series").T
    assert np.array_equal(depth, truth["depth"], equal_nan=True) and np.array_equal(half, np.arange(66) * 0.5)


def test_mz3(written, truth):
    """By the layout of its specification: no Python package reads it."""
    data = gzip.decompress((written / "mz3.mz3").read_bytes())
    magic, attributes, faces, vertices, skip = struct.unpack("<2sHIII", data[:16])
    assert (magic, attributes, faces, vertices, skip) == (b"MZ", 3, 128, 66, 0)
    assert np.array_equal(np.frombuffer(data[16:1552], "<i4").reshape(-1, 3), truth["triangles"])
    assert np.array_equal(np.frombuffer(data[1552:], "<f4").reshape(-1, 3), truth["vertices"].astype("f4"))
    data = gzip.decompress((written / "overlay.mz3").read_bytes())
    assert struct.unpack("<2sHIII", data[:16]) == (b"MZ", 8, 0, 66, 0)
    depth, half = np.frombuffer(data[16:], "<f4").reshape(2, 66)
    assert np.array_equal(depth, truth["depth"], equal_nan=True) and np.array_equal(half, np.arange(66) * 0.5)


def in_gltf_metres(truth):
    right, anterior, superior = truth["vertices"].T
    return np.stack([-right, superior, anterior], axis=1) / 1000


def test_quantized_glb(written, truth):
    """By the text of KHR_mesh_quantization, since VTK does not know it."""
    data = (written / "quantized.glb").read_bytes()
    size = struct.unpack("<I", data[12:16])[0]
    scene, binary = json.loads(data[20 : 20 + size]), data[28 + size :]
    assert scene["extensionsRequired"] == ["KHR_mesh_quantization"]
    (node,) = scene["nodes"]
    positions = scene["accessors"][scene["meshes"][node["mesh"]]["primitives"][0]["attributes"]["POSITION"]]
    view = scene["bufferViews"][positions["bufferView"]]
    assert positions["componentType"] == 5123 and not positions.get("normalized") and view["byteStride"] == 8
    stored = np.frombuffer(binary[view["byteOffset"] :], "<u2", 66 * 4).reshape(66, 4)[:, :3]
    assert stored.min(axis=0).tolist() == positions["min"] and stored.max(axis=0).tolist() == positions["max"]
    matrix = np.array(node["matrix"]).reshape(4, 4).T
    points = stored @ matrix[:3, :3].T + matrix[:3, 3]
    assert np.abs(points - in_gltf_metres(truth)).max() < 1.1e-6  # half of 140 mm / 65535
    extras = node["extras"]
    points = stored * extras["mm_per_unit"] + extras["origin_mm"]
    assert extras["space"] == "RAS" and np.abs(points - truth["vertices"]).max() < 1.1e-3


def test_vtk_reads_glb(written, truth):
    """Metres with +Y up, after the transforms of the nodes."""
    vtk = pytest.importorskip("vtk")
    from vtk.util.numpy_support import vtk_to_numpy

    reader = vtk.vtkGLTFReader()
    reader.SetFileName(str(written / "glb.glb"))
    reader.Update()
    flatten = vtk.vtkCompositeDataGeometryFilter()
    flatten.SetInputConnection(reader.GetOutputPort())
    flatten.Update()
    mesh = flatten.GetOutput()
    points = vtk_to_numpy(mesh.GetPoints().GetData())
    assert np.abs(points - in_gltf_metres(truth)).max() < 1e-8
    assert np.array_equal(vtk_to_numpy(mesh.GetPolys().GetConnectivityArray()).reshape(-1, 3), truth["triangles"])


def test_mni_obj(written, truth):
    words = (written / "mniobj.obj").read_text().split()
    assert words[0] == "P" and words[6] == "66"
    numbers = np.array(words[7:], float)
    points, normals, rest = numbers[:198].reshape(-1, 3), numbers[198:396].reshape(-1, 3), numbers[396:]
    assert np.array_equal(points.astype("f4"), truth["vertices"].astype("f4"))
    assert np.allclose(np.linalg.norm(normals, axis=1), 1, atol=1e-5)
    assert rest[0] == 128 and list(rest[1:6]) == [0, 1, 1, 1, 1]
    assert np.array_equal(rest[6:134], 3 * np.arange(1, 129))
    assert np.array_equal(rest[134:].reshape(-1, 3), truth["triangles"])


@pytest.mark.parametrize("name, reader", [("ply.ply", "vtkPLYReader"), ("vtp.vtp", "vtkXMLPolyDataReader"),
                                          ("obj.obj", "vtkOBJReader"), ("stl.stl", "vtkSTLReader"),
                                          ("vtk.vtk", "vtkPolyDataReader"), ("vtkascii.vtk", "vtkPolyDataReader")])
def test_vtk(written, truth, name, reader):
    vtk = pytest.importorskip("vtk")
    from vtk.util.numpy_support import vtk_to_numpy

    reader = getattr(vtk, reader)()
    reader.SetFileName(str(written / name))
    reader.Update()
    mesh = reader.GetOutput()
    points = vtk_to_numpy(mesh.GetPoints().GetData()).astype("f4")  # OBJ text comes as float64
    triangles = vtk_to_numpy(mesh.GetPolys().GetConnectivityArray()).reshape(-1, 3)
    if name == "stl.stl":  # vertices are merged again in another order
        assert np.array_equal(points[triangles], truth["vertices"].astype("f4")[truth["triangles"]])
        assert "SPACE=RAS" in reader.GetHeader()
        return
    assert np.array_equal(points, truth["vertices"].astype("f4"))
    assert np.array_equal(triangles, truth["triangles"])
    if name == "vtp.vtp":
        space = mesh.GetFieldData().GetAbstractArray("SPACE")
        assert space.GetNumberOfValues() == 1 and space.GetValue(0) == "RAS"
    if name in ("vtp.vtp", "vtk.vtk"):
        depth = vtk_to_numpy(mesh.GetPointData().GetArray("depth"))
        assert np.array_equal(depth, truth["depth"], equal_nan=True)
    if name.endswith(".vtk"):
        assert "SPACE=RAS" in reader.GetHeader()
    if name == "ply.ply":
        assert b"comment SPACE=RAS\n" in (written / name).read_bytes()
    if name == "obj.obj":
        assert "SPACE=RAS" in (written / name).read_text().splitlines()[0]


@pytest.mark.parametrize("name", ["ply.ply", "vtp.vtp", "vtk.vtk", "vtkascii.vtk", "obj.obj", "stl.stl"])
def test_slicer_takes_coordinates_as_ras(written, truth, name):
    """3D Slicer would mirror a model whose space it has to guess. Needs `pip install slicer-core` (brings its own VTK)."""
    slicer = pytest.importorskip("slicer")
    from vtk.util.numpy_support import vtk_to_numpy

    scene = slicer.vtkMRMLScene()
    node, storage = scene.AddNewNodeByClass("vtkMRMLModelNode"), slicer.vtkMRMLModelStorageNode()
    scene.AddNode(storage)
    storage.SetFileName(str(written / name))
    assert storage.ReadData(node)
    points = vtk_to_numpy(node.GetPolyData().GetPoints().GetData()).astype("f4")
    expected = truth["vertices"].astype("f4")
    if name == "stl.stl":
        points, expected = np.unique(points, axis=0), np.unique(expected, axis=0)
    assert np.array_equal(points, expected)


def test_ply_scalars(written, truth):
    head, body = (written / "ply.ply").read_bytes().split(b"end_header\n")
    assert b"property float depth\n" in head
    rows = np.frombuffer(body[: 66 * 16], "<f4").reshape(66, 4)
    assert np.array_equal(rows[:, 3], truth["depth"], equal_nan=True)


def test_glb_container(written):
    data = (written / "scene.glb").read_bytes()
    magic, version, length = struct.unpack("<4sII", data[:12])
    assert (magic, version, length) == (b"glTF", 2, len(data))
    size, kind = struct.unpack("<I4s", data[12:20])
    assert kind == b"JSON" and size % 4 == 0
