"""Makes `dicom/`, what its images hold where, `dicom/expected.json`, and what samples those of `dicom/pixels` store,
`dicom/pixels.json`.

The made series are written by pydicom from a phantom whose geometry is worked out here, not read back; the others are
pydicom's own test images, read by pydicom and its decoders. Needs pydicom with pylibjpeg, its plugins and pyjpegls; numpy;
nibabel, which must agree about the mosaic; and dcmtk for JPEG lossless (without it, that file stays as it is). Run in this
folder.
"""

import json
import pathlib
import shutil
import struct
import subprocess

import nibabel.nicom.dicomwrappers
import numpy as np
import pydicom
from pydicom.data import get_testdata_file
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.pixels import pixel_array
from pydicom.sequence import Sequence
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    MRImageStorage,
)

OUT = pathlib.Path("dicom")
KEPT = OUT / "MR_small_jpeg_lossless.dcm"
LOSSLESS = KEPT.read_bytes() if KEPT.exists() else None
ROOT = "1.2.826.0.1.3680043.8.498.1"
NI, NJ, NK = 5, 4, 3
LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0])

# Columns and rows of an oblique plane, and a step that is not along its normal, as of a tilted gantry.
a, b = np.deg2rad(25), np.deg2rad(-40)
ROW = np.array([np.cos(a), np.sin(a), 0.0])
COLUMN = np.array([-np.sin(a) * np.cos(b), np.cos(a) * np.cos(b), np.sin(b)])
SPACING_I, SPACING_J = 0.9, 1.25
STEP = np.cross(ROW, COLUMN) * 2.5 + COLUMN * 0.4
ORIGIN = np.array([17.25, -30.5, 4.75])
SLOPES, INTERCEPTS = [0.5, 0.25, 2.0], [-10.0, 3.5, 0.0]


def stored(k, time=0):
    """Pixels of slice k: rows (j) first, as in the file."""
    i, j = np.meshgrid(np.arange(NI), np.arange(NJ))
    return (1 + i + 7 * j + 31 * k + 60 * time - 40).astype("<i2")


def world(i, j, k):
    lps = ORIGIN + i * SPACING_I * ROW + j * SPACING_J * COLUMN + k * STEP
    return (LPS_TO_RAS @ lps).tolist()


def expectation(values):
    """`values[t][k][j, i]`; every voxel is a point."""
    voxels = [(i, j, k) for k in range(len(values[0])) for j in range(NJ) for i in range(NI)]
    return {
        "world": "scanner",
        "voxels": len(voxels),
        "points": [world(*v) for v in voxels],
        "values": [[float(volume[k][j, i]) for i, j, k in voxels] for volume in values],
        "sums": [float(np.sum(volume)) for volume in values],
    }


def decimal(numbers):
    return [f"{n:.13g}"[:16] for n in np.atleast_1d(numbers)]


def image(number, pixels, syntax=ExplicitVRLittleEndian):
    ds = Dataset()
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = syntax
    ds.SpecificCharacterSet = "ISO_IR 100"
    ds.SOPClassUID, ds.SOPInstanceUID = MRImageStorage, f"{ROOT}.2.{number}"
    ds.Modality, ds.SeriesDescription = "MR", "phantom"
    ds.SeriesInstanceUID, ds.FrameOfReferenceUID = f"{ROOT}.1", f"{ROOT}.3"
    ds.InstanceNumber = number
    ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
    ds.Rows, ds.Columns = NJ, NI
    ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 16, 12, 11, 1
    data = np.asarray(pixels)
    # Bits above the stored ones may hold anything: here overlay bits.
    data = (data.astype("<u2") & 0x0FFF) | 0x5000
    ds.PixelData = data.astype(">u2" if syntax == ExplicitVRBigEndian else "<u2").tobytes()
    ds["PixelData"].VR = "OW"
    return ds


def place(ds, k):
    ds.ImagePositionPatient = decimal(ORIGIN + k * STEP)
    ds.ImageOrientationPatient = decimal([*ROW, *COLUMN])
    ds.PixelSpacing = [str(SPACING_J), str(SPACING_I)]
    ds.SliceThickness = "2"
    return ds


def save(ds, *path):
    target = OUT.joinpath(*path)
    target.parent.mkdir(parents=True, exist_ok=True)
    ds.save_as(target, enforce_file_format=True)


