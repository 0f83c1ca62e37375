"""Makes `dicom/` and what its images hold where, `dicom/expected.json`.

The made series are written by pydicom from a phantom whose geometry is worked out here, not read back; the others are
pydicom's own test images, read by pydicom. Needs pydicom, numpy, and dcmtk for JPEG lossless. Run in this folder.
"""

import json
import pathlib
import shutil
import subprocess

import numpy as np
import pydicom
from pydicom.data import get_testdata_file
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    MRImageStorage,
)

OUT = pathlib.Path("dicom")
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
    subprocess.run(["dcmcjpeg", "+e1", "+un", get_testdata_file("MR_small.dcm"), OUT / lossless], check=True)
    expected[lossless] = expectation


def main():
    shutil.rmtree(OUT, ignore_errors=True)
    OUT.mkdir()
    expected = {}
    for make in (series, echoes, syntaxes, enhanced, of_others):
        make(expected)
    (OUT / "expected.json").write_text(json.dumps(expected, separators=(",", ":")) + "\n")


main()
