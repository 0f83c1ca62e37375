"""MINC files, each with one fault: netCDF-3 written byte by byte, HDF5 with h5py and by changing bytes of it."""

import io
import struct

import h5py
import numpy as np

SHAPE = (3, 4, 5)
NAMES = ("zspace", "yspace", "xspace")
ABSENT = bytes(8)


def padded(content):
    return content + bytes(-len(content) % 4)


def name(text):
    return struct.pack(">i", len(text)) + padded(text.encode())


def attribute(key, value):
    if isinstance(value, str):
        return name(key) + struct.pack(">ii", 2, len(value)) + padded(value.encode())
    values = np.atleast_1d(np.asarray(value, dtype=">f8"))
    return name(key) + struct.pack(">ii", 6, len(values)) + values.tobytes()


def listed(tag, items):
    return struct.pack(">ii", tag, len(items)) + b"".join(items) if items else ABSENT


def minc1(magic=b"CDF\x01", lengths=SHAPE, image=None, records=0, begin=None, steps=(2, 2, 2), count=None, kind=3, cosines=None, axes=(0, 1, 2)):
    """60 unsigned shorts, three axes, image-min and image-max per slice."""
    dims = [name(n) + struct.pack(">i", length) for n, length in zip(NAMES, lengths)]
    variables = [(n, (), 4, [attribute("step", step), attribute("start", -10)], bytes(4)) for n, step in zip(NAMES, steps)]
    if cosines:
        n, d, t, attributes, data = variables[0]
        variables[0] = (n, d, t, [*attributes, attribute("direction_cosines", cosines)], data)
    fields = {"signtype": "unsigned", "valid_range": [0, 60], **(image or {})}
    attributes = [attribute(key, value) for key, value in fields.items() if value is not None]
    variables.append(("image-min", (0,), 6, [], np.zeros(3, ">f8").tobytes()))
    variables.append(("image-max", (0,), 6, [], np.full(3, 60, ">f8").tobytes()))
    variables.append(("image", axes, kind, attributes, np.arange(60, dtype=">u2").tobytes()))

    def header(at):
        entries = []
        for n, d, t, attributes, data in variables:
            where = begin if n == "image" and begin is not None else at
            entry = name(n) + struct.pack(">i", len(d)) + b"".join(struct.pack(">i", i) for i in d)
            entry += listed(12, attributes) + struct.pack(">iiI", t, len(padded(data)), where)
            entries.append(entry)
            at += len(padded(data))
        return magic + struct.pack(">i", records) + listed(10, dims) + ABSENT + listed(11, entries)

    whole = header(len(header(0))) + b"".join(padded(v[4]) for v in variables)
    return whole if count is None else whole.replace(struct.pack(">ii", 11, len(variables)), struct.pack(">ii", 11, count), 1)


def minc2(image=None, dimensions=None, shape=SHAPE, lengths=None, chunks=None, limits=3, groups=True, attributes=None):
    buffer = io.BytesIO()
    with h5py.File(buffer, "w", libver="earliest", track_order=False) as f:
        if not groups:
            f["other"] = np.arange(4)
            f.flush()
            return buffer.getvalue()
        root = f.create_group("minc-2.0")
        text = lambda where, key, value: where.attrs.create(key, np.bytes_(value))
        for n, axis in enumerate(NAMES):
            d = root.create_dataset(f"dimensions/{axis}", data=np.int32(0), track_times=False)
            for key, value in {"step": 2.0, "start": -10.0, "length": np.int32((lengths or SHAPE)[n]), **(dimensions or {})}.items():
                if value is not None:
                    d.attrs[key] = value
        data = np.arange(np.prod(shape), dtype=np.uint16).reshape(shape)
        packing = {"chunks": chunks, "compression": "gzip"} if chunks else {}
        v = root.create_dataset("image/0/image", data=data, track_times=False, **packing)
        text(v, "dimorder", ",".join(NAMES))
        v.attrs["valid_range"] = [0.0, 60.0]
        for key, value in (image or {}).items():
            if value is None:
                del v.attrs[key]
            elif isinstance(value, str):
                text(v, key, value)
            else:
                v.attrs[key] = value
        for key, value in (("image-min", 0.0), ("image-max", 60.0)):
            limit = root.create_dataset(f"image/0/{key}", data=np.full(limits, value), track_times=False)
            text(limit, "dimorder", "zspace")
    return buffer.getvalue()


def changed(content, old, new):
    assert content.count(old) >= 1 and len(old) == len(new), (old, content.count(old))
    return content.replace(old, new)


