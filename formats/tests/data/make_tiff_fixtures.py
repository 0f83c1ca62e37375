"""Makes `tiff/`: small stacks by tifffile, and slices in folders, each with bytes, codecs and descriptions of its own.

Needs tifffile 2026.3.3, Pillow and numpy. Run in this folder.
"""

import json
import pathlib
import shutil

import numpy as np
import tifffile
from PIL import Image

OUT = pathlib.Path("tiff")
# The voxel (i, j, k) of volume v is 1 + i + 10 j + 100 k + 1000 v.
SHAPE = (7, 6, 5)


def values(volumes=1):
    i, j, k = np.indices(SHAPE)
    return np.stack([(1 + i + 10 * j + 100 * k + 1000 * v).transpose(2, 1, 0) for v in range(volumes)])


def write(name, array, **arguments):
    tifffile.imwrite(OUT / name, array, **{"photometric": "minisblack", "metadata": None, "software": False, **arguments})


shutil.rmtree(OUT, ignore_errors=True)
OUT.mkdir()
one = values()[0]

# Types, byte orders, layouts, codecs; resolution in pixels an inch (2), a centimetre (3).
write("u2-big.tif", one.astype(">u2"), byteorder=">", resolution=(254, 508), resolutionunit=2)
write("i1.tif", (one % 100).astype("i1"), compression="zlib", predictor=True)
write("i2-bigtiff.tif", one.astype("i2"), bigtiff=True, compression="zlib", resolution=(1000, 1000), resolutionunit=3)
write("u4.tif", one.astype("u4"), rowsperstrip=2, compression="zlib")
write("f4-tiles.tif", one.astype("f4"), tile=(16, 16), compression="zlib")
write("f8.tif", one.astype("f8"), resolution=(72, 72), resolutionunit=2)
tiled = np.pad(one, ((0, 0), (0, 14), (0, 30))).astype("u2")
write("u2-tiles.tif", tiled, tile=(16, 32))
write("white-is-zero.tif", one.astype("u2"), photometric="miniswhite")

# Codecs of libtiff, through Pillow.
for codec in ("tiff_lzw", "packbits", "zstd", "jpeg"):
    kind = (one % 256).astype("u1") if codec == "jpeg" else one.astype("u2")
    first, *rest = [Image.fromarray(np.ascontiguousarray(plane)) for plane in kind]
    first.save(OUT / f"{codec.removeprefix('tiff_')}.tif", save_all=True, append_images=rest, compression=codec)

# What libjpeg makes of it.
with Image.open(OUT / "jpeg.tif") as image:
    planes = []
    for k in range(SHAPE[2]):
        image.seek(k)
        planes.append(np.asarray(image).tolist())
(OUT / "jpeg.json").write_text(json.dumps(planes))

# ImageJ: TZC order of pages with channels fastest; slices that have no directory of their own.
imagej = {"imagej": True, "photometric": "minisblack", "resolution": (4, 2)}
hyperstack = values(6).reshape(3, 2, *one.shape).transpose(0, 2, 1, 3, 4).astype("u2")
tifffile.imwrite(OUT / "imagej-tzcyx.tif", hyperstack, software=False,
                 metadata={"axes": "TZCYX", "spacing": 3, "unit": "micron", "finterval": 0.5}, **imagej)
tifffile.imwrite(OUT / "imagej-nm.tif", one.astype("f4"), software=False,
                 metadata={"axes": "ZYX", "spacing": -50, "unit": "nm"}, **imagej)
tifffile.imwrite(OUT / "imagej-contiguous.tif", one.astype("u2"), software=False,
                 metadata={"axes": "ZYX", "spacing": 0.25, "unit": "mm"}, **imagej)
# ImageJ writes such files beyond 4 GB only: the offset of the second directory is taken away.
with tifffile.TiffFile(OUT / "imagej-contiguous.tif") as tif:
    page = tif.pages[0]
    assert len(page.dataoffsets) == 1
    second = tif.pages[0].offset + 2 + 12 * len(page.tags)
with open(OUT / "imagej-contiguous.tif", "r+b") as file:
    file.seek(second)
    file.write(bytes(4))

# OME-TIFF.
sizes = {"PhysicalSizeX": 0.25, "PhysicalSizeXUnit": "\u00b5m", "PhysicalSizeY": 500, "PhysicalSizeYUnit": "nm",
         "PhysicalSizeZ": 0.002, "PhysicalSizeZUnit": "mm"}
tifffile.imwrite(OUT / "tczyx.ome.tif", values(6).reshape(3, 2, *one.shape).astype("u2"), photometric="minisblack",
                 metadata={"axes": "TCZYX", "TimeIncrement": 250, "TimeIncrementUnit": "ms",
                           "Channel": {"Name": ["nuclei", "myelin"]}, **sizes})

# Colours.
colours = np.stack([one % 256, (one + 1) % 256, (one + 2) % 256], axis=-1).astype("u1")
write("rgb.tif", colours, photometric="rgb", compression="zlib")
write("planar.tif", np.moveaxis(colours, -1, 1), photometric="rgb", planarconfig="separate")

# Slices, numbered as people do; a metre has 4000 pixels.
for folder in ("slices", "png"):
    (OUT / folder).mkdir()
for k in range(SHAPE[2]):
    write(f"slices/section_{k + 8}.tif", one[k].astype("u2"), resolution=(40, 20), resolutionunit=3)
    Image.fromarray(one[k].astype("u2")).save(OUT / f"png/s{2 * k + 96:03d}b.png", dpi=(101.6, 50.8))
