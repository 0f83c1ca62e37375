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


def areas(points, triangles):
    """Of every vertex: a third of its triangles, and the mixed Voronoi area (Meyer et al. 2003, figure 4)."""
    corners = points[triangles]
    area = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1) / 2
    u = [corners[:, (k + 1) % 3] - corners[:, k] for k in range(3)]
    angle = [np.arccos(-(u[k] * u[k - 1]).sum(1) / np.linalg.norm(u[k], axis=1) / np.linalg.norm(u[k - 1], axis=1)) for k in range(3)]
    wide = np.max(angle, axis=0) > np.pi / 2
    thirds, mixed = np.zeros(len(points)), np.zeros(len(points))
    for k in range(3):
        following, before = (k + 1) % 3, (k + 2) % 3
        voronoi = ((u[k] ** 2).sum(1) / np.tan(angle[before]) + (u[before] ** 2).sum(1) / np.tan(angle[following])) / 8
        part = np.where(wide, np.where(angle[k] > np.pi / 2, area / 2, area / 4), voronoi)
        np.add.at(thirds, triangles[:, k], area / 3)
        np.add.at(mixed, triangles[:, k], part)
    return thirds, mixed


def test_areas_and_gaussian_curvature_are_those_of_vtk_and_numpy(brainmesh, ribbon):
    """VTK divides the angle that a vertex lacks by a third of its triangles, we by their mixed areas."""
    surface = ribbon / "pial.surf.gii"
    points, triangles = nib.load(surface).agg_data()
    thirds, mixed = areas(points.astype(float), triangles)
    brainmesh("surface", "curvature", surface, "--kind", "gaussian", "-o", ribbon / "k.shape.gii")
    brainmesh("surface", "area", surface, "-o", ribbon / "a.shape.gii")
    assert np.allclose(map_of(ribbon / "a.shape.gii"), thirds, rtol=1e-4)
    curvatures = vtk.vtkCurvatures()
    curvatures.SetInputData(poly_data(ribbon / "pial.vtp"))
    curvatures.SetCurvatureTypeToGaussian()
    curvatures.Update()
    peer = vtk_to_numpy(curvatures.GetOutput().GetPointData().GetArray("Gauss_Curvature"))
    ours = map_of(ribbon / "k.shape.gii")
    inside = np.isfinite(ours)
    assert inside.sum() > 1000
    assert np.allclose(ours[inside], (peer * thirds / mixed)[inside], rtol=1e-3, atol=1e-4)


def ids_of(cell):
    """At once: VTK hands out the same object for every cell."""
    return [cell.GetPointId(n) for n in range(cell.GetNumberOfPoints())]


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
    cells = [ids_of(lines.GetCell(n)) for n in range(lines.GetNumberOfCells())]
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
