"""Seconds that the procedure of Wagstyl 2020 takes from class probabilities to seven written surfaces, in Python.

    python benches/reference_surfaces.py [LEVEL]

Its steps on a made cortex of the size of `benches/meshing.rs` (level 7: 163,842 rays of 200 samples, 8 classes): argmax,
first sample of each class, sorting, smoothing of each layer alone over the mesh (FWHM 1 mm), rounding to a sample,
coordinates, 20 Taubin iterations a surface, GIFTI by nibabel. Needs numpy, SciPy and nibabel. Prints JSON.
"""

import json
import sys
import tempfile
import time
from pathlib import Path

import nibabel as nib
import numpy as np
from scipy.sparse import coo_matrix, diags

SAMPLES = 200
PLACES = np.array([29.0, 45.0, 60.0, 95.0, 107.0, 135.0, 171.0])
FWHM_MM = 1.0


def icosphere(level: int) -> tuple[np.ndarray, np.ndarray]:
    phi = (1 + 5**0.5) / 2
    points = []
    for a, b in [(-1, phi), (1, phi), (-1, -phi), (1, -phi)]:
        points += [(a, b, 0), (0, a, b), (b, 0, a)]
    points = np.array(points, float)
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    near = np.linalg.norm(points[:, None] - points[None], axis=2) < 1.1
    faces = [
        (a, b, c)
        for a in range(12)
        for b in range(a + 1, 12)
        for c in range(b + 1, 12)
        if near[a, b] and near[b, c] and near[c, a]
    ]
    faces = np.array(faces)
    for _ in range(level):
        edges = np.sort(np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]]), axis=1)
        unique, inverse = np.unique(edges, axis=0, return_inverse=True)
        middle = points[unique].mean(axis=1)
        middle /= np.linalg.norm(middle, axis=1, keepdims=True)
        ab, bc, ca = len(points) + inverse.ravel().reshape(3, -1)
        points = np.concatenate([points, middle])
        a, b, c = faces.T
        faces = np.concatenate([np.stack(t, 1) for t in [(a, ab, ca), (ab, b, bc), (ca, bc, c), (ab, bc, ca)]])
    return points, faces


def probabilities(rays: int) -> np.ndarray:
    shift = 4 * np.sin(0.7 * np.arange(rays))
    samples = np.arange(SAMPLES)
    values = np.empty((rays, 8, SAMPLES), np.float32)
    for start in range(0, rays, 4096):
        part = slice(start, start + 4096)
        past = 1 / (1 + np.exp((PLACES[None, :, None] + shift[part, None, None] - samples) / 3))
        ends = np.ones((len(past), 1, SAMPLES))
        values[part] = -np.diff(np.concatenate([ends, past, 0 * ends], axis=1), axis=1)
    return values


def main() -> None:
    level = int(sys.argv[1]) if len(sys.argv) > 1 else 7
    sphere, faces = icosphere(level)
    radius = 50 + 3 * (
        np.sin(14 * sphere[:, 0]) * np.cos(12 * sphere[:, 1]) + np.sin(13 * sphere[:, 2]) - 1
    )
    outer, inner = sphere * (radius[:, None] + 0.5), sphere * (radius[:, None] - 3.0)
    values = probabilities(len(sphere))
    n = len(sphere)
    seconds = {}

    def lap(name: str, start: float) -> float:
        seconds[name] = round(time.perf_counter() - start, 3)
        return time.perf_counter()

    begin, processor = time.perf_counter(), time.process_time()
    labels = values.argmax(axis=1)
    clock = lap("argmax", begin)
    first = np.stack([(labels == k).argmax(axis=1) for k in range(1, 8)], axis=1).astype(float)
    first.sort(axis=1)
    clock = lap("first sample, sort", clock)
    ends = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    graph = coo_matrix((np.ones(2 * len(ends)), (np.r_[ends[:, 0], ends[:, 1]], np.r_[ends[:, 1], ends[:, 0]])), (n, n))
    graph = (graph.tocsr() > 0).astype(float)
    mean = diags(1 / np.asarray(graph.sum(1)).ravel()) @ graph
    edge_mm = np.linalg.norm(outer[ends[:, 0]] - outer[ends[:, 1]], axis=1).mean()
    # Averaging half way to the neighbours spreads by an eighth of the squared edge along each axis.
    steps = max(1, round((FWHM_MM / 2.355) ** 2 / (edge_mm**2 / 4)))
    smooth = first
    for _ in range(steps):
        smooth = 0.5 * smooth + 0.5 * (mean @ smooth)
    index = np.rint(smooth)
    clock = lap("smoothing, rounding", clock)
    t = index / (SAMPLES - 1)
    surfaces = [outer + t[:, [k]] * (inner - outer) for k in range(7)]
    for k in range(7):
        for _ in range(20):
            for weight in (0.5, -0.53):
                surfaces[k] = surfaces[k] + weight * (mean @ surfaces[k] - surfaces[k])
    clock = lap("coordinates, Taubin", clock)
    with tempfile.TemporaryDirectory() as folder:
        for k, vertices in enumerate(surfaces):
            points = nib.gifti.GiftiDataArray(vertices.astype(np.float32), "NIFTI_INTENT_POINTSET")
            triangles = nib.gifti.GiftiDataArray(faces.astype(np.int32), "NIFTI_INTENT_TRIANGLE")
            nib.save(nib.gifti.GiftiImage(darrays=[points, triangles]), Path(folder) / f"layer{k}.surf.gii")
    lap("write", clock)
    total = time.perf_counter() - begin
    processor = time.process_time() - processor
    result = {"rays": n, "seconds": seconds, "total": round(total, 3), "processor": round(processor, 3)}
    print(json.dumps(result))


if __name__ == "__main__":
    main()
