"""DICOM files, each with one fault."""

import io
import struct

import pydicom
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import ExplicitVRLittleEndian, JPEGBaseline8Bit, MPEG2MPML, RLELossless

ROWS, COLUMNS = 6, 8
PIXELS = struct.pack(f"<{ROWS * COLUMNS}h", *range(ROWS * COLUMNS))


def dataset(syntax=ExplicitVRLittleEndian, **changes):
    """One MR slice of 8 x 6 voxels; an attribute given as None is left out."""
    d = Dataset()
    d.file_meta = FileMetaDataset()
    d.file_meta.TransferSyntaxUID = syntax
    d.file_meta.MediaStorageSOPClassUID = d.SOPClassUID = "1.2.840.10008.5.1.4.1.1.4"
    d.file_meta.MediaStorageSOPInstanceUID = d.SOPInstanceUID = "1.2.826.0.1.3680043.8.498.3"
    d.SeriesInstanceUID = "1.2.826.0.1.3680043.8.498.2"
    d.StudyInstanceUID = "1.2.826.0.1.3680043.8.498.1"
    d.Modality = "MR"
    d.SliceThickness = 2
    d.ImagePositionPatient = [-10, -20, 30]
    d.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    d.PixelSpacing = [1.5, 1.25]
    d.SamplesPerPixel = 1
    d.PhotometricInterpretation = "MONOCHROME2"
    d.Rows, d.Columns = ROWS, COLUMNS
    d.BitsAllocated, d.BitsStored, d.HighBit = 16, 16, 15
    d.PixelRepresentation = 1
    d.PixelData = PIXELS
    d["PixelData"].VR = "OW"
    for name, value in changes.items():
        if value is None:
            delattr(d, name)
        else:
            setattr(d, name, value)
    return d


def raw(d):
    buffer = io.BytesIO()
    pydicom.dcmwrite(buffer, d, enforce_file_format=True)
    return buffer.getvalue()


def made(**changes):
    return raw(dataset(**changes))


def patched(content, old, new):
    """Where the library would not write such a thing: bytes of the file replaced."""
    assert content.count(old) == 1, (old, content.count(old))
    return content.replace(old, new)


def element(tag, vr, value):
    """An element of explicit type with a short length."""
    return struct.pack("<HH2sH", tag >> 16, tag & 0xFFFF, vr, len(value)) + value


def encapsulated(syntax, *frames):
    d = dataset(syntax=syntax)
    d.PixelData = encapsulate(list(frames))
    d["PixelData"].VR = "OB"
    d["PixelData"].is_undefined_length = True
    return raw(d)


def rle(offsets, segments):
    return struct.pack("<16I", *offsets, *[0] * (16 - len(offsets))) + segments


def jpeg(rows, columns):
    """The headers of a baseline JPEG of one component, with a scan of nothing."""
    sof = struct.pack(">BBHBHHB3B", 0xFF, 0xC0, 11, 8, rows, columns, 1, 1, 0x11, 0)
    sos = struct.pack(">BBHB2B3B", 0xFF, 0xDA, 8, 1, 1, 0, 0, 63, 0)
    return b"\xff\xd8" + sof + sos + b"\xff\xd9"


