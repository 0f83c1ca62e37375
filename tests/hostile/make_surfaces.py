"""Surfaces and arrays, each with one fault."""

import base64
import struct
import zlib

POINTS = [(0, 0, 0), (10, 0, 0), (0, 10, 0), (0, 0, 10)]
FACES = [(0, 2, 1), (0, 1, 3), (0, 3, 2), (1, 2, 3)]


def packed(kind, rows):
    return struct.pack(f"<{sum(map(len, rows))}{kind}", *(v for row in rows for v in row))


def array(intent, kind, content, dims, encoding="Base64Binary", **changes):
    if encoding == "GZipBase64Binary":
        content = zlib.compress(content)
    text = content if encoding == "ASCII" else base64.b64encode(content).decode()
    fields = {
        "Intent": f"NIFTI_INTENT_{intent}", "DataType": f"NIFTI_TYPE_{kind}", "ArrayIndexingOrder": "RowMajorOrder",
        "Dimensionality": len(dims), **{f"Dim{n}": d for n, d in enumerate(dims)}, "Encoding": encoding,
        "Endian": "LittleEndian", "ExternalFileName": "", "ExternalFileOffset": "", **changes,
    }
    attributes = " ".join(f'{name}="{value}"' for name, value in fields.items())
    return f"<DataArray {attributes}><MetaData/><Data>{text}</Data></DataArray>"


def gifti(*arrays, count=None, head=""):
    count = len(arrays) if count is None else count
    text = f'<?xml version="1.0" encoding="UTF-8"?>{head}<GIFTI Version="1.0" NumberOfDataArrays="{count}">{"".join(arrays)}</GIFTI>'
    return text.encode()


def points(**changes):
    return array("POINTSET", "FLOAT32", packed("f", POINTS), (4, 3), **changes)


def triangles(faces=FACES, dims=(4, 3), **changes):
    return array("TRIANGLE", "INT32", packed("i", faces), dims, **changes)


def ply(vertices, faces, body, form="ascii"):
    head = f"ply\nformat {form} 1.0\nelement vertex {vertices}\nproperty float x\nproperty float y\nproperty float z\n"
    return (head + f"element face {faces}\nproperty list uchar int vertex_indices\nend_header\n").encode() + body


def lines(rows, prefix=""):
    return "".join(prefix + " ".join(map(str, row)) + "\n" for row in rows)


def freesurfer(vertices, faces, body):
    return b"\xff\xff\xfe" + b"made by hand\n\n" + struct.pack(">ii", vertices, faces) + body


