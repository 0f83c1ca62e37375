"""Surfaces of labels and layers of voxels against VTK."""

import json

import numpy as np
import pytest

nib = pytest.importorskip("nibabel")
vtk = pytest.importorskip("vtk")
from vtk.util.numpy_support import numpy_to_vtk, numpy_to_vtkIdTypeArray, vtk_to_numpy  # noqa: E402


def poly(points, triangles):
    """A VTK surface."""
    data, vertices, cells = vtk.vtkPolyData(), vtk.vtkPoints(), vtk.vtkCellArray()
    vertices.SetData(numpy_to_vtk(np.ascontiguousarray(points, float), deep=True))
    cells.SetData(3, numpy_to_vtkIdTypeArray(np.ascontiguousarray(triangles, np.int64).ravel(), deep=True))
    data.SetPoints(vertices)
    data.SetPolys(cells)
    return data


def test_voxels_have_the_layer_that_vtk_finds(brainmesh, sphere, tmp_path):
    """Signed distances to every surface: below zero is inside."""
    out = tmp_path / "layers.nii.gz"
    brainmesh("mesh", sphere / "layers", "--label-volume", "--like", sphere / "volume.nii.gz", "-o", out)
    image = nib.load(out)
    labels = np.asarray(image.dataobj)
    random = np.random.default_rng(5)
    # As many voxels of every layer and of what lies around them.
    chosen = np.concatenate([random.permutation(np.argwhere(labels == k))[:400] for k in range(7)])
    world = nib.affines.apply_affine(image.affine, chosen)
    distances = []
    for k in range(7):
        points, triangles = nib.load(sphere / "layers" / f"layer{k}.surf.gii").agg_data()
        distance = vtk.vtkImplicitPolyDataDistance()
        distance.SetInput(poly(points, triangles))
        distances.append([distance.EvaluateFunction(p) for p in world])
    distances = np.array(distances)
    # Within rounding of float32 on a surface either side is right.
    sure = np.abs(distances).min(axis=0) > 1e-4
    inside = distances < 0
    expected = np.zeros(len(world), int)
    for k in range(1, 7):
        expected[inside[k - 1] & ~inside[k]] = k
    found = labels[tuple(chosen.T)]
    assert sure.sum() > 2000 and set(found[sure]) == set(range(7))
    assert np.array_equal(found[sure], expected[sure])


def test_label_surfaces_have_the_triangles_of_vtk(brainmesh, tmp_path):
    """As many triangles as VTK's surface nets, closed, and the volume of the voxels."""
    size = 40
    grid = (np.stack(np.meshgrid(*[np.arange(size)] * 3, indexing="ij"), -1) - size / 2 + 0.3) / (size / 2)
    radius = np.linalg.norm(grid, axis=-1)
    labels = np.where(radius < 0.85, 1, 0).astype(np.uint8)
    labels[(radius < 0.85) & (grid[..., 0] > 0.1 * np.sin(9 * grid[..., 1]))] = 2
    labels[radius < 0.4] = 5
    nib.save(nib.Nifti1Image(labels, np.diag([-0.5, 1, 2, 1])), tmp_path / "labels.nii.gz")
    brainmesh("mesh", tmp_path / "labels.nii.gz", "-o", tmp_path / "out", "--format", "vtp", "--relax", 0)
    report = json.loads((tmp_path / "out" / "report.json").read_text())

    image = vtk.vtkImageData()
    image.SetDimensions(size, size, size)
    array = numpy_to_vtk(labels.ravel(order="F"), deep=True)
    image.GetPointData().SetScalars(array)
    nets = vtk.vtkSurfaceNets3D()
    nets.SetInputData(image)
    for n, value in enumerate((1, 2, 5)):
        nets.SetLabel(n, value)
    nets.SmoothingOff()
    nets.SetOutputMeshTypeToTriangles()
    nets.Update()
    sides = vtk_to_numpy(nets.GetOutput().GetCellData().GetArray("BoundaryLabels"))
    for surface in report["surfaces"]:
        assert surface["triangles"] == (sides == surface["label"]).any(axis=1).sum()
        assert surface["closed"]
        assert abs(surface["volume_mm3"] / surface["voxels"] - 1) < 0.03
        reader = vtk.vtkXMLPolyDataReader()
        reader.SetFileName(str(tmp_path / "out" / f"{surface['name']}.vtp"))
        edges = vtk.vtkFeatureEdges()
        edges.SetInputConnection(reader.GetOutputPort())
        edges.FeatureEdgesOff()
        edges.BoundaryEdgesOn()
        edges.NonManifoldEdgesOn()
        edges.Update()
        assert edges.GetOutput().GetNumberOfCells() == 0
        mass = vtk.vtkMassProperties()
        mass.SetInputConnection(reader.GetOutputPort())
        mass.Update()
        assert abs(mass.GetVolume() / surface["volume_mm3"] - 1) < 1e-4
