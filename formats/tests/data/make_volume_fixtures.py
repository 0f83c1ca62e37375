"""Makes `volumes/` and what nibabel reads from it, `volumes/expected.json`.

Needs nibabel, numpy, scipy, h5py and Debian's minc-tools. Run in this folder.
"""

import gzip
import json
import pathlib
import shutil
import subprocess

import h5py
import nibabel
import numpy as np
from scipy.io import netcdf_file

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


def expectation(image, world, axes=()):
    """Twenty values at their world points, and the sum of all, per volume. nibabel leaves the axes of MINC as they are."""
    data = np.asarray(image.get_fdata(dtype=np.float64))
    if "time" in axes:
        data = np.moveaxis(data, axes.index("time"), -1)
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


def minc_tool(*arguments, data=None):
    subprocess.run([str(a) for a in arguments], input=data, check=True, stderr=subprocess.DEVNULL)


def minc(expected):
    """Small files of every kind with minc-tools; nibabel's own where they are small enough."""

    # rawtominc writes no `spacetype`: the world is unknown.
    def keep(name, world):
        path = OUT / name
        nibabel_reads = nibabel.load(path)
        expected[name] = expectation(nibabel_reads, world, minc_axes(path))

    cosines = np.linalg.qr(AFFINE[:3, :3])[0].T
    placement = ["-xstep", -0.9, "-ystep", 1.1, "-zstep", 2.5, "-xstart", 17.25, "-ystart", -30.5, "-zstart", 4.75]
    for axis, row in zip("xyz", cosines):
        placement += [f"-{axis}dircos", *row]
    lengths = dict(zip("xyz", SHAPE))
    for version, flag in (("minc1", "-clobber"), ("minc2", "-2")):
        for order in ("zyx", "xyz", "yxz", "zxy"):
            values = phantom(tuple(lengths[a] for a in order)).astype("i2")
            out = OUT / f"{version}-{order}.mnc"
            arguments = [f"-{order}", "-short", "-signed", "-oshort", "-range", 0, 200, "-scan_range", *placement]
            minc_tool("rawtominc", "-clobber", flag, *arguments, out, *(lengths[a] for a in order), data=values.tobytes())
            keep(out.name, "unknown")
        # Every type of storage, each slice with a range of its own.
        for kind, sign in (("byte", "unsigned"), ("byte", "signed"), ("short", "unsigned"), ("long", "signed"),
                           ("long", "unsigned"), ("float", ""), ("double", "")):
            values = phantom(SHAPE[::-1]).astype("f8")
            out = OUT / f"{version}-{kind}{sign and '-' + sign}.mnc"
            stored = [f"-o{kind}"] + ([f"-o{sign}"] if sign else [])
            minc_tool("rawtominc", "-clobber", flag, "-zyx", "-double", *stored, "-scan_range", *placement,
                      out, *SHAPE[::-1], data=values.tobytes())
            keep(out.name, "unknown")
        for order in ("tzyx", "zytx"):
            lengths_4d = dict(lengths, t=3)
            values = phantom(tuple(lengths_4d[a] for a in order)).astype("i2")
            out = OUT / f"{version}-{order}.mnc"
            arguments = ["-dimorder", ",".join({"t": "time"}.get(a, a + "space") for a in order)]
            minc_tool("rawtominc", "-clobber", flag, *arguments, "-short", "-signed", "-oshort", "-scan_range",
                      *placement, out, *(lengths_4d[a] for a in order), data=values.tobytes())
            # nibabel wants a variable `time` with regular spacing; minc-tools read their own file.
            read = subprocess.run(["mincextract", "-double", out], check=True, stdout=subprocess.PIPE).stdout
            values = np.frombuffer(read).reshape(values.shape)
            affine = nibabel.load(OUT / f"{version}-zyx.mnc").affine
            moved = np.moveaxis(values, order.index("t"), -1)
            expected[out.name] = expectation(nibabel.Nifti1Image(moved, affine), "unknown")
    minc_tool("mincconvert", "-clobber", "-2", "-compress", 4, "-chunk", 2, OUT / "minc1-zyx.mnc", OUT / "minc2-chunks.mnc")
    keep("minc2-chunks.mnc", "unknown")
    # The range of stored values as integers, and without what they stand for (the second is to refuse).
    for name in ("minc2-integer-range.mnc", "minc2-no-maximum.mnc"):
        shutil.copy(OUT / "minc2-zyx.mnc", OUT / name)
    with h5py.File(OUT / "minc2-integer-range.mnc", "r+") as file:
        attributes = file["minc-2.0/image/0/image"].attrs
        attributes["valid_range"] = attributes["valid_range"].astype("i4")
    keep("minc2-integer-range.mnc", "unknown")
    with h5py.File(OUT / "minc2-no-maximum.mnc", "r+") as file:
        del file["minc-2.0/image/0/image-max"]
    (OUT / "minc1.mnc.gz").write_bytes(gzip.compress((OUT / "minc1-zyx.mnc").read_bytes(), mtime=0))
    expected["minc1.mnc.gz"] = expected["minc1-zyx.mnc"]
    for name, world in NIBABEL_MINC.items():
        shutil.copy(NIBABEL / name, OUT / name)
        if world:
            keep(name, world)


# The last is one to refuse.
NIBABEL_MINC = {
    "tiny.mnc": "scanner",
    "small.mnc": "scanner",
    "minc1_1_scale.mnc": "unknown",
    "minc1_4d.mnc": "scanner",
    "minc1-no-att.mnc": "scanner",
    "minc2_1_scale.mnc": "unknown",
    "minc2_4d.mnc": "scanner",
    "minc2-no-att.mnc": "scanner",
    "minc2_baddim.mnc": None,
}


def minc_axes(path):
    """Names of the axes as nibabel lists them, slowest first."""
    if path.read_bytes()[:3] == b"CDF":
        with netcdf_file(path, mmap=False) as file:
            return list(file.variables["image"].dimensions)
    with h5py.File(path) as file:
        return file["minc-2.0/image/0/image"].attrs["dimorder"].decode().split(",")


if __name__ == "__main__":
    OUT.mkdir(exist_ok=True)
    expected = {}
    nifti(expected)
    minc(expected)
    lines = ",\n".join(f"{json.dumps(name)}: {json.dumps(value)}" for name, value in expected.items())
    (OUT / "expected.json").write_text("{\n" + lines + "\n}\n")
