"""What the module does, each a task of small steps."""

import json
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import slicer

from . import appearance
from .choices import Choices
from .export import write_model, write_volume
from .layers import LayerNodes, load_layers, read_model, read_node
from .process import Finished, Progress, Task, run
from .program import Program
from .reader import FileKind, recognise


def make_layers(scene: slicer.vtkMRMLScene, choices: Choices, program: Program) -> Task[LayerNodes]:
    """Nodes -> files -> `brainmesh rays2surface` -> nodes.

    Raises:
        ValueError: the choices cannot work, or a node cannot be written as a file.
        ProgramError: the program says why it stopped.
    """
    if problems := choices.problems():
        raise ValueError(" ".join(problems))
    with _folder() as folder:
        yield Progress("writing the surfaces")
        pial, white, volume = folder / "pial.vtp", folder / "white.vtp", None
        write_model(choices.pial, pial)
        write_model(choices.white, white)
        if choices.volume is not None:
            volume = folder / "volume.nrrd"
            yield from write_volume(choices.volume, volume)
        out = folder / "layers"
        finished = yield from run(program, choices.arguments(pial, white, volume, out), folder)
        labels = None
        if choices.segmentation:
            labels = folder / "labels.seg.nrrd"
            command = ["mesh", out, "--label-volume", "--like", volume, "--progress", "json", "-o", labels]
            yield from run(program, command, folder)
        layers = yield from load_layers(scene, out, choices.name, _summary(finished, out), labels)
    if layers.segmentation is not None:
        layers.segmentation.SetReferenceImageGeometryParameterFromVolumeNode(choices.volume)
    appearance.show(layers)
    return layers


def load_file(
    scene: slicer.vtkMRMLScene, path: Path, name: str, program: Program, warn: Callable[[str], object] = logging.warning
) -> Task[slicer.vtkMRMLNode]:
    """A surface or a volume that `brainmesh convert` reads, as a model or a scalar volume in world RAS mm."""
    with _folder() as folder:
        is_volume = recognise(path) is FileKind.VOLUME
        kind = "vtkMRMLScalarVolumeNode" if is_volume else "vtkMRMLModelNode"
        file = folder / ("volume.nrrd" if is_volume else "surface.vtp")
        finished = yield from run(program, ["convert", path.absolute(), file, "--progress", "json"], folder)
        for message in finished.messages:
            warn(message.strip())
        node = scene.AddNewNodeByClass(kind, scene.GenerateUniqueName(name))
        try:
            if is_volume:
                read_node(node, slicer.vtkMRMLNRRDStorageNode(), file)
            else:
                read_model(node, file)
        except ValueError:
            scene.RemoveNode(node)
            raise
    node.CreateDefaultDisplayNodes()
    return node


def make_sample(scene: slicer.vtkMRMLScene, program: Program) -> Task[tuple[slicer.vtkMRMLNode, ...]]:
    """A made cortex with known layers: its volume, pial and white surface."""
    with _folder() as folder:
        out = folder / "phantom"
        yield from run(program, ["phantom", "--extent-mm", "16", "--spacing-mm", "0.15", "--progress", "json", "-o", out], folder)
        nodes = []
        try:
            for name, file in (("pial", "pial.surf.gii"), ("white", "white.surf.gii")):
                nodes.append((yield from load_file(scene, out / file, f"Phantom {name}", program)))
            volume = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", scene.GenerateUniqueName("Phantom volume"))
            nodes.insert(0, volume)
            read_node(volume, slicer.vtkMRMLVolumeArchetypeStorageNode(), out / "volume.nii.gz")
            volume.CreateDefaultDisplayNodes()
        except BaseException:
            for node in nodes:
                scene.RemoveNode(node)
            raise
    return tuple(nodes)


def list_models(program: Program) -> Task[list[str]]:
    """Names of the models that find layers."""
    with _folder() as folder:
        finished = yield from run(program, ["models", "list", "--json"], folder)
    return [model["name"] for model in json.loads(finished.text) if model["task"] == "layers"]


@contextmanager
def _folder() -> Iterator[Path]:
    """A folder for the files between; it goes away whatever happens, so nothing partial is left of a task that was stopped."""
    # On Windows a file of a program that was just killed may still be held for a moment.
    with TemporaryDirectory(prefix="brainmesh-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)


def _summary(finished: Finished, out: Path) -> str:
    """What the program prints at its end, less the folder it wrote, which goes away; warnings first."""
    return "\n".join([*finished.messages, *(line for line in finished.text.splitlines() if str(out) not in line)])