def files():
    body = lines(POINTS) + lines([(3, *f) for f in FACES])
    one_off = [*FACES[:3], (1, 2, 4)]
    negative = [*FACES[:3], (1, 2, -3)]
    yield "truncated.surf.gii", gifti(points(), triangles())[:-200], []
    yield "bad-base64.surf.gii", gifti(points().replace("<Data>", "<Data>!!!!"), triangles()), ["base64"]
    yield "bad-zlib.surf.gii", gifti(points(encoding="GZipBase64Binary").replace("<Data>e", "<Data>f"), triangles()), ["zlib"]
    yield "few-points.surf.gii", gifti(array("POINTSET", "FLOAT32", packed("f", POINTS[:3]), (4, 3)), triangles()), ["48", "36"]
    yield "many-points.surf.gii", gifti(array("POINTSET", "FLOAT32", packed("f", POINTS * 2), (4, 3)), triangles()), ["48", "96"]
    yield "dim-billion.surf.gii", gifti(array("POINTSET", "FLOAT32", packed("f", POINTS), (10**9, 3)), triangles()), ["truncated"]
    yield "dim-negative.surf.gii", gifti(array("POINTSET", "FLOAT32", packed("f", POINTS), (-4, 3)), triangles()), ["Dim0"]
    yield "dim-two-columns.surf.gii", gifti(array("POINTSET", "FLOAT32", packed("f", POINTS), (6, 2)), triangles()), ["POINTSET"]
    yield "dimensionality.surf.gii", gifti(points(Dimensionality=9), triangles()), ["Dimensionality"]
    yield "arrays-missing.surf.gii", gifti(points(), triangles(), count=3), ["NumberOfDataArrays", "3", "2"]
    yield "no-triangles.surf.gii", gifti(points()), ["NIFTI_INTENT_TRIANGLE"]
    yield "index-out-of-range.surf.gii", gifti(points(), triangles(one_off)), ["vertex index 4", "out of range"]
    yield "index-negative.surf.gii", gifti(points(), triangles(negative)), ["-3"]
    yield "nan.surf.gii", gifti(array("POINTSET", "FLOAT32", packed("f", [(float("nan"), 0, 0), *POINTS[1:]]), (4, 3)), triangles()), ["finite"]
    yield "datatype.surf.gii", gifti(points(DataType="NIFTI_TYPE_RGB24"), triangles()), ["DataType"]
    yield "encoding.surf.gii", gifti(points(Encoding="Rot13"), triangles()), ["Encoding"]
    yield "external.surf.gii", gifti(points(encoding="Base64Binary", Encoding="ExternalFileBinary", ExternalFileName="../../../../etc/passwd", ExternalFileOffset=0), triangles()), ["ExternalFileName"]
    yield "external-missing.surf.gii", gifti(points(Encoding="ExternalFileBinary", ExternalFileName="none.dat", ExternalFileOffset=0), triangles()), ["none.dat"]
    laughs = "<!DOCTYPE GIFTI [<!ENTITY l0 \"ha\">" + "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10)) + "]>"
    laughing = points().replace("<MetaData/>", "<MetaData><MD><Name>&l9;</Name><Value>x</Value></MD></MetaData>")
    yield "billion-laughs.surf.gii", gifti(laughing, triangles(), head=laughs), ["XML entity"]
    yield "unclosed.surf.gii", gifti(points(), triangles()).replace(b"</DataArray>", b"", 1), []

    yield "vertices-many.ply", ply(4 * 10**9, 4, body.encode()), ["truncated"]
    yield "vertices-one-more.ply", ply(5, 4, body.encode()), []
    yield "faces-missing.ply", ply(4, 5, body.encode()), []
    yield "faces-overflow.ply", ply(4, 2**64, body.encode()), ["18446744073709551616"]
    yield "index.ply", ply(4, 4, (lines(POINTS) + lines([(3, *f) for f in one_off])).encode()), ["vertex index 4", "out of range"]
    binary = packed("f", POINTS) + b"".join(struct.pack("<Biii", 3, *f) for f in FACES)
    yield "binary-cut.ply", ply(4, 4, binary[:-3], "binary_little_endian"), ["truncated"]
    yield "list-length.ply", ply(4, 4, packed("f", POINTS) + b"\xff" + binary[49:], "binary_little_endian"), []
    yield "format.ply", ply(4, 4, body.encode(), "ascii_little"), ["format"]
    yield "index.obj", (lines(POINTS, "v ") + lines([[i + 1 for i in f] for f in one_off], "f ")).encode(), ["out of range"]
    yield "index-zero.obj", (lines(POINTS, "v ") + lines(FACES, "f ")).encode(), ["0"]
    yield "text.obj", (lines(POINTS, "v ") + "f one two three\n").encode(), ["one"]
    yield "polygons-many.obj", b"P 0.3 0.3 0.4 10 1 4000000000\n0 0 0\n", ["truncated"]
    yield "polygons-cut.obj", (b"P 0.3 0.3 0.4 10 1 4\n" + lines(POINTS + POINTS).encode() + b"4\n0 1 1 1 1\n3 6 9 12\n0 2 1"), []
    coordinates = struct.pack(">12f", *(v for p in POINTS for v in p))
    yield "lh.counts-huge", freesurfer(2**31 - 1, 2**31 - 1, coordinates), ["truncated"]
    yield "lh.counts-negative", freesurfer(-4, 4, coordinates), ["-4"]
    yield "lh.faces-cut", freesurfer(4, 4, coordinates + struct.pack(">9i", *range(9))), ["truncated"]
    yield "lh.index", freesurfer(4, 4, coordinates + struct.pack(">12i", *(v for f in one_off for v in f))), ["vertex index 4", "out of range"]


def npy(header, body=bytes(48), length=None):
    text = header.encode().ljust(117) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text) if length is None else length) + text + body


def zipped(content, size=None, compressed=None):
    """A .npz of one stored member whose sizes may be lies."""
    size = len(content) if size is None else size
    compressed = len(content) if compressed is None else compressed
    crc = zlib.crc32(content)
    name = b"raw.npy"
    local = struct.pack("<4s5H3I2H", b"PK\3\4", 20, 0, 0, 0, 33, crc, compressed, size, len(name), 0) + name
    central = struct.pack("<4s6H3I5H2I", b"PK\1\2", 20, 20, 0, 0, 0, 33, crc, compressed, size, len(name), 0, 0, 0, 0, 0, 0) + name
    end = struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, 1, 1, len(central), len(local) + len(content), 0)
    return local + content + central + end


def arrays():
    header = "{'descr': '%s', 'fortran_order': False, 'shape': %s, }"
    good = npy(header % ("<f4", "(4, 3)"))
    yield "shape-large.npy", npy(header % ("<f4", "(1000000, 1000000)")), ["truncated"]
    yield "shape-overflow.npy", npy(header % ("<f8", "(0, 9223372036854775807, 4)")), ["shape"]
    yield "shape-negative.npy", npy(header % ("<f4", "(-4, 3)")), []
    yield "cut.npy", npy(header % ("<f4", "(4, 3)"), bytes(47)), ["truncated"]
    yield "header-length.npy", npy(header % ("<f4", "(4, 3)"), length=65535), ["truncated"]
    yield "pickle.npy", npy(header % ("|O", "(2,)")), ["not supported"]
    yield "structured.npy", npy("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2,), }"), ["not supported"]
    yield "no-shape.npy", npy("{'descr': '<f4', 'fortran_order': False, }"), ["shape"]
    yield "not-a-dict.npy", npy("__import__('os').abort()"), []
    yield "crc.npz", zipped(good)[:100] + b"\x01" + zipped(good)[101:], []
    yield "size-lie.npz", zipped(good, size=2**32 - 2, compressed=2**32 - 2), []
    yield "no-directory.npz", zipped(good)[:-30], []
