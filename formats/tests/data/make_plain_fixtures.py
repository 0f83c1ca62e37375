"""Makes `plain/`: MGH, NRRD, MetaImage and ANALYZE files, and what nibabel or SimpleITK reads from them, `plain/expected.json`.

Needs nibabel, SimpleITK, pynrrd, scipy and h5py, and beside this file nrrd-js's `example2.nrrd` to `example4.nrrd` (npm, 0.2.1).
Run in this folder.
"""

import gzip
import json
import pathlib
import shutil

import nibabel
import nrrd
import numpy as np
import SimpleITK as sitk
from make_volume_fixtures import AFFINE, expectation, phantom

OUT = pathlib.Path("plain")
NIBABEL = pathlib.Path(nibabel.__file__).parent / "tests" / "data"
LPS = np.diag([-1.0, -1.0, 1.0, 1.0])
EXPECTED = {}


def keep_as_nibabel(name, world):
    EXPECTED[name] = expectation(nibabel.load(OUT / name), world)


def keep_as_itk(name, world="scanner"):
    """ITK's components and its fourth axis are volumes."""
    image = sitk.ReadImage(str(OUT / name))
    data = sitk.GetArrayFromImage(image)
    if image.GetNumberOfComponentsPerPixel() > 1:
        data = np.moveaxis(data, -1, 0)
    data = data.T if image.GetDimension() > 2 or data.ndim > 2 else data.T[:, :, np.newaxis]
    size = image.GetDimension()
    affine = np.eye(4)
    steps = np.array(image.GetDirection()).reshape(size, size) @ np.diag(image.GetSpacing())
    used = min(size, 3)
    affine[:used, :used] = steps[:used, :used]
    affine[:used, 3] = image.GetOrigin()[:used]
    EXPECTED[name] = expectation(nibabel.Nifti1Image(data.astype("f8"), LPS @ affine), world)


def itk_image(data, is_vector=False):
    """On the sheared grid of the other fixtures."""
    image = sitk.GetImageFromArray(data.T if not is_vector else np.moveaxis(data.T, 0, -1), isVector=is_vector)
    affine, size = LPS @ AFFINE, image.GetDimension()
    spacing = np.linalg.norm(affine[:3, :3], axis=0)
    direction, origin = np.eye(size), np.zeros(size)
    direction[:3, :3], origin[:3] = affine[:3, :3] / spacing, affine[:3, 3]
    image.SetSpacing([*spacing, 2.5][:size])
    image.SetDirection(direction.ravel())
    image.SetOrigin(origin)
    return image


def mgh():
    for dtype, ending in (("u1", "mgh"), ("i2", "mgz"), ("i4", "mgh"), ("f4", "mgz"), ("u2", "mgh")):
        nibabel.save(nibabel.MGHImage(phantom().astype(dtype), AFFINE), OUT / f"{dtype}.{ending}")
        keep_as_nibabel(f"{dtype}.{ending}", "scanner")
    series = nibabel.MGHImage(phantom((4, 3, 2, 3)).astype("i2"), AFFINE)
    series.header["tr"] = 2500
    nibabel.save(series, OUT / "time.mgz")
    keep_as_nibabel("time.mgz", "scanner")
    unplaced = bytearray((OUT / "u1.mgh").read_bytes())
    unplaced[28:30] = bytes(2)
    # nibabel takes FreeSurfer's default directions transposed: what is right stands in the test.
    (OUT / "no-ras.mgh").write_bytes(unplaced)
    shutil.copy(NIBABEL / "test.mgz", OUT / "nibabel.mgz")
    keep_as_nibabel("nibabel.mgz", "scanner")