def files():
    nan = float("nan")
    whole = minc1()
    yield "cdf-version.mnc", minc1(magic=b"CDF\x09"), ["netCDF version"]
    yield "cdf-header-cut.mnc", whole[:100], ["netCDF header"]
    yield "cdf-image-cut.mnc", whole[:-40], ["image"]
    yield "cdf-begin.mnc", minc1(begin=2**31), ["image"]
    yield "cdf-length-negative.mnc", minc1(lengths=(3, -4, 5)), []
    yield "cdf-length-huge.mnc", minc1(lengths=(2**31 - 1, 2**31 - 1, 5)), []
    yield "cdf-length-zero.mnc", minc1(lengths=(3, 0, 5)), []
    yield "cdf-axis-unknown.mnc", minc1(axes=(0, 1, 7)), ["netCDF header"]
    yield "cdf-variables.mnc", minc1(count=2**31 - 1), ["netCDF header"]
    yield "cdf-name-length.mnc", changed(whole, name("image-max")[:6], struct.pack(">i", 2**31 - 1) + b"im"), ["netCDF header"]
    yield "cdf-type.mnc", minc1(kind=99), ["netCDF header"]
    yield "cdf-text-image.mnc", minc1(kind=2), ["type of image"]
    yield "cdf-no-image.mnc", changed(whole, name("image") + struct.pack(">i", 3), name("imagf") + struct.pack(">i", 3)), ["image"]
    yield "cdf-step-zero.mnc", minc1(steps=(2, 0, 2)), ["step"]
    yield "cdf-step-nan.mnc", minc1(steps=(2, nan, 2)), ["step"]
    yield "cdf-cosines-zero.mnc", minc1(cosines=[0, 0, 0]), ["not invertible"]
    yield "cdf-cosines-two.mnc", minc1(cosines=[0, 1]), ["direction_cosines"]
    yield "cdf-signtype.mnc", minc1(image={"signtype": "perhaps"}), ["signtype"]
    yield "cdf-valid-range-nan.mnc", minc1(image={"valid_range": [nan, nan]}), ["valid_range"]
    yield "cdf-valid-range-empty.mnc", minc1(image={"valid_range": [7, 7]}), ["valid_range"]
    yield "cdf-valid-range-one.mnc", minc1(image={"valid_range": [7]}), ["valid_range"]
    yield "cdf-axis-twice.mnc", minc1(axes=(0, 1, 1)), []

    whole = minc2()
    chunked = minc2(chunks=(1, 4, 5))
    yield "hdf-signature-alone.mnc", whole[:8], ["HDF5 structure"]
    yield "hdf-superblock-cut.mnc", whole[:60], ["HDF5 structure"]
    yield "hdf-cut.mnc", whole[: len(whole) // 2], []
    yield "hdf-superblock-version.mnc", whole[:8] + b"\x63" + whole[9:], ["HDF5 structure"]
    yield "hdf-offset-size.mnc", whole[:13] + b"\x63" + whole[14:], ["HDF5 structure"]
    yield "hdf-root-address.mnc", whole[:64] + struct.pack("<Q", 2**40) + whole[72:], []
    yield "hdf-heap-signature.mnc", whole.replace(b"HEAP", b"HEEP"), []
    yield "hdf-tree-signature.mnc", whole.replace(b"TREE", b"TREY"), []
    yield "hdf-no-minc.mnc", minc2(groups=False), ["minc-2.0"]
    yield "hdf-no-dimorder.mnc", minc2(image={"dimorder": None}), ["dimorder"]
    yield "hdf-dimorder-short.mnc", minc2(image={"dimorder": "zspace,yspace"}), ["dimorder"]
    yield "hdf-dimorder-twice.mnc", minc2(image={"dimorder": "zspace,zspace,xspace"}), []
    yield "hdf-dimorder-unknown.mnc", minc2(image={"dimorder": "zspace,yspace,wspace"}), ["wspace"]
    yield "hdf-step-zero.mnc", minc2(dimensions={"step": 0.0}), ["step"]
    yield "hdf-step-infinite.mnc", minc2(dimensions={"step": float("inf")}), ["step"]
    yield "hdf-start-nan.mnc", minc2(dimensions={"start": nan}), ["start"]
    yield "hdf-length-differs.mnc", minc2(lengths=(3, 4, 6)), ["length", "6", "5"]
    yield "hdf-valid-range-nan.mnc", minc2(image={"valid_range": [nan, 60.0]}), ["valid_range"]
    yield "hdf-valid-range-three.mnc", minc2(image={"valid_range": [0.0, 1.0, 2.0]}), ["valid_range"]
    yield "hdf-limits-differ.mnc", minc2(limits=7), ["image-m"]
    yield "hdf-two-axes.mnc", minc2(shape=(12, 5)), []
    yield "hdf-chunk-damaged.mnc", damaged_chunk(chunked), ["image"]


def damaged_chunk(content):
    """The deflated data of the first chunk, which begins like every zlib stream of this level."""
    at = content.index(b"\x78\x5e") if b"\x78\x5e" in content else content.index(b"\x78\x01")
    return content[: at + 4] + bytes(4) + content[at + 8 :]
