"""Images of nibabel and meshes of trimesh: what the conversions of `Volume` and `Surface` call."""

from __future__ import annotations

from typing import Any

import numpy as np

from ._brainmesh import Surface, Volume


def volume_to_nibabel(volume: Volume) -> Any:
    import nibabel

    header = nibabel.Nifti1Header()
    header.set_xyzt_units("mm")
    data = volume.data
    if data.dtype in (np.int64, np.uint64):
        raise ValueError(f"nibabel: {data.dtype} is not written to NIfTI by most programs; convert the values first")
    image = nibabel.Nifti1Image(data, volume.world_from_voxel, header)
    # Both forms, since programs differ in which one they read; a qform holds no shear. Set in the header alone, which keeps single
    # precision: the image's affine stays exact.
    image.header.set_sform(volume.world_from_voxel, code="scanner")
    image.header.set_qform(volume.world_from_voxel, code="scanner", strip_shears=True)
    return image


def volume_from_nibabel(image: Any) -> Volume:
    if len(image.shape) != 3:
        raise ValueError(f"nibabel image: expected 3 axes, found shape {tuple(image.shape)}")
    units = getattr(image.header, "get_xyzt_units", lambda: ("mm", ""))()[0]
    mm = {"meter": 1000.0, "micron": 0.001}.get(units, 1.0)
    return Volume(np.asarray(image.dataobj), np.diag([mm, mm, mm, 1.0]) @ image.affine)


def reduce_volume(volume: Volume) -> tuple:
    return _volume, (volume.data, volume.world_from_voxel, volume.labels)


def _volume(data: np.ndarray, world_from_voxel: np.ndarray, labels: dict[int, str]) -> Volume:
    return Volume(data, world_from_voxel, labels=labels)


def reduce_surface(surface: Surface) -> tuple:
    return _surface, (surface.vertices, surface.triangles, surface.structure)


def _surface(vertices: np.ndarray, triangles: np.ndarray, structure: str) -> Surface:
    return Surface(vertices, triangles, structure=structure)


def surface_to_trimesh(surface: Surface) -> Any:
    import trimesh

    return trimesh.Trimesh(surface.vertices, surface.triangles.astype(np.int64), process=False)


def surface_from_trimesh(mesh: Any) -> Surface:
    return Surface(mesh.vertices, mesh.faces)