def series(expected):
    # Names in another order than the slices.
    for k, name in zip(range(NK), ("b.dcm", "c.dcm", "a.dcm")):
        ds = place(image(k + 1, stored(k)), k)
        ds.RescaleSlope, ds.RescaleIntercept = str(SLOPES[k]), str(INTERCEPTS[k])
        save(ds, "series", name)
    expected["series"] = expectation([[stored(k) * SLOPES[k] + INTERCEPTS[k] for k in range(NK)]])


def echoes(expected):
    # Instance numbers interleave the two volumes; "9" sorts behind "10" as text.
    for time, echo in enumerate(("9", "10")):
        for k in range(NK):
            ds = place(image(1 + 2 * k + time, stored(k, time)), k)
            ds.EchoTime = echo
            save(ds, "echoes", f"{1 + 2 * k + time}.dcm")
    expected["echoes"] = expectation([[stored(k, t) for k in range(NK)] for t in range(2)])


def syntaxes(expected):
    names = {
        "implicit.dcm": ImplicitVRLittleEndian,
        "big.dcm": ExplicitVRBigEndian,
        "deflated.dcm": DeflatedExplicitVRLittleEndian,
    }
    for name, syntax in names.items():
        ds = place(image(1, stored(0), syntax), 0)
        ds.SpacingBetweenSlices = "2.5"
        # A sequence, of which the private one has no known type once it is implicit.
        inner = Dataset()
        inner.CodeValue = "1"
        ds.DerivationCodeSequence = Sequence([inner, inner])
        ds.add_new((0x0029, 0x0010), "LO", "BRAINMESH")
        ds.add_new((0x0029, 0x1001), "SQ", Sequence([inner]))
        save(ds, name)
        expected[name] = expectation([[stored(0)]])


def enhanced(expected):
    ds = image(1, np.stack([stored(k) for k in (2, 0, 1)]))
    ds.NumberOfFrames = NK
    shared = Dataset()
    orientation, measures = Dataset(), Dataset()
    orientation.ImageOrientationPatient = decimal([*ROW, *COLUMN])
    measures.PixelSpacing, measures.SliceThickness = [str(SPACING_J), str(SPACING_I)], "2"
    shared.PlaneOrientationSequence, shared.PixelMeasuresSequence = Sequence([orientation]), Sequence([measures])
    ds.SharedFunctionalGroupsSequence = Sequence([shared])
    frames = []
    for k in (2, 0, 1):
        frame, position, transformation = Dataset(), Dataset(), Dataset()
        position.ImagePositionPatient = decimal(ORIGIN + k * STEP)
        transformation.RescaleSlope, transformation.RescaleIntercept = str(SLOPES[k]), str(INTERCEPTS[k])
        frame.PlanePositionSequence = Sequence([position])
        frame.PixelValueTransformationSequence = Sequence([transformation])
        frames.append(frame)
    ds.PerFrameFunctionalGroupsSequence = Sequence(frames)
    save(ds, "enhanced.dcm")
    expected["enhanced.dcm"] = expectation([[stored(k) * SLOPES[k] + INTERCEPTS[k] for k in range(NK)]])


def csa_header(entries):
    """The second version of Siemens' private header."""
    header = b"SV10\x04\x03\x02\x01" + struct.pack("<II", len(entries), 77)
    for name, vr, values in entries:
        header += struct.pack("<64sI4sIII", name.encode(), len(values), vr.encode(), 0, len(values), 77)
        for value in values:
            text = value.encode() + b"\0"
            header += struct.pack("<4I", len(text), len(text), 77, len(text)) + text + b"\0" * (-len(text) % 4)
    return header


