"""3D Slicer's own logic for command-line modules, in a scene without the application."""

import ctypes
import shutil
import subprocess
import time
from pathlib import Path

import numpy as np
import pytest

slicer = pytest.importorskip("slicer_core")
import vtk  # noqa: E402
from vtk.util.numpy_support import numpy_to_vtk, vtk_to_numpy  # noqa: E402

ENDED = ("Completed", "Completed with errors", "Cancelled")


def build_shim(folder):
    """The few lines of C++ that Python lacks, against the libraries of the wheel."""
    if shutil.which("g++") is None:
        pytest.skip("g++ is missing: Slicer's logic takes module descriptions from C++ alone")
    libraries = Path(slicer.__file__).parent
    needed = ["libMRMLCLI.so", "libvtkSlicerBaseLogic.so", "third_party.libs/libModuleDescriptionParser.so"]
    if not all((libraries / name).exists() for name in needed):
        pytest.skip("slicer-core is not laid out as on Linux")
    shim = folder / "slicer_shim.so"
    # The wheel keeps the older layout of std::string.
    command = ["g++", "-shared", "-fPIC", "-D_GLIBCXX_USE_CXX11_ABI=0", "-Wl,--allow-shlib-undefined", "-o", shim]
    source = Path(__file__).with_name("slicer_shim.cpp")
    subprocess.run([*command, source, *(libraries / name for name in needed)], check=True)
    return ctypes.CDLL(str(shim))


class Scene:
    """A scene, the application's logic, and modules that run in it."""

    def __init__(self, shim, temporary):
        self.shim, self.temporary = shim, temporary
        self.scene = slicer.vtkMRMLScene()
        # The application sets one; without it reading results back follows a null pointer.
        self.scene.SetCacheManager(slicer.vtkCacheManager())
        self.scene.RegisterNodeClass(slicer.vtkMRMLCommandLineModuleNode())
        self.application = slicer.vtkSlicerApplicationLogic()
        self.application.SetMRMLScene(self.scene)
        self.application.SetTemporaryPath(str(temporary))
        # Labels take their colours from a table that it makes.
        self.colors = slicer.vtkMRMLColorLogic()
        self.colors.SetMRMLScene(self.scene)
        self.application.CreateProcessingThread()
        self.modules = []

    def close(self):
        self.application.TerminateProcessingThread()

    def module(self, program):
        """A module node of a program, which is asked for its description as Slicer does."""
        xml = subprocess.run([program, "--xml"], capture_output=True, check=True, timeout=5)
        assert xml.stderr == b""
        logic = slicer.vtkSlicerCLIModuleLogic()
        logic.SetMRMLScene(self.scene)
        logic.SetMRMLApplicationLogic(self.application)
        address = int(logic.__this__[1:].split("_p_")[0], 16)
        assert self.shim.describe(ctypes.c_void_p(address), str(program).encode(), xml.stdout) == 0
        self.modules.append(logic)
        return logic, logic.CreateNodeInScene()

    def add(self, kind, name):
        return self.scene.AddNewNodeByClass(f"vtkMRML{kind}Node", name)

    def add_model(self, name, vertices, triangles):
        mesh = vtk.vtkPolyData()
        points, cells = vtk.vtkPoints(), vtk.vtkCellArray()
        points.SetData(numpy_to_vtk(np.asarray(vertices, np.float32), deep=True))
        ends = np.arange(0, 3 * len(triangles) + 1, 3)
        corners = np.ascontiguousarray(triangles, np.int64).ravel()
        as_ids = {"deep": True, "array_type": vtk.VTK_ID_TYPE}
        cells.SetData(numpy_to_vtk(ends, **as_ids), numpy_to_vtk(corners, **as_ids))
        mesh.SetPoints(points)
        mesh.SetPolys(cells)
        node = self.add("Model", name)
        node.SetAndObservePolyData(mesh)
        return node

    def add_volume(self, name, data, world_from_voxel, kind="ScalarVolume"):
        image = vtk.vtkImageData()
        image.SetDimensions(*data.shape)
        image.GetPointData().SetScalars(numpy_to_vtk(data.ravel(order="F"), deep=True))
        node, matrix = self.add(kind, name), vtk.vtkMatrix4x4()
        matrix.DeepCopy(world_from_voxel.ravel().tolist())
        node.SetAndObserveImageData(image)
        node.SetIJKToRASMatrix(matrix)
        return node

    def start(self, module, parameters):
        """Schedules a module with nodes and values."""
        logic, node = module
        for name, value in parameters.items():
            if isinstance(value, slicer.vtkMRMLNode):
                node.SetParameterAsNode(name, value)
            else:
                node.SetParameterAsString(name, str(value))
        logic.Apply(node, False)

    def wait(self, module, until=ENDED, each=lambda node: None, seconds=120):
        """Does what the application's timers do; calls `each` meanwhile. Returns the status."""
        _, node = module
        limit = time.monotonic() + seconds
        while node.GetStatusString() not in until:
            assert time.monotonic() < limit, f"{node.GetStatusString()}: {node.GetOutputText()}"
            self.application.ProcessModified()
            if self.application.GetReadDataQueueSize():
                self.application.ProcessReadData()
            each(node)
            time.sleep(0.01)
        return node.GetStatusString()

    def run(self, module, parameters, **options):
        self.start(module, parameters)
        return self.wait(module, **options)


def points(model):
    return vtk_to_numpy(model.GetPolyData().GetPoints().GetData())


def values(model, name):
    return vtk_to_numpy(model.GetPolyData().GetPointData().GetArray(name))


def voxels(volume):
    """Values by voxel, and where voxels lie in RAS."""
    image, matrix = volume.GetImageData(), vtk.vtkMatrix4x4()
    volume.GetIJKToRASMatrix(matrix)
    data = vtk_to_numpy(image.GetPointData().GetScalars()).reshape(image.GetDimensions(), order="F")
    return data, np.array([[matrix.GetElement(i, j) for j in range(4)] for i in range(4)])


def voxels_as_on(volume, shape, world_from_voxel):
    """The values of a node at the voxels of a grid that must be the same but for the direction of its axes: Slicer turns one
    where a file's axes are left-handed."""
    data, its_own = voxels(volume)
    corners = np.stack(np.meshgrid(*map(np.arange, shape), indexing="ij"), axis=-1).reshape(-1, 3)
    between = np.linalg.inv(its_own) @ world_from_voxel
    at = corners @ between[:3, :3].T + between[:3, 3]
    indices = np.rint(at).astype(int)
    spacing_mm = np.linalg.norm(world_from_voxel[:3, :3], axis=0).min()
    assert np.abs(at - indices).max() * spacing_mm < 1e-4, "voxels lie between those of the grid"
    return data[tuple(indices.T)].reshape(shape)
