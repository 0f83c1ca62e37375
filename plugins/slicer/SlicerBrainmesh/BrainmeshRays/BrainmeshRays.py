"""Six cortical layers in 3D Slicer: a panel over the program `brainmesh`. All that is not Qt stands in BrainmeshRaysLib."""

from pathlib import Path
from typing import Annotated, Union

import qt
import slicer
import vtk
from BrainmeshRaysLib import (
    COLOR_CHOICES,
    Choices,
    LayerNodes,
    color_by,
    find_layers,
    finish,
    list_models,
    make_layers,
    make_sample,
)
from BrainmeshRaysLib.driver import Driver
from BrainmeshRaysLib.file_reader import BrainmeshRaysFileReader  # noqa: F401  (Slicer looks for it here by name)
from BrainmeshRaysLib.install import PROGRAM_SETTING, ensure_program, installed_program
from BrainmeshRaysLib.layers import SUMMARY
from BrainmeshRaysLib.sample import register_sample
from slicer import vtkMRMLModelNode, vtkMRMLScalarVolumeNode, vtkMRMLSegmentationNode, vtkMRMLTextNode
from slicer.i18n import tr as _
from slicer.parameterNodeWrapper import Choice, parameterNodeWrapper
from slicer.ScriptedLoadableModule import (
    ScriptedLoadableModule,
    ScriptedLoadableModuleLogic,
    ScriptedLoadableModuleTest,
    ScriptedLoadableModuleWidget,
)
from slicer.util import VTKObservationMixin

DEVICES = ["auto", "builtin", "cpu", "cuda", "tensorrt", "openvino", "coreml", "directml"]
ANY_MODEL = "the one that fits the input"


class BrainmeshRays(ScriptedLoadableModule):
    """What Slicer's module list shows."""

    def __init__(self, parent):
        ScriptedLoadableModule.__init__(self, parent)
        parent.title = _("Cortical layers (brainmesh)")
        parent.categories = ["Brainmesh"]
        parent.contributors = ["the brainmesh developers"]
        parent.helpText = _(
            "Finds the six layers of the cortex along lines between its pial and white surface, and shows them as seven surfaces. "
            "GIFTI, FreeSurfer and MNI surfaces and MINC volumes can be loaded like any other file while this module is installed."
        )
        parent.acknowledgementText = _("Methods and accuracy: see the documentation of brainmesh.")
        slicer.app.connect("startupCompleted()", register_sample)


# A union without None cannot hold "nothing chosen yet".
SurfaceNode = Union[vtkMRMLModelNode, vtkMRMLSegmentationNode, None]


@parameterNodeWrapper
class BrainmeshRaysParameterNode:
    """What the user chose; saved with the scene."""

    volume: vtkMRMLScalarVolumeNode
    profiles: str = ""
    profilesSpan: Annotated[str, Choice(["extended", "pial-white"])] = "extended"
    pial: SurfaceNode
    white: SurfaceNode
    polarity: Annotated[str, Choice(["dark-is-dense", "bright-is-dense"])] = "dark-is-dense"
    model: str = ""
    device: Annotated[str, Choice(DEVICES)] = "auto"
    options: str = ""
    segmentation: bool = False
    result: vtkMRMLTextNode
    colorBy: Annotated[str, Choice(list(COLOR_CHOICES))] = COLOR_CHOICES[0]


