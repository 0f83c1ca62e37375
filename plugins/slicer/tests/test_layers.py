"""Nodes in, program, nodes out, on a real MRML scene."""

import json
import shutil
import time

import numpy as np
import pytest
import slicer
import vtk
from BrainmeshRaysLib import Choices, ProgramError, color_by, find_layers, finish, make_layers
from BrainmeshRaysLib.layers import DEFECTS, THICKNESS, TOTAL, UNCERTAINTY
from conftest import load_phantom, points, world_from_voxel
from vtk.util.numpy_support import vtk_to_numpy

NUMERALS = ["I", "II", "III", "IV", "V", "VI"]


def nib(path):
    import nibabel

    return nibabel.load(path)


@pytest.fixture(scope="module")
def by_command_line(brainmesh, phantom, tmp_path_factory):
    """What a user of the command line gets from the same files."""
    folder = tmp_path_factory.mktemp("cli") / "layers"
    files = ["--pial", phantom / "pial.surf.gii", "--white", phantom / "white.surf.gii", "--volume", phantom / "volume.nii.gz"]
    text = brainmesh("rays2surface", *files, "--format", "vtp", "-o", folder)
    return folder, text


def test_seven_models_where_another_reader_has_the_surfaces(layers, by_command_line):
    folder, _ = by_command_line
    for k, model in enumerate(layers.models):
        surface = nib(folder / f"layer{k}.surf.gii")
        assert np.abs(points(model) - surface.agg_data("pointset")).max() == 0
        triangles = vtk_to_numpy(model.GetPolyData().GetPolys().GetConnectivityArray()).reshape(-1, 3)
        assert (triangles == surface.agg_data("triangle")).all()


def test_the_program_gets_from_the_scene_what_it_gets_from_files(scene, nodes, program, by_command_line, tmp_path, monkeypatch):
    """Byte for byte: every surface and map the program wrote for the module is that of the command line."""
    kept = tmp_path / "kept"
    from BrainmeshRaysLib import tasks

    def keep(scene, folder, *rest):
        shutil.copytree(folder, kept)
        return load(scene, folder, *rest)

    load = tasks.load_layers
    monkeypatch.setattr(tasks, "load_layers", keep)
    volume, pial, white = nodes
    finish(make_layers(scene, Choices(pial, white, volume), program))
    folder, _ = by_command_line
    names = sorted(p.name for p in folder.iterdir())
    assert sorted(p.name for p in kept.iterdir()) == names
    assert len([n for n in names if n.endswith(".vtp")]) == 7
    for name in names:
        if name != "report.json":  # it names the inputs and their hashes
            assert without_side(kept / name) == without_side(folder / name), name


def without_side(path):
    """A file less the line of GIFTI that says which hemisphere it is, which models of Slicer do not know."""
    return b"\n".join(line for line in path.read_bytes().split(b"\n") if b"AnatomicalStructurePrimary" not in line)


def test_maps_are_those_of_the_files(layers, by_command_line):
    folder, _ = by_command_line
    thickness = [array.data for array in nib(folder / "thickness.shape.gii").darrays]
    uncertainty = [array.data for array in nib(folder / "uncertainty.shape.gii").darrays]
    defects = nib(folder / "defects.label.gii")
    for k, model in enumerate(layers.models):
        values = {name: slicer.util.arrayFromModelPointData(model, name) for name in (TOTAL, UNCERTAINTY, DEFECTS)}
        # The sum of six single-precision numbers of about half a millimetre.
        assert np.nanmax(np.abs(values[TOTAL] - thickness[0])) < 2e-6
        assert (values[UNCERTAINTY] == uncertainty[k]).all()
        assert (values[DEFECTS] == defects.darrays[0].data).all()
        if k:
            assert (slicer.util.arrayFromModelPointData(model, THICKNESS) == thickness[k]).all()
    names = {label.key: label.label for label in defects.labeltable.labels}
    for code in np.unique(defects.darrays[0].data):
        assert layers.defect_colors.GetColorName(int(code)) == names[code]


def test_the_summary_is_the_programs_own(layers, by_command_line):
    _, text = by_command_line
    said = [line for line in text.splitlines() if not line.startswith("written")]
    assert layers.summary.splitlines() == said
    assert json.loads(layers.report.GetText())["rays"] == layers.models[0].GetPolyData().GetNumberOfPoints()


def test_layers_lie_in_one_folder_and_nothing_counts_as_saved(scene, layers):
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)
    folder = hierarchy.GetItemParent(hierarchy.GetItemByDataNode(layers.models[0]))
    assert hierarchy.GetItemName(folder) == layers.report.GetName() == "volume layers"
    for node in (*layers.models, layers.report, layers.segmentation):
        assert hierarchy.GetItemParent(hierarchy.GetItemByDataNode(node)) == folder
        # A storage node would name a file in a folder that is gone.
        assert node.GetStorageNode() is None
        assert node.GetModifiedSinceRead()


