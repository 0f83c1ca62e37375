"""Volumes that brainmesh writes, read by nibabel, SimpleITK, pynrrd and 3D Slicer, and theirs read by brainmesh."""

import json

import nibabel
import numpy as np
import pytest

sitk = pytest.importorskip("SimpleITK")
nrrd = pytest.importorskip("nrrd")

LPS = np.diag([-1.0, -1.0, 1.0, 1.0])
# Oblique, sheared, left-handed: nothing about it is symmetric.
AFFINE = np.array([[-0.9, 0.12, 0.3, 17.25], [0.1, 1.1, -0.25, -30.5], [0.05, 0.3, 2.0, 4.75], [0, 0, 0, 1.0]])


@pytest.fixture(scope="session")
def original(tmp_path_factory):
    """More than one gzip block of noise, int16, as NIfTI."""
    path = tmp_path_factory.mktemp("original") / "a.nii"
    data = np.random.default_rng(3).integers(-3000, 3000, (70, 80, 130)).astype("i2")
    nibabel.save(nibabel.Nifti1Image(data, AFFINE), path)
    return path, data


def of_itk(path):
    image = sitk.ReadImage(str(path))
    affine = np.eye(4)
    affine[:3, :3] = np.array(image.GetDirection()).reshape(3, 3) @ np.diag(image.GetSpacing())
    affine[:3, 3] = image.GetOrigin()
    return sitk.GetArrayFromImage(image).T, LPS @ affine


def of_pynrrd(path):
    data, header = nrrd.read(str(path))
    affine = np.eye(4)
    affine[:3, :3], affine[:3, 3] = header["space directions"].T, header["space origin"]
    return data, LPS @ affine


def of_nibabel(path):
    image = nibabel.load(path)
    return np.asanyarray(image.dataobj), image.affine


READERS = [("mgh", of_nibabel), ("mgz", of_nibabel), ("mgz", of_itk), ("mgh", of_itk), ("nrrd", of_itk), ("nhdr", of_itk),
           ("nrrd", of_pynrrd), ("nhdr", of_pynrrd), ("mha", of_itk), ("mhd", of_itk)]


@pytest.mark.parametrize(("ending", "reader"), READERS)
def test_others_read_what_is_written(brainmesh, original, tmp_path, ending, reader):
    source, expected = original
    path = tmp_path / f"a.{ending}"
    brainmesh("convert", source, path)
    if reader is of_itk and ending.startswith("mg"):
        if "MGHImageIO" not in sitk.ImageFileReader().GetRegisteredImageIOs():
            pytest.skip("this SimpleITK has no MGH")
    data, affine = reader(path)
    assert data.dtype.newbyteorder("=") == expected.dtype and np.array_equal(data, expected)
    assert np.abs(affine - AFFINE).max() < 1e-5


@pytest.mark.parametrize("ending", ["mgz", "nrrd", "mha"])
def test_what_others_write_is_read(brainmesh, tmp_path, original, ending):
    _, expected = original
    path, copy = tmp_path / f"a.{ending}", tmp_path / "copy.nii"
    if ending == "mgz":
        nibabel.save(nibabel.MGHImage(expected, AFFINE), path)
    else:
        affine = LPS @ AFFINE
        spacing = np.linalg.norm(affine[:3, :3], axis=0)
        image = sitk.GetImageFromArray(expected.T)
        image.SetSpacing(spacing)
        image.SetDirection((affine[:3, :3] / spacing).ravel())
        image.SetOrigin(affine[:3, 3])
        sitk.WriteImage(image, str(path), useCompression=True)
    brainmesh("convert", path, copy)
    data, affine = of_nibabel(copy)
    assert np.array_equal(data, expected) and np.abs(affine - AFFINE).max() < 1e-5


def test_slicer_loads_names_and_colours(brainmesh, tmp_path):
    """Needs `pip install slicer-core` (brings its own VTK)."""
    slicer = pytest.importorskip("slicer")
    values = np.zeros((6, 5, 4), "u1")
    values[1:4, 2, 1], values[5, 4, 3] = 3, 1
    source, path = tmp_path / "a.nii", tmp_path / "a.seg.nrrd"
    nibabel.save(nibabel.Nifti1Image(values, AFFINE), source)
    brainmesh("convert", source, path)
    scene = slicer.vtkMRMLScene()
    node, storage = scene.AddNewNodeByClass("vtkMRMLSegmentationNode"), slicer.vtkMRMLSegmentationStorageNode()
    scene.AddNode(storage)
    storage.SetFileName(str(path))
    assert storage.ReadData(node)
    segmentation = node.GetSegmentation()
    names = {segmentation.GetNthSegment(n).GetName(): n for n in range(segmentation.GetNumberOfSegments())}
    info = json.loads(brainmesh("info", path, "--json"))
    assert info["labels"] == 2 and set(names) == {"label 1", "label 3"}
    segment = segmentation.GetNthSegment(names["label 3"])
    image = slicer.vtkOrientedImageData()
    node.GetBinaryLabelmapRepresentation(segmentation.GetNthSegmentID(names["label 3"]), image)
    assert image.GetScalarRange() == (0, 1)
    matrix = slicer.vtk.vtkMatrix4x4() if hasattr(slicer, "vtk") else __import__("vtk").vtkMatrix4x4()
    image.GetImageToWorldMatrix(matrix)
    assert segment.GetLabelValue() == 3
    found = np.array([[matrix.GetElement(r, c) for c in range(4)] for r in range(4)])
    # The directions are kept; the segment's own box begins at its first voxel.
    assert np.abs(found[:3, :3] - AFFINE[:3, :3]).max() < 1e-6