def mosaic(expected):
    """Five slices in three rows of three, against the normal of the image."""
    count, tiles, step = 5, 3, 2.5
    image_of_all = np.zeros((tiles * NJ, tiles * NI), "<i2")
    for k in range(count):
        top, left = k // tiles * NJ, k % tiles * NI
        image_of_all[top : top + NJ, left : left + NI] = stored(k)
    ds = place(image(1, image_of_all), 0)
    ds.Rows, ds.Columns = image_of_all.shape
    ds.Manufacturer, ds.ImageType = "SIEMENS", ["ORIGINAL", "PRIMARY", "M", "ND", "MOSAIC"]
    # The position is that of a slice as large as the mosaic, around the same middle.
    corner = ORIGIN - ROW * SPACING_I * (tiles - 1) * NI / 2 - COLUMN * SPACING_J * (tiles - 1) * NJ / 2
    ds.ImagePositionPatient, ds.SpacingBetweenSlices = decimal(corner), str(step)
    normal = -np.cross(ROW, COLUMN)
    ds.RepetitionTime, ds.EchoTime, ds.FlipAngle, ds.MagneticFieldStrength = "2300", "2.98", "9", "3"
    ds.InPlanePhaseEncodingDirection = "COL"
    ds.add_new((0x0029, 0x0010), "LO", "SIEMENS CSA HEADER")
    entries = [
        ("EchoLinePosition", "IS", []),
        ("AcquisitionMatrixText", "SH", [f"{NI}*{NJ}"]),
        ("NumberOfImagesInMosaic", "US", [f"{count:8d}"]),
        ("SliceNormalVector", "FD", [f"{n:.8f}" for n in normal]),
        ("MosaicRefAcqTimes", "FD", ["0.0", "1200.0", "400.0", "1600.0", "800.0"]),
    ]
    ds.add_new((0x0029, 0x1010), "OB", csa_header(entries))
    ds.add_new((0x0029, 0x1020), "OB", csa_header([]))
    # Who must never be told.
    for keyword in ("PatientName", "PatientID", "InstitutionName", "StationName", "ProtocolName", "ReferringPhysicianName"):
        setattr(ds, keyword, "SECRET")
    ds.StudyDescription = ds.SeriesDescription = ds.ImageComments = ds.SequenceName = ds.DeviceSerialNumber = "SECRET"
    ds.StudyDate = ds.AcquisitionDate = ds.PatientBirthDate = "20010203"
    save(ds, "mosaic.dcm")
    points = [(i, j, k) for k in range(count) for j in range(NJ) for i in range(NI)]
    lps = [ORIGIN + i * SPACING_I * ROW + j * SPACING_J * COLUMN + k * step * normal for i, j, k in points]
    expected["mosaic.dcm"] = {
        "world": "scanner",
        "voxels": len(points),
        "points": [(LPS_TO_RAS @ p).tolist() for p in lps],
        "values": [[float(stored(k)[j, i]) for i, j, k in points]],
        "sums": [float(sum(stored(k).sum() for k in range(count)))],
    }
    wrapper = nibabel.nicom.dicomwrappers.wrapper_from_file(OUT / "mosaic.dcm")
    affine = LPS_TO_RAS @ wrapper.affine[:3]
    # nibabel's first axis runs along rows.
    theirs = [affine @ (j, i, k, 1) for i, j, k in points]
    assert np.allclose(theirs, expected["mosaic.dcm"]["points"], atol=1e-4), "nibabel sees the mosaic elsewhere"


