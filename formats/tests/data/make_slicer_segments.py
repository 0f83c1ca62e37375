"""Makes `plain/slicer-one.seg.nrrd` and `plain/slicer-two.seg.nrrd`: segmentations that 3D Slicer itself wrote.

Needs slicer-core, in an environment without another VTK. Run in this folder.
"""

import numpy as np
import slicer
from vtk import VTK_UNSIGNED_CHAR, vtkMatrix4x4
from vtk.util.numpy_support import vtk_to_numpy

# RAS mm from (i, j, k): i to the left, j upward, k to the anterior.
WORLD_FROM_VOXEL = np.array([[-0.5, 0, 0, 10], [0, 0, 1.0, 20], [0, 2.0, 0, 30], [0, 0, 0, 1]])


def segment(name, colour, first, last):
    """Voxels (first..=last, 0, 1) of 5 x 4 x 3."""
    image = slicer.vtkOrientedImageData()
    image.SetDimensions(5, 4, 3)
    image.AllocateScalars(VTK_UNSIGNED_CHAR, 1)
    values = np.zeros((3, 4, 5), "u1")
    values[1, 0, first : last + 1] = 1
    vtk_to_numpy(image.GetPointData().GetScalars())[:] = values.ravel()
    matrix = vtkMatrix4x4()
    matrix.DeepCopy(WORLD_FROM_VOXEL.ravel())
    image.SetImageToWorldMatrix(matrix)
    result = slicer.vtkSegment()
    result.SetName(name)
    result.SetColor(*colour)
    result.AddRepresentation("Binary labelmap", image)
    return result


scene = slicer.vtkMRMLScene()
node = scene.AddNewNodeByClass("vtkMRMLSegmentationNode")
segmentation = node.GetSegmentation()
segmentation.SetSourceRepresentationName("Binary labelmap")
storage = slicer.vtkMRMLSegmentationStorageNode()
scene.AddNode(storage)
for count, one in (("one", segment("layer II\\III", (1, 0.5, 0.25), 1, 3)), ("two", segment("lesion", (0, 0, 1), 2, 4))):
    segmentation.AddSegment(one)
    storage.SetFileName(f"plain/slicer-{count}.seg.nrrd")
    assert storage.WriteData(node)
