"""The reader that Slicer makes for the module. Needs the application."""

import traceback
from pathlib import Path

import slicer
import vtk

from .install import ensure_program, installed_program
from .process import finish
from .reader import NAME_FILTERS, recognise
from .tasks import load_file


class BrainmeshRaysFileReader:
    """Surfaces and volumes that Slicer does not read, or puts elsewhere: loaded like any file."""

    def __init__(self, parent):
        self.parent = parent

    def description(self):
        return "Brainmesh surface or volume"

    def fileType(self):
        return "BrainmeshFile"

    def extensions(self):
        return list(NAME_FILTERS)

    def canLoadFileConfidence(self, path):
        if not self.parent.supportedNameFilters(path) or recognise(Path(path)) is None:
            return 0.0
        # Without the program ITK's reader of MINC may have a file; where Slicer has no reader, loading says what is missing.
        has_program = installed_program() is not None
        return 0.9 if has_program else 0.3

    def load(self, properties):
        path = Path(properties["fileName"])
        name = properties.get("name") or path.name.split(".")[0]
        messages = self.parent.userMessages()

        def warn(text):
            messages.AddMessage(vtk.vtkCommand.WarningEvent, f"{path}: {text}")

        try:
            node = finish(load_file(slicer.mrmlScene, path, name, ensure_program(), warn))
        except Exception as error:
            traceback.print_exc()
            messages.AddMessage(vtk.vtkCommand.ErrorEvent, f"{path}: {error}")
            return False
        self.parent.loadedNodes = [node.GetID()]
        return True