class BrainmeshRaysWidget(ScriptedLoadableModuleWidget, VTKObservationMixin):
    """The panel. Work runs in the program; a timer looks at it."""

    def __init__(self, parent=None):
        ScriptedLoadableModuleWidget.__init__(self, parent)
        VTKObservationMixin.__init__(self)
        self.logic = None
        self._parameters = None
        self._gui_tag = None
        self._driver = None
        self._models_driver = None

    def setup(self):
        ScriptedLoadableModuleWidget.setup(self)
        panel = slicer.util.loadUI(self.resourcePath("UI/BrainmeshRays.ui"))
        self.layout.addWidget(panel)
        self.ui = slicer.util.childWidgetVariables(panel)
        panel.setMRMLScene(slicer.mrmlScene)
        self.logic = BrainmeshRaysLogic()
        self.addObserver(slicer.mrmlScene, slicer.mrmlScene.StartCloseEvent, self._on_scene_start_close)
        self.addObserver(slicer.mrmlScene, slicer.mrmlScene.EndCloseEvent, self._on_scene_end_close)
        self.ui.resultSelector.addAttribute("vtkMRMLTextNode", SUMMARY)
        self.ui.applyButton.connect("clicked(bool)", self.apply)
        self.ui.cancelButton.connect("clicked(bool)", self.cancel)
        self.ui.modelSelector.connect("currentIndexChanged(int)", self._on_model)
        self.ui.profilesPath.connect("currentPathChanged(QString)", self._on_profiles)
        self.ui.programPath.currentPath = qt.QSettings().value(PROGRAM_SETTING) or ""
        self.ui.programPath.connect("currentPathChanged(QString)", self._on_program)
        self._show_models([])
        self._show_running(False)
        self._initialize_parameters()
        self._list_models()

    def cleanup(self):
        self.cancel()
        self.removeObservers()

    def enter(self):
        self._initialize_parameters()

    def exit(self):
        self._set_parameters(None)

    def _on_scene_start_close(self, caller=None, event=None):
        # Results must not land in the next scene.
        self.cancel()
        self._set_parameters(None)

    def _on_scene_end_close(self, caller=None, event=None):
        if self.parent.isEntered:
            self._initialize_parameters()

    def _initialize_parameters(self):
        self._set_parameters(self.logic.getParameterNode())
        if not self._parameters.volume and not self._parameters.profiles:
            self._parameters.volume = slicer.mrmlScene.GetFirstNodeByClass("vtkMRMLScalarVolumeNode")

    def _set_parameters(self, parameters):
        if self._parameters:
            self._parameters.disconnectGui(self._gui_tag)
            self.removeObserver(self._parameters, vtk.vtkCommand.ModifiedEvent, self._on_parameters)
        self._parameters = parameters
        if parameters:
            self._gui_tag = parameters.connectGui(self.ui)
            self.addObserver(parameters, vtk.vtkCommand.ModifiedEvent, self._on_parameters)
            self._shown = None
            self._on_parameters()

    def _on_parameters(self, caller=None, event=None):
        problems = self.logic.choices(self._parameters).problems()
        self.ui.applyButton.enabled = not problems and self._driver is None
        self.ui.applyButton.toolTip = _("Find the layers")
        if self._driver is None:
            self.ui.statusLabel.text = "\n".join(problems)
        # Not bound by name: Slicer's connector of paths shows an empty one as ".", that of choices wants them known beforehand.
        self.ui.profilesPath.currentPath = self._parameters.profiles
        model = self.ui.modelSelector.findText(self._parameters.model or ANY_MODEL)
        self.ui.modelSelector.currentIndex = max(model, 0)
        self._show_result()

    def _show_result(self):
        layers = find_layers(self._parameters.result)
        self.ui.colorSelector.enabled = layers is not None
        shown = (self._parameters.result, self._parameters.colorBy)
        if shown != self._shown:
            self._shown = shown
            self.ui.summaryText.plainText = layers.summary if layers else ""
            if layers:
                color_by(layers, self._parameters.colorBy)

    def _on_model(self, index):
        if self._parameters:
            text = self.ui.modelSelector.currentText
            self._parameters.model = "" if text == ANY_MODEL else text

    def _on_profiles(self, path):
        if self._parameters:
            self._parameters.profiles = path

    def _on_program(self, path):
        qt.QSettings().setValue(PROGRAM_SETTING, path)
        self._list_models()

    def _list_models(self):
        """Fills the list of models where the program is there already; Apply installs it where it is not."""
        if self._models_driver is not None:
            self._models_driver.stop()
        if (program := installed_program()) is not None:
            self._models_driver = Driver(list_models(program), lambda p: None, self._show_models, lambda message: None)

    def _show_models(self, names):
        chosen = self._parameters.model if self._parameters else ""
        # A model that this program lacks stays chosen: the program will say so, rather than another be taken in silence.
        names = [*names, *([chosen] if chosen and chosen not in names else [])]
        blocked = self.ui.modelSelector.blockSignals(True)
        self.ui.modelSelector.clear()
        self.ui.modelSelector.addItems([ANY_MODEL, *names])
        self.ui.modelSelector.currentIndex = self.ui.modelSelector.findText(chosen or ANY_MODEL)
        self.ui.modelSelector.blockSignals(blocked)

    def apply(self, checked=False):
        with slicer.util.tryWithErrorDisplay(_("The layers cannot be found."), waitCursor=False):
            program = ensure_program()
            task = make_layers(slicer.mrmlScene, self.logic.choices(self._parameters), program)
            self._driver = Driver(task, self._on_progress, self._on_done, self._on_error)
            self._show_running(True)

    def cancel(self, checked=False):
        if self._driver is not None:
            self._driver.stop()
            self._end(_("Stopped; nothing was added to the scene."))
        if self._models_driver is not None:
            self._models_driver.stop()

    def _on_progress(self, progress):
        self.ui.progressBar.value = progress.percent
        self.ui.statusLabel.text = progress.stage

    def _on_done(self, layers):
        self._end("")
        # The user may be in another module by now, where this panel holds no parameters.
        self.logic.getParameterNode().result = layers.report
        slicer.util.resetThreeDViews()

    def _on_error(self, message):
        self._end(message)
        slicer.util.errorDisplay(message)

    def _end(self, status):
        self._driver = None
        self._show_running(False)
        if self._parameters:
            self._on_parameters()
        self.ui.statusLabel.text = status or self.ui.statusLabel.text

    def _show_running(self, running):
        self.ui.applyButton.enabled = not running
        self.ui.cancelButton.enabled = running
        self.ui.progressBar.visible = running
        self.ui.progressBar.value = 0


