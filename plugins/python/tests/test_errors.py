"""Bad input, at every entry: an exception with a text that names what is wrong."""

import subprocess
import sys

import brainmesh
import numpy as np
import pytest
from conftest import command

EYE = np.eye(4)


def tetrahedron():
    return brainmesh.Surface(
        [[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]], [[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]]
    )


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: brainmesh.Volume(np.zeros((2, 3)), EYE), r"data: expected shape \[ni, nj, nk\], found \[2, 3\]"),
        (lambda: brainmesh.Volume(np.zeros((2, 3, 4), complex), EYE), "dtype: expected one of int8.*found complex128"),
        (lambda: brainmesh.Volume(np.zeros((2, 3, 4)), np.eye(3)), r"world_from_voxel: .*\[4, 4\].*\[3, 3\]"),
        (lambda: brainmesh.Volume(np.zeros((2, 3, 4)), np.zeros((4, 4))), "world_from_voxel: .*last row"),
        (lambda: brainmesh.Volume(np.zeros((2, 3, 4)), np.diag([1, 1, 0, 1])), "determinant"),
        (lambda: brainmesh.Volume(np.zeros((0, 3, 4)), EYE), "at least one voxel"),
        (lambda: brainmesh.Surface([[0, 0, 0]], [[0, 1, 2]]), "triangle 0: vertex index 1 is out of range"),
        (lambda: brainmesh.Surface([[0, 0, np.nan]], np.zeros((0, 3), int)), "finite"),
        (lambda: brainmesh.Surface([[0, 0]], [[0, 0, 0]]), r"vertices: expected shape \[n, 3\]"),
        (lambda: brainmesh.Surface([[0, 0, 0]], [[0.5, 1, 2]]), r"triangles: expected whole numbers \[n, 3\]"),
        (lambda: brainmesh.Surface([[0, 0, 0]], [[-1, 1, 2]]), "triangles: .*-1"),
        (lambda: brainmesh.Surface([[0, 0, 0]], np.zeros((0, 3), int), structure="top"), "structure: .*top"),
        (lambda: brainmesh.Ribbon(tetrahedron(), brainmesh.Surface([[0, 0, 0]], np.zeros((0, 3), int))), "expected 4, found 1"),
        (lambda: tetrahedron().decimate(2), "share: expected above 0 and at most 1, found 2"),
        (lambda: tetrahedron().contours([0, 0, 0], [0, 0, 0]), "plane"),
        (lambda: tetrahedron().save("x.unknown"), "x.unknown: the ending says no surface format"),
        (lambda: tetrahedron().save("x.stl", maps={"a": [0, 0, 0, 0]}), "maps: STL carries none"),
        (lambda: brainmesh.mesh(brainmesh.Volume(np.full((3, 3, 3), 0.5), EYE)), "labels: expected whole numbers.*0.5"),
        (lambda: brainmesh.mesh(3), "volume: expected a Volume or a path, found int"),
        (lambda: brainmesh.isosurface(brainmesh.Volume(np.zeros((3, 3, 3)), EYE), np.nan), "isovalue"),
        (lambda: brainmesh.rays2surface(tetrahedron(), 3), "white: expected a Surface or a path, found int"),
        (lambda: brainmesh.rays2surface(tetrahedron(), tetrahedron()), "--volume"),
        (lambda: brainmesh.rays2surface(tetrahedron(), tetrahedron(), profiles=[1, 2]), r"profiles: .*\[vertices, depths\]"),
        (lambda: brainmesh.rays2surface(tetrahedron(), tetrahedron(), profiles=[[1, 2]] * 4, polarity="up"), "'up'.*--polarity"),
        (lambda: brainmesh.rays2surface(tetrahedron(), tetrahedron(), profiles=[[1, 2]] * 4, threads=0), "threads"),
        (lambda: brainmesh.phantom(spacing_mm=-1), "spacing"),
        (lambda: brainmesh.phantom(seed=-1), "'-1'.*--seed"),
        (lambda: brainmesh.phantom(threads=70000), "threads: expected 1 to 65535, found 70000"),
        (lambda: brainmesh.Volume(np.zeros((2, 2, 2)), EYE, labels={2**40: "a"}), "labels: .*32 bits"),
        (lambda: brainmesh.Volume(np.ma.masked_equal(np.zeros((2, 2, 2)), 0), EYE), "masked"),
        (lambda: brainmesh.mesh(brainmesh.Volume(np.ones((3, 3, 3), "u1"), EYE), labels=[-1]), "'-1'.*--labels"),
        (lambda: brainmesh.mesh(brainmesh.Volume(np.ones((3, 3, 3), "u1"), EYE), volume_index=1), "volume_index: a Volume holds one"),
        (lambda: tetrahedron().save("x.vtp", maps={"a": np.zeros((4, 2))}), r"maps: a: expected shape \[4\]"),
    ],
)
def test_a_value_error_says_what_is_wrong(make, says):
    with pytest.raises(ValueError, match=f"(?s){says}"):
        make()


