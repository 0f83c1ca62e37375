"""One asymmetric brain in many orientations and formats: the same intensity, the same vertex at the same RAS point.

Truth is nibabel's reading of the files, which nibabel also wrote.
"""

import nibabel
import numpy as np
import pytest
import slicer
import vtk
from BrainmeshRaysLib import ProgramError, finish, load_file, recognise
from BrainmeshRaysLib.export import write_model, write_volume
from conftest import points, world_from_voxel
from nibabel.gifti import GiftiDataArray, GiftiImage


def turned(degrees_x, degrees_y, degrees_z):
    turn = vtk.vtkTransform()
    turn.RotateX(degrees_x)
    turn.RotateY(degrees_y)
    turn.RotateZ(degrees_z)
    return slicer.util.arrayFromVTKMatrix(turn.GetMatrix())


def affine(directions, spacing=(0.5, 0.7, 1.1), origin=(-12.3, 45.6, -7.8)):
    made = np.eye(4)
    made[:3, :3] = np.asarray(directions)[:3, :3] @ np.diag(spacing)
    made[:3, 3] = origin
    return made


ORIENTATIONS = {
    "RAS": affine(np.eye(3)),
    "LPS": affine(np.diag([-1, -1, 1])),
    "LAS": affine(np.diag([-1, 1, 1])),
    "PSR": affine([[0, 0, 1], [-1, 0, 0], [0, 1, 0]]),
    "oblique": affine(turned(20, -35, 50)),
    "oblique left-handed": affine(turned(20, -35, 50) @ np.diag([1, 1, -1, 1])),
}
# Slicer's reader of NIfTI refuses shear, but its nodes hold it.
SHEARED = affine([[1, 0.3, 0], [0, 1, 0.1], [0, 0, 1]])


def asymmetric(dtype=np.int16):
    """No symmetry maps it onto itself: every voxel has a value of its own."""
    return np.arange(9 * 11 * 13).reshape(9, 11, 13).astype(dtype)


def load_nifti(scene, path):
    volume = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "volume")
    storage = slicer.vtkMRMLVolumeArchetypeStorageNode()
    storage.SetFileName(str(path))
    assert storage.ReadData(volume)
    return volume


def assert_same_places(volume, image):
    """Every voxel's intensity at the world point where nibabel has it. Slicer turns an axis round where axes are left-handed."""
    if isinstance(volume, nibabel.Nifti1Image):
        voxels, world_of = np.asarray(volume.dataobj), volume.affine
    else:
        voxels, world_of = slicer.util.arrayFromVolume(volume).T, world_from_voxel(volume)
    data = np.asarray(image.dataobj)
    ijk = np.argwhere(np.ones(data.shape, bool))
    world = nibabel.affines.apply_affine(image.affine, ijk)
    found = nibabel.affines.apply_affine(np.linalg.inv(world_of), world)
    nearest = np.rint(found).astype(int)
    # In voxels of at most 1.1 mm.
    assert np.abs(found - nearest).max() * 1.1 < 1e-4
    assert (voxels[tuple(nearest.T)] == data[tuple(ijk.T)]).all()


@pytest.mark.parametrize("name", ORIENTATIONS)
@pytest.mark.parametrize("dtype", ["int16", "uint8", "float32", "float64"])
def test_a_volume_of_the_scene_is_written_where_it_is(scene, tmp_path, brainmesh, name, dtype):
    """NIfTI -> Slicer's reader -> node -> our .nrrd -> the program -> NIfTI -> nibabel."""
    nibabel.save(nibabel.Nifti1Image(asymmetric(dtype), ORIENTATIONS[name]), tmp_path / "in.nii.gz")
    volume = load_nifti(scene, tmp_path / "in.nii.gz")
    finish(write_volume(volume, tmp_path / "out.nrrd"))
    brainmesh("convert", tmp_path / "out.nrrd", tmp_path / "out.nii.gz")
    again = nibabel.load(tmp_path / "out.nii.gz")
    assert again.get_data_dtype() == np.dtype(dtype)
    assert_same_places(again, nibabel.load(tmp_path / "in.nii.gz"))


