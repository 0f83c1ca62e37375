"""The other side of `formats.rs`: one operation of one program, timed.

    python peers.py serve          answers lines `PEER OPERATION PATH` with seconds, or with what is missing
    python peers.py once PEER OPERATION PATH    prints MiB: the peak of this process less what it had before
    python peers.py make-minc FROM.nii TO.mnc   a MINC2 file of 32 x 32 x 32 chunks

Needs those of numpy, nibabel, SimpleITK, pydicom and h5py that are to be compared.
"""

import os
import sys
import tempfile
import time

import numpy as np


def nibabel_read(path):
    import nibabel

    return nibabel.load(path).get_fdata(dtype=np.float32)


def nibabel_map(path):
    import nibabel

    return np.asanyarray(nibabel.load(path).dataobj)


def nibabel_block(path):
    import nibabel

    image = nibabel.load(path)
    ni, nj, nk = image.shape
    return np.asarray(image.dataobj[:, :, nk // 2 : nk // 2 + 8])


def nibabel_write(path):
    import nibabel

    image = loaded("nibabel", path, lambda: nibabel.Nifti1Image(np.asarray(nibabel.load(path).dataobj), nibabel.load(path).affine))
    return timed_write(lambda out: nibabel.save(image, out))


def simpleitk_read(path):
    import SimpleITK

    return SimpleITK.ReadImage(path, SimpleITK.sitkFloat32)


def simpleitk_series(path):
    import SimpleITK

    names = SimpleITK.ImageSeriesReader.GetGDCMSeriesFileNames(path)
    return SimpleITK.ReadImage(names, SimpleITK.sitkFloat32)


def simpleitk_write(path):
    import SimpleITK

    image = loaded("SimpleITK", path, lambda: SimpleITK.ReadImage(path))
    return timed_write(lambda out: SimpleITK.WriteImage(image, out, useCompression=True))


def pydicom_series(path):
    """Sorted by position along the normal, each slice rescaled: what its users write."""
    import pydicom

    slices = [pydicom.dcmread(entry.path) for entry in os.scandir(path)]
    first = slices[0]
    rows = np.array(first.ImageOrientationPatient, float).reshape(2, 3)
    normal = np.cross(*rows)
    slices.sort(key=lambda s: float(np.dot(normal, np.array(s.ImagePositionPatient, float))))
    volume = np.empty((len(slices), first.Rows, first.Columns), np.float32)
    for out, s in zip(volume, slices):
        np.multiply(s.pixel_array, np.float32(s.RescaleSlope), out=out)
        out += np.float32(s.RescaleIntercept)
    return volume


OPERATIONS = {
    ("nibabel", "read"): nibabel_read,
    ("nibabel", "map"): nibabel_map,
    ("nibabel", "block"): nibabel_block,
    ("nibabel", "write"): nibabel_write,
    ("SimpleITK", "read"): simpleitk_read,
    ("SimpleITK", "series"): simpleitk_series,
    ("SimpleITK", "write"): simpleitk_write,
    ("pydicom", "series"): pydicom_series,
}
LOADED = {}


def loaded(peer, path, load):
    """What is to be written, read before the clock starts."""
    key = (peer, path)
    if key not in LOADED:
        LOADED[key] = load()
    return LOADED[key]


class Written:
    def __init__(self, seconds, size_bytes):
        self.seconds, self.size_bytes = seconds, size_bytes


def timed_write(write):
    with tempfile.TemporaryDirectory() as folder:
        out = os.path.join(folder, "out.nii.gz")
        start = time.perf_counter()
        write(out)
        return Written(time.perf_counter() - start, os.path.getsize(out))


def run(peer, operation, path):
    start = time.perf_counter()
    result = OPERATIONS[peer, operation](path)
    seconds = time.perf_counter() - start
    if isinstance(result, Written):
        return f"{result.seconds} {result.size_bytes}"
    return f"{seconds}"


def answer(line):
    try:
        return run(*line.split(None, 2))
    except Exception as error:  # a peer that is absent or cannot read this is a result, too
        return f"! {type(error).__name__}: {error}".replace("\n", " ")


def status_mib(name):
    with open("/proc/self/status") as lines:
        return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(name))


def once(peer, operation, path):
    __import__({"SimpleITK": "SimpleITK"}.get(peer, peer))
    before = status_mib("VmRSS")
    run(peer, operation, path)
    print(status_mib("VmHWM") - before)


def make_minc(source, out):
    import h5py
    import nibabel

    data = np.ascontiguousarray(np.asarray(nibabel.load(source).dataobj).T)
    with h5py.File(out, "w") as f:
        names = ("zspace", "yspace", "xspace")
        for name, length in zip(names, data.shape):
            d = f.create_dataset(f"minc-2.0/dimensions/{name}", data=np.int32(0))
            d.attrs["step"], d.attrs["start"], d.attrs["length"] = 1.0, -64.0, np.int32(length)
        image = f.create_dataset("minc-2.0/image/0/image", data=data, chunks=(32, 32, 32), compression="gzip", compression_opts=4)
        image.attrs["dimorder"] = np.bytes_(",".join(names))
        image.attrs["valid_range"] = [-32768.0, 32767.0]
        for key, value in (("image-min", -32768.0), ("image-max", 32767.0)):
            limit = f.create_dataset(f"minc-2.0/image/0/{key}", data=np.full(data.shape[0], value))
            limit.attrs["dimorder"] = np.bytes_("zspace")


def main():
    command, *arguments = sys.argv[1:]
    if command == "serve":
        for line in sys.stdin:
            print(answer(line.strip()), flush=True)
    elif command == "once":
        once(*arguments)
    elif command == "make-minc":
        make_minc(*arguments)


if __name__ == "__main__":
    main()
