"""From nodes to files that the program reads, in world RAS millimetres and at full precision."""

from pathlib import Path

import numpy as np
import slicer
import vtk

from .process import Progress, Task

# NRRD (https://teem.sourceforge.net/nrrd/format.html, section 5): numpy's kind and size -> name.
_NRRD_TYPES = {
    "i1": "int8", "u1": "uint8", "i2": "int16", "u2": "uint16", "i4": "int32", "u4": "uint32", "i8": "int64", "u8": "uint64",
    "f4": "float", "f8": "double",
}  # fmt: skip
_BLOCK_BYTES = 16 << 20


def write_volume(node: slicer.vtkMRMLScalarVolumeNode, path: Path) -> Task[None]:
    """Writes a raw `.nrrd` a block a step, so that the application stays awake; Slicer's own writer takes a volume whole."""
    if node.GetImageData() is None:
        raise ValueError(f"volume “{node.GetName()}”: expected voxels, found none")
    voxels = np.ascontiguousarray(slicer.util.arrayFromVolume(node))
    if voxels.ndim != 3:
        raise ValueError(f"volume “{node.GetName()}”: expected one value a voxel, found {voxels.shape[3:]}")
    shape = voxels.shape[::-1]
    world_from_voxel = _world_from_voxel(node)
    # Text with 17 digits gives every double back.
    columns = [",".join(f"{x:.17g}" for x in world_from_voxel[:3, axis]) for axis in range(4)]
    fields = {
        "type": _NRRD_TYPES[voxels.dtype.str[1:]],
        "dimension": "3",
        "space": "right-anterior-superior",
        "sizes": " ".join(map(str, shape)),
        "space directions": " ".join(f"({c})" for c in columns[:3]),
        "kinds": "domain domain domain",
        "space origin": f"({columns[3]})",
        "endian": "big" if voxels.dtype.byteorder == ">" else "little",
        "encoding": "raw",
    }
    header = "NRRD0004\n" + "".join(f"{key}: {value}\n" for key, value in fields.items()) + "\n"
    content = memoryview(voxels).cast("B")
    with open(path, "wb") as file:
        file.write(header.encode())
        for start in range(0, len(content), _BLOCK_BYTES):
            yield Progress("writing the volume", start, len(content))
            file.write(content[start : start + _BLOCK_BYTES])


def write_model(node: slicer.vtkMRMLModelNode, path: Path) -> None:
    """Writes points and polygons as `.vtp` that states its space: without, half of the programs would mirror it."""
    surface = vtk.vtkPolyData()
    surface.SetPoints(node.GetPolyData().GetPoints())
    surface.SetPolys(node.GetPolyData().GetPolys())
    if (transform := _world_from_node(node)) is not None:
        mover = vtk.vtkTransformPolyDataFilter()
        mover.SetTransform(transform)
        mover.SetInputData(surface)
        mover.Update()
        surface = mover.GetOutput()
    space = vtk.vtkStringArray()
    space.SetName("SPACE")
    space.InsertNextValue("RAS")
    surface.GetFieldData().AddArray(space)
    writer = vtk.vtkXMLPolyDataWriter()
    writer.SetFileName(str(path))
    writer.SetInputData(surface)
    writer.SetDataModeToAppended()
    writer.EncodeAppendedDataOff()
    writer.SetCompressorTypeToNone()
    if not writer.Write():
        raise OSError(f"{path}: cannot write the model “{node.GetName()}”")


def _world_from_voxel(node: slicer.vtkMRMLScalarVolumeNode) -> np.ndarray:
    matrix = vtk.vtkMatrix4x4()
    node.GetIJKToRASMatrix(matrix)
    if (parent := node.GetParentTransformNode()) is not None:
        world_from_node = vtk.vtkMatrix4x4()
        if not parent.GetMatrixTransformToWorld(world_from_node):
            raise ValueError(
                f"volume “{node.GetName()}”: expected a linear transform, found “{parent.GetName()}”, which bends; "
                "harden it first (Transforms module)"
            )
        vtk.vtkMatrix4x4.Multiply4x4(world_from_node, matrix, matrix)
    return slicer.util.arrayFromVTKMatrix(matrix)


def _world_from_node(node: slicer.vtkMRMLModelNode) -> vtk.vtkGeneralTransform | None:
    parent = node.GetParentTransformNode()
    if parent is None:
        return None
    transform = vtk.vtkGeneralTransform()
    slicer.vtkMRMLTransformNode.GetTransformBetweenNodes(parent, None, transform)
    return transform
