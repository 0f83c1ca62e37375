"""The peers of `cargo bench -p brainmesh-meshing --bench mesh`: VTK, one task a line on standard input.

Needs numpy and vtk (or slicer-core, which has it). Each answer is a line of numbers; the first is seconds.
"""

import sys
import time

import numpy as np
import vtk
from vtk.util.numpy_support import numpy_to_vtk, numpy_to_vtkIdTypeArray, vtk_to_numpy


def image(path, dtype, size):
    values = np.fromfile(path, dtype)
    data = vtk.vtkImageData()
    data.SetDimensions(size, size, size)
    array = numpy_to_vtk(values, deep=True)
    array.SetName("values")
    data.GetPointData().SetScalars(array)
    return data


def surface(path):
    points = np.fromfile(path + ".points", np.float32).reshape(-1, 3)
    triangles = np.fromfile(path + ".triangles", np.uint32).reshape(-1, 3).astype(np.int64)
    data = vtk.vtkPolyData()
    vertices = vtk.vtkPoints()
    vertices.SetData(numpy_to_vtk(points, deep=True))
    data.SetPoints(vertices)
    cells = vtk.vtkCellArray()
    cells.SetData(3, numpy_to_vtkIdTypeArray(triangles.ravel(), deep=True))
    data.SetPolys(cells)
    return data


def arrays(data):
    return vtk_to_numpy(data.GetPoints().GetData()).astype(float), vtk_to_numpy(data.GetPolys().GetConnectivityArray()).reshape(-1, 3)


def timed(filter):
    start = time.perf_counter()
    filter.Update()
    return time.perf_counter() - start


def labels(path, size):
    """VTK's surface nets without smoothing: seconds, triangles, and the volume of every label."""
    data = image(path, np.uint8, size)
    values = [int(v) for v in np.unique(np.fromfile(path, np.uint8)) if v]
    nets = vtk.vtkSurfaceNets3D()
    nets.SetInputData(data)
    for n, value in enumerate(values):
        nets.SetLabel(n, value)
    nets.SetBackgroundLabel(0)
    nets.SmoothingOff()
    nets.SetOutputMeshTypeToTriangles()
    seconds = timed(nets)
    points, triangles = arrays(nets.GetOutput())
    sides = vtk_to_numpy(nets.GetOutput().GetCellData().GetArray("BoundaryLabels"))
    a, b, c = (points[triangles[:, n]] for n in range(3))
    volumes = np.einsum("ij,ij->i", a, np.cross(b, c)) / 6
    own = [abs(volumes[sides[:, 0] == v].sum() - volumes[sides[:, 1] == v].sum()) for v in values]
    return [seconds, len(triangles), *own]


def isosurface(path, size):
    data = image(path, np.float32, size)
    edges = vtk.vtkFlyingEdges3D()
    edges.SetInputData(data)
    edges.SetValue(0, 0.5)
    edges.ComputeNormalsOff()
    edges.ComputeGradientsOff()
    edges.ComputeScalarsOff()
    seconds = timed(edges)
    points, triangles = arrays(edges.GetOutput())
    a, b, c = (points[triangles[:, n]] for n in range(3))
    return [seconds, len(triangles), abs(np.einsum("ij,ij->i", a, np.cross(b, c)).sum() / 6)]


def smooth(path, iterations):
    sinc = vtk.vtkWindowedSincPolyDataFilter()
    sinc.SetInputData(surface(path))
    sinc.SetNumberOfIterations(iterations)
    sinc.FeatureEdgeSmoothingOff()
    sinc.BoundarySmoothingOff()
    return [timed(sinc)]


def decimate(path, out, share):
    quadric = vtk.vtkQuadricDecimation()
    quadric.SetInputData(surface(path))
    quadric.SetTargetReduction(1 - share)
    quadric.VolumePreservationOff()
    seconds = timed(quadric)
    points, triangles = arrays(quadric.GetOutput())
    points.astype(np.float32).tofile(out + ".points")
    triangles.astype(np.uint32).tofile(out + ".triangles")
    return [seconds, len(triangles)]


def spread(data, count, seed):
    """Points spread evenly over a surface."""
    points, triangles = arrays(data)
    a, b, c = (points[triangles[:, n]] for n in range(3))
    areas = np.linalg.norm(np.cross(b - a, c - a), axis=1)
    random = np.random.default_rng(seed)
    chosen = random.choice(len(triangles), count, p=areas / areas.sum())
    u, v = random.random((2, count, 1))
    u, v = np.where(u + v > 1, 1 - u, u), np.where(u + v > 1, 1 - v, v)
    return a[chosen] + u * (b - a)[chosen] + v * (c - a)[chosen]


def apart(one, other, count=40000):
    """Mean and root mean square of the distances between two surfaces, both ways, and the largest."""
    one, other = surface(one), surface(other)
    distances = []
    for source, target in ((one, other), (other, one)):
        locator = vtk.vtkStaticCellLocator()
        locator.SetDataSet(target)
        locator.BuildLocator()
        closest, cell, sub, squared = [0.0] * 3, vtk.mutable(0), vtk.mutable(0), vtk.mutable(0.0)
        generic = vtk.vtkGenericCell()
        for point in spread(source, count, 1):
            locator.FindClosestPoint(point, closest, generic, cell, sub, squared)
            distances.append(float(squared))
    squared = np.array(distances)
    return [0, np.sqrt(squared).mean(), np.sqrt(squared.mean()), np.sqrt(squared.max())]


TASKS = {
    "labels": lambda path, size: labels(path, int(size)),
    "isosurface": lambda path, size: isosurface(path, int(size)),
    "smooth": lambda path, iterations: smooth(path, int(iterations)),
    "decimate": lambda path, out, share: decimate(path, out, float(share)),
    "apart": lambda one, other: apart(one, other),
}

if __name__ == "__main__":
    vtk.vtkSMPTools.SetBackend("STDThread")
    vtk.vtkSMPTools.Initialize(int(sys.argv[1]))
    print(vtk.vtkVersion.GetVTKVersion(), vtk.vtkSMPTools.GetBackend(), vtk.vtkSMPTools.GetEstimatedNumberOfThreads(), flush=True)
    for line in sys.stdin:
        name, *words = line.rstrip("\n").split("\t")
        print(*TASKS[name](*words), flush=True)