def analyze():
    zooms = np.diag([2.0, 1.5, 3.0, 1.0])
    for name, kind, order, dtype in (
        ("middle", nibabel.AnalyzeImage, ">", "i2"),
        ("origin", nibabel.Spm99AnalyzeImage, "<", "f4"),
        ("scaled", nibabel.Spm99AnalyzeImage, ">", "u1"),
    ):
        header = kind.header_class(endianness=order)
        header.set_data_dtype(np.dtype(dtype).newbyteorder(order))
        image = kind(phantom((5, 4, 3, 2)).astype(dtype), zooms, header)
        nibabel.save(image, OUT / f"{name}.hdr")
        (OUT / f"{name}.mat").unlink(missing_ok=True)
        bytes_ = bytearray((OUT / f"{name}.hdr").read_bytes())
        if name == "origin":
            bytes_[253:259] = np.array([2, 4, 1], order + "i2").tobytes()
        else:
            bytes_[253:263] = bytes(10)
        if name == "scaled":
            bytes_[112:116] = np.array(0.25, order + "f4").tobytes()
        (OUT / f"{name}.hdr").write_bytes(bytes_)
        keep_as_nibabel(f"{name}.hdr", "unregistered")


def pynrrd(name, data, affine=AFFINE, **fields):
    header = {
        "space": "right-anterior-superior",
        "space directions": affine[:3, :3].T,
        "space origin": affine[:3, 3],
        "kinds": ["domain"] * 3,
        **fields,
    }
    nrrd.write(str(OUT / name), data, header)


def nrrd_files():
    sitk.WriteImage(itk_image(phantom().astype("i2")), str(OUT / "itk-i2.nrrd"), useCompression=True)
    keep_as_itk("itk-i2.nrrd")
    sitk.WriteImage(itk_image(phantom().astype("f8")), str(OUT / "itk-f8.nhdr"))
    keep_as_itk("itk-f8.nhdr")
    sitk.WriteImage(itk_image(phantom((4, 3, 2, 3)).astype("u2")), str(OUT / "itk-time.nrrd"), useCompression=True)
    # Its four dimensions have no names.
    keep_as_itk("itk-time.nrrd", "unregistered")
    vectors = phantom((4, 3, 2, 3)).astype("f4")
    sitk.WriteImage(itk_image(vectors, is_vector=True), str(OUT / "itk-vector.nrrd"))
    keep_as_itk("itk-vector.nrrd")
    flat = sitk.GetImageFromArray(phantom((5, 4)).astype("u1").T)
    flat.SetSpacing([0.5, 0.25])
    flat.SetOrigin([3, -4])
    sitk.WriteImage(flat, str(OUT / "itk-flat.nrrd"))
    keep_as_itk("itk-flat.nrrd", "unregistered")

    pynrrd("ras-big.nrrd", phantom().astype(">i4"), encoding="raw", endian="big")
    keep_as_itk("ras-big.nrrd")
    flipped = np.diag([-1.0, 1, 1, 1]) @ AFFINE
    pynrrd("las-ascii.nrrd", phantom().astype("i2"), flipped, space="left-anterior-superior", encoding="ascii")
    keep_as_itk("las-ascii.nrrd")
    directions = np.vstack([AFFINE[:3, :3].T, [np.nan] * 3])
    kinds = ["domain"] * 3 + ["list"]
    fields = {"space directions": directions, "kinds": kinds, "encoding": "gzip"}
    pynrrd("list-last.nrrd", phantom((4, 3, 2, 3)).astype("f4"), **fields)
    keep_as_itk("list-last.nrrd")

    plain = phantom().astype("<u2")
    head = (
        "NRRD0005\n# by hand\ntype: ushort\ndimension: 3\nsizes: 5 4 3\nspace: LPS\nspace origin: (1,2.5,-3)\n"
        "space directions: (0, 2, 0.5) (1.5, 0, 0) (0, -0.25, 3)\nendian: little\n"
    )
    text = plain.T.tobytes().hex()
    lines = "\n".join(text[n : n + 40] for n in range(0, len(text), 40))
    (OUT / "hex.nrrd").write_text(head + f"encoding: hex\n\n{lines}\n")
    keep_as_itk("hex.nrrd")
    for k in range(3):
        (OUT / f"slice{k + 7:02}.raw").write_bytes(b"0123" + plain[:, :, k].T.tobytes())
    (OUT / "pattern.nhdr").write_text(head + "encoding: raw\nbyte skip: 4\ndata file: slice%02d.raw 7 9 1 2\n")
    keep_as_itk("pattern.nhdr")
    names = "".join(f"slice{k + 7:02}.raw\n" for k in range(3))
    (OUT / "listed.nhdr").write_text(head + f"encoding: raw\nbyte skip: -1\ndata file: LIST\n{names}")
    keep_as_itk("listed.nhdr")
    packed = gzip.compress(b"what\never" + plain.T.tobytes(), mtime=0)
    skips = "encoding: gzip\nline skip: 2\nbyte skip: 9\n"
    (OUT / "skips.nrrd").write_bytes(f"{head}{skips}\nfirst\nsecond\n".encode() + packed)
    keep_as_itk("skips.nrrd")
    ends = head[: head.index("space:")] + "endian: little\nspacings: 0.5 2 nan\naxis mins: 1 nan 10\naxis maxs: 2 3 16\n"
    (OUT / "spacings.nrrd").write_bytes(f"{ends}centerings: node cell cell\nencoding: raw\n\n".encode() + plain.T.tobytes())
    for n in (2, 3, 4):
        shutil.copy(f"example{n}.nrrd", OUT / f"nrrd-js-{n}.nrrd")
    keep_as_itk("nrrd-js-2.nrrd", "unregistered")
    keep_as_itk("nrrd-js-3.nrrd", "unregistered")
    # ITK refuses an axis without a kind.
    values, header = nrrd.read(str(OUT / "nrrd-js-4.nrrd"))
    affine = np.eye(4)
    affine[:3, :3], affine[:3, 3] = header["space directions"][:3].T, header["space origin"]
    EXPECTED["nrrd-js-4.nrrd"] = expectation(nibabel.Nifti1Image(values, affine), "scanner")


