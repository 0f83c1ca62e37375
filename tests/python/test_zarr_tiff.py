"""OME-Zarr and TIFF against zarr-python and tifffile, both ways."""

import json

import nibabel
import numpy as np
import pytest

tifffile = pytest.importorskip("tifffile")
zarr = pytest.importorskip("zarr")

SHAPE = (70, 33, 20)
SPACING_MM = (0.25, 0.5, 2.0)
ORIGIN_MM = (-7.0, 3.0, 11.0)


def volume(dtype):
    """Values without any symmetry, over all of the type's range where that is small; i, j, k."""
    i, j, k = np.indices(SHAPE)
    values = 1 + i + 73 * j + 2411 * k
    return values.astype(dtype) if np.issubdtype(dtype, np.integer) else (values / 7).astype(dtype)


@pytest.fixture
def nifti(tmp_path):
    def write(dtype):
        affine = np.diag([*SPACING_MM, 1.0])
        affine[:3, 3] = ORIGIN_MM
        path = tmp_path / f"{np.dtype(dtype).name}.nii"
        nibabel.save(nibabel.Nifti1Image(volume(dtype), affine, dtype=dtype), path)
        return path

    return write


def assert_reads_as(brainmesh, tmp_path, path, expected, spacing_mm, *options):
    """`expected` is i, j, k."""
    info = json.loads(brainmesh("info", path, "--json"))
    assert np.allclose(info["spacing_mm"], spacing_mm, rtol=1e-6)
    copy = tmp_path / "copy.nii"
    brainmesh("convert", path, copy, *options)
    found = np.asanyarray(nibabel.load(copy).dataobj)
    assert found.dtype == expected.dtype
    assert np.array_equal(found, expected)
    copy.unlink()


