"""Values at vertices from the GIFTI files that the program writes (others are for `brainmesh convert`)."""

import base64
import xml.etree.ElementTree as ET
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np


@dataclass(frozen=True)
class LabelMap:
    """One label a vertex, and what the labels mean."""

    labels: np.ndarray
    """`[vertices]` int32."""
    names: dict[int, str]
    colors: dict[int, tuple[float, float, float]]
    """0 to 1."""


def read_label_map(path: Path) -> LabelMap:
    """Reads `defects.label.gii`.

    Raises:
        ValueError: another encoding than the program's own.
    """
    root = ET.parse(path).getroot()
    array = root.find("DataArray")
    if array is None:
        raise ValueError(f"{path}: expected a DataArray, found none")
    expected = {"DataType": "NIFTI_TYPE_INT32", "Encoding": "GZipBase64Binary", "Endian": "LittleEndian"}
    for field, value in expected.items():
        if array.get(field) != value:
            raise ValueError(f"{path}: {field}: expected {value}, found {array.get(field)}")
    labels = np.frombuffer(zlib.decompress(base64.b64decode(array.findtext("Data", ""))), "<i4")
    if len(labels) != int(array.get("Dim0", -1)):
        raise ValueError(f"{path}: Dim0: expected {len(labels)} labels, found {array.get('Dim0')}")
    table = root.findall("LabelTable/Label")
    names = {int(label.get("Key")): label.text for label in table}
    colors = {int(label.get("Key")): tuple(float(label.get(c)) for c in ("Red", "Green", "Blue")) for label in table}
    return LabelMap(labels, names, colors)
