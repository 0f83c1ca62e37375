"""The modules of 3D Slicer, run by its own logic on nodes of a scene."""

import os
import signal
import subprocess
import time
from pathlib import Path

import numpy as np
import pytest
from conftest import ROOT, rays2surface

nib = pytest.importorskip("nibabel")
slicer_core = pytest.importorskip("slicer_core")
from slicer_scene import Scene, build_shim, points, values, voxels_as_on  # noqa: E402

PROGRAMS = ("BrainmeshRays2Surface", "BrainmeshSegment", "BrainmeshMesh")
RAYS2SURFACE, SEGMENT, MESH = PROGRAMS


@pytest.fixture(scope="module")
def shim(tmp_path_factory):
    return build_shim(tmp_path_factory.mktemp("shim"))


@pytest.fixture
def scene(shim, tmp_path):
    (tmp_path / "slicer").mkdir()
    scene = Scene(shim, tmp_path / "slicer")
    yield scene
    scene.close()


@pytest.fixture(scope="module")
def phantom(brainmesh, tmp_path_factory):
    """A folded cortex turned and moved so that no axis is aligned and no mirror image would lie where it does."""
    made, folder = tmp_path_factory.mktemp("made"), tmp_path_factory.mktemp("phantom")
    brainmesh("phantom", "--spacing-mm", 0.25, "--extent-mm", 10, "--artefacts", "none", "--out", made)
    cos, sin = np.cos(0.4), np.sin(0.4)
    move = np.array([[cos, -sin, 0, 17], [sin, cos, 0, -43], [0, 0, 1, 29], [0, 0, 0, 1]])
    move = move @ np.array([[1, 0, 0, 0], [0, cos, -sin, 0], [0, sin, cos, 0], [0, 0, 0, 1]])
    image = nib.load(made / "volume.nii.gz")
    nib.Nifti1Image(np.asarray(image.dataobj), move @ image.affine).to_filename(folder / "volume.nii.gz")
    for name in ("pial.surf.gii", "white.surf.gii"):
        surface = nib.load(made / name)
        array = surface.get_arrays_from_intent("pointset")[0]
        array.data = (array.data @ move[:3, :3].T + move[:3, 3]).astype(np.float32)
        surface.to_filename(folder / name)
    brainmesh(*rays2surface(folder), "--out", folder / "layers", "--format", "vtp")
    brainmesh("mesh", folder / "layers", "--label-volume", "--like", folder / "volume.nii.gz", "--out", folder / "labels.nii.gz")
    return folder


def nodes_of(scene, phantom):
    """Inputs as nodes, and a node for every result."""
    surfaces = {name: nib.load(phantom / f"{name}.surf.gii").agg_data() for name in ("pial", "white")}
    image = nib.load(phantom / "volume.nii.gz")
    inputs = {name: scene.add_model(name, *surface) for name, surface in surfaces.items()}
    inputs["volume"] = scene.add_volume("volume", np.asarray(image.dataobj), image.affine)
    results = {f"layer{k}": scene.add("Model", f"layer{k}") for k in range(7)}
    results["layer_volume"] = scene.add("LabelMapVolume", "layers")
    results["table"] = scene.add("Table", "layers")
    return inputs, results


def remains(scene):
    """What is left in Slicer's temporary folder, hidden or not."""
    return sorted(os.listdir(scene.temporary))


@pytest.mark.parametrize("name", PROGRAMS)
def test_another_parser_reads_the_description(programs, name, caplog):
    ctk_cli = pytest.importorskip("ctk_cli")
    described = ctk_cli.CLIModule(str(programs / name))
    required, optional, returned = described.classifyParameters()
    # Numbers that are given back have no flag: that is how Slicer knows them.
    back = [f"Parameter {p.name} cannot be passed" for p in returned]
    messages = [record.getMessage() for record in caplog.records]
    assert not [message for message in messages if not message.startswith(tuple(back))], "missing or unknown"
    assert described.title and described.version and described.license
    assert [parameter.index for parameter in required] == list(range(len(required)))
    names = [parameter.name for parameter in (*required, *optional, *returned)]
    assert len(names) == len(set(names)) > 5
    if name == RAYS2SURFACE:
        layers = [parameter for parameter in optional if parameter.name.startswith("layer")]
        assert [(p.typ, p.channel) for p in layers[:7]] == [("geometry", "output")] * 7
        assert {p.name for p in returned} >= {"ray_count", "thickness_mm"}
        choices = {p.name: p.elements for p in optional if p.typ == "string-enumeration"}
        assert choices["polarity"] == ["dark-is-dense", "bright-is-dense"]


