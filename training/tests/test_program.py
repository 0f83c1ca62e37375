"""Scores of the program's own result files."""

import nibabel
import numpy as np
from brainmesh_training.program import calibration


def write_maps(path, columns):
    arrays = [nibabel.gifti.GiftiDataArray(column.astype(np.float32), intent="NIFTI_INTENT_SHAPE") for column in columns]
    nibabel.save(nibabel.gifti.GiftiImage(darrays=arrays), path)


def test_half_of_the_errors_are_half_a_standard_deviation_and_half_one_and_a_half(tmp_path):
    truth = np.full((4, 6), 0.5)
    found = truth + [0.03, 0, 0, 0, 0, -0.03]  # every inner boundary 30 um too deep in a ribbon of 3 mm
    write_maps(tmp_path / "thickness.shape.gii", [found.sum(1), *found.T])
    sd_mm = 0.03 / np.array([0.5, 0.5, 1.5, 1.5])
    write_maps(tmp_path / "uncertainty.shape.gii", [sd_mm] * 7)
    assert calibration(tmp_path, truth) == "within 1 SD: " + "0.50 " * 4 + "0.50\nwithin 2 SD: " + "1.00 " * 4 + "1.00"
