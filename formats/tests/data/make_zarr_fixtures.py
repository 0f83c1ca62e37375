"""Makes `zarr/`: small OME-Zarr images by zarr-python, each with codecs, axes and numbers of its own.

Needs zarr 3.1.6 and numcodecs. Run in this folder.
"""

import pathlib
import shutil

import numcodecs
import numpy as np
import zarr
from zarr.codecs import BloscCodec, BytesCodec, Crc32cCodec, GzipCodec, ShardingCodec, TransposeCodec, ZstdCodec

OUT = pathlib.Path("zarr")
# The voxel (i, j, k) of volume v is 1 + i + 10 j + 100 k + 1000 v.
SHAPE = (7, 6, 5)


def values(volumes=1):
    i, j, k = np.indices(SHAPE)
    return np.stack([(1 + i + 10 * j + 100 * k + 1000 * v).transpose(2, 1, 0) for v in range(volumes)])


def multiscale(names="zyx", unit="micrometer", scale=(5, 0.5, 0.25), translation=(10, 20, 30), levels=1):
    """Scales in the order of the axes; levels beyond the first lie as the means of blocks of two do."""
    kinds = {"t": "time", "c": "channel"}
    axes = [{"name": name, "type": kinds.get(name, "space")} for name in names]
    for axis in axes:
        if axis["type"] == "space" and unit:
            axis["unit"] = unit
    datasets = []
    for n in range(levels):
        factor = np.array([2.0**n if name in "xyz" else 1 for name in names])
        own = {"type": "scale", "scale": (factor * scale).tolist()}
        moved = {"type": "translation", "translation": ((factor - 1) / 2 * scale + translation).tolist()}
        datasets.append({"path": str(n), "coordinateTransformations": [own, moved]})
    return {"name": "phantom", "axes": axes, "datasets": datasets}


def attributes_4(scales, **others):
    return {"multiscales": [{"version": "0.4", **scales}], **others}


def attributes_5(scales, **others):
    return {"ome": {"version": "0.5", "multiscales": [scales], **others}}


def store(name, version, attributes, levels, **arguments):
    group = zarr.create_group(OUT / name, zarr_format=version, overwrite=True)
    group.attrs.update(attributes)
    for n, level in enumerate(levels):
        arguments.setdefault("chunks", (3, 4, 7))
        array = group.create_array(str(n), shape=level.shape, dtype=arguments.get("dtype", level.dtype), **{
            key: value for key, value in arguments.items() if key != "dtype"})
        array[:] = level


one = values()[0]
v2 = {"chunk_key_encoding": {"name": "v2", "separator": "/"}}
shutil.rmtree(OUT, ignore_errors=True)
OUT.mkdir()

# zarr v2: what ome-zarr-py and bioformats2raw write (blosc lz4), and older codecs, orders and separators.
store("v2-blosc", 2, attributes_4(multiscale(levels=2)), [one.astype("<u2"), one[::2, ::2, ::2].astype("<u2")],
      compressors=numcodecs.Blosc(cname="lz4", clevel=5, shuffle=1), **v2)
store("v2-zlib-big-endian", 2, attributes_4(multiscale(unit="nanometer")), [one.astype(">i4")], dtype=">i4",
      compressors=numcodecs.Zlib(3), chunk_key_encoding={"name": "v2", "separator": "."})
store("v2-fortran", 2, attributes_4(multiscale(unit="millimeter")), [one.astype("<f8")], compressors=None, order="F", **v2)

# zarr v3: the default (zstd), and the others.
store("v3-default", 3, attributes_5(multiscale(unit="millimeter")), [one.astype("f4")])
store("v3-shards", 3, attributes_5(multiscale(unit=None)), [one.astype("u2")], chunks=(1, 3, 7), shards=(3, 6, 7),
      compressors=ZstdCodec(level=1))
store("v3-transposed", 3, attributes_5(multiscale(unit="angstrom")), [one.astype("i2")],
      filters=TransposeCodec(order=(2, 0, 1)), compressors=[GzipCodec(level=1), Crc32cCodec()])
store("v3-bitshuffle", 3, attributes_5(multiscale()), [one.astype("i8")],
      compressors=BloscCodec(cname="zstd", clevel=1, shuffle="bitshuffle", typesize=8))

# Time points and channels; the scale of time in the unit of its axis.
scales = multiscale("tczyx", scale=(2, 1, 5, 0.5, 0.25), translation=(0, 0, 10, 20, 30))
scales["axes"][0]["unit"] = "millisecond"
store("v3-tczyx", 3, attributes_5(scales, omero={"channels": [{"label": "nuclei"}, {"label": "myelin"}]}),
      [values(6).reshape(3, 2, *one.shape).astype("u2")], chunks=(1, 1, 5, 6, 7))

# A plane, 2-D; directions in the body (RFC-4); scales of all levels; labels.
store("v3-plane", 3, attributes_5(multiscale("yx", scale=(0.5, 0.25), translation=(20, 30))), [one[2].astype("u2")],
      chunks=(6, 7))
scales = multiscale(unit="millimeter")
directions = ["inferior-to-superior", "anterior-to-posterior", "right-to-left"]
for axis, value in zip(scales["axes"], directions):
    axis["orientation"] = {"type": "anatomical", "value": value}
store("v3-oriented", 3, attributes_5(scales), [one.astype("u2")])
scales = multiscale(unit="millimeter")
scales["coordinateTransformations"] = [{"type": "scale", "scale": [2, 2, 2]}, {"type": "translation", "translation": [1, 2, 3]}]
label = {"colors": [{"label-value": 1, "rgba": [255, 0, 51, 255]}, {"label-value": 7, "rgba": [0, 0, 0, 0]}],
         "properties": [{"label-value": 7, "name": "layer VI"}]}
store("v3-labels", 3, attributes_5(scales, **{"image-label": label}), [one.astype("i4")])

# Chunks that are all fill value are not written: here the ones of the lower half.
upper = one.copy()
upper[:3] = 9
store("v3-sparse", 3, attributes_5(multiscale()), [upper.astype("u1")], fill_value=9, chunks=(3, 6, 7))
