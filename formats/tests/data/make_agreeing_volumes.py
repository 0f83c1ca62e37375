"""Makes `agree/`: one phantom without any symmetry in every volume format, each storing it in an order of its own.

Needs pydicom, nibabel, SimpleITK, pynrrd, numpy and Debian's minc-tools. Run in this folder.
"""

import pathlib
import shutil
import subprocess

import nibabel
import nrrd
import numpy as np
import SimpleITK as sitk
import tifffile
import zarr
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage

OUT = pathlib.Path("agree")
ROOT = "1.2.826.0.1.3680043.8.498.2"
SHAPE = (7, 6, 5)

# RAS mm: two directions at a right angle, as DICOM wants them, and a step that is not along their normal.
a, b = np.deg2rad(25), np.deg2rad(-40)
ALONG_I = 0.9 * np.array([np.cos(a), np.sin(a), 0.0])
ALONG_J = 1.25 * np.array([-np.sin(a) * np.cos(b), np.cos(a) * np.cos(b), np.sin(b)])
ALONG_K = np.cross(ALONG_I, ALONG_J) / 0.9 / 1.25 * 2.5 + ALONG_J * 0.3
ORIGIN = np.array([-17.25, 30.5, 4.75])

i, j, k = np.indices(SHAPE)
PHANTOM = 10 + i + 11 * j + 101 * k + 13 * i * j * (k == 2)


def nifti():
    """Stored as (-k, i, -j)."""
    affine = np.eye(4)
    affine[:3, :3] = np.stack([-ALONG_K, ALONG_I, -ALONG_J], axis=1)
    affine[:3, 3] = ORIGIN + (SHAPE[2] - 1) * ALONG_K + (SHAPE[1] - 1) * ALONG_J
    image = nibabel.Nifti1Image(PHANTOM.transpose(2, 0, 1)[::-1, :, ::-1].astype("i2"), affine)
    nibabel.save(image, OUT / "phantom.nii.gz")


def minc():
    """Written zxy, with steps against the direction cosines of x and along those of y and z."""
    unit = [v / np.linalg.norm(v) for v in (ALONG_I, ALONG_J, ALONG_K)]
    cosines = np.stack([-unit[0], unit[1], unit[2]], axis=1)
    steps = [-np.linalg.norm(ALONG_I), np.linalg.norm(ALONG_J), np.linalg.norm(ALONG_K)]
    starts = np.linalg.solve(cosines, ORIGIN)
    placement = []
    for axis, name in enumerate("xyz"):
        placement += [f"-{name}step", steps[axis], f"-{name}start", starts[axis]]
        placement += [f"-{name}dircos", *cosines[:, axis]]
    values = PHANTOM.transpose(2, 0, 1).astype("<f8").tobytes()
    for name, flag in (("phantom-minc1.mnc", "-clobber"), ("phantom-minc2.mnc", "-2")):
        arguments = ["-clobber", flag, "-zxy", "-double", "-ofloat", "-scan_range", *placement, OUT / name]
        lengths = [SHAPE[2], SHAPE[0], SHAPE[1]]
        subprocess.run(["rawtominc", *map(str, arguments + lengths)], input=values, check=True)


def dicom():
    """One file a slice, numbered against their order."""
    lps = np.array([-1, -1, 1])
    decimal = lambda numbers: [f"{n:.13g}"[:16] for n in numbers]
    folder = OUT / "dicom"
    folder.mkdir()
    for k in range(SHAPE[2]):
        ds = Dataset()
        ds.file_meta = FileMetaDataset()
        ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        ds.SOPClassUID, ds.SOPInstanceUID = MRImageStorage, f"{ROOT}.2.{k + 1}"
        ds.Modality, ds.SeriesInstanceUID, ds.FrameOfReferenceUID = "MR", f"{ROOT}.1", f"{ROOT}.3"
        ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
        ds.Rows, ds.Columns = SHAPE[1], SHAPE[0]
        ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 16, 16, 15, 0
        ds.ImagePositionPatient = decimal(lps * (ORIGIN + k * ALONG_K))
        ds.ImageOrientationPatient = decimal([*(lps * ALONG_I / 0.9), *(lps * ALONG_J / 1.25)])
        ds.PixelSpacing = ["1.25", "0.9"]
        # Each slice with a scaling of its own, as positron emission images have.
        slope, intercept = 0.5 / (k + 1), -3 * k
        ds.RescaleSlope, ds.RescaleIntercept = f"{slope:.14g}", str(intercept)
        ds.PixelData = np.rint((PHANTOM[:, :, k].T - intercept) / slope).astype("<u2").tobytes()
        ds["PixelData"].VR = "OW"
        ds.save_as(folder / f"{SHAPE[2] - k}.dcm", enforce_file_format=True)