def test_a_saved_scene_keeps_the_result(scene, layers, tmp_path):
    for node in (*layers.models, layers.report, layers.segmentation, layers.defect_colors):
        node.AddDefaultStorageNode()
        storage = node.GetStorageNode()
        storage.SetFileName(str(tmp_path / f"{node.GetID()}.{storage.GetDefaultWriteFileExtension()}"))
        assert storage.WriteData(node)
    before = [points(model) for model in layers.models]
    summary = layers.summary
    scene.SetURL(str(tmp_path / "scene.mrml"))
    assert scene.Commit()
    scene.Clear(True)
    assert scene.Connect()
    again = find_layers(scene.GetFirstNodeByName("volume layers"))
    assert again.summary == summary
    for model, place in zip(again.models, before):
        assert (points(model) == place).all()
    color_by(again, "Defects")


def test_the_segmentation_is_the_label_volume_of_the_command_line(scene, layers, nodes, phantom, brainmesh, by_command_line, tmp_path):
    volume, folder = nodes[0], by_command_line[0]
    file = tmp_path / "labels.nii.gz"
    brainmesh("mesh", folder, "--label-volume", "--like", phantom / "volume.nii.gz", "-o", file)
    expected = np.asarray(nib(file).dataobj)
    segmentation = layers.segmentation.GetSegmentation()
    ids = [segmentation.GetNthSegmentID(i) for i in range(6)]
    assert [segmentation.GetSegment(i).GetName() for i in ids] == [f"layer {n}" for n in NUMERALS]
    label_map = scene.AddNewNodeByClass("vtkMRMLLabelMapVolumeNode", "labels")
    export = slicer.vtkSlicerSegmentationsModuleLogic.ExportSegmentsToLabelmapNode
    assert export(layers.segmentation, ids, label_map, volume)
    assert (slicer.util.arrayFromVolume(label_map).T == expected).all()
    assert set(np.unique(expected)) == set(range(7))
    assert np.abs(world_from_voxel(label_map) - nib(file).affine).max() < 1e-6


def test_progress_arrives_and_ends_whole(scene, nodes, program):
    volume, pial, white = nodes
    seen = []
    finish(make_layers(scene, Choices(pial, white, volume), program), seen.append)
    stages = list(dict.fromkeys(p.stage for p in seen))
    assert stages[0] == "writing the surfaces" and stages[-1] == "adding maps"
    assert {"writing the volume", "sampling rays", "finding boundaries", "checking surfaces"} <= set(stages)
    assert any(0 < p.percent < 100 for p in seen)


@pytest.mark.parametrize("stage", ["writing the volume", "sampling rays", "finding boundaries", "loading", "adding maps"])
def test_cancel_is_quick_and_leaves_nothing(scene, nodes, program, stage, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    volume, pial, white = nodes
    before = scene.GetNumberOfNodes()
    task = make_layers(scene, Choices(pial, white, volume), program)
    while next(task).stage != stage:
        time.sleep(0.001)
    assert list(tmp_path.iterdir())
    began = time.perf_counter()
    task.close()
    assert time.perf_counter() - began < 0.5
    assert scene.GetNumberOfNodes() == before
    assert not list(tmp_path.iterdir())


def test_the_program_is_gone_after_cancel(scene, nodes, program, monkeypatch):
    from BrainmeshRaysLib import process

    started = []
    start = process._start
    monkeypatch.setattr(process, "_start", lambda *a: started.append(start(*a)) or started[-1])
    volume, pial, white = nodes
    task = make_layers(scene, Choices(pial, white, volume), program)
    while next(task).stage != "sampling rays":
        time.sleep(0.001)
    assert started[0].poll() is None
    task.close()
    assert started[0].returncode == -9


def test_profiles_stand_in_for_a_volume(scene, nodes, program, brainmesh, phantom, tmp_path):
    """Surfaces of the module and of the command line from the same profiles, vertex by vertex."""
    _, pial, white = nodes
    rng = np.random.default_rng(1609)
    depth = np.linspace(0, 1, 18)
    dark = np.exp(-(((depth - 0.45) / 0.1) ** 2)) + 0.5 * np.exp(-(((depth - 0.8) / 0.15) ** 2))
    profiles = 200 - 100 * dark + rng.normal(0, 5, (len(points(pial)), 18))
    np.save(tmp_path / "profiles.npy", profiles.astype(np.float32))
    files = ["--pial", phantom / "pial.surf.gii", "--white", phantom / "white.surf.gii", "--profiles", tmp_path / "profiles.npy"]
    brainmesh("rays2surface", *files, "--profiles-span", "pial-white", "-o", tmp_path / "cli")
    choices = Choices(pial, white, profiles=tmp_path / "profiles.npy", profiles_span="pial-white")
    layers = finish(make_layers(scene, choices, program))
    assert layers.report.GetName() == "profiles layers"
    for k, model in enumerate(layers.models):
        assert (points(model) == nib(tmp_path / "cli" / f"layer{k}.surf.gii").agg_data("pointset")).all()


def test_choices_that_cannot_work_are_refused_before_anything_runs(scene, nodes, tmp_path):
    volume, pial, white = nodes
    labels = scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "labels")
    empty = scene.AddNewNodeByClass("vtkMRMLModelNode", "empty")
    (tmp_path / "p.npy").touch()
    cases = {
        "pial surface": Choices(None, white, volume),
        "same model": Choices(pial, pial, volume),
        "vertex correspondence": Choices(labels, white, volume),
        "“empty” has no triangles": Choices(pial, empty, volume),
        "volume, or a file of profiles": Choices(pial, white),
        "not both": Choices(pial, white, volume, tmp_path / "p.npy"),
        "no such file": Choices(pial, white, profiles=tmp_path / "absent.npy"),
        "whose grid": Choices(pial, white, profiles=tmp_path / "p.npy", segmentation=True),
        "No closing quotation": Choices(pial, white, volume, options="--mask 'a"),
    }
    for words, choices in cases.items():
        assert len(choices.problems()) == 1 and words in choices.problems()[0]
    assert Choices(pial, white, volume, segmentation=True).problems() == []


