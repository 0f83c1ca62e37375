"""Makes `files/`: one corrupt file for each fault, and the error it must give, `expected.json`.

Needs numpy, pydicom and h5py. Run in this folder. What would be large (a bomb, 20,000 nested sequences) is made by the
test itself, `formats/tests/hostile.rs`.
"""

import gzip
import json
import pathlib
import struct
import zlib

import make_dicom
import make_minc
import make_plain
import make_surfaces

OUT = pathlib.Path("files")
SHAPE = (5, 4, 3)


def nifti(data=None, pair=False, **changes):
    """NIfTI-1, little-endian int16, 5 x 4 x 3, with the fields of nifti1.h that `changes` names changed."""
    fields = {
        "sizeof_hdr": 348, "dim": (3, *SHAPE, 1, 1, 1, 1), "datatype": 4, "bitpix": 16,
        "pixdim": (1, 2, 2, 2, 0, 0, 0, 0), "vox_offset": 0 if pair else 352, "scl_slope": 1, "scl_inter": 0, "xyzt_units": 2,
        "qform_code": 0, "sform_code": 1, "quatern": (0, 0, 0), "qoffset": (0, 0, 0),
        "srow": (2, 0, 0, -10, 0, 2, 0, -20, 0, 0, 2, -30), "magic": b"ni1\0" if pair else b"n+1\0",
    }
    assert set(changes) <= set(fields), changes
    fields.update(changes)
    places = {
        "sizeof_hdr": (0, "<i"), "dim": (40, "<8h"), "datatype": (70, "<h"), "bitpix": (72, "<h"), "pixdim": (76, "<8f"),
        "vox_offset": (108, "<f"), "scl_slope": (112, "<f"), "scl_inter": (116, "<f"), "xyzt_units": (123, "<B"),
        "qform_code": (252, "<h"), "sform_code": (254, "<h"), "quatern": (256, "<3f"), "qoffset": (268, "<3f"),
        "srow": (280, "<12f"), "magic": (344, "<4s"),
    }
    head = bytearray(348 if pair else 352)
    for name, (at, kind) in places.items():
        value = fields[name]
        struct.pack_into(kind, head, at, *(value if isinstance(value, tuple) else (value,)))
    if pair:
        return bytes(head)
    return bytes(head) + (struct.pack("<60h", *range(60)) if data is None else data)


def nifti2(**changes):
    """NIfTI-2, little-endian int16, 5 x 4 x 3."""
    fields = {"sizeof_hdr": 540, "dim": (3, *SHAPE, 1, 1, 1, 1), "vox_offset": 544, **changes}
    head = bytearray(544)
    struct.pack_into("<i8shh", head, 0, fields["sizeof_hdr"], b"n+2\0\r\n\x1a\n", 4, 16)
    struct.pack_into("<8q", head, 16, *fields["dim"])
    struct.pack_into("<8d", head, 104, 1, 2, 2, 2, 0, 0, 0, 0)
    struct.pack_into("<q", head, 168, fields["vox_offset"])
    struct.pack_into("<2d", head, 176, 1, 0)
    struct.pack_into("<i", head, 348, 1)
    struct.pack_into("<12d", head, 400, 2, 0, 0, -10, 0, 2, 0, -20, 0, 0, 2, -30)
    struct.pack_into("<i", head, 500, 2)
    return bytes(head) + struct.pack("<60h", *range(60))


def blocks(content, length):
    """Independent gzip members that say in a subfield MZ how long they are."""
    members = []
    for at in range(0, len(content), length):
        part = content[at : at + length]
        packer = zlib.compressobj(9, zlib.DEFLATED, -15)
        deflated = packer.compress(part) + packer.flush()
        head = b"\x1f\x8b\x08\x04\0\0\0\0\0\xff" + struct.pack("<H2sHI", 8, b"MZ", 4, len(deflated))
        members.append(head + deflated + struct.pack("<II", zlib.crc32(part), len(part)))
    return members