def test_layers_land_in_the_scene_where_they_are(programs, scene, phantom):
    module = scene.module(programs / RAYS2SURFACE)
    inputs, results = nodes_of(scene, phantom)
    seen = [0]
    note = lambda node: node.GetProgress() in seen[-1:] or seen.append(node.GetProgress())  # noqa: E731
    until = ("Completing", "Completed", "Completed with errors", "Cancelled")
    scene.run(module, inputs | results, until=until, each=note)
    assert scene.wait(module) == "Completed"
    assert module[1].GetErrorText() == ""
    while_running = seen[: int(np.argmax(seen)) + 1]
    assert while_running == sorted(while_running) and len(set(while_running)) > 5, seen
    assert "thickness" in module[1].GetOutputText() and "filter-" not in module[1].GetOutputText()

    triangles = nib.load(phantom / "pial.surf.gii").agg_data("triangle")
    thickness = nib.load(phantom / "layers" / "thickness.shape.gii").agg_data()
    for k in range(7):
        model = results[f"layer{k}"]
        expected = nib.load(phantom / "layers" / f"layer{k}.surf.gii").agg_data("pointset")
        assert np.linalg.norm(points(model) - expected, axis=1).max() < 1e-4, f"layer{k} in mm RAS"
        corners = np.array([model.GetPolyData().GetPolys().GetConnectivityArray().GetValue(n) for n in range(30)])
        assert np.array_equal(corners, triangles.ravel()[:30])
        assert np.isfinite(values(model, "uncertainty_mm")).sum() == np.isfinite(thickness[0]).sum()
        if k > 0:
            assert np.allclose(values(model, "thickness_mm"), thickness[k], atol=1e-4, equal_nan=True)
        assert model.GetDisplayNode() is not None
    image = nib.load(phantom / "labels.nii.gz")
    labels = voxels_as_on(results["layer_volume"], image.shape, image.affine)
    # A surface that moved by a rounding may give a voxel to another layer.
    assert (labels != np.asarray(image.dataobj)).mean() < 1e-5 and set(np.unique(labels)) == set(range(7))
    table = results["table"].GetTable()
    assert table.GetNumberOfRows() == 6
    means = [float(table.GetValueByName(row, "thickness_mean_mm").ToString()) for row in range(6)]
    total = float(module[1].GetParameterAsString("thickness_mm"))
    assert total == pytest.approx(np.nanmean(thickness[0]), abs=1e-4) == pytest.approx(sum(means), abs=1e-4)
    assert int(module[1].GetParameterAsString("ray_count")) == len(thickness[0])
    assert remains(scene) == []


