"""Makes small inputs with known truth for the tutorials, where real data may not be given away.

    python made.py micrograph|head|heart|wafer FOLDER

Needs numpy, and Pillow (micrograph, heart, wafer), nibabel (head) or pydicom (heart). What is made shows how a command is used and what
its answer looks like; it says nothing of how good a network is on real pictures.
"""

import sys
from pathlib import Path

import numpy as np

SEED = 2026


def smooth(field: np.ndarray, sd: float) -> np.ndarray:
    """Gaussian of `sd` voxels along every axis, edges wrapped round."""
    for axis in range(field.ndim):
        frequency = np.fft.rfftfreq(field.shape[axis])
        weight = np.exp(-2 * (np.pi * frequency * sd) ** 2)
        shape = [-1 if other == axis else 1 for other in range(field.ndim)]
        field = np.fft.irfft(np.fft.rfft(field, axis=axis) * weight.reshape(shape), n=field.shape[axis], axis=axis)
    return field


def texture(generator: np.random.Generator, shape: tuple[int, ...], sd: float) -> np.ndarray:
    """Smooth noise of mean 0 and standard deviation 1."""
    field = smooth(generator.standard_normal(shape), sd)
    return (field - field.mean()) / field.std()


def micrograph(folder: Path, size: int = 384, slices: int = 2) -> None:
    """Cells with dark membranes and dark bodies in them, at 4 nm: `stack.tif`; `truth.tif` has a number for each cell, 0 on
    membranes."""
    from PIL import Image

    generator = np.random.default_rng(SEED)
    rows, columns = np.mgrid[:size, :size].astype(float)
    pictures, truths = [], []
    for _ in range(slices):
        # The two nearest of scattered seeds, seen through a wavy glass: the nearest is the cell, and where both are as near
        # there is a membrane.
        bent = [axis + 10 * texture(generator, (size, size), 14) for axis in (rows, columns)]
        seeds = generator.uniform(-40, size + 40, (110, 2))
        distance = np.stack([np.hypot(bent[0] - row, bent[1] - column) for row, column in seeds])
        cell = distance.argmin(0)
        nearest = np.partition(distance, 1, axis=0)
        gap_px = nearest[1] - nearest[0]
        membrane = gap_px < 5
        grey = 165 + 12 * texture(generator, (size, size), 3) - 95 * np.exp(-((gap_px / 5) ** 2))
        for row, column in generator.uniform(0, size, (14, 2)):
            far_px = np.hypot(rows - row, 1.6 * (columns - column))
            body = (far_px < 11) & (gap_px > 14)
            grey[body] -= 25 + 14 * np.cos(far_px[body] * 1.3)
        grey = smooth(grey, 0.8) + generator.normal(0, 9, (size, size))
        pictures.append(Image.fromarray(np.clip(grey, 0, 255).round().astype(np.uint8)))
        truths.append(Image.fromarray(np.where(membrane, 0, cell + 1).astype(np.uint8)))
    pictures[0].save(folder / "stack.tif", save_all=True, append_images=pictures[1:])
    truths[0].save(folder / "truth.tif", save_all=True, append_images=truths[1:])


def head(folder: Path) -> None:
    """A brain of ellipsoids without skull, folded by waves, at 1.5 mm: `T1.nii.gz`; `truth.nii.gz` has 1 fluid of ventricles, 2 grey
    and 3 white matter."""
    import nibabel

    generator = np.random.default_rng(SEED)
    shape, voxel_mm = (116, 144, 116), 1.25
    world_from_voxel = np.diag([voxel_mm, voxel_mm, voxel_mm, 1.0])
    world_from_voxel[:3, 3] = [-voxel_mm * (axis - 1) / 2 for axis in shape]
    x, y, z = (np.indices(shape).reshape(3, -1) * voxel_mm + world_from_voxel[:3, 3:]).reshape(3, *shape)

    def ellipsoid(centre, radii):
        """Distance from its surface in mm (nearly), negative inside."""
        places = [(axis - middle) / radius for axis, middle, radius in zip((x, y, z), centre, radii, strict=True)]
        return (np.sqrt(sum(place**2 for place in places)) - 1) * np.mean(radii)

    # Two hemispheres: white matter with wavy blades, grey matter some 3 mm thick around it, fluid up to a smooth outline.
    outline = np.maximum(ellipsoid((0, 0, 8), (62, 80, 56)), 1.0 - abs(x))
    blades = ellipsoid((0, 0, 8), (50, 66, 44)) + 8 * texture(generator, shape, 3.4)
    beam = ellipsoid((0, 2, 16), (9, 32, 4))
    white = (np.maximum(blades, 4.5 - abs(x)) < 0) & (outline < -3.5)
    white |= ellipsoid((0, 0, 6), (40, 50, 30)) < -4
    white = smooth(white.astype(float), 0.9) > 0.5
    grey = (smooth(white.astype(float), 1.4) > 0.06) & (outline < 0)
    white &= abs(x) > 4
    white |= beam < 0
    little = np.maximum(ellipsoid((0, -46, -38), (48, 28, 20)), -outline - 1)
    leaves = little + 2.2 * np.sin(0.9 * z + 0.05 * y)
    grey |= leaves < 0
    white |= (leaves < -5) | (ellipsoid((0, -22, -36), (14, 12, 28)) < 0)
    for side in (-1, 1):
        for centre, radii in (((12, -12, 6), (8, 15, 9)), ((24, 4, 5), (7, 17, 10)), ((15, 18, 12), (5, 12, 9))):
            core = ellipsoid((side * centre[0], *centre[1:]), radii) < 0
            grey, white = grey | core, white & ~core
    bent = [side * (5.5 + 0.1 * abs(y - 4)) for side in (-1, 1)]
    fluid = np.minimum(*(ellipsoid((middle, 2, 20 - 0.004 * y**2), (4, 36, 7)) for middle in bent)) < 0
    fluid |= ellipsoid((0, -8, 6), (2.0, 13, 8)) < 0
    truth = np.select([fluid, white, grey], [1, 3, 2], 0).astype(np.uint8)
    outside = (outline >= 0) & (truth == 0)
    level = np.select([truth == 1, truth == 3, truth == 2], [0.2, 1.0, 0.66], 0.2)
    level[outside] = 0
    bias = 1 + 0.06 * texture(generator, shape, 24)
    value = np.hypot(smooth(level, 0.4) * bias + generator.normal(0, 0.02, shape), generator.normal(0, 0.02, shape))
    value[outside] = 0
    for name, data in (("T1", (value * 800).astype(np.int16)), ("truth", truth)):
        image = nibabel.Nifti1Image(data, world_from_voxel)
        image.header.set_xyzt_units("mm")
        nibabel.save(image, folder / f"{name}.nii.gz")


