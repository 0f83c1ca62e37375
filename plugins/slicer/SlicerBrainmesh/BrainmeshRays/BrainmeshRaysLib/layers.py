"""Results in a scene: seven models, the report that refers to them, perhaps a segmentation."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import slicer
import vtk
from vtk.util.numpy_support import numpy_to_vtk

from .maps import LabelMap, read_label_map
from .process import Progress, Task

BOUNDARY_NAMES = ("pia", "below I", "below II", "below III", "below IV", "below V", "white")
# The program's palette (Okabe and Ito 2008), boundary 0 to 6.
BOUNDARY_COLORS = ((204, 121, 167), (230, 159, 0), (240, 228, 66), (0, 158, 115), (86, 180, 233), (0, 114, 178), (213, 94, 0))

THICKNESS, TOTAL, UNCERTAINTY, DEFECTS = "thickness_mm", "total_thickness_mm", "uncertainty_mm", "defects"
SUMMARY = "Brainmesh.Summary"
_SEGMENTATION_ROLE, _DEFECTS_ROLE = "segmentation", "defects"


@dataclass(frozen=True)
class LayerNodes:
    """The nodes of one result."""

    report: slicer.vtkMRMLTextNode
    """`report.json`; refers to the others, so that a saved scene keeps them together."""
    models: tuple[slicer.vtkMRMLModelNode, ...]
    """Seven: 0 is the pia, k lies below layer k, 6 is grey/white. World RAS mm; vertex n corresponds in all."""
    segmentation: slicer.vtkMRMLSegmentationNode | None = None

    @property
    def defect_colors(self) -> slicer.vtkMRMLColorTableNode:
        """Names and colours of the codes of the map `defects`."""
        return self.report.GetNodeReference(_DEFECTS_ROLE)

    @property
    def summary(self) -> str:
        """Rays, defects, thickness and certificate in a few lines."""
        return self.report.GetAttribute(SUMMARY) or ""


def find_layers(report: slicer.vtkMRMLTextNode | None) -> LayerNodes | None:
    """The result that a report belongs to; None where it belongs to none or models of it were removed."""
    if report is None:
        return None
    models = tuple(report.GetNodeReference(_role(k)) for k in range(len(BOUNDARY_NAMES)))
    is_whole = None not in (*models, report.GetNodeReference(_DEFECTS_ROLE))
    return LayerNodes(report, models, report.GetNodeReference(_SEGMENTATION_ROLE)) if is_whole else None


def load_layers(
    scene: slicer.vtkMRMLScene, folder: Path, name: str, summary: str, labels: Path | None
) -> Task[LayerNodes]:
    """Loads what `brainmesh rays2surface --format vtp` wrote, a model a step. The scene keeps all of it or nothing."""
    added: list[slicer.vtkMRMLNode] = []
    try:
        defects = read_label_map(folder / "defects.label.gii")
        name = scene.GenerateUniqueName(name)
        models = []
        for k, boundary in enumerate(BOUNDARY_NAMES):
            yield Progress("loading", k, len(BOUNDARY_NAMES))
            models.append(_add(scene, added, "vtkMRMLModelNode", f"{name} {k} {boundary}"))
            read_model(models[k], folder / f"layer{k}.vtp")
        total = np.sum([slicer.util.arrayFromModelPointData(model, THICKNESS) for model in models[1:]], axis=0, dtype=np.float32)
        for model in models:
            yield Progress("adding maps")
            # On every surface, so that each can be looked at on its own.
            _add_map(model, TOTAL, total)
            _add_map(model, DEFECTS, defects.labels)
            model.CreateDefaultDisplayNodes()
        report = _add(scene, added, "vtkMRMLTextNode", name)
        report.SetText((folder / "report.json").read_text())
        report.SetForceCreateStorageNode(True)
        report.SetAttribute(SUMMARY, summary)
        for k, model in enumerate(models):
            report.SetNodeReferenceID(_role(k), model.GetID())
        shown = list(added)
        report.SetNodeReferenceID(_DEFECTS_ROLE, _add_defect_colors(scene, added, name, defects).GetID())
        segmentation = None
        if labels is not None:
            yield Progress("loading the segmentation")
            segmentation = _add(scene, added, "vtkMRMLSegmentationNode", f"{name} segmentation")
            read_node(segmentation, slicer.vtkMRMLSegmentationStorageNode(), labels)
            segmentation.CreateDefaultDisplayNodes()
            report.SetNodeReferenceID(_SEGMENTATION_ROLE, segmentation.GetID())
            shown.append(segmentation)
        _gather(scene, name, shown)
    except BaseException:
        for node in reversed(added):
            scene.RemoveNode(node)
        raise
    return LayerNodes(report, tuple(models), segmentation)


def read_node(node: slicer.vtkMRMLStorableNode, storage: slicer.vtkMRMLStorageNode, path: Path) -> None:
    """Fills a node by Slicer's own reader, without tying it to the file.

    The files are in a folder that goes away: a node that kept its storage node would count as saved there.

    Raises:
        ValueError: Slicer cannot read the file.
    """
    storage.SetFileName(str(path))
    if not storage.ReadData(node):
        raise ValueError(f"{path.name}: Slicer cannot read it as {node.GetNodeTagName()}: {storage.GetUserMessages().GetAllMessagesAsString()}")


def read_model(node: slicer.vtkMRMLModelNode, path: Path) -> None:
    """Fills a model, and gives it normals, without which views show every triangle. No point moves or is split."""
    read_node(node, slicer.vtkMRMLModelStorageNode(), path)
    normals = vtk.vtkTriangleMeshPointNormals()
    normals.SetInputData(node.GetPolyData())
    normals.Update()
    node.SetAndObservePolyData(normals.GetOutput())


def _add(scene: slicer.vtkMRMLScene, added: list[slicer.vtkMRMLNode], kind: str, name: str) -> slicer.vtkMRMLNode:
    added.append(scene.AddNewNodeByClass(kind, name))
    return added[-1]


def _add_map(model: slicer.vtkMRMLModelNode, name: str, values: np.ndarray) -> None:
    array = numpy_to_vtk(values, deep=True)
    array.SetName(name)
    model.GetPolyData().GetPointData().AddArray(array)


def _add_defect_colors(scene, added: list[slicer.vtkMRMLNode], name: str, defects: LabelMap) -> slicer.vtkMRMLColorTableNode:
    """A colour and a name for every code that occurs, so that the legend holds no others."""
    table = _add(scene, added, "vtkMRMLColorTableNode", f"{name} defects")
    table.SetTypeToUser()
    table.SetNumberOfColors(max(defects.names) + 1)
    present = set(np.unique(defects.labels).tolist())
    for code, name in defects.names.items():
        table.SetColor(code, name, *(defects.colors[code] if code else (0.75, 0.75, 0.75)), 1.0)
    for code in range(table.GetNumberOfColors()):
        # One transparent entry makes views draw all surfaces as transparent ones; the legend leaves out what is not defined.
        table.SetOpacity(code, 1.0)
        table.SetColorDefined(code, code in present)
    return table


def _gather(scene: slicer.vtkMRMLScene, name: str, nodes: list[slicer.vtkMRMLNode]) -> None:
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)
    folder = hierarchy.CreateFolderItem(hierarchy.GetSceneItemID(), name)
    for node in nodes:
        # The application makes an item for every node; a bare scene does not.
        item = hierarchy.GetItemByDataNode(node) or hierarchy.CreateItem(folder, node)
        hierarchy.SetItemParent(item, folder)


def _role(boundary: int) -> str:
    return f"layer{boundary}"
