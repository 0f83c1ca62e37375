"""Draws docs/pictures/slicer.png: a result in a scene of 3D Slicer, drawn by Slicer's own displayable managers, without its window.

    python docs/pictures/draw_slicer.py target/release/brainmesh docs/pictures/slicer.png     (needs slicer-core, Pillow, libGL)
"""

import sys
from pathlib import Path

import numpy as np
import slicer
import slicer.util
import vtk
from PIL import Image
from vtk.util.numpy_support import vtk_to_numpy

sys.path.insert(0, str(Path(__file__).parents[2] / "plugins/slicer/SlicerBrainmesh/BrainmeshRays"))
from BrainmeshRaysLib import Choices, Program, color_by, finish, make_layers, make_sample  # noqa: E402

PANEL = (500, 470)


class View:
    """A view of Slicer: a view node, its displayable managers, and a window that is never shown."""

    def __init__(self, node, managers):
        self.renderer = vtk.vtkRenderer()
        self.window = vtk.vtkRenderWindow()
        self.window.SetOffScreenRendering(1)
        self.window.SetMultiSamples(8)
        self.window.SetSize(*PANEL)
        self.window.AddRenderer(self.renderer)
        self.interactor = vtk.vtkRenderWindowInteractor()
        self.window.SetInteractor(self.interactor)
        self.group = slicer.vtkMRMLDisplayableManagerGroup()
        self.group.SetRenderer(self.renderer)
        for manager in managers:
            manager.SetMRMLApplicationLogic(APPLICATION)
            self.group.AddDisplayableManager(manager)
        self.group.SetMRMLDisplayableNode(node)

    def picture(self):
        self.window.Render()
        grab = vtk.vtkWindowToImageFilter()
        grab.SetInput(self.window)
        grab.ReadFrontBufferOff()
        grab.Update()
        width, height, _ = grab.GetOutput().GetDimensions()
        return vtk_to_numpy(grab.GetOutput().GetPointData().GetScalars()).reshape(height, width, -1)[::-1, :, :3]


SCENE = slicer.vtkMRMLScene()
slicer.mrmlScene = SCENE
APPLICATION = slicer.vtkMRMLApplicationLogic()
APPLICATION.SetMRMLScene(SCENE)


def three_d():
    """Slicer's 3D view, in its usual colours."""
    node = SCENE.AddNewNodeByClass("vtkMRMLViewNode")
    node.SetBoxVisible(False)
    node.SetAxisLabelsVisible(False)
    managers = (slicer.vtkMRMLModelDisplayableManager, slicer.vtkMRMLColorLegendDisplayableManager)
    view = View(node, [manager() for manager in managers])
    # As the manager of the view does, which needs the application.
    view.renderer.SetBackground(node.GetBackgroundColor())
    view.renderer.SetBackground2(node.GetBackgroundColor2())
    view.renderer.SetGradientBackground(True)
    return view


def look_at_edge(renderer):
    """From above and the side, so that the cut edge shows the layers."""
    camera = renderer.GetActiveCamera()
    camera.SetPosition(-0.55, -0.5, 0.75)
    camera.SetFocalPoint(0, 0, 0)
    camera.SetViewUp(0, 0.2, 1)
    renderer.ResetCamera()
    camera.Zoom(1.05)
    # Room for the legend on the right.
    camera.SetWindowCenter(0.25, 0)
    renderer.ResetCameraClippingRange()


def slice_view(volume, field_mm):
    """A coronal slice view: the image by Slicer's slice logic, the contours by its displayable manager."""
    logic = slicer.vtkMRMLSliceLogic()
    logic.SetMRMLApplicationLogic(APPLICATION)
    logic.SetMRMLScene(SCENE)
    node = logic.AddSliceNode("Green")
    node.SetOrientation("Coronal")
    node.SetDimensions(*PANEL, 1)
    node.SetFieldOfView(field_mm, field_mm * PANEL[1] / PANEL[0], 1)
    logic.GetSliceCompositeNode().SetBackgroundVolumeID(volume.GetID())
    view = View(node, [slicer.vtkMRMLModelSliceDisplayableManager(), slicer.vtkMRMLSegmentationsDisplayableManager2D()])
    logic.UpdatePipeline()
    mapper = vtk.vtkImageMapper()
    mapper.SetInputConnection(logic.GetImageDataConnection())
    mapper.SetColorWindow(255)
    mapper.SetColorLevel(127.5)
    image = vtk.vtkActor2D()
    image.SetMapper(mapper)
    image.GetProperty().SetDisplayLocationToBackground()
    view.renderer.AddViewProp(image)
    view.logic = logic
    return view


def main(program, output):
    logics = [slicer.vtkSlicerColorLogic(), slicer.vtkSlicerSegmentationsModuleLogic(), slicer.vtkSlicerVolumesLogic()]
    for logic in logics:
        logic.SetMRMLApplicationLogic(APPLICATION)
        logic.SetMRMLScene(SCENE)
    program = Program(Path(program).absolute())
    # As in the application, the view is there before what it shows: managers follow changes.
    space = three_d()
    volume, pial, white = finish(make_sample(SCENE, program))
    layers = finish(make_layers(SCENE, Choices(pial, white, volume, segmentation=True), program))
    for node in (pial, white):
        node.GetDisplayNode().SetVisibility(False)
    look_at_edge(space.renderer)
    panels = [space.picture()]
    color_by(layers, "Thickness of the cortex")
    panels.append(space.picture())
    color_by(layers, "Layer")
    panels.append(slice_view(volume, 16).picture())
    Image.fromarray(np.concatenate(panels, axis=1)).save(output, optimize=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