def test_an_error_is_in_the_programs_words(scene, nodes, program):
    volume, pial, _ = nodes
    other = scene.AddNewNodeByClass("vtkMRMLModelNode", "other")
    sphere = vtk.vtkSphereSource()
    sphere.Update()
    other.SetAndObservePolyData(sphere.GetOutput())
    before = scene.GetNumberOfNodes()
    with pytest.raises(ProgramError, match="vertices") as caught:
        finish(make_layers(scene, Choices(pial, other, volume), program))
    assert caught.value.code == 3
    assert scene.GetNumberOfNodes() == before


def test_an_unknown_model_and_option_are_named(scene, nodes, program):
    volume, pial, white = nodes
    with pytest.raises(ProgramError, match="no-such-model"):
        finish(make_layers(scene, Choices(pial, white, volume, model="no-such-model"), program))
    with pytest.raises(ProgramError, match="--no-such-option"):
        finish(make_layers(scene, Choices(pial, white, volume, options="--no-such-option"), program))


def test_more_defects_than_allowed_is_told_with_the_result(scene, nodes, program):
    """A mask of half the vertices: those are defects, flagged on every surface and counted in the summary."""
    volume, pial, white = nodes
    count = pial.GetPolyData().GetNumberOfPoints()
    import tempfile

    with tempfile.NamedTemporaryFile("w", suffix=".txt") as mask:
        use = (points(pial)[:, 0] > 0).astype(int)
        mask.write("\n".join(map(str, use)))
        mask.flush()
        layers = finish(make_layers(scene, Choices(pial, white, volume, options=f"--mask '{mask.name}' --max-defects 5"), program))
    defects = slicer.util.arrayFromModelPointData(layers.models[0], DEFECTS)
    assert len(defects) == count
    assert set(np.unique(defects[use == 0])) <= {2, 12}
    assert not (set(np.unique(defects[use == 1])) & {2, 12})
    assert "masked" in layers.summary


def test_a_transformed_scene_gives_transformed_layers(scene, phantom, program, layers):
    """Volume and surfaces under a linear transform: the layers lie where the transform puts the plain ones."""
    plain = [points(model) for model in layers.models]
    volume, pial, white = load_phantom(scene, phantom, program)
    rotation = vtk.vtkTransform()
    rotation.RotateWXYZ(40, 1, 2, 3)
    rotation.Translate(10, -20, 30)
    transform = scene.AddNewNodeByClass("vtkMRMLLinearTransformNode", "turn")
    transform.SetMatrixTransformToParent(rotation.GetMatrix())
    for node in (volume, pial, white):
        node.SetAndObserveTransformNodeID(transform.GetID())
    turned = finish(make_layers(scene, Choices(pial, white, volume), program))
    world = slicer.util.arrayFromVTKMatrix(rotation.GetMatrix())
    distances = [np.linalg.norm(points(m) - (p @ world[:3, :3].T + world[:3, 3]), axis=1) for m, p in zip(turned.models, plain)]
    # Points are rounded to single precision before and after: boundaries move by less than that and its effect on weights.
    assert np.median(distances) < 1e-4
    assert np.percentile(distances, 99) < 1e-2
