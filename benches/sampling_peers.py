"""What numba and scipy need for the rays of the bench `sampling`, which runs this.

    python benches/sampling_peers.py FOLDER SIDE SAMPLES THREADS REPEATS

needs numba, numpy and scipy. FOLDER holds `volume.f32` (i fastest) and `ends.f64` (both ends of every ray in voxels).
Prints a name, a tab and median seconds on every line.
"""

import statistics
import sys
import time

import numba
import numpy
from scipy import ndimage


def trilinear(volume, ends, samples):
    """[rays, samples]; every sample on its own, as one writes it."""
    rays = ends.shape[0]
    values = numpy.empty((rays, samples), numpy.float32)
    for ray in numba.prange(rays):
        sx, sy, sz = ends[ray, 0, 0], ends[ray, 0, 1], ends[ray, 0, 2]
        dx, dy, dz = ends[ray, 1, 0] - sx, ends[ray, 1, 1] - sy, ends[ray, 1, 2] - sz
        for n in range(samples):
            t = n / (samples - 1)
            x, y, z = sx + t * dx, sy + t * dy, sz + t * dz
            i, j, k = int(x), int(y), int(z)
            u, v, w = numpy.float32(x - i), numpy.float32(y - j), numpy.float32(z - k)
            a = volume[k, j, i] + u * (volume[k, j, i + 1] - volume[k, j, i])
            b = volume[k, j + 1, i] + u * (volume[k, j + 1, i + 1] - volume[k, j + 1, i])
            c = volume[k + 1, j, i] + u * (volume[k + 1, j, i + 1] - volume[k + 1, j, i])
            d = volume[k + 1, j + 1, i] + u * (volume[k + 1, j + 1, i + 1] - volume[k + 1, j + 1, i])
            e = a + v * (b - a)
            f = c + v * (d - c)
            values[ray, n] = e + w * (f - e)
    return values


def median(repeats, run):
    run()  # numba compiles
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds)


def main():
    folder = sys.argv[1]
    side, samples, threads, repeats = (int(word) for word in sys.argv[2:6])
    volume = numpy.fromfile(f"{folder}/volume.f32", numpy.float32).reshape(side, side, side)
    ends = numpy.fromfile(f"{folder}/ends.f64", numpy.float64).reshape(-1, 2, 3)
    one = numba.njit(trilinear, fastmath=True)
    print(f"numba, one thread\t{median(repeats, lambda: one(volume, ends, samples))}")
    numba.set_num_threads(threads)
    many = numba.njit(trilinear, fastmath=True, parallel=True)
    print(f"numba, {threads} threads\t{median(repeats, lambda: many(volume, ends, samples))}")

    def scipy_linear():
        t = numpy.linspace(0.0, 1.0, samples)[None, :, None]
        points = ends[:, :1] + t * (ends[:, 1:] - ends[:, :1])
        places = points.reshape(-1, 3)[:, ::-1].T
        return ndimage.map_coordinates(volume, places, order=1, output=numpy.float32)

    print(f"scipy map_coordinates, linear\t{median(repeats, scipy_linear)}")


main()
