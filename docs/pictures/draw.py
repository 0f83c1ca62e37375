"""Draws docs/pictures/demo.png from a folder made by `brainmesh demo`: layer surfaces, and layers over a slice.

    python docs/pictures/draw.py brainmesh-demo docs/pictures/demo.png     (needs vtk, nibabel, numpy)
"""

import sys
from pathlib import Path

import nibabel as nib
import numpy as np
import vtk
from vtk.util.numpy_support import numpy_to_vtk, vtk_to_numpy

# The palette of brainmesh (Okabe and Ito 2008), boundary 0 to 6.
COLORS = [(204, 121, 167), (230, 159, 0), (240, 228, 66), (0, 158, 115), (86, 180, 233), (0, 114, 178), (213, 94, 0)]
PANEL = (900, 700)


def surface(path):
    reader = vtk.vtkXMLPolyDataReader()
    reader.SetFileName(str(path))
    reader.Update()
    return reader.GetOutput()


def actor(data, color, width=None):
    mapper = vtk.vtkPolyDataMapper()
    mapper.SetInputData(data)
    mapper.ScalarVisibilityOff()
    thing = vtk.vtkActor()
    thing.SetMapper(mapper)
    thing.GetProperty().SetColor(*(c / 255 for c in color))
    thing.GetProperty().SetAmbient(0.35)
    thing.GetProperty().SetDiffuse(0.75)
    if width:
        thing.GetProperty().SetLineWidth(width)
        thing.GetProperty().LightingOff()
    return thing


def render(renderer):
    window = vtk.vtkRenderWindow()
    window.SetOffScreenRendering(1)
    window.SetMultiSamples(8)
    window.SetSize(*PANEL)
    window.AddRenderer(renderer)
    window.Render()
    grab = vtk.vtkWindowToImageFilter()
    grab.SetInput(window)
    grab.Update()
    image = grab.GetOutput()
    pixels = vtk_to_numpy(image.GetPointData().GetScalars()).reshape(PANEL[1], PANEL[0], -1)
    return pixels[::-1, :, :3]


def stairs(surfaces):
    """The seven surfaces, each cut back a little further than the one below it."""
    renderer = vtk.vtkRenderer()
    renderer.SetBackground(1, 1, 1)
    low, high = surfaces[0].GetBounds()[:2]
    for k, data in enumerate(surfaces):
        plane = vtk.vtkPlane()
        plane.SetOrigin(low + (high - low) * (6 - k + 0.8) / 8, 0, 0)
        plane.SetNormal(1, 0, 0)
        cut = vtk.vtkClipPolyData()
        cut.SetInputData(data)
        cut.SetClipFunction(plane)
        cut.Update()
        normals = vtk.vtkPolyDataNormals()
        normals.SetInputData(cut.GetOutput())
        normals.SplittingOff()
        normals.Update()
        # Outermost first on the right: each layer shows where those above it have been cut away.
        renderer.AddActor(actor(normals.GetOutput(), COLORS[k]))
    camera = renderer.GetActiveCamera()
    camera.SetPosition(-0.5, -1.0, 1.1)
    camera.SetViewUp(0, 0, 1)
    renderer.ResetCamera()
    camera.Zoom(1.2)
    return render(renderer)


def slice_with_layers(volume, surfaces):
    """The middle slice across y with the seven boundaries drawn over it."""
    data, affine = np.asarray(volume.dataobj, dtype=np.float32), volume.affine
    j = data.shape[1] // 2
    plane_y = (affine @ [0, j, 0, 1])[1]
    grey = np.clip((data[:, j, :] - np.percentile(data, 1)) / np.ptp(np.percentile(data, [1, 62])), 0, 1)
    image = vtk.vtkImageData()
    image.SetDimensions(grey.shape[0], grey.shape[1], 1)
    image.SetSpacing(affine[0, 0], affine[2, 2], 1)
    image.SetOrigin(affine[0, 3], affine[2, 3], 0)
    image.GetPointData().SetScalars(numpy_to_vtk((grey.T.ravel() * 255).astype(np.uint8), deep=1))
    picture = vtk.vtkImageActor()
    picture.SetInputData(image)
    renderer = vtk.vtkRenderer()
    renderer.SetBackground(1, 1, 1)
    renderer.AddActor(picture)
    for k, data in enumerate(surfaces):
        plane = vtk.vtkPlane()
        plane.SetOrigin(0, plane_y, 0)
        plane.SetNormal(0, 1, 0)
        cutter = vtk.vtkCutter()
        cutter.SetInputData(data)
        cutter.SetCutFunction(plane)
        cutter.Update()
        flat = vtk.vtkTransform()
        flat.SetMatrix([1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0.1, 0, 0, 0, 1])
        turned = vtk.vtkTransformFilter()
        turned.SetTransform(flat)
        turned.SetInputData(cutter.GetOutput())
        turned.Update()
        renderer.AddActor(actor(turned.GetOutput(), COLORS[k], width=3))
    camera = renderer.GetActiveCamera()
    camera.ParallelProjectionOn()
    renderer.ResetCamera()
    camera.SetParallelScale(camera.GetParallelScale() * 0.62)
    return render(renderer)


def main(folder, out):
    folder = Path(folder)
    surfaces = [surface(folder / "layers" / f"layer{k}.vtp") for k in range(7)]
    panels = [slice_with_layers(nib.load(folder / "volume.nii.gz"), surfaces), stairs(surfaces)]
    pixels = np.hstack(panels)
    image = vtk.vtkImageData()
    image.SetDimensions(pixels.shape[1], pixels.shape[0], 1)
    image.GetPointData().SetScalars(numpy_to_vtk(np.ascontiguousarray(pixels[::-1].reshape(-1, 3)), deep=1))
    writer = vtk.vtkPNGWriter()
    writer.SetFileName(str(out))
    writer.SetInputData(image)
    writer.Write()


if __name__ == "__main__":
    main(*sys.argv[1:])
