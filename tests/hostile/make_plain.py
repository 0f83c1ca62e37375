"""MGH, NRRD, MetaImage, ANALYZE, TIFF, OME-Zarr: each with one fault."""

import gzip
import struct
import zlib

SHAPE = (5, 4, 3)
VALUES = struct.pack("<60h", *range(60))
BIG = struct.pack(">60h", *range(60))


def mgh(version=1, shape=SHAPE, frames=1, kind=4, good=1, delta=(1, 1, 1), axes=(-1, 0, 0, 0, 0, -1, 0, 1, 0), body=BIG):
    head = struct.pack(">7ih", version, *shape, frames, kind, 0, good) + struct.pack(">15f", *delta, *axes, 0, 0, 0)
    return head.ljust(284, b"\0") + body


def nrrd(body=VALUES, **changes):
    fields = {
        "type": "int16", "dimension": 3, "space": "right-anterior-superior", "sizes": "5 4 3",
        "space directions": "(1,0,0) (0,1,0) (0,0,1)", "kinds": "domain domain domain", "endian": "little",
        "encoding": "raw", "space origin": "(0,0,0)",
    }
    fields.update({name.replace("_", " "): value for name, value in changes.items()})
    lines = [f"{name}: {value}\n" for name, value in fields.items() if value is not None]
    return ("NRRD0004\n" + "".join(lines) + "\n").encode() + body


def metaimage(body=VALUES, **changes):
    fields = {
        "ObjectType": "Image", "NDims": 3, "BinaryData": "True", "BinaryDataByteOrderMSB": "False", "CompressedData": "False",
        "TransformMatrix": "1 0 0 0 1 0 0 0 1", "Offset": "0 0 0", "ElementSpacing": "1 1 1", "DimSize": "5 4 3",
        "ElementType": "MET_SHORT", **changes, "ElementDataFile": changes.get("ElementDataFile", "LOCAL"),
    }
    data = fields.pop("ElementDataFile")
    lines = [f"{name} = {value}\n" for name, value in fields.items() if value is not None]
    return ("".join(lines) + f"ElementDataFile = {data}\n").encode() + body


def analyze(dim=(4, 5, 4, 3, 1, 0, 0, 0), datatype=4, pixdim=(0, 1, 1, 1, 0, 0, 0, 0), offset=0):
    head = bytearray(348)
    struct.pack_into("<i", head, 0, 348)
    struct.pack_into("<8h", head, 40, *dim)
    struct.pack_into("<hh", head, 70, datatype, 16)
    struct.pack_into("<8f", head, 76, *pixdim)
    struct.pack_into("<f", head, 108, offset)
    return bytes(head)


def tiff(width=8, height=6, strips=None, counts=None, bits=16, compression=1, data=bytes(96), next_at=0, entries=None, first=8, extra=()):
    """One page, little-endian, one strip."""
    tags = [(256, 4, width), (257, 4, height), (258, 3, bits), (259, 3, compression), (262, 3, 1)]
    body_at = first + 2 + 12 * (len(tags) + 4 + len(extra)) + 4
    tags += [(273, 4, body_at if strips is None else strips), (277, 3, 1), (278, 4, height)]
    tags += [(279, 4, len(data) if counts is None else counts), *extra]
    table = b"".join(struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in sorted(tags))
    return b"II*\0" + struct.pack("<IH", first, len(tags) if entries is None else entries) + table + struct.pack("<I", next_at) + data


