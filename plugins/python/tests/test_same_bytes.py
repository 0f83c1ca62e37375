"""The command line, Python with paths, and Python with values in memory give the same files."""

import json

import brainmesh
import numpy as np
import pytest
from conftest import command, programs


def contents(folder):
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("program", programs(), ids=lambda program: "package" if len(program) > 1 else "binary")
def test_command_line_paths_and_memory_write_the_same_bytes(program, files, result, tmp_path):
    inputs = ["--pial", files.pial, "--white", files.white, "--volume", files.volume]
    done = command("rays2surface", *inputs, "--format", "vtp,ply", "--out", tmp_path / "cli", program=program)
    assert done.returncode == 0, done.stderr
    formats = ["vtp", "ply"]
    by_path = brainmesh.rays2surface(files.pial, files.white, files.volume, out=tmp_path / "paths", formats=formats)
    result.save(tmp_path / "memory", formats=formats)
    by_path.save(tmp_path / "saved", formats=formats)
    cli = contents(tmp_path / "cli")
    assert len(cli) == 4 + 3 * 7
    assert contents(tmp_path / "paths") == cli
    assert contents(tmp_path / "saved") == cli
    memory = contents(tmp_path / "memory")
    # The report names where inputs came from.
    (report,) = {path for path in cli if cli[path] != memory[path]}
    ours, theirs = json.loads(memory[report]), json.loads(cli[report])
    assert [given.pop("path") for given in ours["inputs"]] == ["(in memory)"] * 3
    for given in (ours, theirs):
        given.pop("inputs"), given["parameters"].pop("inputs")
    assert ours == theirs
    assert done.stdout.splitlines()[:-1] == by_path.summary.splitlines()


def test_a_phantom_in_memory_is_the_one_in_the_files(files, made):
    read = brainmesh.read_volume(files.volume)
    assert np.array_equal(read.data, made.volume.data)
    # Cause: NIfTI keeps its matrix in single precision, and layers differed in the fifth digit.
    assert np.array_equal(read.world_from_voxel, made.volume.world_from_voxel)
    for name in ("pial", "white"):
        read, kept = brainmesh.read(getattr(files, name)), getattr(made, name)
        assert np.array_equal(read.vertices, kept.vertices) and np.array_equal(read.triangles, kept.triangles)
        assert read.structure == kept.structure == "left"
    truth = brainmesh.read_surface(files.folder / "truth" / "layer3.surf.gii")
    assert np.array_equal(truth.vertices, made.surfaces[3].vertices)


def test_a_folder_that_is_read_is_written_again_as_it_was(result, tmp_path):
    result.save(tmp_path / "first")
    read = brainmesh.LayerResult.read(tmp_path / "first")
    read.save(tmp_path / "again")
    assert contents(tmp_path / "first") == contents(tmp_path / "again")
    assert np.array_equal(read.thickness_mm, result.thickness_mm, equal_nan=True)
    assert read.report == result.report and read.defect_names == result.defect_names


def test_labels_of_voxels_are_those_of_the_command_line(files, made, result, tmp_path):
    result.save(tmp_path / "layers")
    out = tmp_path / "labels.nii.gz"
    done = command("mesh", tmp_path / "layers", "--label-volume", "--like", files.volume, "--out", out)
    assert done.returncode == 0, done.stderr
    labels = brainmesh.label_layers(result, made.volume)
    cli = brainmesh.read_volume(out)
    assert np.array_equal(cli.data, labels.data)
    assert labels.labels[4] == "layer IV"
    # The sphere's centre is white matter, its rim outside.
    assert labels.data[55, 55, 55] == 0 and labels.data[0, 0, 0] == 0 and set(np.unique(labels.data)) == set(range(7))


def test_surfaces_of_labels_are_those_of_the_command_line(files, tmp_path):
    labels = brainmesh.read_volume(files.folder / "truth" / "labels.nii.gz", dtype=None)
    path = tmp_path / "labels.nii"
    labels.save(path)
    done = command("mesh", path, "--out", tmp_path / "surfaces")
    assert done.returncode == 0, done.stderr
    in_memory, from_file = brainmesh.mesh(labels), brainmesh.mesh(path)
    assert sorted(in_memory) == sorted(from_file) == sorted(np.unique(labels.data))[1:]
    for label, surface in in_memory.items():
        surface.save(tmp_path / f"{label}.surf.gii")
        (cli,) = (tmp_path / "surfaces").glob(f"*{label}.surf.gii")
        assert (tmp_path / f"{label}.surf.gii").read_bytes() == cli.read_bytes()
        assert np.array_equal(surface.vertices, from_file[label].vertices)


def test_scores_are_those_of_the_command_line(files, result, tmp_path):
    result.save(tmp_path / "layers")
    truth = files.folder / "truth" / "points.npz"
    words = ["--result", tmp_path / "layers", "--truth-points", truth, "--json"]
    done = command("evaluate", "layers", *words)
    assert json.loads(done.stdout) == brainmesh.evaluate.layers(tmp_path / "layers", truth_points=truth)


def test_exit_codes_are_kept(files, tmp_path):
    words = ["rays2surface", "--pial", files.pial, "--white", files.white, "--volume", files.volume]
    assert command("--version").returncode == 0
    assert command("no-such-command").returncode == 2
    assert command("info", tmp_path / "missing.nii").returncode == 3
    assert command(*words, "--out", tmp_path / "a", "--model", "no-such-model").returncode == 4
    assert command(*words, "--out", tmp_path / "b", "--max-defects", "0").returncode in (0, 1)
    assert brainmesh.main(["models", "show", "cortical-layers", "--json"]) == 0
