"""DICOM pictures and contour text files of the Sunnybrook set."""

from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage

from brainmesh_training import cine, ventricle


def write_dicom(path: Path, pixels: np.ndarray, **others) -> None:
    file = pydicom.Dataset()
    file.file_meta = pydicom.dataset.FileMetaDataset()
    file.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    file.file_meta.MediaStorageSOPClassUID = file.SOPClassUID = MRImageStorage
    file.file_meta.MediaStorageSOPInstanceUID = file.SOPInstanceUID = f"1.2.3.{path.stem}"
    file.Modality, file.PixelSpacing = "MR", [1.5, 1.25]
    file.Rows, file.Columns = pixels.shape
    file.SamplesPerPixel, file.PhotometricInterpretation = 1, "MONOCHROME2"
    file.BitsAllocated = file.BitsStored = 16
    file.HighBit, file.PixelRepresentation = 15, 1
    file.PixelData = pixels.astype("<i2").tobytes()
    for name, value in others.items():
        if value is None:
            delattr(file, name)
        else:
            setattr(file, name, value)
    file.save_as(path, enforce_file_format=True)


def write_set(folder: Path, **others) -> np.ndarray:
    """One patient, two pictures, a square cavity of columns 10 to 20 and rows 5 to 12."""
    (folder / "dicoms/SCD01").mkdir(parents=True)
    (folder / "contourfiles/SC-HF-I-1/i-contours").mkdir(parents=True)
    (folder / "link.csv").write_text("patient_id,original_id\nSCD01,SC-HF-I-1\nSCD02,SC-HF-I-2\n")
    pixels = np.full((32, 40), 50)
    pixels[5:13, 10:21] = 900
    for number in (20, 40):
        write_dicom(folder / f"dicoms/SCD01/{number}.dcm", pixels, **others)
        square = "10.50 5.25\n20.75 5.25\n20.75 12.99\n10.50 12.99\n"
        (folder / f"contourfiles/SC-HF-I-1/i-contours/IM-0001-{number:04d}-icontour-manual.txt").write_text(square)
    return pixels


def test_contours_are_filled_with_their_outline_and_points_rounded_down(tmp_path):
    pixels = write_set(tmp_path)
    frames = ventricle.read(tmp_path)
    assert [frame.stem for frame in frames] == ["SC-HF-I-01-IM-0001-0020", "SC-HF-I-01-IM-0001-0040"]
    np.testing.assert_array_equal(frames[0].cavity, pixels > 100)
    assert frames[0].spacing_mm == (1.5, 1.25)  # of rows, of columns
    assert frames[0].image[frames[0].cavity].min() > frames[0].image[~frames[0].cavity].max()


def test_outer_contours_are_left_out(tmp_path):
    write_set(tmp_path)
    (tmp_path / "contourfiles/SC-HF-I-1/o-contours").mkdir()
    (tmp_path / "contourfiles/SC-HF-I-1/o-contours/IM-0001-0020-ocontour-manual.txt").write_text("1 1\n30 1\n30 30\n")
    assert len(ventricle.read(tmp_path)) == 2


def test_contours_of_another_folder_are_refused(tmp_path):
    write_set(tmp_path)
    (tmp_path / "dicoms/SCD01").rename(tmp_path / "dicoms/SCD02")
    with pytest.raises(ValueError, match="expected dicoms/SCD01/20.dcm, found none"):
        ventricle.read(tmp_path)
    (tmp_path / "contourfiles/SC-HF-I-1").rename(tmp_path / "contourfiles/SC-HF-I-9")
    with pytest.raises(ValueError, match="link.csv: expected SC-HF-I-9"):
        ventricle.read(tmp_path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1 2\n3 4\n", "three or more lines"),
        ("1 2 3\n4 5 6\n7 8 9\n", "three or more lines"),
        ("1 2\na b\n3 4\n", "two numbers a line"),
        ("1 2\n50 4\n3 4\n", "expected points in a picture of 40 x 32"),
        ("1 2\nnan 4\n3 4\n", "three or more lines"),
    ],
)
def test_contours_that_cannot_be_meant_are_refused(tmp_path, text, message):
    write_set(tmp_path)
    (tmp_path / "contourfiles/SC-HF-I-1/i-contours/IM-0001-0040-icontour-manual.txt").write_text(text)
    with pytest.raises(ValueError, match=message):
        ventricle.read(tmp_path)


@pytest.mark.parametrize(
    ("others", "message"), [({"Modality": "CT"}, "expected MR, found CT"), ({"PixelSpacing": None}, "expected PixelSpacing")]
)
def test_pictures_that_cannot_be_meant_are_refused(tmp_path, others, message):
    write_set(tmp_path, **others)
    with pytest.raises(ValueError, match=message):
        ventricle.read(tmp_path)


def test_a_contour_file_as_the_challenge_writes_it(tmp_path):
    (tmp_path / "c.txt").write_text("118.50 133.50\n118.50 133.50\n118.00 134.00\n")
    assert cine.read_contour(tmp_path / "c.txt").shape == (3, 2)