def processes_of(program):
    """Those that run a program."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            if os.readlink(f"/proc/{pid}/exe") == str(program) and Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z":
                found.append(int(pid))
        except OSError:
            pass
    return found


def test_cancelling_ends_the_program_at_once_and_leaves_nothing(programs, scene, phantom):
    module = scene.module(programs / RAYS2SURFACE)
    inputs, results = nodes_of(scene, phantom)
    program = (programs / RAYS2SURFACE).resolve()
    scene.start(module, inputs | results)
    _, node = module
    limit = time.monotonic() + 60
    while node.GetProgress() < 20:
        assert time.monotonic() < limit and node.GetStatusString() not in ("Completing", "Completed with errors")
        scene.application.ProcessModified()
        time.sleep(0.005)
    assert processes_of(program)
    began = time.monotonic()
    node.Cancel()
    while processes_of(program):
        assert time.monotonic() - began < 0.5, "still running half a second after it was cancelled"
        time.sleep(0.005)
    assert scene.wait(module) == "Cancelled"
    assert all(results[f"layer{k}"].GetPolyData() is None for k in range(7))
    assert remains(scene) == []


def test_what_is_wrong_is_said_in_the_error_text(programs, scene, phantom):
    module = scene.module(programs / RAYS2SURFACE)
    inputs, results = nodes_of(scene, phantom)
    inputs["white"] = scene.add_model("half", points(inputs["white"]), np.array([[0, 1, 2]]))
    assert scene.run(module, inputs | results) == "Completed with errors"
    error = module[1].GetErrorText()
    assert error.startswith("error: ") and error.count("\n") == 1 and "triangles" in error, error
    assert results["layer0"].GetPolyData() is None
    assert remains(scene) == []


def test_labels_and_their_surface_land_where_the_volume_is(programs, scene):
    """A label of one box, off the middle of an oblique grid, and a surface around it."""
    cos, sin = np.cos(0.3), np.sin(0.3)
    affine = np.array([[-0.5 * cos, -0.6 * sin, 0, 31], [-0.5 * sin, 0.6 * cos, 0, -12], [0, 0, 0.7, 8], [0, 0, 0, 1]])
    data = np.full((24, 20, 18), 0.2, np.float32)
    data[3:9, 4:14, 10:15] = 0.8
    volume, labels = scene.add_volume("volume", data, affine), scene.add("LabelMapVolume", "labels")
    model = ROOT / "segmentation" / "tests" / "data" / "above-half"
    module = scene.module(programs / SEGMENT)
    values_given = {"model": model, "inputs": volume, "labels": labels, "device": "builtin"}
    assert scene.run(module, values_given) == "Completed", module[1].GetErrorText()
    assert np.array_equal(voxels_as_on(labels, data.shape, affine), data > 0.5)

    surface = scene.add("Model", "surface")
    module = scene.module(programs / MESH)
    assert scene.run(module, {"input": labels, "surface": surface, "relax": 0}) == "Completed", module[1].GetErrorText()
    to_voxel = np.linalg.inv(affine)
    at = points(surface) @ to_voxel[:3, :3].T + to_voxel[:3, 3]
    # The box reaches half a voxel beyond the centres of its voxels; corners are cut.
    assert np.allclose(at.min(0), [2.5, 3.5, 9.5], atol=0.1) and np.allclose(at.max(0), [8.5, 13.5, 14.5], atol=0.1)
    assert set(values(surface, "label")) == {1.0}
    assert module[1].GetParameterAsString("surfaces") == "1"


def test_a_segmentation_is_meshed_as_it_is(programs, scene):
    logic = slicer_core.vtkSlicerSegmentationsModuleLogic()
    logic.SetMRMLScene(scene.scene)
    data, affine = np.zeros((24, 20, 18), np.uint8), np.diag([-0.5, 0.6, 0.7, 1])
    affine[:3, 3] = 5, 6, 7
    data[3:9, 4:14, 10:15], data[12:20, 4:14, 10:15] = 1, 2
    segmentation, surface = scene.add("Segmentation", "segmentation"), scene.add("Model", "surface")
    labels = scene.add_volume("labels", data, affine, "LabelMapVolume")
    assert logic.ImportLabelmapToSegmentationNode(labels, segmentation)
    module = scene.module(programs / MESH)
    assert scene.run(module, {"input": segmentation, "surface": surface, "relax": 0}) == "Completed", module[1].GetErrorText()
    label = values(surface, "label")
    for value, (first, last) in {1: (2.5, 8.5), 2: (11.5, 19.5)}.items():
        x = points(surface)[label == value, 0]
        assert np.allclose([x.max(), x.min()], [5 - 0.5 * first, 5 - 0.5 * last], atol=0.05)


def test_killed_while_it_writes_it_leaves_whole_files_or_none(programs, phantom, tmp_path):
    names = [f"layer{k}.vtp" for k in range(7)]
    words = [str(programs / RAYS2SURFACE), "--volume", str(phantom / "volume.nii.gz")]
    words += [word for name in names for word in (f"--{name[:6]}", str(tmp_path / name))]
    words += [str(phantom / "pial.surf.gii"), str(phantom / "white.surf.gii")]
    seen = set()
    for wait_ms in (0, 2, 4, 8, 12, 16, 30):
        program = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
        for line in program.stdout:
            if "writing results" in line:
                break
        time.sleep(wait_ms / 1000)
        program.send_signal(signal.SIGKILL)
        program.communicate()
        written = [name for name in names if (tmp_path / name).exists()]
        seen.add(len(written))
        for name in written:
            assert (tmp_path / name).read_bytes() == (phantom / "layers" / name).read_bytes()
            (tmp_path / name).unlink()
    assert 0 in seen, f"killed in time at least once: {seen}"
    subprocess.run(words, stdout=subprocess.PIPE, check=True)
    assert sorted(os.listdir(tmp_path)) == names, "what killed programs left behind is gone"
