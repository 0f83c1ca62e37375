"""Real NIfTI, MGH and ANALYZE files inside published packages: the voxels and the placement that nibabel finds."""

import importlib.util
import json
from pathlib import Path

import nibabel
import numpy as np
import pytest

# Folders of packages with volumes, and the names that count there.
FOLDERS = [
    ("nibabel", "tests/data", ["*.nii", "*.nii.gz", "*.mgz", "*.hdr"]),
    ("nilearn", "datasets/data", ["*.nii.gz"]),
    ("nipype", "testing/data", ["*.nii", "*.nii.gz", "*.hdr"]),
    ("brainspace", "datasets", ["**/*.mgz", "**/*.nii.gz"]),
    ("fsl", "tests", ["testdata/*.nii.gz", "testdata/*.mgz", "test_transform/testdata/**/*.nii.gz"]),
]

# Files that are no volume at all: empty, or a line of text that stands for a file.
PLACEHOLDER_BYTES = 300


def real_files():
    for package, folder, patterns in FOLDERS:
        found = importlib.util.find_spec(package)
        if found is None:
            continue
        root = Path(found.submodule_search_locations[0]) / folder
        for path in sorted({path for pattern in patterns for path in root.glob(pattern)}):
            if path.stat().st_size > PLACEHOLDER_BYTES and (path.suffix != ".hdr" or path.with_suffix(".img").exists()):
                yield pytest.param(path, id=f"{package}/{path.relative_to(root)}")


def nibabel_image(path):
    """What nibabel makes of it as a plain volume: CIFTI files are NIfTI-2 volumes."""
    image = nibabel.load(path)
    return nibabel.Nifti2Image.from_filename(path) if isinstance(image, nibabel.Cifti2Image) else image


@pytest.mark.parametrize("path", real_files())
def test_a_real_file_reads_as_nibabel_reads_it(brainmesh, tmp_path, path):
    info = json.loads(brainmesh("info", path, "--json"))
    image = nibabel_image(path)
    affine = np.array(info["world_from_voxel"])
    expected = image.affine
    if info["world"] == "unregistered":
        # Neither sform nor qform: the standard (nifti1.h, method 1) has spacing alone, from the first voxel; nibabel turns x
        # round and puts the origin into the middle, as SPM does for ANALYZE.
        assert image.header["sform_code"] == image.header["qform_code"] == 0
        expected = np.diag([*image.header["pixdim"][1:4], 1.0])
    assert np.abs(affine - expected).max() <= 1e-6 * max(1.0, np.abs(expected).max())
    copy = tmp_path / "copy.nii"
    brainmesh("convert", path, copy)
    expected = np.asanyarray(image.dataobj)
    found = np.asanyarray(nibabel.load(copy).dataobj)
    found = found.reshape(expected.shape, order="F")
    if np.issubdtype(expected.dtype, np.integer):
        assert found.dtype == expected.dtype.newbyteorder("=")
        assert np.array_equal(found, expected)
    else:
        np.testing.assert_array_max_ulp(found.astype(np.float32), expected.astype(np.float32), maxulp=1)


def test_there_are_real_files():
    """The comparison above must not pass because it found nothing to compare."""
    assert len(list(real_files())) >= 10