def moved(order, flip):
    """The phantom stored so that axis n runs along its axis `order[n]`, backwards where `flip[n]`, and its affine map."""
    along = [ALONG_I, ALONG_J, ALONG_K]
    affine, data = np.eye(4), PHANTOM.transpose(order)
    affine[:3, 3] = ORIGIN
    for n, (axis, back) in enumerate(zip(order, flip)):
        affine[:3, n] = -along[axis] if back else along[axis]
        if back:
            affine[:3, 3] += (SHAPE[axis] - 1) * along[axis]
            data = np.flip(data, n)
    return data, affine


def mgh():
    """Stored as (j, -k, i)."""
    data, affine = moved((1, 2, 0), (False, True, False))
    nibabel.save(nibabel.MGHImage(data.astype("i2"), affine), OUT / "phantom.mgz")


def itk(name, order, flip, dtype):
    data, affine = moved(order, flip)
    image = sitk.GetImageFromArray(data.astype(dtype).T)
    affine = np.diag([-1, -1, 1, 1]) @ affine
    spacing = np.linalg.norm(affine[:3, :3], axis=0)
    image.SetSpacing(spacing)
    image.SetDirection((affine[:3, :3] / spacing).ravel())
    image.SetOrigin(affine[:3, 3])
    sitk.WriteImage(image, str(OUT / name), useCompression=True)


def pynrrd():
    """Stored as (-j, k, i), big endian, in right, anterior, superior."""
    data, affine = moved((1, 2, 0), (True, False, False))
    header = {"space": "right-anterior-superior", "space directions": affine[:3, :3].T, "space origin": affine[:3, 3]}
    header |= {"kinds": ["domain"] * 3, "encoding": "raw", "endian": "big"}
    nrrd.write(str(OUT / "phantom-pynrrd.nrrd"), data.astype(">f4"), header)


def placement(affine):
    """The attribute that brainmesh puts beside what OME has no place for."""
    return {"world_from_voxel": affine.tolist(), "world": "scanner"}


def ome_zarr():
    """Stored as (k, -i, j) in OME-Zarr 0.5."""
    data, affine = moved((2, 0, 1), (False, True, False))
    group = zarr.create_group(OUT / "phantom.ome.zarr", zarr_format=3)
    spacing = np.linalg.norm(affine[:3, :3], axis=0)
    axes = [{"name": name, "type": "space", "unit": "micrometer"} for name in "zyx"]
    scale = {"type": "scale", "scale": (1000 * spacing[::-1]).tolist()}
    multiscale = {"axes": axes, "datasets": [{"path": "full", "coordinateTransformations": [scale]}]}
    group.attrs["ome"] = {"version": "0.5", "multiscales": [multiscale]}
    group.attrs["brainmesh"] = placement(affine)
    voxels = data.astype("i2").transpose(2, 1, 0)
    group.create_array("full", shape=voxels.shape, dtype="i2", chunks=(4, 4, 5))[:] = voxels


def ome_tiff():
    """Stored as (-i, k, j)."""
    data, affine = moved((0, 2, 1), (True, False, False))
    spacing = np.linalg.norm(affine[:3, :3], axis=0)
    metadata = {"axes": "ZYX", "MapAnnotation": {"Namespace": "https://github.com/brainmesh/brainmesh"}}
    for axis, size in zip("XYZ", spacing):
        metadata |= {f"PhysicalSize{axis}": size, f"PhysicalSize{axis}Unit": "mm"}
    values = {"world_from_voxel": " ".join(map(repr, affine[:3].ravel().tolist())), "world": "scanner"}
    metadata["MapAnnotation"] |= values
    tifffile.imwrite(OUT / "phantom.ome.tif", data.astype("u2").T, metadata=metadata, photometric="minisblack")


shutil.rmtree(OUT, ignore_errors=True)
OUT.mkdir()
nifti()
minc()
dicom()
mgh()
itk("phantom-itk.nhdr", (2, 0, 1), (False, True, False), "u2")
itk("phantom.mha", (0, 1, 2), (True, True, False), "f4")
pynrrd()
ome_zarr()
ome_tiff()
