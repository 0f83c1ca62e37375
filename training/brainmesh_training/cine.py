"""Cine MR with the contours of the Sunnybrook set (MICCAI 2009): DICOM pictures, contour text files, `link.csv`."""

import csv
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pydicom
from PIL import Image, ImageDraw

#: `IM-0001-0048-icontour-manual.txt`: the endocardium of the picture of that number.
CONTOUR = re.compile(r"IM-\d+-(\d+)-icontour-(?:manual|auto)\.txt")


def read_contour(path: Path) -> np.ndarray:
    """Points `[n, 2]` (x, y in pixels) of a contour text file."""
    try:
        points = np.loadtxt(path, ndmin=2)
    except ValueError as error:
        raise ValueError(f"{path}: expected two numbers a line, found others") from error
    if points.ndim != 2 or points.shape[1] != 2 or len(points) < 3 or not np.isfinite(points).all():
        raise ValueError(f"{path}: expected three or more lines of x and y, found {points.shape}")
    return points


def filled(points: np.ndarray, shape: tuple[int, int], path: Path) -> np.ndarray:
    """The mask `[h, w]` of a contour as the set's own pictures have it: a polygon with its outline, points rounded down."""
    low, high = points.min(0), points.max(0)
    if (low < 0).any() or (high >= np.array(shape[::-1])).any():
        raise ValueError(f"{path}: expected points in a picture of {shape[1]} x {shape[0]}, found {low} to {high}")
    canvas = Image.new("1", shape[::-1])
    ImageDraw.Draw(canvas).polygon([tuple(point) for point in np.floor(points).astype(int).tolist()], fill=1, outline=1)
    return np.asarray(canvas)


def read_picture(path: Path) -> tuple[np.ndarray, tuple[float, float]]:
    """Stored greys `[h, w]` and the spacing of rows and columns in mm."""
    file = pydicom.dcmread(path)
    if file.get("Modality") != "MR":
        raise ValueError(f"{path}: expected MR, found {file.get('Modality')}")
    if "PixelSpacing" not in file:
        raise ValueError(f"{path}: expected PixelSpacing, found none")
    picture = file.pixel_array
    if picture.ndim != 2:
        raise ValueError(f"{path}: expected one grey picture, found {picture.shape}")
    rows, columns = (float(value) for value in file.PixelSpacing)
    return picture, (rows, columns)


def read(folder: Path) -> Iterator[tuple[str, str, np.ndarray, np.ndarray, tuple[float, float]]]:
    """Patient, name, picture, cavity and spacing of each contour under `contourfiles/`, by `link.csv`.

    The patient is named as in the PNG set, `SC-HF-I-01` for `SC-HF-I-1`. Every contour needs its picture: contours off by a
    folder are an error, not a training set.
    """
    with (folder / "link.csv").open() as table:
        links = {row["original_id"]: row["patient_id"] for row in csv.DictReader(table)}
    for patient in sorted((folder / "contourfiles").iterdir()):
        if patient.name not in links:
            raise ValueError(f"{folder / 'link.csv'}: expected {patient.name}, found {sorted(links)}")
        pictures = {int(path.stem): path for path in (folder / "dicoms" / links[patient.name]).glob("*.dcm")}
        for path in sorted(patient.rglob("*.txt")):
            matched = CONTOUR.fullmatch(path.name)
            if not matched:
                continue
            number = int(matched[1])
            if number not in pictures:
                raise ValueError(f"{path}: expected dicoms/{links[patient.name]}/{number}.dcm, found none")
            picture, spacing = read_picture(pictures[number])
            kind, _, count = patient.name.rpartition("-")
            name = f"{kind}-{int(count):02d}"
            yield name, f"{name}-IM-0001-{number:04d}", picture, filled(read_contour(path), picture.shape, path), spacing
