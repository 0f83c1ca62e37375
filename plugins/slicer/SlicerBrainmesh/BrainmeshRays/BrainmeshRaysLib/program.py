"""Where the program `brainmesh` is."""

import os
import shutil
import sysconfig
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

NAME = "brainmesh"


class MissingProgram(RuntimeError):
    """The program is nowhere; the message says where it was looked for."""


@dataclass(frozen=True)
class Program:
    """An executable and the environment it is to run in."""

    path: Path
    environment: Mapping[str, str] | None = None
    """None: that of this process."""


def find_program(setting: str, module_folder: Path, startup_environment: Mapping[str, str] | None = None) -> Program:
    """The program of the setting, else beside the module, else of this Python (a wheel), else on the search path.

    A program from outside runs in the environment the application was started in: Slicer's own one, with its
    PYTHONHOME and library path, would lead another Python and other libraries astray.
    """
    if setting:
        if not (os.path.isfile(setting) and os.access(setting, os.X_OK)):
            raise MissingProgram(f"{setting}: expected the program brainmesh (setting “Program”), found no executable file")
        return Program(Path(setting), startup_environment)
    # Not in the folder itself: Slicer would take the program for a module there.
    beside = module_folder / "bin"
    if found := shutil.which(NAME, path=str(beside)):
        return Program(Path(found), startup_environment)
    if found := shutil.which(NAME, path=sysconfig.get_path("scripts")):
        return Program(Path(found))
    search_path = (startup_environment or os.environ).get("PATH", os.defpath)
    if found := shutil.which(NAME, path=search_path):
        return Program(Path(found), startup_environment)
    places = f"{beside}, {sysconfig.get_path('scripts')}"
    raise MissingProgram(f"the program brainmesh was found neither in {places} nor on the search path")