def test_files_that_are_not_there_are_os_errors(tmp_path):
    missing = tmp_path / "missing.nii"
    for read in (brainmesh.read, brainmesh.read_volume, brainmesh.read_surface, brainmesh.read_maps, brainmesh.kind):
        with pytest.raises(FileNotFoundError, match="missing.nii"):
            read(missing)
    with pytest.raises(FileNotFoundError, match="missing.nii"):
        brainmesh.VolumeFile(missing)


def test_missing_inputs_of_the_layers_have_the_command_lines_text(files, tmp_path):
    missing = tmp_path / "missing.surf.gii"
    with pytest.raises(FileNotFoundError) as error:
        brainmesh.rays2surface(missing, files.white, files.volume)
    done = command("rays2surface", "--pial", missing, "--white", files.white, "--volume", files.volume, "--out", tmp_path / "a")
    assert done.returncode == 3 and done.stderr.strip() == f"error: {error.value}"


def test_files_that_are_something_else_are_named(tmp_path):
    path = tmp_path / "text.nii"
    path.write_text("no volume at all, but long enough to look like one")
    for read in (brainmesh.read, brainmesh.read_volume, brainmesh.read_surface, brainmesh.kind):
        with pytest.raises(ValueError, match="text.nii"):
            read(path)


def test_folders_that_cannot_be_written_are_named_and_nothing_is_computed(made, tmp_path):
    stages = []
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(ValueError, match="file: expected a folder, found a file"):
        brainmesh.rays2surface(made.pial, made.white, made.volume, out=file, progress=lambda *now: stages.append(now))
    assert stages == []


def test_models_and_devices_are_model_errors(made):
    with pytest.raises(brainmesh.ModelError, match="no-such-model"):
        brainmesh.rays2surface(made.pial, made.white, made.volume, model="no-such-model")
    with pytest.raises(brainmesh.ModelError, match="no-such-model"):
        brainmesh.models.show("no-such-model")
    with pytest.raises(ValueError, match="--device.*tpu"):
        brainmesh.rays2surface(made.pial, made.white, made.volume, device="tpu")
    with pytest.raises(brainmesh.ModelError):
        brainmesh.segment("cortical-layers", made.volume)


def test_surfaces_that_do_not_correspond(made):
    half = made.white.decimate(0.5)
    with pytest.raises(ValueError, match="in memory.*vertices of the white surface"):
        brainmesh.rays2surface(made.pial, half, made.volume)


def test_a_volume_that_lies_elsewhere(made):
    far = made.volume.world_from_voxel.copy()
    far[:3, 3] += 1000
    with pytest.raises(ValueError):
        brainmesh.rays2surface(made.pial, made.white, brainmesh.Volume(made.volume.data, far))


def test_surfaces_the_wrong_way_round(made):
    with pytest.raises(ValueError, match="expected the pial surface to enclose the white one.*swapped"):
        brainmesh.rays2surface(made.white, made.pial, made.volume)


def test_results_that_go_nowhere(result):
    with pytest.raises(ValueError, match="--out: expected a folder, found nothing"):
        result.save("")


def test_what_is_odd_about_a_file_is_a_warning(tmp_path):
    import nibabel

    nibabel.save(nibabel.Spm99AnalyzeImage(np.zeros((3, 4, 5), np.int16), EYE), tmp_path / "spm.img")
    with pytest.warns(UserWarning, match="the format has no orientation"):
        brainmesh.read_volume(tmp_path / "spm.img")


def test_a_full_disk_is_an_error():
    with open("/dev/full", "w") as full:
        done = subprocess.run([sys.executable, "-m", "brainmesh", "models", "list"], stdout=full, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 4 and "standard output: cannot write" in done.stderr


def test_masks_and_profiles_of_another_length(made):
    with pytest.raises(ValueError, match="mask: expected 10242 values"):
        brainmesh.rays2surface(made.pial, made.white, made.volume, mask=np.ones(5, bool))
    with pytest.raises(ValueError, match="10242"):
        brainmesh.rays2surface(made.pial, made.white, profiles=np.random.rand(5, 200))