def heart(folder: Path, slices: int = 6, phases: int = 10, size: int = 192, pixel_mm: float = 1.4) -> None:
    """A beating heart in short-axis cine MR: DICOM images in `patient/`, true masks in `truth/`, and the true volumes printed. The
    cavity is round."""
    from PIL import Image
    from pydicom.dataset import FileDataset, FileMetaDataset
    from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage, generate_uid

    generator = np.random.default_rng(SEED)
    (folder / "patient").mkdir(exist_ok=True)
    (folder / "truth").mkdir(exist_ok=True)
    study, series, frame = (generate_uid(entropy_srcs=[f"brainmesh tutorial {what}"]) for what in ("study", "series", "frame"))
    x, y = ((axis - (size - 1) / 2) * pixel_mm for axis in np.meshgrid(np.arange(size), np.arange(size)))
    distance_mm, volume_ml = 9.0, np.zeros(phases)
    body = 1 - np.hypot((x + 5) / 128, (y - 4) / 100)
    lungs = (np.hypot((x + 62) / 52, (y + 8) / 66) < 1) | (np.hypot((x - 76) / 36, (y - 2) / 60) < 1)
    speckle = texture(generator, (size, size), 1.2)
    # The plane of a short axis lies obliquely in the body.
    across, down = np.array([0.6, 0.64, -0.48]), np.array([0.0, 0.6, 0.8])
    normal = np.cross(across, down)
    for level in range(slices):
        apex = level / (slices - 1)
        for phase in range(phases):
            beat = (1 - np.cos(2 * np.pi * phase / phases)) / 2
            radius_mm = (28 - 10 * apex) * (1 - 0.36 * beat)
            wall_mm = 9 + 4 * beat
            far = np.hypot(x, y * (1 + 0.05 * np.sin(level)))
            angle = np.arctan2(y, x)
            cavity = far < radius_mm
            right = (np.hypot((x + 34 - 8 * apex) / (24 - 6 * beat), (y + 4) / (34 - 14 * apex)) < 1) & (far > radius_mm + wall_mm)
            level_grey = np.where(body > 0, 70.0, 4.0)
            level_grey[(body > 0) & (body < 0.14)] = 190
            level_grey[lungs & (body > 0.16)] = 12
            level_grey[(np.hypot((x + 8) / 52, (y + 2) / 44) < 1)] = 95
            level_grey[right] = 185
            level_grey[far < radius_mm + wall_mm] = 48
            level_grey[cavity] = 200
            for turn in (0.9, 3.6):
                muscle = np.hypot(x - 0.62 * radius_mm * np.cos(turn), y - 0.62 * radius_mm * np.sin(turn)) < 3.2 * (1 - apex)
                level_grey[muscle] = 70
            picture = smooth(level_grey * (1 + 0.06 * speckle), 0.7)
            picture = np.hypot(picture + generator.normal(0, 5, picture.shape), generator.normal(0, 5, picture.shape))
            volume_ml[phase] += cavity.sum() * pixel_mm**2 * distance_mm / 1000
            number = level * phases + phase + 1

            meta = FileMetaDataset()
            meta.MediaStorageSOPClassUID = MRImageStorage
            meta.MediaStorageSOPInstanceUID = generate_uid(entropy_srcs=[f"brainmesh tutorial image {number}"])
            meta.TransferSyntaxUID = ExplicitVRLittleEndian
            image = FileDataset(None, {}, file_meta=meta, preamble=b"\0" * 128)
            image.SOPClassUID, image.SOPInstanceUID = MRImageStorage, meta.MediaStorageSOPInstanceUID
            image.StudyInstanceUID, image.SeriesInstanceUID, image.FrameOfReferenceUID = study, series, frame
            image.Modality, image.BodyPartExamined = "MR", "HEART"
            image.PatientName, image.PatientID = "Made^Heart", "made"
            image.SeriesDescription = "cine short axis (made)"
            image.InstanceNumber, image.SeriesNumber = number, 1
            image.TriggerTime = str(round(phase * 800 / phases))
            image.ImageOrientationPatient = [*across.tolist(), *down.tolist()]
            corner = level * distance_mm * normal - (across + down) * size * pixel_mm / 2
            image.ImagePositionPatient = [round(float(place), 6) for place in corner]
            image.PixelSpacing, image.SliceThickness = [pixel_mm, pixel_mm], distance_mm
            image.Rows = image.Columns = size
            image.SamplesPerPixel, image.PhotometricInterpretation = 1, "MONOCHROME2"
            image.BitsAllocated = image.BitsStored = 16
            image.HighBit, image.PixelRepresentation = 15, 0
            image.PixelData = picture.round().astype("<u2").tobytes()
            image.save_as(folder / f"patient/IM-0001-{number:04}.dcm", enforce_file_format=True)
            Image.fromarray(np.where(cavity, 255, 0).astype(np.uint8)).save(folder / f"truth/IM-0001-{number:04}.png")
    full, empty = volume_ml.max(), volume_ml.min()
    print(f"true end-diastole {full:.1f} ml, end-systole {empty:.1f} ml, ejection fraction {100 * (1 - empty / full):.1f} %")


