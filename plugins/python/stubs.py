"""Makes the types of the Rust module anew from the module itself: python/brainmesh/_brainmesh.pyi.

    python stubs.py            writes them
    python stubs.py --check    fails where they are not what would be written

Needs maturin. What pyo3 cannot know, the types of arrays that properties give, stands in the table below.
"""

import re
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
STUBS = HERE / "python" / "brainmesh" / "_brainmesh.pyi"

HEADER = """# Made by stubs.py from the compiled module; not to be changed by hand.

import collections.abc
import os
import threading
import typing

import numpy
import numpy.typing
"""

EXCEPTIONS = '''
class ModelError(RuntimeError):
    """
    A model, its manifest or the engine that runs it failed.
    """

class Cancelled(Exception):
    """
    The work was stopped by `cancel`; nothing was written.
    """
'''

#: Properties by class and name (or by name alone).
PROPERTIES = {
    "data": "numpy.typing.NDArray[typing.Any]",
    "defects": "numpy.typing.NDArray[numpy.int32]",
    "dtype": "numpy.dtype[typing.Any]",
    "certificate": "dict[str, typing.Any]",
    "report": "dict[str, typing.Any]",
    "surfaces": "tuple[Surface, ...]",
    "thickness_mm": "numpy.typing.NDArray[numpy.float32]",
    "Ribbon.thickness_mm": "numpy.typing.NDArray[numpy.float64]",
    "triangles": "numpy.typing.NDArray[numpy.uint32]",
    "uncertainty_mm": "numpy.typing.NDArray[numpy.float32]",
    "vertices": "numpy.typing.NDArray[numpy.float64]",
    "world_from_voxel": "numpy.typing.NDArray[numpy.float64]",
}


def generated() -> str:
    with tempfile.TemporaryDirectory() as folder:
        command = ["maturin", "generate-stubs", "--profile", "release", "--quiet", "--out", folder]
        program = Path(sys.executable).parent / command[0]
        subprocess.run([program if program.exists() else command[0], *command[1:]], cwd=HERE, check=True)
        return (Path(folder) / "brainmesh" / "_brainmesh.pyi").read_text()


def finished(text: str) -> str:
    """Annotations without quotes, properties with their types, imports and exceptions."""
    body = text[re.search(r"^(?:VERSION|@final)", text, re.M).start() :]
    # pyo3 does not see the exceptions, and says so by this.
    body = body.replace("def __getattr__(name: str) -> Incomplete: ...", "")
    lines, owner = [], ""
    for line in body.splitlines():
        if found := re.match(r"class (\w+)", line):
            owner = found[1]
        is_property = bool(lines) and lines[-1].strip() == "@property"
        if is_property and (found := re.match(r"( +def (\w+)\(self, /\) -> )(?:Incomplete|Any|dict|tuple):", line)):
            kind = PROPERTIES.get(f"{owner}.{found[2]}") or PROPERTIES[found[2]]
            line = f"{found[1]}{kind}:"
        lines.append(re.sub(r'(: |-> )"([^"]*)"', r"\1\2", line) if re.match(r" *def ", line) else line)
    body = re.sub(r"-> Any\b", "-> typing.Any", "\n".join(lines))
    body = re.sub(r"\bFinal\b", "typing.Final", body)
    body = re.sub(r"^@final", "@typing.final", body, flags=re.M)
    body = re.sub(r"(?<![\w.])Path\b", "os.PathLike[str]", body)
    body = EXCEPTIONS + "\n" + body.rstrip() + "\n"
    names = sorted(re.findall(r"^(?:class |def )?(\w+)(?=[(:])", body, re.M))
    public = "".join(f'    "{name}",\n' for name in names)
    return f"{HEADER}\n__all__ = [\n{public}]\n{body}"


def main() -> int:
    text = finished(generated())
    if "Incomplete" in text:
        line = next(line for line in text.splitlines() if "Incomplete" in line)
        print(f"stubs.py: PROPERTIES lacks the type of {line.strip()}", file=sys.stderr)
        return 1
    if "--check" not in sys.argv[1:]:
        STUBS.write_text(text)
        return 0
    if STUBS.read_text() != text:
        print(f"{STUBS.name} is not what the module holds: run `python stubs.py`", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