def flipped(content, at, bit=0):
    changed = bytearray(content)
    changed[at] ^= 1 << bit
    return bytes(changed)


def volumes():
    nan, infinity = float("nan"), float("inf")
    whole = gzip.compress(nifti(), mtime=0)
    # Longer than what is read to tell the format.
    long = nifti(struct.pack("<8000h", *(n * 37 % 1000 for n in range(8000))), dim=(3, 20, 20, 20, 1, 1, 1, 1))
    members = blocks(long, 4000)
    dim = lambda *lengths: tuple((*lengths, *[1] * 8)[:8])
    no_sform = {"sform_code": 0}
    qform = {"sform_code": 0, "qform_code": 1}
    yield "empty.nii", b"", ["not a format"]
    yield "short-header.nii", nifti()[:300], ["not a format"]
    yield "truncated.nii", nifti()[:-1], ["truncated", "expected 472 bytes", "found 471"]
    yield "no-voxels.nii", nifti()[:352], ["truncated", "expected 472 bytes", "found 352"]
    yield "truncated.nii.gz", whole[:-9], ["gzip data", "missing"]
    yield "no-trailer.nii.gz", whole[:-8], ["gzip data", "missing"]
    yield "crc.nii.gz", flipped(whole, -5), ["gzip data"]
    yield "length-of-content.nii.gz", flipped(whole, -1), ["gzip data"]
    yield "flipped-bit.nii.gz", flipped(whole, len(whole) - 30), ["gzip data"]
    yield "short-content.nii.gz", gzip.compress(nifti()[:-10], mtime=0), ["truncated", "472", "462"]
    yield "second-member-crc.nii.gz", gzip.compress(nifti()[:380], mtime=0) + flipped(gzip.compress(nifti()[380:], mtime=0), -6), ["gzip data"]
    yield "blocks-flipped-bit.nii.gz", b"".join([*members[:-1], flipped(members[-1], 200)]), ["gzip member"]
    yield "blocks-crc.nii.gz", b"".join([*members[:-1], flipped(members[-1], -8)]), ["gzip member"]
    yield "blocks-missing.nii.gz", b"".join(members[:-1]), ["truncated"]
    yield "blocks-cut.nii.gz", b"".join(members)[:-5], ["gzip data", "missing"]
    yield "vox-offset-nan.nii", nifti(vox_offset=nan), ["vox_offset", "found NaN"]
    yield "vox-offset-negative.nii", nifti(vox_offset=-100), ["vox_offset", "found -100"]
    yield "vox-offset-billion.nii", nifti(vox_offset=1e9), ["truncated", "expected 1000000120 bytes"]
    yield "vox-offset-huge.nii", nifti(vox_offset=1e30), ["vox_offset"]
    yield "vox-offset-half.nii", nifti(vox_offset=352.5), ["vox_offset", "found 352.5"]
    yield "vox-offset-in-header.nii", nifti(vox_offset=100), ["vox_offset", "found 100"]
    yield "dim0-zero.nii", nifti(dim=dim(0, 5, 4, 3)), ["dim[0]", "1 to 7"]
    yield "dim0-nine.nii", nifti(dim=dim(9, 5, 4, 3)), ["dim[0]", "1 to 7"]
    yield "dim-zero.nii", nifti(dim=dim(3, 5, 0, 3)), ["dim[2]", "found 0"]
    yield "dim-negative.nii", nifti(dim=dim(3, 5, 4, -3)), ["dim[3]", "found -3"]
    yield "dim-overflow.nii", nifti(dim=(7, *[32767] * 7)), ["truncated"]
    yield "dim-large.nii.gz", gzip.compress(nifti(dim=dim(3, 2000, 2000, 2000)), mtime=0), ["truncated", "16000000352"]
    yield "dim-overflow-64.nii", nifti2(dim=(4, *[2**62] * 7)), ["grid shape"]
    yield "volumes-overflow-64.nii", nifti2(dim=(7, 5, 4, 3, *[2**40] * 4)), ["dim[4..=7]"]
    yield "dim-negative-64.nii", nifti2(dim=(3, -(2**63), 4, 3, 1, 1, 1, 1)), ["dim[1]"]
    yield "vox-offset-negative-64.nii", nifti2(vox_offset=-(2**63)), ["vox_offset"]
    yield "sizeof-hdr-64.nii", nifti2(sizeof_hdr=348), ["sizeof_hdr", "540"]
    yield "pixdim-nan.nii", nifti(pixdim=(1, 2, nan, 2, 0, 0, 0, 0), **no_sform), ["pixdim[2]", "found NaN"]
    yield "pixdim-zero.nii", nifti(pixdim=(1, 2, 2, 0, 0, 0, 0, 0), **no_sform), ["pixdim[3]", "found 0"]
    yield "pixdim-negative.nii", nifti(pixdim=(1, -2, 2, 2, 0, 0, 0, 0), **qform), ["pixdim[1]", "found -2"]
    yield "srow-nan.nii", nifti(srow=(2, 0, 0, -10, 0, nan, 0, -20, 0, 0, 2, -30)), ["not invertible"]
    yield "srow-infinite.nii", nifti(srow=(2, 0, 0, infinity, 0, 2, 0, -20, 0, 0, 2, -30)), ["not invertible"]
    yield "srow-singular.nii", nifti(srow=(2, 0, 0, -10, 0, 2, 0, -20, 0, 2, 0, -30)), ["not invertible"]
    yield "quatern-nan.nii", nifti(quatern=(nan, 0, 0), **qform), ["quatern"]
    yield "quatern-long.nii", nifti(quatern=(1, 1, 1), **qform), ["quatern"]
    yield "qoffset-infinite.nii", nifti(qoffset=(0, infinity, 0), **qform), ["not invertible"]
    yield "intercept-nan.nii", nifti(scl_slope=2, scl_inter=nan), ["scl_inter", "found NaN"]
    yield "datatype-unknown.nii", nifti(datatype=9999), ["datatype", "9999"]
    yield "datatype-1-bit.nii", nifti(datatype=1), ["datatype", "1-bit"]
    yield "units.nii", nifti(xyzt_units=5), ["xyzt_units", "5"]
    yield "beyond-float32.nii", nifti(struct.pack("<60d", *[1e300] * 60), datatype=64, bitpix=64), ["intensity", "float32"]
    yield "pair-alone.hdr", nifti(pair=True), ["magic", ".img"]
    yield "pair-short.hdr", nifti(pair=True), ["truncated", "pair-short.img", "120", "119"]
    yield "pair-short.img", bytes(119), None
    yield "pair-offset.hdr", nifti(pair=True, vox_offset=64), ["truncated", "pair-offset.img", "184"]
    yield "pair-offset.img", bytes(120), None
    yield "pair-gzip.hdr", nifti(pair=True), ["gzip data"]
    yield "pair-gzip.img.gz", flipped(gzip.compress(bytes(120), mtime=0), -8), None
    yield "text.nii", b"this is no brain\n" * 40, ["not a format"]


def main():
    OUT.mkdir(exist_ok=True)
    for old in OUT.iterdir():
        old.unlink()
    expected = {}
    families = {
        "volume": [volumes, make_dicom.files, make_minc.files, make_plain.files],
        "surface": [make_surfaces.files],
        "array": [make_surfaces.arrays],
    }
    for reader, makers in families.items():
        for name, content, words in (case for maker in makers for case in maker()):
            assert name not in expected and not (OUT / name).exists(), name
            (OUT / name).write_bytes(content)
            if words is not None:
                expected[name] = {"reader": reader, "error": words}
    pathlib.Path("expected.json").write_text(json.dumps(expected, indent=1) + "\n")
    print(len(expected), "files")


if __name__ == "__main__":
    main()
