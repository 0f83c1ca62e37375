"""Measures what docs/slicer.md says: how long the application is held up, and how soon a run stops.

    python plugins/slicer/tests/measure.py target/release/brainmesh [--edge-mm 0.1]
"""

import argparse
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

import conftest
import numpy as np
import slicer
from BrainmeshRaysLib import Choices, Program, make_layers
from BrainmeshRaysLib.export import write_volume

CANCELLED_IN = ("writing the volume", "reading", "sampling rays", "finding boundaries", "choosing the smoothing", "checking surfaces", "loading")


def drive(task, until=None):
    """Takes the steps of a task: its value, and (wall, processor) seconds of the longest step of each stage."""
    longest, stage, last = {}, "first", None
    while True:
        begin = time.perf_counter(), time.process_time()
        try:
            progress = next(task)
        except StopIteration as end:
            progress = None
            value = end.value
        spent = time.perf_counter() - begin[0], time.process_time() - begin[1]
        longest[stage] = max(longest.get(stage, (0, 0)), spent)
        if progress is None:
            return value, longest
        if progress.stage == until:
            return task, longest
        stage = progress.stage
        if progress is last:
            time.sleep(0.005)
        last = progress


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("program", type=Path)
    parser.add_argument("--edge-mm", default="0.1")
    options = parser.parse_args()
    program = Program(options.program.absolute())
    scene = slicer.vtkMRMLScene()
    slicer.mrmlScene = scene
    logics = [slicer.vtkSlicerColorLogic(), slicer.vtkSlicerSegmentationsModuleLogic(), slicer.vtkSlicerVolumesLogic()]
    for logic in logics:
        logic.SetMRMLScene(scene)
    with tempfile.TemporaryDirectory() as folder:
        command = [program.path, "phantom", "--edge-mm", options.edge_mm, "-o", folder]
        subprocess.run(list(map(str, command)), check=True, capture_output=True)
        volume, pial, white = conftest.load_phantom(scene, Path(folder), program)
    print(f"{pial.GetPolyData().GetNumberOfPoints()} vertices, {np.prod(volume.GetImageData().GetDimensions())} voxels")
    choices = Choices(pial, white, volume)
    begin = time.perf_counter(), time.process_time()
    _, longest = drive(make_layers(scene, choices, program))
    print(f"run: {time.perf_counter() - begin[0]:.2f} s, of which {time.process_time() - begin[1]:.2f} s of processor in the application")
    for stage, (wall, processor) in sorted(longest.items(), key=lambda item: -item[1][1])[:4]:
        print(f"longest step in “{stage}”: {1e3 * wall:.0f} ms, {1e3 * processor:.0f} ms of processor")
    delays = []
    for stage in CANCELLED_IN:
        task, _ = drive(make_layers(scene, choices, program), until=stage)
        begin = time.perf_counter()
        task.close()
        delays.append(time.perf_counter() - begin)
    print(f"cancel: median {1e3 * statistics.median(delays):.0f} ms, longest {1e3 * max(delays):.0f} ms of {len(delays)}")
    big = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "big")
    slicer.util.updateVolumeFromArray(big, np.zeros((512, 512, 512), np.uint8))
    with tempfile.TemporaryDirectory() as folder:
        begin = time.perf_counter()
        _, longest = drive(write_volume(big, Path(folder) / "big.nrrd"))
        wall = max(wall for wall, _ in longest.values())
        print(f"a volume of 512^3 bytes written in {1e3 * (time.perf_counter() - begin):.0f} ms, longest step {1e3 * wall:.0f} ms")


if __name__ == "__main__":
    main()