@pytest.mark.parametrize("name", ORIENTATIONS)
def test_slicer_reads_our_nrrd_where_it_was(scene, tmp_path, name):
    nibabel.save(nibabel.Nifti1Image(asymmetric(), ORIENTATIONS[name]), tmp_path / "in.nii.gz")
    volume = load_nifti(scene, tmp_path / "in.nii.gz")
    finish(write_volume(volume, tmp_path / "out.nrrd"))
    again = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "again")
    storage = slicer.vtkMRMLNRRDStorageNode()
    storage.SetFileName(str(tmp_path / "out.nrrd"))
    assert storage.ReadData(again)
    assert_same_places(again, nibabel.load(tmp_path / "in.nii.gz"))


@pytest.mark.parametrize("name", [*ORIENTATIONS, "sheared"])
def test_minc_loads_where_nibabel_has_it(scene, tmp_path, brainmesh, program, name):
    nibabel.save(nibabel.Nifti1Image(asymmetric(), ORIENTATIONS.get(name, SHEARED)), tmp_path / "in.nii.gz")
    brainmesh("convert", tmp_path / "in.nii.gz", tmp_path / "in.mnc")
    volume = finish(load_file(scene, tmp_path / "in.mnc", "minc", program))
    assert_same_places(volume, nibabel.load(tmp_path / "in.mnc"))
    # And where the NIfTI file is, so that both readers of MINC may not share a mistake.
    image = nibabel.load(tmp_path / "in.nii.gz")
    world = nibabel.affines.apply_affine(image.affine, [3, 4, 5])
    i, j, k = np.rint(np.linalg.inv(world_from_voxel(volume)) @ [*world, 1]).astype(int)[:3]
    assert slicer.util.arrayFromVolume(volume)[k, j, i] == asymmetric()[3, 4, 5]
    # The way back, which takes the shear along.
    finish(write_volume(volume, tmp_path / "out.nrrd"))
    brainmesh("convert", tmp_path / "out.nrrd", tmp_path / "out.nii.gz")
    assert_same_places(nibabel.load(tmp_path / "out.nii.gz"), image)


VERTICES = np.array([[10.5, 20.25, 30.125], [11, 22, 33], [-7.5, 3, 44], [8, -9, -10]], np.float32)
TRIANGLES = np.array([[0, 1, 2], [0, 2, 3], [0, 3, 1], [1, 3, 2]], np.int32)


def write_gifti(path):
    arrays = [
        GiftiDataArray(VERTICES, intent="NIFTI_INTENT_POINTSET", datatype="NIFTI_TYPE_FLOAT32"),
        GiftiDataArray(TRIANGLES, intent="NIFTI_INTENT_TRIANGLE", datatype="NIFTI_TYPE_INT32"),
    ]
    nibabel.save(GiftiImage(darrays=arrays), path)


def write_freesurfer(path):
    """In surface RAS, with the centre of its volume away from the origin: scanner RAS is further by c_ras."""
    from nibabel.freesurfer import write_geometry

    geometry = {
        "head": np.array([2, 0, 20], np.int32), "valid": "1  # volume info valid", "filename": "../mri/filled.mgz",
        "volume": np.array([256, 256, 256]), "voxelsize": np.ones(3), "xras": np.array([-1.0, 0, 0]),
        "yras": np.array([0, 0, -1.0]), "zras": np.array([0, 1.0, 0]), "cras": np.array([5.5, -17.25, 3.0]),
    }  # fmt: skip
    write_geometry(path, VERTICES - geometry["cras"], TRIANGLES, volume_info=geometry)


