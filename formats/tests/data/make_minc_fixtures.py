"""Makes `minc/`: what MINC files of other programs can hold beside plain volumes, and what minc-tools read from them.

Needs numpy, scipy, h5py and Debian's minc-tools. Run in this folder.
"""

import json
import pathlib
import shutil
import subprocess

import h5py
import numpy as np
from scipy.io import netcdf_file

OUT = pathlib.Path("minc")
SHAPE = (3, 4, 5)  # z, y, x
STEPS = {"zspace": 2.5, "yspace": 1.1, "xspace": -0.9}
STARTS = {"zspace": 4.75, "yspace": -30.5, "xspace": 17.25}
VALUES = (np.indices(SHAPE) * np.array([31, 7, 1])[:, None, None, None]).sum(0) + 1


def tool(*arguments, data=None):
    return subprocess.run([str(a) for a in arguments], input=data, check=True, stdout=subprocess.PIPE).stdout


def mincextract(path):
    """Every value of the image, in the order of the file."""
    return np.frombuffer(tool("mincextract", "-double", path)).round(9).tolist()


def placement():
    return [word for axis in STEPS for word in (f"-{axis[0]}step", STEPS[axis], f"-{axis[0]}start", STARTS[axis])]


def made_by_minc_tools(expected):
    # Three components for every voxel, the fastest axis of the file, in both versions.
    vectors = np.stack([VALUES, VALUES + 100, 200 - VALUES], axis=-1).astype("<i2")
    for version, flag in (("minc1", "-clobber"), ("minc2", "-2")):
        path = OUT / f"{version}-vector.mnc"
        tool("rawtominc", "-clobber", flag, "-vector", 3, "-short", "-signed", "-oshort", "-range", 0, 300,
             "-scan_range", *placement(), path, *SHAPE, data=vectors.tobytes())
        expected[path.name] = mincextract(path)
    # Bytes whose range differs in every slice: turned to another order of axes, stored in a range of their own, and packed.
    plain = OUT / "plain.mnc"
    tool("rawtominc", "-clobber", "-2", "-short", "-signed", "-obyte", "-ounsigned", "-scan_range", *placement(), plain,
         *SHAPE, data=VALUES.astype("<i2").tobytes())
    changes = {"minc2-reshaped.mnc": ["-dimorder", "yspace,xspace,zspace"],
               "minc2-valid-range.mnc": ["-short", "-signed", "-valid_range", -100, 100]}
    for name, change in changes.items():
        tool("mincreshape", "-quiet", "-clobber", "-2", *change, plain, OUT / name)
        expected[name] = mincextract(OUT / name)
    tool("mincconvert", "-clobber", "-2", "-compress", 4, "-chunk", 2, plain, OUT / "minc2-packed.mnc")
    expected["minc2-packed.mnc"] = mincextract(OUT / "minc2-packed.mnc")
    plain.unlink()


def minc1(name, coordinates, units="mm"):
    """A file with coordinates for every slice, which minc-tools read but do not make."""
    with netcdf_file(OUT / name, "w") as file:
        for axis, length in zip(STEPS, SHAPE):
            file.createDimension(axis, length)
            of_axis = file.createVariable(axis, "d", (axis,) if axis == "zspace" else ())
            of_axis.units = units
            if axis == "zspace":
                of_axis.spacing = "irregular"
                of_axis[:] = coordinates
            else:
                of_axis.spacing = "regular__"
                # As float64; scipy makes float32 of Python's numbers.
                of_axis.step, of_axis.start = np.float64(STEPS[axis]), np.float64(STARTS[axis])
        image = file.createVariable("image", "f", tuple(STEPS))
        image[:] = VALUES


def minc2(name, values, **attributes):
    """The least that is MINC2, with `attributes` of the group `minc-2.0`."""
    with h5py.File(OUT / name, "w") as file:
        minc = file.create_group("minc-2.0")
        minc.attrs.update({key: np.bytes_(value) for key, value in attributes.items()})
        for axis, length in zip(STEPS, SHAPE):
            of_axis = minc.create_dataset(f"dimensions/{axis}", data=0, dtype="i4")
            of_axis.attrs.update({"start": STARTS[axis], "step": STEPS[axis], "length": length})
        image = minc.create_dataset("image/0/image", data=values)
        image.attrs["dimorder"] = np.bytes_("zspace,yspace,xspace")


def made_by_hand():
    minc1("minc1-irregular.mnc", [0.0, 2.0, 5.0])
    minc1("minc1-nearly-regular.mnc", [4.75, 7.2501, 9.75])
    minc1("minc1-centimetres.mnc", [0.475, 0.725, 0.975], "cm")
    minc1("minc1-furlongs.mnc", [0.475, 0.725, 0.975], "furlong")
    names = {"background": 0, "grey": 2, "white": -3}
    for kind in ("<i1", ">i2"):
        labels = np.array([0, 2, -3])[VALUES % 3]
        minc2(f"minc2-labels-{kind[1:]}.mnc", labels.astype(h5py.enum_dtype(names, kind)), **{"class": "label__"})
    minc2("minc2-integers.mnc", VALUES.astype("i4"), **{"class": "integer"})
    minc2("minc2-nearly-regular.mnc", VALUES.astype("f4"))
    with h5py.File(OUT / "minc2-nearly-regular.mnc", "r+") as file:
        of_axis = file["minc-2.0/dimensions"]
        del of_axis["zspace"]
        of_axis.create_dataset("zspace", data=[4.75, 7.2501, 9.75]).attrs["spacing"] = np.bytes_("irregular")


if __name__ == "__main__":
    shutil.rmtree(OUT, ignore_errors=True)
    OUT.mkdir()
    expected = {}
    made_by_minc_tools(expected)
    made_by_hand()
    (OUT / "expected.json").write_text(json.dumps(expected) + "\n")
