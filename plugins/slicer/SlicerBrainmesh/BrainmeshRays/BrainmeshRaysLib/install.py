"""The program of this Slicer: where it is, and how it gets there. Needs the application."""

import importlib.metadata
import tempfile
from pathlib import Path

import qt
import slicer

from .program import MissingProgram, Program, find_program

MODULE_FOLDER = Path(__file__).parents[1]
PROGRAM_SETTING = "Brainmesh/Program"
# The wheel carries the command line.
_REQUIREMENT = "brainmesh"


def installed_program() -> Program | None:
    """The program where it is there already; None where it is not."""
    try:
        return _find()
    except MissingProgram:
        return None


def ensure_program() -> Program:
    """The program, installed from PyPI after the user agreed where it is not there.

    Raises:
        MissingProgram: the setting names no program, or the installed package brought none.
        RuntimeError: the user declined.
    """
    if (program := installed_program()) is None and not _setting():
        _install()
    return program or _find()


def _find() -> Program:
    return find_program(_setting(), MODULE_FOLDER, slicer.util.startupEnvironment())


def _setting() -> str:
    return qt.QSettings().value(PROGRAM_SETTING) or ""


def _install() -> None:
    import slicer.packaging

    # Every package that is there is held at its version: pip gives up rather than replace one that Slicer brought.
    with tempfile.TemporaryDirectory(prefix="brainmesh-") as folder:
        constraints = Path(folder) / "constraints.txt"
        constraints.write_text("\n".join(_installed_versions()))
        slicer.packaging.pip_ensure(_REQUIREMENT, constraints=constraints, requester="BrainmeshRays")


def _installed_versions() -> list[str]:
    installed = {d.metadata["Name"]: d.version for d in importlib.metadata.distributions() if d.metadata["Name"]}
    return sorted(f"{name}=={version}" for name, version in installed.items() if name.lower() != _REQUIREMENT)