def write_mni(path):
    lines = [f"P 0.3 0.3 0.4 10 1 {len(VERTICES)}"]
    lines += [" ".join(f"{x:g}" for x in v) for v in VERTICES]
    lines += ["", *["0 0 1"] * len(VERTICES), "", str(len(TRIANGLES)), "0 1 1 1 1", ""]
    lines += [" ".join(str(3 * (i + 1)) for i in range(len(TRIANGLES))), "", " ".join(map(str, TRIANGLES.ravel()))]
    path.write_text("\n".join(lines) + "\n")


SURFACES = {"lh.surf.gii": write_gifti, "lh.pial": write_freesurfer, "lh_white.obj": write_mni}


@pytest.mark.parametrize("name", SURFACES)
def test_surfaces_load_where_they_are(scene, tmp_path, program, name):
    SURFACES[name](tmp_path / name)
    model = finish(load_file(scene, tmp_path / name, "surface", program))
    assert np.abs(points(model) - VERTICES).max() < 1e-4
    assert model.GetPolyData().GetNumberOfPolys() == len(TRIANGLES)
    assert model.GetStorageNode() is None
    assert model.GetDisplayNode() is not None


def test_a_model_is_written_where_it_is(scene, tmp_path, program, brainmesh):
    """Node -> our .vtp -> the program -> GIFTI -> nibabel."""
    write_gifti(tmp_path / "in.surf.gii")
    model = finish(load_file(scene, tmp_path / "in.surf.gii", "surface", program))
    write_model(model, tmp_path / "out.vtp")
    brainmesh("convert", tmp_path / "out.vtp", tmp_path / "out.surf.gii")
    assert (nibabel.load(tmp_path / "out.surf.gii").agg_data("pointset") == VERTICES).all()


def test_files_are_told_by_content(tmp_path, brainmesh):
    write_gifti(tmp_path / "a.gii")
    write_freesurfer(tmp_path / "lh.white")
    write_mni(tmp_path / "mni.obj")
    (tmp_path / "wavefront.obj").write_text("v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3\n")
    (tmp_path / "text.mnc").write_text("not MINC")
    (tmp_path / "empty.pial").write_bytes(b"")
    known = {name: recognise(tmp_path / name) is not None for name in sorted(p.name for p in tmp_path.iterdir())}
    assert known == {
        "a.gii": True, "empty.pial": False, "lh.white": True, "mni.obj": True, "text.mnc": False, "wavefront.obj": False,
    }  # fmt: skip
    assert recognise(tmp_path / "absent.mnc") is None


@pytest.mark.parametrize("cut", [60, 300])
def test_a_damaged_file_is_refused_in_words(scene, tmp_path, program, cut):
    write_gifti(tmp_path / "whole.gii")
    (tmp_path / "cut.gii").write_bytes((tmp_path / "whole.gii").read_bytes()[:cut])
    before = scene.GetNumberOfNodes()
    with pytest.raises(ProgramError, match="cut.gii"):
        finish(load_file(scene, tmp_path / "cut.gii", "cut", program))
    assert scene.GetNumberOfNodes() == before


def test_what_cannot_be_written_is_refused(scene, tmp_path):
    empty = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "empty")
    with pytest.raises(ValueError, match="empty.*voxels"):
        finish(write_volume(empty, tmp_path / "a.nrrd"))
    colours = scene.AddNewNodeByClass("vtkMRMLVectorVolumeNode", "colours")
    slicer.util.updateVolumeFromArray(colours, np.zeros((2, 3, 4, 3), np.uint8))
    with pytest.raises(ValueError, match="colours.*one value"):
        finish(write_volume(colours, tmp_path / "a.nrrd"))
    bent = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "bent")
    slicer.util.updateVolumeFromArray(bent, np.zeros((2, 3, 4), np.uint8))
    warp = scene.AddNewNodeByClass("vtkMRMLBSplineTransformNode", "warp")
    warp.SetAndObserveTransformFromParent(vtk.vtkThinPlateSplineTransform())
    bent.SetAndObserveTransformNodeID(warp.GetID())
    with pytest.raises(ValueError, match="bent.*warp.*harden"):
        finish(write_volume(bent, tmp_path / "a.nrrd"))