class BrainmeshRaysLogic(ScriptedLoadableModuleLogic):
    """The module without its panel, for scripts:

        logic = BrainmeshRaysLogic()
        layers = logic.process(Choices(pial, white, volume))
    """

    def getParameterNode(self):
        return BrainmeshRaysParameterNode(super().getParameterNode())

    def choices(self, parameters: BrainmeshRaysParameterNode) -> Choices:
        """What the panel shows, as the library takes it."""
        profiles = Path(parameters.profiles) if parameters.profiles else None
        return Choices(
            parameters.pial,
            parameters.white,
            parameters.volume,
            profiles,
            parameters.profilesSpan,
            parameters.polarity,
            parameters.model,
            parameters.device,
            parameters.options,
            parameters.segmentation,
        )

    def process(self, choices: Choices) -> LayerNodes:
        """Finds layers and waits for them."""
        return finish(make_layers(slicer.mrmlScene, choices, ensure_program()))


class BrainmeshRaysTest(ScriptedLoadableModuleTest):
    """Runs inside the application: Reload and Test, or the module Self Tests."""

    def setUp(self):
        slicer.mrmlScene.Clear()

    def runTest(self, msec=100):
        self.setUp()
        self.test_phantom()

    def test_phantom(self):
        """A made cortex gives seven surfaces that lie between the given ones."""
        logic = BrainmeshRaysLogic()
        program = ensure_program()
        self.delayDisplay("Making a cortex")
        volume, pial, white = finish(make_sample(slicer.mrmlScene, program))
        self.delayDisplay("Finding its layers")
        layers = logic.process(Choices(pial, white, volume, segmentation=True))
        self.assertEqual(len(layers.models), 7)
        for model in layers.models:
            self.assertEqual(model.GetPolyData().GetNumberOfPoints(), pial.GetPolyData().GetNumberOfPoints())
        self.assertEqual(layers.segmentation.GetSegmentation().GetNumberOfSegments(), 6)
        self.assertIn("0 order violations", layers.summary)
        for choice in COLOR_CHOICES:
            color_by(layers, choice)
        self.delayDisplay("Test passed")
