"""Makes `volumes/` and what nibabel reads from it, `volumes/expected.json`.

Needs nibabel, numpy and, for MINC, Debian's minc-tools. Run in this folder.
"""

import gzip
import json
import pathlib
import shutil

import nibabel
import numpy as np

OUT = pathlib.Path("volumes")
NIBABEL = pathlib.Path(nibabel.__file__).parent / "tests" / "data"

# Oblique, sheared, left-handed: nothing about it is symmetric.
AFFINE = np.array(
    [[-0.9, 0.12, 0.3, 17.25], [0.1, 1.1, -0.25, -30.5], [0.05, 0.3, 2.0, 4.75], [0, 0, 0, 1.0]]
)
SHAPE = (5, 4, 3)


def phantom(shape=SHAPE):
    index = np.indices(shape)
    return sum(index[axis] * step for axis, step in enumerate((1, 7, 31, 60)[: len(shape)])) + 1


def rigid():
    """A rotation, a flip of the third axis and a spacing: what a qform can hold."""
    a, b = np.deg2rad(25), np.deg2rad(-40)
    about_z = np.array([[np.cos(a), -np.sin(a), 0], [np.sin(a), np.cos(a), 0], [0, 0, 1]])
    about_x = np.array([[1, 0, 0], [0, np.cos(b), -np.sin(b)], [0, np.sin(b), np.cos(b)]])
    affine = np.eye(4)
    affine[:3, :3] = about_z @ about_x @ np.diag([0.8, 1.2, -2.5])
    affine[:3, 3] = [5, -6, 7]
    return affine


def expectation(image, world):
    """Twenty values at their world points, and the sum of all, per volume."""
    data = np.asarray(image.get_fdata(dtype=np.float64))
    data = data.reshape(*data.shape[:3], -1, order="F")
    rng = np.random.default_rng(5)
    voxels = [[int(rng.integers(n)) for n in data.shape[:3]] for _ in range(20)]
    points = [(image.affine @ [*v, 1])[:3].tolist() for v in voxels]
    return {
        "world": world,
        "voxels": int(np.prod(data.shape[:3])),
        "points": points,
        "values": [[float(data[(*v, n)]) for v in voxels] for n in range(data.shape[3])],
        "sums": [float(data[..., n].sum()) for n in range(data.shape[3])],
    }


def nifti(expected):
    def keep(name, image, world="aligned"):
        nibabel.save(image, OUT / name)
        expected[name] = expectation(nibabel.load(OUT / name), world)

    for dtype in "u1 i1 u2 i2 u4 i4 u8 i8 f4 f8".split():
        data = phantom().astype(dtype)
        for order, name in (("<", "little"), (">", "big")):
            header = nibabel.Nifti1Header(endianness=order)
            header.set_data_dtype(np.dtype(dtype).newbyteorder(order))
            keep(f"{dtype}-{name}.nii", nibabel.Nifti1Image(data, AFFINE, header))
    big = nibabel.Nifti2Header(endianness=">")
    big.set_data_dtype(">i2")
    keep("nifti2-big.nii", nibabel.Nifti2Image(phantom().astype("i2"), AFFINE, big))
    keep("nifti2-little.nii.gz", nibabel.Nifti2Image(phantom().astype("f4"), AFFINE))
    keep("pair.hdr", nibabel.Nifti1Pair(phantom().astype("i2"), AFFINE))

    scaled = nibabel.Nifti1Image(phantom().astype("i2"), AFFINE)
    scaled.header.set_slope_inter(0.125, -3.5)
    keep("scaled.nii", scaled)
    keep("time.nii", nibabel.Nifti1Image(phantom((4, 3, 2, 3)).astype("i2"), AFFINE))

    by_qform = nibabel.Nifti1Image(phantom().astype("i2"), rigid())
    by_qform.set_sform(None, 0)
    by_qform.set_qform(rigid(), 1)
    keep("qform.nii", by_qform, "scanner")

    both = nibabel.Nifti1Image(phantom().astype("i2"), AFFINE)
    both.set_sform(AFFINE, 4)
    both.set_qform(rigid(), 1)
    keep("sform-first.nii", both, "MNI152")

    extended = nibabel.Nifti1Image(phantom().astype("i2"), AFFINE)
    extended.header.extensions.append(nibabel.nifti1.Nifti1Extension("comment", b"the data begin later" * 9))
    keep("extension.nii", extended)

    whole = (OUT / "i2-little.nii").read_bytes()
    members = [gzip.compress(part, mtime=0) for part in (whole[:100], whole[100:390], whole[390:])]
    (OUT / "members.nii.gz").write_bytes(b"".join(members))
    expected["members.nii.gz"] = expected["i2-little.nii"]

    for name in ("standard.nii.gz", "example_nifti2.nii.gz"):
        shutil.copy(NIBABEL / name, OUT / name)
    expected["standard.nii.gz"] = expectation(nibabel.load(OUT / "standard.nii.gz"), "aligned")
    expected["example_nifti2.nii.gz"] = expectation(nibabel.load(OUT / "example_nifti2.nii.gz"), "scanner")


if __name__ == "__main__":
    OUT.mkdir(exist_ok=True)
    expected = {}
    nifti(expected)
    lines = ",\n".join(f"{json.dumps(name)}: {json.dumps(value)}" for name, value in expected.items())
    (OUT / "expected.json").write_text("{\n" + lines + "\n}\n")
