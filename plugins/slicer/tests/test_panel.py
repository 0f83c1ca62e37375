"""The panel, the reader and the self-test over stand-ins for Qt: see stubs.py."""

import os
import re
import sys
import time
import types
import xml.etree.ElementTree as ET

import BrainmeshRays as module
import pytest
import slicer
import stubs
from BrainmeshRaysLib import COLOR_CHOICES, find_layers, sample
from BrainmeshRaysLib.install import PROGRAM_SETTING
from conftest import MODULE


@pytest.fixture(autouse=True)
def application(executable):
    """The program is set, and what the application keeps is forgotten."""
    stubs.Settings.values = {PROGRAM_SETTING: str(executable)}
    stubs.Timer.running.clear()
    slicer.util.errors.clear()


@pytest.fixture
def panel(scene, nodes):
    widget = module.BrainmeshRaysWidget(stubs.Widget())
    widget.setup()
    wait(lambda: "cortical-layers" in widget.ui.modelSelector.items)
    widget.ui.volumeSelector.setCurrentNode(nodes[0])
    widget.ui.pialSelector.setCurrentNode(nodes[1])
    widget.ui.whiteSelector.setCurrentNode(nodes[2])
    yield widget
    widget.cleanup()


def wait(condition, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        stubs.Timer.tick()
        time.sleep(0.001)


# Of the program. Cause of a failure: a test waited for one of them, and a short one can pass between two looks.
STAGES = ("reading", "sampling rays", "smoothing along the cortex", "classify rays", "finding boundaries")


def wait_for_program(panel):
    wait(lambda: panel.ui.statusLabel.text in STAGES)


def test_every_widget_of_the_code_is_in_the_ui_file_and_every_parameter_bound():
    tree = ET.parse(MODULE / "Resources" / "UI" / "BrainmeshRays.ui")
    widgets = {e.get("name"): e for e in tree.iter("widget")}
    source = (MODULE / "BrainmeshRays.py").read_text()
    used = set(re.findall(r"self\.ui\.(\w+)", source))
    assert used <= set(widgets)
    bound = [e.findtext("string") for e in tree.iter("property") if e.get("name") == "SlicerParameterName"]
    declared = set(module.BrainmeshRaysParameterNode.__annotations__ if os.environ.get("SLICER_PYTHON") else module.BrainmeshRaysParameterNode.fields)
    assert sorted(bound) == sorted(declared - {"model", "profiles"})


def test_the_first_volume_is_chosen_and_apply_says_what_is_missing(scene, nodes):
    widget = module.BrainmeshRaysWidget(stubs.Widget())
    widget.setup()
    assert widget.ui.volumeSelector.currentNode() is nodes[0]
    assert not widget.ui.applyButton.enabled
    assert "pial" in widget.ui.statusLabel.text and "white" in widget.ui.statusLabel.text
    widget.ui.pialSelector.setCurrentNode(nodes[1])
    assert "Choose the pial" not in widget.ui.statusLabel.text
    widget.ui.whiteSelector.setCurrentNode(nodes[2])
    assert widget.ui.statusLabel.text == ""
    assert widget.ui.applyButton.enabled
    widget.cleanup()


def test_a_segmentation_says_what_is_needed_instead(scene, panel):
    panel.ui.whiteSelector.setCurrentNode(scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "labels"))
    assert not panel.ui.applyButton.enabled
    assert "vertex correspondence" in panel.ui.statusLabel.text
    assert "FreeSurfer" in panel.ui.statusLabel.text


def test_apply_gives_a_result_with_progress(scene, panel):
    panel.ui.applyButton.click()
    assert panel.ui.cancelButton.enabled and not panel.ui.applyButton.enabled
    wait(lambda: panel.ui.applyButton.enabled)
    assert any(0 < value < 100 for value in panel.ui.progressBar.history["value"])
    layers = find_layers(panel.ui.resultSelector.currentNode())
    assert len(layers.models) == 7
    assert panel.ui.summaryText.plainText == layers.summary != ""
    assert not panel.ui.cancelButton.enabled
    assert not slicer.util.errors


