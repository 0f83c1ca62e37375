"""What a user chose, what is missing in it, and the command line that it is."""

import shlex
from dataclasses import dataclass
from pathlib import Path

import slicer


@dataclass(frozen=True)
class Choices:
    """Nodes and options of one run. Either a volume or a file of profiles is needed."""

    pial: slicer.vtkMRMLNode | None
    white: slicer.vtkMRMLNode | None
    volume: slicer.vtkMRMLScalarVolumeNode | None = None
    profiles: Path | None = None
    profiles_span: str = "extended"
    polarity: str = "dark-is-dense"
    model: str = ""
    """Name of a model; empty for the one that fits the rays."""
    device: str = "auto"
    options: str = ""
    """Further options of `brainmesh rays2surface`, as typed in a shell."""
    segmentation: bool = False
    """Also label the voxels of the volume by layer."""

    def problems(self) -> list[str]:
        """Why this cannot run, each as a sentence for the user; empty when it can."""
        found = []
        for role, node in (("pial", self.pial), ("white", self.white)):
            if node is None:
                found.append(f"Choose the {role} surface.")
            elif node.IsA("vtkMRMLSegmentationNode"):
                found.append(
                    f"The {role} surface is a segmentation. Layers need two models in vertex correspondence (vertex n of one "
                    "belongs to vertex n of the other), which FreeSurfer or CIVET make; surfaces of segments have none."
                )
            elif node.GetPolyData() is None or node.GetPolyData().GetNumberOfPolys() == 0:
                found.append(f"The {role} surface “{node.GetName()}” has no triangles.")
        if self.pial is not None and self.pial is self.white:
            found.append("Pial and white surface are the same model.")
        if self.volume is None and self.profiles is None:
            found.append("Choose a volume, or a file of profiles.")
        if self.volume is not None and self.profiles is not None:
            found.append("Choose either a volume or a file of profiles, not both.")
        if self.profiles is not None and not self.profiles.is_file():
            found.append(f"{self.profiles}: no such file.")
        if self.segmentation and self.volume is None:
            found.append("A segmentation of the layers needs a volume, whose grid it takes.")
        try:
            shlex.split(self.options)
        except ValueError as error:
            found.append(f"Further options: {error}.")
        return found

    @property
    def name(self) -> str:
        """Names the result."""
        source = self.volume.GetName() if self.volume is not None else self.profiles.stem
        return f"{source} layers"

    def arguments(self, pial: Path, white: Path, volume: Path | None, out: Path) -> list[str]:
        """The command line for files that hold the nodes."""
        words = ["rays2surface", "--pial", pial, "--white", white]
        if volume is not None:
            words += ["--volume", volume]
        else:
            words += ["--profiles", self.profiles.absolute(), "--profiles-span", self.profiles_span]
        words += ["--polarity", self.polarity, "--device", self.device]
        if self.model:
            words += ["--model", self.model]
        words += ["--format", "vtp", "--progress", "json", "-o", out]
        return [*map(str, words), *shlex.split(self.options)]