def wafer(folder: Path, size: int = 1280) -> None:
    """Sections of tissue with their magnet parts on a silicon wafer: `light.png`, `fluorescence.png` (magnet parts glow), and the true
    corners in `truth.json`, in pixels."""
    import json

    from PIL import Image, ImageDraw

    generator = np.random.default_rng(SEED)
    fine = 4  # outlines are drawn so many times as fine, so that edges are smooth
    canvas = {kind: Image.new("L", (size * fine, size * fine)) for kind in ("grey", "glow", "cover")}
    draw = {kind: ImageDraw.Draw(image) for kind, image in canvas.items()}
    # Tissue above, magnet part below the seam; corners 0 and 3 of tissue and 1 and 2 of the magnet part lie at the seam.
    tissue = np.array([[-60.0, -1], [-66, -57], [66, -57], [60, -1]])
    magnet = np.array([[-55.0, 48], [-60, 1], [60, 1], [55, 48]])
    truth = []
    for row in range(8):
        lean = generator.normal(0, 12)
        for column in range(7):
            if generator.random() < 0.2:
                continue
            turn = np.deg2rad(lean + generator.normal(0, 3) + (180 if row % 2 else 0))
            turned = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
            middle = np.array([150 + 165 * column, 110 + 150 * row]) + generator.normal(0, 5, 2)
            parts = [(part + generator.normal(0, 1.2, (4, 2))) @ turned + middle for part in (tissue, magnet)]
            thin = generator.normal(0, 7)
            seam = np.array([parts[0][0], parts[0][3], parts[1][2], parts[1][1]])
            for part, grey, glow in zip((seam, *parts), (58, 70, 92), (0, 0, 190), strict=True):
                outline = [tuple((corner + 0.5) * fine) for corner in part]
                draw["grey"].polygon(outline, fill=round(float(np.clip(grey + thin, 30, 140))))
                draw["glow"].polygon(outline, fill=glow)
                draw["cover"].polygon(outline, fill=255)
            truth.append({"tissue": parts[0].round(3).tolist(), "magnet": parts[1].round(3).tolist()})
    grey, glow, cover = (np.asarray(image.resize((size, size), Image.BOX), float) for image in canvas.values())
    shading = 1 + 0.06 * texture(generator, (size, size), size / 6)
    bare = 1 - cover / 255
    light = smooth(190 * bare + grey + 5 * (1 - bare) * texture(generator, (size, size), 2.5), 0.8) * shading
    light += generator.normal(0, 4, light.shape)
    glow = smooth(25 + glow * (1 + 0.1 * texture(generator, (size, size), 4)), 1.5) + generator.normal(0, 6, glow.shape)
    for name, picture in (("light", light), ("fluorescence", glow)):
        Image.fromarray(np.clip(picture, 0, 255).round().astype(np.uint8)).save(folder / f"{name}.png")
    (folder / "truth.json").write_text(json.dumps({"seed": SEED, "scale": 1.0, "size": [size, size], "sections": truth}) + "\n")
    print(f"{len(truth)} sections")


MAKERS = {"micrograph": micrograph, "head": head, "heart": heart, "wafer": wafer}

if __name__ == "__main__":
    if len(sys.argv) != 3 or sys.argv[1] not in MAKERS:
        sys.exit(__doc__)
    target = Path(sys.argv[2])
    target.mkdir(parents=True, exist_ok=True)
    MAKERS[sys.argv[1]](target)