@pytest.mark.parametrize("dtype", ["u1", "i2", "u2", "i4", "f4", "f8"])
def test_zarr_python_reads_what_brainmesh_writes(brainmesh, tmp_path, nifti, dtype):
    out = tmp_path / "a.ome.zarr"
    brainmesh("convert", nifti(dtype), out)
    group = zarr.open_group(out, mode="r")
    ome = group.attrs["ome"]
    scales = ome["multiscales"][0]
    assert ome["version"] == "0.5" and [axis["name"] for axis in scales["axes"]] == ["z", "y", "x"]
    assert {axis["unit"] for axis in scales["axes"]} == {"millimeter"}
    for level, dataset in enumerate(scales["datasets"]):
        array = group[dataset["path"]]
        assert array.shape == tuple(-(-n // 2**level) for n in reversed(SHAPE))
        scale, translation = dataset["coordinateTransformations"]
        assert scale["scale"] == [2**level * mm for mm in reversed(SPACING_MM)]
        moved = [o + (2**level - 1) / 2 * mm for o, mm in zip(ORIGIN_MM, SPACING_MM)]
        assert np.allclose(translation["translation"], moved[::-1])
    assert np.array_equal(group["0"][:], volume(dtype).T)
    blocks = volume(dtype).T[:20, :32, :70].astype("f8").reshape(10, 2, 16, 2, 35, 2).mean((1, 3, 5))
    tolerance = 0.5 if np.issubdtype(dtype, np.integer) else 1e-3
    assert np.abs(group["1"][:10, :16, :35] - blocks).max() <= tolerance


ZARR_KINDS = {
    "v2-default": dict(zarr_format=2),
    "v2-dots": dict(zarr_format=2, chunk_key_encoding={"name": "v2", "separator": "."}),
    "v3-default": dict(zarr_format=3),
    "v3-plain": dict(zarr_format=3, compressors=None),
    "v3-gzip": dict(zarr_format=3, compressors=zarr.codecs.GzipCodec(level=4)),
    "v3-shards": dict(zarr_format=3, shards=(20, 32, 64), chunks=(10, 16, 32)),
    "v3-transposed": dict(zarr_format=3, filters=zarr.codecs.TransposeCodec(order=(1, 2, 0))),
}
for cname in ("lz4", "lz4hc", "blosclz", "zstd", "zlib"):
    for shuffle in ("noshuffle", "shuffle", "bitshuffle"):
        codec = zarr.codecs.BloscCodec(cname=cname, clevel=5, shuffle=shuffle)
        ZARR_KINDS[f"v3-{cname}-{shuffle}"] = dict(zarr_format=3, compressors=codec)


@pytest.mark.parametrize("kind", ZARR_KINDS)
def test_brainmesh_reads_what_zarr_python_writes(brainmesh, tmp_path, kind):
    arguments = dict(ZARR_KINDS[kind])
    version = arguments.pop("zarr_format")
    path = tmp_path / "a.zarr"
    group = zarr.create_group(path, zarr_format=version)
    axes = [{"name": name, "type": "space", "unit": "micrometer"} for name in "zyx"]
    scale = {"type": "scale", "scale": [1000 * mm for mm in reversed(SPACING_MM)]}
    multiscale = {"axes": axes, "datasets": [{"path": "s0", "coordinateTransformations": [scale]}]}
    group.attrs.update(
        {"multiscales": [{"version": "0.4", **multiscale}]}
        if version == 2
        else {"ome": {"version": "0.5", "multiscales": [multiscale]}}
    )
    arguments.setdefault("chunks", (16, 16, 32))
    group.create_array("s0", shape=SHAPE[::-1], dtype="u2", **arguments)[:] = volume("u2").T
    assert_reads_as(brainmesh, tmp_path, path, volume("u2"), SPACING_MM)


@pytest.mark.parametrize("dtype", ["u1", "i1", "u2", "i2", "u4", "i4", "f4", "f8"])
def test_tifffile_reads_what_brainmesh_writes(brainmesh, tmp_path, nifti, dtype):
    out = tmp_path / "a.ome.tif"
    brainmesh("convert", nifti(dtype), out)
    with tifffile.TiffFile(out) as tif:
        assert tif.is_ome and tif.series[0].axes == "ZYX"
        assert np.array_equal(tif.asarray(), volume(dtype).T)
        pixels = tifffile.xml2dict(tif.ome_metadata)["OME"]["Image"]["Pixels"]
    assert [pixels[f"PhysicalSize{axis}"] for axis in "XYZ"] == list(SPACING_MM)
    assert {pixels[f"PhysicalSize{axis}Unit"] for axis in "XYZ"} == {"mm"}


TIFF_KINDS = {
    "plain": {},
    "big-endian": dict(byteorder=">"),
    "bigtiff": dict(bigtiff=True),
    "deflate": dict(compression="zlib"),
    "predictor": dict(compression="zlib", predictor=True),
    "tiles": dict(tile=(16, 32)),
    "deflated-tiles": dict(tile=(32, 16), compression="zlib", predictor=True),
    "strips": dict(rowsperstrip=5),
}


@pytest.mark.parametrize("dtype", ["u1", "i1", "u2", "i2", "u4", "i4", "f4", "f8"])
@pytest.mark.parametrize("kind", TIFF_KINDS)
def test_brainmesh_reads_what_tifffile_writes(brainmesh, tmp_path, kind, dtype):
    arguments = dict(TIFF_KINDS[kind])
    if arguments.get("predictor") and not np.issubdtype(dtype, np.integer):
        pytest.skip("tifffile wants imagecodecs for that")
    path = tmp_path / "a.ome.tif"
    sizes = {f"PhysicalSize{axis}": 1000 * mm for axis, mm in zip("XYZ", SPACING_MM)}
    stack = np.ascontiguousarray(volume(dtype).T)
    tifffile.imwrite(path, stack, ome=True, photometric="minisblack", metadata={"axes": "ZYX", **sizes}, **arguments)
    assert_reads_as(brainmesh, tmp_path, path, volume(dtype), SPACING_MM)
