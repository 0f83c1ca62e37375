"""`brainmesh convert` against nibabel: the same axes, values, headers."""

import itertools

import nibabel as nib
import numpy as np
import pytest

ORIENTATIONS = [
    "".join(pair[flip] for pair, flip in zip(order, flips))
    for order in itertools.permutations(["LR", "PA", "IS"])
    for flips in itertools.product([0, 1], repeat=3)
]


@pytest.fixture
def oblique(tmp_path):
    """int16 with a slope, three sizes of voxels, turned and sheared a little, four time points, a comment."""
    stored = np.random.default_rng(1609).integers(-3000, 3000, (7, 6, 5, 4), dtype=np.int16)
    affine = np.array([[-0.8, 0.1, 0.2, 12.5], [0.1, 0.3, 2.4, -7.25], [0.05, -1.2, 0.3, 30], [0, 0, 0, 1]])
    image = nib.Nifti1Image(stored, affine)
    image.header.set_slope_inter(0.25, -7.5)
    image.header.set_xyzt_units("mm", "sec")
    image.header["pixdim"][4] = 0.72
    image.header.extensions.append(nib.nifti1.Nifti1Extension("comment", b"made by a test"))
    path = tmp_path / "oblique.nii.gz"
    nib.save(image, path)
    return path


def stored_values(path):
    return np.asanyarray(nib.load(path).dataobj.get_unscaled())


@pytest.mark.parametrize("code", ORIENTATIONS)
def test_reorientation_is_nibabels(brainmesh, oblique, tmp_path, code):
    out = tmp_path / "new.nii"
    brainmesh("convert", oblique, out, "--reorient", code)
    new, old = nib.load(out), nib.load(oblique)
    assert "".join(nib.aff2axcodes(new.affine)) == code
    start = nib.io_orientation(old.affine)
    expected = old.as_reoriented(nib.orientations.ornt_transform(start, nib.orientations.axcodes2ornt(code)))
    np.testing.assert_array_equal(new.get_fdata(), expected.get_fdata())
    np.testing.assert_allclose(new.affine, expected.affine, atol=1e-5)


def test_closest_canonical(brainmesh, oblique, tmp_path):
    out = tmp_path / "new.nii.gz"
    brainmesh("convert", oblique, out, "--reorient", "RAS")
    expected = nib.as_closest_canonical(nib.load(oblique))
    np.testing.assert_array_equal(nib.load(out).get_fdata(), expected.get_fdata())
    np.testing.assert_allclose(nib.load(out).affine, expected.affine, atol=1e-5)


def test_header_is_carried(brainmesh, oblique, tmp_path):
    out = tmp_path / "new.nii"
    brainmesh("convert", oblique, out)
    new, old = nib.load(out), nib.load(oblique)
    assert new.get_data_dtype() == np.int16
    np.testing.assert_array_equal(stored_values(out), stored_values(oblique))
    assert (new.dataobj.slope, new.dataobj.inter) == (old.dataobj.slope, old.dataobj.inter) == (0.25, -7.5)
    assert new.header.get_xyzt_units() == ("mm", "sec")
    assert new.header["pixdim"][4] == old.header["pixdim"][4]
    assert [e.get_content().rstrip(b"\0") for e in new.header.extensions] == [b"made by a test"]


def test_crop_is_a_slice(brainmesh, oblique, tmp_path):
    out = tmp_path / "new.nii"
    brainmesh("convert", oblique, out, "--crop", "2:6,:4,3:", "--volume", 1)
    expected = nib.load(oblique).slicer[2:6, :4, 3:, 1]
    np.testing.assert_array_equal(nib.load(out).get_fdata(), expected.get_fdata())
    np.testing.assert_allclose(nib.load(out).affine, expected.affine, atol=1e-5)


def trilinear(values, coordinates):
    low = np.floor(coordinates).astype(int)
    part = coordinates - low
    total = 0
    for corner in itertools.product([0, 1], repeat=3):
        up = np.array(corner)[:, None]
        total = total + values[tuple(low + up)] * np.where(up, part, 1 - part).prod(axis=0)
    return total


def test_linear_resampling(brainmesh, oblique, tmp_path):
    out = tmp_path / "new.nii"
    brainmesh("convert", oblique, out, "--volume", 0, "--orthonormal", "--type", "float64")
    new, old = nib.load(out), nib.load(oblique)
    axes = new.affine[:3, :3] / np.linalg.norm(new.affine[:3, :3], axis=0)
    np.testing.assert_allclose(axes.T @ axes, np.eye(3), atol=1e-6)
    # The same volume of a voxel: nothing is squeezed.
    assert abs(np.linalg.det(new.affine)) == pytest.approx(abs(np.linalg.det(old.affine)), rel=1e-5)
    where = np.linalg.inv(old.affine) @ new.affine
    ijk = np.indices(new.shape).reshape(3, -1)
    coordinates = where[:3, :3] @ ijk + where[:3, 3:]
    last = np.array(old.shape[:3])[:, None] - 1
    inside = ((coordinates >= 1e-3) & (coordinates <= last - 1e-3)).all(axis=0)
    assert inside.sum() > 50
    expected = trilinear(old.get_fdata()[..., 0], coordinates[:, inside])
    # Affines are float32 in the file; neighbours differ by up to 1500.
    np.testing.assert_allclose(new.get_fdata().reshape(-1)[inside], expected, atol=0.05)


@pytest.mark.parametrize("dtype", ["uint8", "int16", "uint16"])
def test_scaling_to_a_type(brainmesh, tmp_path, dtype):
    values = np.random.default_rng(7).normal(100.1, 13.7, (9, 8, 7))
    source, out = tmp_path / "floats.nii", tmp_path / "new.nii.gz"
    nib.save(nib.Nifti1Image(values, np.eye(4)), source)
    brainmesh("convert", source, out, "--type", dtype, "--scale")
    new = nib.load(out)
    assert new.get_data_dtype() == dtype
    assert np.abs(new.get_fdata() - values).max() <= new.dataobj.slope / 2 * (1 + 1e-9)