def pixels():
    """Stored samples of every kind of image; lossy ones may be one level off."""
    lossy = ["JPEGLSNearLossless_08", "JPEGLSNearLossless_16", "SC_rgb_jls_lossy_line", "SC_rgb_jls_lossy_sample"]
    lossy += ["SC_rgb_small_odd_jpeg", "SC_rgb_jpeg", "JPGExtended"]
    others = ["MR_small_jpeg_ls_lossless", "rtdose_rle_1frame", "rtdose_expb_1frame", "SC_rgb_small_odd_big_endian"]
    others += ["SC_rgb_jpeg_gdcm"]
    (OUT / "pixels").mkdir()
    for name in lossy + others:
        shutil.copy(get_testdata_file(f"{name}.dcm"), OUT / "pixels" / f"{name}.dcm")
    rng = np.random.default_rng(11)

    def made(name, samples, photometric="MONOCHROME2", syntax=ExplicitVRLittleEndian, keyword="PixelData", bits=None, **more):
        ds = image(1, stored(0), syntax)
        del ds.PixelData
        frames, ds.Rows, ds.Columns, ds.SamplesPerPixel = samples.shape
        ds.NumberOfFrames, ds.PhotometricInterpretation = frames, photometric
        ds.BitsAllocated = ds.BitsStored = bits or samples.dtype.itemsize * 8
        ds.HighBit, ds.PixelRepresentation = ds.BitsStored - 1, 0
        if ds.SamplesPerPixel > 1:
            ds.PlanarConfiguration = 0
        setattr(ds, keyword, samples.tobytes())
        for key, value in more.items():
            setattr(ds, key, value)
        if keyword == "PixelData":
            ds["PixelData"].VR = "OW" if ds.BitsAllocated > 8 else "OB"
        save(ds, "pixels", name)

    bits = rng.integers(0, 2, (3, 5, 7, 1), dtype="u1")
    packed = np.packbits(bits.ravel(), bitorder="little").tobytes()
    made("single_bits.dcm", bits, bits=1, PixelData=packed + b"\0" * (len(packed) % 2))
    floats = rng.normal(size=(2, 3, 4, 1))
    made("floats.dcm", floats.astype("<f4"), keyword="FloatPixelData")
    made("doubles.dcm", floats, keyword="DoubleFloatPixelData")
    colours = rng.integers(0, 65536, (2, 3, 4, 3), dtype="<u2")
    by_colour = np.ascontiguousarray(np.moveaxis(colours, 3, 1)).tobytes()
    made("by_colour.dcm", colours, "RGB", PlanarConfiguration=1, PixelData=by_colour)
    halved = rng.integers(0, 256, (1, 3, 4, 2), dtype="u1")
    made("halved.dcm", halved, "YBR_FULL_422", SamplesPerPixel=3)
    expected = {}
    for path in sorted((OUT / "pixels").iterdir()):
        ds = pydicom.dcmread(path)
        samples = pixel_array(ds, raw=True).reshape(-1, ds.Rows, ds.Columns, ds.SamplesPerPixel)
        at = rng.integers(samples.size, size=40)
        expected[path.name] = {
            "shape": samples.shape,
            "stored": str(samples.dtype.newbyteorder("=")),
            "photometric": ds.PhotometricInterpretation,
            "levels": int(path.stem in lossy),
            "at": at.tolist(),
            "samples": samples.ravel()[at].tolist(),
            "sum": float(samples.astype("f8").sum()),
        }
    truth = {"single_bits.dcm": bits, "floats.dcm": floats.astype("f4"), "by_colour.dcm": colours}
    for name, samples in truth.items():
        assert expected[name]["samples"] == samples.ravel()[expected[name]["at"]].tolist(), name
    (OUT / "pixels.json").write_text(json.dumps(expected, separators=(",", ":")) + "\n")


def of_others(expected):
    """One MR slice of 64 x 64 in several encodings; pydicom decodes the first, which needs no decoder."""
    plain = pydicom.dcmread(get_testdata_file("MR_small.dcm"))
    pixels = plain.pixel_array
    row, column = np.array(plain.ImageOrientationPatient[:3]), np.array(plain.ImageOrientationPatient[3:])
    origin, (dj, di) = np.array(plain.ImagePositionPatient), plain.PixelSpacing
    rng = np.random.default_rng(5)
    voxels = [(int(rng.integers(64)), int(rng.integers(64))) for _ in range(20)]
    expectation = {
        "world": "scanner",
        "voxels": pixels.size,
        "points": [(LPS_TO_RAS @ (origin + i * di * row + j * dj * column)).tolist() for i, j in voxels],
        "values": [[float(pixels[j, i]) for i, j in voxels]],
        "sums": [float(pixels.sum())],
    }
    for name in ("MR_small_RLE.dcm", "MR_small_jp2klossless.dcm", "MR_small_padded.dcm"):
        shutil.copy(get_testdata_file(name), OUT / name)
        expected[name] = expectation
    lossless = "MR_small_jpeg_lossless.dcm"
    if LOSSLESS:
        (OUT / lossless).write_bytes(LOSSLESS)
    if shutil.which("dcmcjpeg"):
        subprocess.run(["dcmcjpeg", "+e1", "+un", get_testdata_file("MR_small.dcm"), OUT / lossless], check=True)
    expected[lossless] = expectation


def main():
    shutil.rmtree(OUT, ignore_errors=True)
    OUT.mkdir()
    expected = {}
    for make in (series, echoes, syntaxes, enhanced, mosaic, of_others):
        make(expected)
    pixels()
    (OUT / "expected.json").write_text(json.dumps(expected, separators=(",", ":")) + "\n")


main()