def files():
    whole = made()
    pixels_at = whole.index(b"\xe0\x7f\x10\x00OW")
    uid = dataset().SeriesInstanceUID.encode()
    yield "rows-zero.dcm", made(Rows=0), ["Rows"]
    yield "columns-zero.dcm", made(Columns=0), ["Columns"]
    yield "rows-huge.dcm", made(Rows=65535, Columns=65535), ["8589672450", "96"]
    yield "rows-missing.dcm", made(Rows=None), ["Rows"]
    yield "no-pixel-data.dcm", made(PixelData=None), ["pixel data", "none"]
    yield "no-spacing.dcm", made(PixelSpacing=None), ["PixelSpacing"]
    yield "spacing-zero.dcm", made(PixelSpacing=[0, 1]), ["PixelSpacing"]
    yield "spacing-nan.dcm", patched(whole, element(0x00280030, b"DS", b"1.5\\1.25"), element(0x00280030, b"DS", b"NaN\\1.25")), ["PixelSpacing"]
    yield "spacing-one.dcm", patched(whole, element(0x00280030, b"DS", b"1.5\\1.25"), element(0x00280030, b"DS", b"1.5     ")), ["PixelSpacing"]
    yield "no-position.dcm", made(ImagePositionPatient=None), ["ImagePositionPatient"]
    yield "no-orientation.dcm", made(ImageOrientationPatient=None), ["ImageOrientationPatient"]
    yield "orientation-zero.dcm", made(ImageOrientationPatient=[0, 0, 0, 0, 0, 0]), ["ImageOrientationPatient"]
    yield "orientation-parallel.dcm", made(ImageOrientationPatient=[1, 0, 0, 1, 0, 0]), ["ImageOrientationPatient"]
    yield "bits-allocated.dcm", made(BitsAllocated=13), ["BitsAllocated"]
    yield "bits-stored.dcm", made(BitsStored=17), ["BitsStored"]
    yield "slope-nan.dcm", patched(made(RescaleSlope=1.5, RescaleIntercept=0), element(0x00281053, b"DS", b"1.5 "), element(0x00281053, b"DS", b"NaN ")), ["RescaleSlope"]
    yield "frames-many.dcm", made(NumberOfFrames=1000000), ["truncated", "96000000"]
    yield "frames-negative.dcm", made(NumberOfFrames=-1), ["NumberOfFrames"]
    yield "pixel-data-short.dcm", made(PixelData=PIXELS[:-2]), ["96", "94"]
    yield "pixel-data-cut.dcm", whole[:-2], ["truncated"]
    yield "header-cut.dcm", whole[: pixels_at - 20], []
    yield "preamble-alone.dcm", whole[:132], []
    yield "length-past-end.dcm", whole[: pixels_at + 8] + struct.pack("<I", 97) + PIXELS, ["truncated"]
    yield "length-fffffffe.dcm", whole[: pixels_at + 8] + struct.pack("<I", 0xFFFFFFFE) + PIXELS, ["truncated"]
    uid_element = element(0x0020000E, b"UI", uid + b"\0" * (len(uid) % 2))
    long_uid = struct.pack("<HH2sHI", 0x20, 0x0E, b"UN", 0, 0xFFFFFFFE) + uid
    yield "value-length-fffffffe.dcm", patched(whole, uid_element, long_uid), ["truncated"]
    yield "sequence-delimiter.dcm", patched(whole, uid_element, struct.pack("<HHI", 0xFFFE, 0xE0DD, 0)), ["delimiter"]
    item = struct.pack("<HH2sHI", 0x20, 0x1115, b"SQ", 0, 8) + struct.pack("<HHI", 0xFFFE, 0xE000, 64)
    yield "item-past-sequence.dcm", patched(whole, uid_element, item), ["within its sequence"]
    yield "transfer-syntax-video.dcm", encapsulated(MPEG2MPML, b"\0" * 8), ["TransferSyntaxUID", "1.2.840.10008.1.2.4.100"]
    yield "deflated-damaged.dcm", damaged_deflate(), []
    zeros = b"\xd1\x00"  # a run of 48 zeros: 257 - 0xd1
    yield "rle-offset.dcm", encapsulated(RLELossless, rle([2, 64, 70000], zeros * 2)), ["segment"]
    yield "rle-segments.dcm", encapsulated(RLELossless, rle([16, 64], zeros)), ["segment"]
    yield "rle-short.dcm", encapsulated(RLELossless, rle([2, 64, 66], zeros + b"\xf0\x00")), ["segment"]
    yield "rle-header-cut.dcm", encapsulated(RLELossless, b"\x02\0\0\0"), ["segment"]
    yield "fragment-past-end.dcm", patched(
        encapsulated(RLELossless, rle([2, 64, 66], zeros * 2)), struct.pack("<HHI", 0xFFFE, 0xE000, 68), struct.pack("<HHI", 0xFFFE, 0xE000, 0xFFFFFFFE)
    ), ["truncated"]
    yield "jpeg-larger.dcm", jpeg_case(jpeg(6000, 8000)), ["8 x 6", "8000 x 6000"]
    yield "jpeg-empty-scan.dcm", jpeg_case(jpeg(ROWS, COLUMNS)), []
    yield "jpeg-no-header.dcm", jpeg_case(b"\xff\xd8\xff\xd9"), []


def jpeg_case(stream):
    d = dataset(syntax=JPEGBaseline8Bit)
    d.BitsAllocated, d.BitsStored, d.HighBit, d.PixelRepresentation = 8, 8, 7, 0
    d.PixelData = encapsulate([stream])
    d["PixelData"].VR = "OB"
    d["PixelData"].is_undefined_length = True
    return raw(d)


def damaged_deflate():
    d = dataset(syntax="1.2.840.10008.1.2.1.99")
    content = bytearray(raw(d))
    content[-60] ^= 0xFF
    content[-61] ^= 0xFF
    return bytes(content)
