"""`brainmesh surface` against VTK and numpy, on a folded phantom and a ring."""

import json

import numpy as np
import pytest

nib = pytest.importorskip("nibabel")
vtk = pytest.importorskip("vtk")
from vtk.util.numpy_support import vtk_to_numpy  # noqa: E402


@pytest.fixture(scope="module")
def ribbon(brainmesh, tmp_path_factory):
    """A folded phantom and its pial surface as VTK reads it."""
    folder = tmp_path_factory.mktemp("surface")
    brainmesh("phantom", "--spacing-mm", 0.3, "--extent-mm", 12, "--artefacts", "none", "--out", folder)
    for name in ("pial", "white"):
        brainmesh("convert", folder / f"{name}.surf.gii", folder / f"{name}.vtp")
    return folder


def poly_data(path):
    reader = vtk.vtkXMLPolyDataReader()
    reader.SetFileName(str(path))
    reader.Update()
    return reader.GetOutput()


def map_of(path):
    return nib.load(path).agg_data()


def test_measures_are_those_of_vtk(brainmesh, ribbon):
    info = json.loads(brainmesh("surface", "info", ribbon / "pial.surf.gii", "--json"))
    surface = poly_data(ribbon / "pial.vtp")
    mass = vtk.vtkMassProperties()
    mass.SetInputData(surface)
    assert info["area_mm2"] == pytest.approx(mass.GetSurfaceArea(), rel=1e-5)
    edges = vtk.vtkFeatureEdges()
    edges.SetInputData(surface)
    edges.FeatureEdgesOff()
    edges.ManifoldEdgesOff()
    counts = {}
    for name in ("BoundaryEdges", "NonManifoldEdges"):
        edges.BoundaryEdgesOff()
        edges.NonManifoldEdgesOff()
        getattr(edges, f"{name}On")()
        edges.Update()
        counts[name] = edges.GetOutput().GetNumberOfCells()
    assert (info["border_edges"], info["nonmanifold_edges"]) == (counts["BoundaryEdges"], counts["NonManifoldEdges"])
    parts = vtk.vtkPolyDataConnectivityFilter()
    parts.SetInputData(surface)
    parts.SetExtractionModeToAllRegions()
    parts.Update()
    assert info["components"] == parts.GetNumberOfExtractedRegions()


def test_gaussian_curvature_is_that_of_vtk(brainmesh, ribbon):
    """VTK divides the angle that a vertex lacks by a third of its triangles, we by their mixed areas: the lack is the same."""
    out = ribbon / "k.shape.gii"
    brainmesh("surface", "curvature", ribbon / "pial.surf.gii", "--kind", "gaussian", "-o", out)
    brainmesh("surface", "area", ribbon / "pial.surf.gii", "-o", ribbon / "a.shape.gii")
    curvatures = vtk.vtkCurvatures()
    curvatures.SetInputData(poly_data(ribbon / "pial.vtp"))
    curvatures.SetCurvatureTypeToGaussian()
    curvatures.Update()
    peer = vtk_to_numpy(curvatures.GetOutput().GetPointData().GetArray("Gauss_Curvature"))
    ours, area = map_of(out), map_of(ribbon / "a.shape.gii")
    inside = np.isfinite(ours)
    # Areas differ where triangles do; signs never, and the sums, weighted by area, hardly.
    firm = inside & (np.abs(peer) > 1e-3)
    assert (np.sign(ours[firm]) == np.sign(peer[firm])).all()
    assert np.corrcoef(ours[inside], peer[inside])[0, 1] > 0.95
    assert np.median(np.abs(ours[inside] / peer[inside] - 1)) < 0.1
    info = json.loads(brainmesh("surface", "info", ribbon / "pial.surf.gii", "--json"))
    assert area.sum() == pytest.approx(info["area_mm2"], rel=1e-5)


@pytest.mark.parametrize("normal", [(0, 0, 1), (1, -2, 0.5)])
def test_contours_are_as_long_as_those_of_vtk(brainmesh, ribbon, normal):
    surface = poly_data(ribbon / "pial.vtp")
    point = np.array(surface.GetCenter()) + 0.0123
    out = ribbon / "lines.json"
    words = [",".join(map(str, v)) for v in (normal, point)]
    where = [f"--plane-normal={words[0]}", f"--plane-point={words[1]}"]
    brainmesh("surface", "contours", ribbon / "pial.surf.gii", *where, "-o", out)
    plane = vtk.vtkPlane()
    plane.SetNormal(*normal)
    plane.SetOrigin(*point)
    cutter = vtk.vtkCutter()
    cutter.SetInputData(surface)
    cutter.SetCutFunction(plane)
    stripper = vtk.vtkStripper()
    stripper.SetInputConnection(cutter.GetOutputPort())
    stripper.JoinContiguousSegmentsOn()
    stripper.Update()
    lines = stripper.GetOutput()
    points = vtk_to_numpy(lines.GetPoints().GetData()).astype(float)
    cells = [lines.GetCell(n).GetPointIds() for n in range(lines.GetNumberOfCells())]
    cells = [[ids.GetId(n) for n in range(ids.GetNumberOfIds())] for ids in cells]
    peer = sum(np.linalg.norm(np.diff(points[cell], axis=0), axis=1).sum() for cell in cells)
    contours = json.loads(out.read_text())["surfaces"][0]["contours"]
    assert len(contours) == len(cells)
    assert sum(line["length_mm"] for line in contours) == pytest.approx(peer, rel=1e-4)


def test_closest_thickness_is_that_of_vtk(brainmesh, ribbon):
    out = ribbon / "t.npy"
    brainmesh("surface", "thickness", ribbon / "pial.surf.gii", ribbon / "white.surf.gii", "-o", out)
    surfaces = [poly_data(ribbon / f"{name}.vtp") for name in ("pial", "white")]
    points = [vtk_to_numpy(s.GetPoints().GetData()).astype(float) for s in surfaces]

    def distances(from_points, surface):
        locator = vtk.vtkCellLocator()
        locator.SetDataSet(surface)
        locator.BuildLocator()
        near, cell, part, squared = [0.0] * 3, vtk.reference(0), vtk.reference(0), vtk.reference(0.0)
        found = []
        for p in from_points:
            locator.FindClosestPoint(p, near, cell, part, squared)
            found.append(float(squared) ** 0.5)
        return np.array(found)

    both = (distances(points[0], surfaces[1]) + distances(points[1], surfaces[0])) / 2
    assert np.allclose(np.load(out)[:, 0], both, atol=1e-4)
