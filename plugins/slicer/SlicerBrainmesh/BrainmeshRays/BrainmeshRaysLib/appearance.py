"""How a result looks: colours, maps with a legend, contours in the slices."""

import numpy as np
import slicer

from .layers import BOUNDARY_COLORS, DEFECTS, THICKNESS, TOTAL, UNCERTAINTY, LayerNodes

# What the user sees -> the map; None is the colour of the layer.
_MAPS = {
    "Layer": None,
    "Thickness of the layer": THICKNESS,
    "Thickness of the cortex": TOTAL,
    "Uncertainty": UNCERTAINTY,
    "Defects": DEFECTS,
}
COLOR_CHOICES = tuple(_MAPS)

_TITLES = {THICKNESS: "Layer (mm)", TOTAL: "Cortex (mm)", UNCERTAINTY: "Std. dev. (mm)", DEFECTS: "Defects"}
# Nine of the colours of viridis (van der Walt and Smith 2015, CC0): even to the eye, also for the colour-blind and in print.
_VIRIDIS = ("440154", "472d7b", "3b528b", "2c728e", "21918c", "28ae80", "5ec962", "addc30", "fde725")
_VIRIDIS_NAME = "Brainmesh map"
_PLAIN = (0.75, 0.75, 0.75)


def show(layers: LayerNodes, choice: str = COLOR_CHOICES[0]) -> None:
    """The first look at a result: coloured surfaces, their contours in the slices."""
    for model in layers.models:
        display = model.GetDisplayNode()
        display.SetVisibility2D(True)
        display.SetSliceIntersectionThickness(2)
    if layers.segmentation is not None:
        # Outlines and 3D are the surfaces', which are smoother.
        display = layers.segmentation.GetDisplayNode()
        display.SetVisibility3D(False)
        display.SetVisibility2DOutline(False)
        display.SetOpacity2DFill(0.4)
    color_by(layers, choice)


def color_by(layers: LayerNodes, choice: str) -> None:
    """Colours all surfaces of a result by one of `COLOR_CHOICES`; a map has one range for all surfaces, and one legend."""
    name = _MAPS[choice]
    shown = _with(layers, name)
    table, limits = _scale(layers, shown, name)
    for k, model in enumerate(layers.models):
        display = model.GetDisplayNode()
        display.SetColor(*_PLAIN if shown else (c / 255 for c in BOUNDARY_COLORS[k]))
        if model in shown:
            display.SetActiveScalarName(name)
            display.SetAndObserveColorNodeID(table.GetID())
            display.SetScalarRangeFlag(slicer.vtkMRMLDisplayNode.UseManualScalarRange)
            display.SetScalarRange(*limits)
        display.SetScalarVisibility(model in shown)
        if (legend := slicer.vtkSlicerColorLogic.GetColorLegendDisplayNode(model)) is not None:
            legend.SetVisibility(False)
    if shown:
        legend = slicer.vtkSlicerColorLogic.AddDefaultColorLegendDisplayNode(shown[0])
        legend.SetTitleText(_TITLES[name])
        legend.SetUseColorNamesForLabels(name == DEFECTS)
        legend.SetLabelFormat("%s" if name == DEFECTS else "%.2f")
        # As a share of the view: names are longer than numbers.
        legend.SetSize(0.3 if name == DEFECTS else 0.15, 0.5)
        legend.SetVisibility(True)


def _with(layers: LayerNodes, name: str | None) -> list[slicer.vtkMRMLModelNode]:
    return [m for m in layers.models if name and m.GetPolyData().GetPointData().HasArray(name)]


def _scale(layers: LayerNodes, shown, name: str | None) -> tuple[slicer.vtkMRMLColorNode | None, tuple[float, float]]:
    """Colours and the values of their ends."""
    if not shown:
        return None, (0.0, 1.0)
    if name == DEFECTS:
        table = layers.defect_colors
        return table, (0.0, table.GetNumberOfColors() - 1.0)
    values = np.concatenate([slicer.util.arrayFromModelPointData(model, name) for model in shown])
    values = values[np.isfinite(values)]
    # A few stray vertices must not take the colours of all others away.
    limits = np.percentile(values, (1, 99)) if len(values) else (0.0, 1.0)
    return _viridis(layers.report.GetScene()), (float(limits[0]), float(limits[1]))


def _viridis(scene: slicer.vtkMRMLScene) -> slicer.vtkMRMLColorTableNode:
    """The colours of maps; one table serves all results of a scene."""
    if (table := scene.GetFirstNodeByName(_VIRIDIS_NAME)) is not None:
        return table
    anchors = np.array([[int(c[i : i + 2], 16) / 255 for i in (0, 2, 4)] for c in _VIRIDIS])
    places = np.linspace(0, len(anchors) - 1, 256)
    colors = np.stack([np.interp(places, np.arange(len(anchors)), channel) for channel in anchors.T], axis=1)
    table = scene.AddNewNodeByClass("vtkMRMLColorTableNode", _VIRIDIS_NAME)
    table.SetTypeToUser()
    table.SetNumberOfColors(len(colors))
    for index, color in enumerate(colors):
        table.SetColor(index, f"{index}", *color, 1.0)
    return table