def meta_image():
    for dtype in "u1 i1 u2 i2 u4 i4 u8 i8 f4 f8".split():
        sitk.WriteImage(itk_image(phantom().astype(dtype)), str(OUT / f"{dtype}.mha"), useCompression=dtype in ("i2", "f4"))
        keep_as_itk(f"{dtype}.mha")
    for name, packed in (("plain.mhd", False), ("packed.mhd", True)):
        sitk.WriteImage(itk_image(phantom().astype("i2")), str(OUT / name), useCompression=packed)
        keep_as_itk(name)
    sitk.WriteImage(itk_image(phantom((4, 3, 2, 3)).astype("i2")), str(OUT / "time.mha"))
    keep_as_itk("time.mha")
    sitk.WriteImage(itk_image(phantom((4, 3, 2, 3)).astype("i2"), is_vector=True), str(OUT / "channels.mha"))
    keep_as_itk("channels.mha")
    head = (
        "NDims = 3\nDimSize = 5 4 3\nElementType = MET_USHORT\nElementSize = 1.5 0.5 2\nPosition = 4 5 -6\n"
        "Orientation = 0 1 0 -1 0 0 0 0 1\nAnatomicalOrientation = RAS\n"
    )
    big = phantom().astype(">u2")
    order = "BinaryData = True\nElementByteOrderMSB = True\n"
    (OUT / "big.mha").write_bytes(f"{head}{order}ElementDataFile = LOCAL\n".encode() + big.T.tobytes())
    keep_as_itk("big.mha")
    numbers = " ".join(map(str, phantom().T.ravel()))
    (OUT / "text.mha").write_text(f"{head}BinaryData = False\nElementDataFile = LOCAL\n{numbers}\n")
    keep_as_itk("text.mha")
    # The slices of the NRRD files: four bytes, then little-endian values.
    names = "".join(f"slice{k + 7:02}.raw\n" for k in range(3))
    (OUT / "listed.mhd").write_text(f"{head}BinaryData = True\nHeaderSize = -1\nElementDataFile = LIST\n{names}")
    keep_as_itk("listed.mhd")
    (OUT / "pattern.mhd").write_text(f"{head}BinaryData = True\nHeaderSize = 4\nElementDataFile = slice%02d.raw 7 9 1\n")
    keep_as_itk("pattern.mhd")


OUT.mkdir(exist_ok=True)
mgh()
analyze()
nrrd_files()
meta_image()
lines = ",\n".join(f"{json.dumps(name)}: {json.dumps(value)}" for name, value in EXPECTED.items())
(OUT / "expected.json").write_text("{\n" + lines + "\n}\n")