def test_no_step_holds_the_application_up(scene, panel):
    """The longest step of a run, in time of the processor, so that a busy machine does not count: a few frames of a film."""
    panel.ui.applyButton.click()
    longest = 0
    while not panel.ui.applyButton.enabled:
        begin = time.process_time()
        stubs.Timer.tick()
        longest = max(longest, time.process_time() - begin)
        time.sleep(0.005)
    assert longest < 0.2


def test_colour_choices_change_the_models(scene, panel):
    panel.ui.applyButton.click()
    wait(lambda: panel.ui.applyButton.enabled)
    layers = find_layers(panel.ui.resultSelector.currentNode())
    display = layers.models[3].GetDisplayNode()
    assert not display.GetScalarVisibility()
    assert display.GetColor() == pytest.approx([0, 158 / 255, 115 / 255])
    for choice, array in zip(COLOR_CHOICES[1:], ("thickness_mm", "total_thickness_mm", "uncertainty_mm", "defects")):
        panel.ui.colorSelector.choose(choice)
        assert display.GetScalarVisibility()
        assert display.GetActiveScalarName() == array
        legends = [slicer.vtkSlicerColorLogic.GetColorLegendDisplayNode(model) for model in layers.models]
        assert sum(legend is not None and bool(legend.GetVisibility()) for legend in legends) == 1
    panel.ui.colorSelector.choose(COLOR_CHOICES[0])
    assert not display.GetScalarVisibility()
    assert not any(slicer.vtkSlicerColorLogic.GetColorLegendDisplayNode(layers.models[k]).GetVisibility() for k in (0, 1))


def test_cancel_stops_within_half_a_second(scene, panel):
    before = scene.GetNumberOfNodesByClass("vtkMRMLModelNode")
    panel.ui.applyButton.click()
    wait_for_program(panel)
    begin = time.perf_counter()
    panel.ui.cancelButton.click()
    assert time.perf_counter() - begin < 0.5
    assert panel.ui.applyButton.enabled and not panel.ui.cancelButton.enabled
    assert "nothing was added" in panel.ui.statusLabel.text
    assert scene.GetNumberOfNodesByClass("vtkMRMLModelNode") == before
    assert not stubs.Timer.running


def test_an_error_is_shown_and_apply_comes_back(scene, panel):
    panel.ui.optionsEdit.text = "--smoothing backwards"
    panel.ui.applyButton.click()
    wait(lambda: panel.ui.applyButton.enabled)
    assert "--smoothing" in slicer.util.errors[0] and "backwards" in slicer.util.errors[0]
    assert panel.ui.resultSelector.currentNode() is None


def test_closing_the_scene_ends_the_run(scene, panel):
    panel.ui.applyButton.click()
    wait_for_program(panel)
    scene.Clear(False)
    assert not stubs.Timer.running
    assert scene.GetNumberOfNodesByClass("vtkMRMLModelNode") == 0


def test_a_run_goes_on_while_the_user_is_elsewhere(scene, panel):
    panel.ui.applyButton.click()
    panel.exit()
    wait(lambda: panel._driver is None)
    assert not slicer.util.errors
    panel.enter()
    assert find_layers(panel.ui.resultSelector.currentNode()) is not None
    assert panel.ui.summaryText.plainText and panel.ui.applyButton.enabled


def test_profiles_are_chosen_instead_of_the_volume(panel, tmp_path):
    assert panel.ui.profilesPath.currentPath == ""
    panel.ui.profilesPath.currentPath = str(tmp_path / "profiles.npy")
    assert "not both" in panel.ui.statusLabel.text and not panel.ui.applyButton.enabled
    panel.ui.volumeSelector.setCurrentNode(None)
    assert "no such file" in panel.ui.statusLabel.text
    (tmp_path / "profiles.npy").touch()
    panel.exit()
    panel.enter()
    assert panel.ui.profilesPath.currentPath == str(tmp_path / "profiles.npy")
    assert panel.ui.applyButton.enabled


def test_the_model_of_the_list_is_asked_for(panel):
    panel.ui.modelSelector.choose("cortical-layers-fast")
    panel.ui.applyButton.click()
    wait(lambda: panel.ui.applyButton.enabled)
    assert panel.ui.summaryText.plainText.startswith("cortical-layers-fast on")