def files():
    whole = gzip.compress(mgh(), mtime=0)
    yield "cut.mgh", mgh()[:-1], ["truncated"]
    yield "header-cut.mgh", mgh()[:100], []
    yield "width-zero.mgh", mgh(shape=(0, 4, 3)), ["width"]
    yield "depth-negative.mgh", mgh(shape=(5, 4, -3)), ["depth"]
    yield "shape-huge.mgh", mgh(shape=(2**31 - 1,) * 3), ["grid shape"]
    yield "frames-huge.mgh", mgh(frames=2**31 - 1), ["truncated"]
    yield "frames-zero.mgh", mgh(frames=0), ["frames"]
    yield "type.mgh", mgh(kind=99), ["not a format"]
    yield "delta-nan.mgh", mgh(delta=(float("nan"), 1, 1)), []
    yield "directions-singular.mgh", mgh(axes=(1, 0, 0, 1, 0, 0, 0, 0, 1)), ["invertible"]
    yield "crc.mgz", whole[:-5] + bytes([whole[-5] ^ 1]) + whole[-4:], ["gzip data"]

    yield "cut.nrrd", nrrd()[:-1], ["truncated"]
    yield "sizes-two.nrrd", nrrd(sizes="5 4"), ["sizes"]
    yield "sizes-negative.nrrd", nrrd(sizes="5 4 -3"), ["sizes"]
    yield "sizes-zero.nrrd", nrrd(sizes="5 0 3"), ["sizes"]
    yield "sizes-huge.nrrd", nrrd(sizes="4294967296 4294967296 4294967296"), []
    yield "dimension-huge.nrrd", nrrd(dimension=10**9), []
    yield "type.nrrd", nrrd(type="quaternion"), ["type"]
    yield "encoding.nrrd", nrrd(encoding="rot13"), ["encoding"]
    yield "endian.nrrd", nrrd(endian="middle"), ["endian"]
    yield "no-endian.nrrd", nrrd(endian=None), ["endian"]
    yield "directions-nan.nrrd", nrrd(space_directions="(nan,0,0) (0,1,0) (0,0,1)"), []
    yield "directions-singular.nrrd", nrrd(space_directions="(1,0,0) (2,0,0) (0,0,1)"), ["invertible"]
    yield "directions-two.nrrd", nrrd(space_directions="(1,0,0) (0,1,0)"), ["space directions"]
    yield "byte-skip.nrrd", nrrd(byte_skip=10**12), []
    yield "line-skip.nrrd", nrrd(line_skip=10**12), []
    yield "data-elsewhere.nhdr", nrrd(data_file="../../../../etc/passwd", body=b""), ["data file"]
    yield "data-missing.nhdr", nrrd(data_file="none.raw", body=b""), ["none.raw"]
    yield "gzip-crc.nrrd", nrrd(encoding="gzip", body=whole[:-5] + bytes([whole[-5] ^ 1]) + whole[-4:]), ["gzip data"]
    yield "ascii-short.nrrd", nrrd(encoding="ascii", body=b"1 2 3"), []
    yield "ascii-words.nrrd", nrrd(encoding="ascii", body=b"one two " * 30), []
    yield "endless-line.nrrd", b"NRRD0004\n" + b"a" * 70000, []

    yield "cut.mha", metaimage()[:-1], ["truncated"]
    yield "dim-size-two.mha", metaimage(DimSize="5 4"), ["DimSize"]
    yield "dim-size-negative.mha", metaimage(DimSize="5 4 -3"), ["DimSize"]
    yield "dim-size-huge.mha", metaimage(DimSize="4294967295 4294967295 4294967295"), []
    yield "ndims-huge.mha", metaimage(NDims=10**9), ["NDims"]
    yield "spacing-zero.mha", metaimage(ElementSpacing="1 0 1"), []
    yield "matrix-singular.mha", metaimage(TransformMatrix="1 0 0 1 0 0 0 0 1"), ["invertible"]
    yield "matrix-nan.mha", metaimage(TransformMatrix="1 0 0 0 nan 0 0 0 1"), []
    yield "element-type.mha", metaimage(ElementType="MET_STRING"), ["ElementType"]
    yield "compressed-damaged.mha", metaimage(zlib.compress(VALUES)[:-3] + b"abc", CompressedData="True"), ["zlib data"]
    yield "compressed-short.mha", metaimage(zlib.compress(VALUES[:-8]), CompressedData="True"), []
    yield "data-elsewhere.mhd", metaimage(b"", ElementDataFile="../../../../etc/passwd"), ["ElementDataFile"]
    yield "data-missing.mhd", metaimage(b"", ElementDataFile="none.raw"), ["none.raw"]

    yield "analyze-short.hdr", analyze(), ["truncated", "analyze-short.img"]
    yield "analyze-short.img", bytes(119), None
    yield "analyze-dim.hdr", analyze(dim=(4, 5, -4, 3, 1, 0, 0, 0)), ["dim"]
    yield "analyze-dim.img", bytes(120), None
    yield "analyze-type.hdr", analyze(datatype=77), ["datatype"]
    yield "analyze-type.img", bytes(120), None

    yield "cut.tif", tiff()[:-1], []
    yield "width-zero.tif", tiff(width=0), []
    yield "shape-huge.tif", tiff(width=2**31, height=2**31), []
    yield "strip-past-end.tif", tiff(strips=10**6), []
    yield "strip-length.tif", tiff(counts=2**32 - 1), []
    yield "bits.tif", tiff(bits=13), []
    yield "compression.tif", tiff(compression=31337), []
    yield "deflate-damaged.tif", tiff(compression=8, data=zlib.compress(bytes(96))[:-3] + b"abc"), []
    yield "page-loop.tif", tiff(next_at=8), []
    yield "page-past-end.tif", tiff(next_at=10**6), []
    yield "entries.tif", tiff(entries=65535), []
