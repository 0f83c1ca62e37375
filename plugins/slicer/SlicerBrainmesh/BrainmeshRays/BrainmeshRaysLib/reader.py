"""Files that Slicer has no reader for, or that it would put in another place, told by their content."""

from enum import Enum
from pathlib import Path

# FreeSurfer names surfaces by what they are, not by an ending.
NAME_FILTERS = (
    "GIFTI surface (*.surf.gii *.gii *.gii.gz)",
    "FreeSurfer surface (*.pial *.white *.orig *.inflated *.sphere *.sphere.reg *.smoothwm *.midthickness *.pial.T1 *.pial.T2 *.fs)",
    "MNI surface (*.obj)",
    "MINC volume (*.mnc *.mnc.gz)",
)


class FileKind(Enum):
    """What a file becomes in the scene: a model or a volume."""

    SURFACE = "surface"
    VOLUME = "volume"


def recognise(path: Path) -> FileKind | None:
    """What a file holds, from its first bytes; None where it is for another reader, or cannot be opened."""
    name = path.name.lower()
    try:
        with open(path, "rb") as file:
            head = file.read(1024)
    except OSError:
        return None
    if name.endswith((".mnc", ".mnc.gz")):
        # netCDF (MINC1), HDF5 (MINC2), or either compressed.
        return FileKind.VOLUME if head.startswith((b"CDF", b"\x89HDF\r\n", b"\x1f\x8b")) else None
    if name.endswith((".gii", ".gii.gz")):
        return FileKind.SURFACE if b"GIFTI" in head or head.startswith(b"\x1f\x8b") else None
    if name.endswith(".obj"):
        # MNI polygons begin with P (ASCII; binary p is not read); Wavefront's with comments or vertices.
        return FileKind.SURFACE if head.startswith(b"P ") else None
    # Triangles, and quadrangles old and new (FreeSurfer's 3-byte magic numbers).
    return FileKind.SURFACE if head.startswith((b"\xff\xff\xfe", b"\xff\xff\xff", b"\xff\xff\xfd")) else None