def test_a_program_that_is_not_there_is_named(panel):
    panel.ui.programPath.currentPath = "/nowhere/brainmesh"
    panel.ui.applyButton.click()
    assert "/nowhere/brainmesh" in slicer.util.errors[0]
    assert panel._driver is None


def test_a_missing_program_is_installed_on_apply_without_replacing_anything(panel, monkeypatch, tmp_path, executable):
    """`pip_ensure` is asked once, for brainmesh alone, with every installed package held at its version."""
    stubs.Settings.values = {}
    scripts = tmp_path / "scripts"
    scripts.mkdir()
    monkeypatch.setattr("sysconfig.get_path", lambda name: str(scripts))
    monkeypatch.setattr(slicer.util, "startupEnvironment", lambda: {"PATH": str(tmp_path / "empty")})
    asked = []

    def pip_ensure(requirement, constraints, requester):
        asked.append((requirement, constraints.read_text()))
        (scripts / "brainmesh").symlink_to(executable)

    packaging = types.ModuleType("slicer.packaging")
    packaging.pip_ensure = pip_ensure
    monkeypatch.setitem(sys.modules, "slicer.packaging", packaging)
    monkeypatch.setattr(slicer, "packaging", packaging, raising=False)
    panel.ui.applyButton.click()
    wait(lambda: panel.ui.applyButton.enabled)
    assert not slicer.util.errors
    assert len(asked) == 1 and asked[0][0] == "brainmesh"
    import numpy

    assert f"numpy=={numpy.__version__}" in asked[0][1].splitlines()
    assert find_layers(panel.ui.resultSelector.currentNode()) is not None


class ReaderParent:
    """What Slicer gives a scripted reader."""

    def __init__(self, matches=True):
        self.matches, self.messages, self.loadedNodes = matches, [], []

    def supportedNameFilters(self, path):
        return ["filter"] if self.matches else []

    def userMessages(self):
        return types.SimpleNamespace(AddMessage=lambda event, text: self.messages.append(text))


def test_the_file_reader_takes_what_it_knows(scene, phantom):
    parent = ReaderParent()
    reader = module.BrainmeshRaysFileReader(parent)
    path = str(phantom / "pial.surf.gii")
    # Above 0.5 and a little, which Slicer's own readers say where an ending is theirs.
    assert reader.canLoadFileConfidence(path) > 0.6
    assert reader.canLoadFileConfidence(str(phantom / "phantom.json")) == 0
    assert reader.load({"fileName": path}) is True
    assert [scene.GetNodeByID(i).GetName() for i in parent.loadedNodes] == ["pial"]
    assert isinstance(reader.extensions(), list) and isinstance(reader.description(), str)


def test_the_file_reader_says_why_not(scene, tmp_path):
    (tmp_path / "bad.gii").write_text("<GIFTI")
    parent = ReaderParent()
    assert module.BrainmeshRaysFileReader(parent).load({"fileName": str(tmp_path / "bad.gii")}) is False
    assert "bad.gii" in parent.messages[0]
    assert parent.loadedNodes == []


def test_a_warning_of_the_program_reaches_the_user(scene, phantom, executable, tmp_path):
    noisy = tmp_path / "brainmesh"
    noisy.write_text(f'#!/bin/sh\necho " WARN the footer says nothing" >&2\nexec "{executable}" "$@"\n')
    noisy.chmod(0o755)
    stubs.Settings.values = {PROGRAM_SETTING: str(noisy)}
    parent = ReaderParent()
    assert module.BrainmeshRaysFileReader(parent).load({"fileName": str(phantom / "white.surf.gii")})
    assert len(parent.messages) == 1 and parent.messages[0].endswith("WARN the footer says nothing")


def test_the_self_test_of_the_module_passes(scene):
    module.BrainmeshRaysTest().runTest()


def test_the_sample_is_made_in_the_background(scene):
    sample.make_sample_in_background()
    wait(lambda: scene.GetFirstNodeByName("Phantom volume") is not None and not stubs.Timer.running)
    assert [scene.GetFirstNodeByName(f"Phantom {n}").GetClassName() for n in ("volume", "pial", "white")] == [
        "vtkMRMLScalarVolumeNode",
        "vtkMRMLModelNode",
        "vtkMRMLModelNode",
    ]
