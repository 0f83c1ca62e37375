"""Pictures of held-out cases."""

import numpy as np
import pytest

from brainmesh_training import membrane, tissue, ventricle
from brainmesh_training.picture_cases import BOTH, FOUND, TRUE, Shown, chosen, edges, moved, panel, sheet


def shown(score: float, group: str = "") -> Shown:
    parts = np.zeros((20, 30), int)
    parts[5:15, 5:15] = 1
    return Shown(f"{score}", score, f"Dice {score}", np.arange(600.0).reshape(20, 30), parts, np.roll(parts, 4, 1), group)


def test_lines_lie_just_inside_a_part():
    parts = np.zeros((6, 6), int)
    parts[2:4, 2:4] = 1
    line = edges(parts, 3)
    assert line.shape == (18, 18)
    assert line[6:12, 6:12].sum() == line.sum() == 4 * 6 - 4
    assert not line[7:11, 7:11].any()


def test_outlines_have_the_colours_of_the_legend():
    image = np.asarray(panel(shown(0.5), 2, outlines=True))
    assert (image.reshape(-1, 3) == TRUE).all(1).any()
    assert tuple(image[20, 10]) == TRUE and tuple(image[20, 18]) == FOUND  # left sides, columns 5 and 9
    assert tuple(image[10, 20]) == BOTH  # upper sides, where both run
    plain = np.asarray(panel(shown(0.5), 2, outlines=False))
    assert (plain[..., 0] == plain[..., 1]).all()


def test_a_good_one_the_median_and_the_worst_are_shown():
    rows = chosen([shown(score / 10) for score in (3, 9, 10, 1, 5, 6, 7, 8, 4, 2, 0)])
    assert [(title, row.score) for title, row in rows] == [("good", 0.9), ("median", 0.5), ("worst", 0.0)]
    rows = chosen([shown(0.1, "A"), shown(0.9, "A"), shown(0.8, "A"), shown(0.3, "B"), shown(0.4, "B"), shown(0.2, "B")])
    assert rows[3][0].startswith("median of the worst, B (mean 0.300)") and rows[3][1].score == 0.3
    assert sheet(rows).width == 2 * 330 + 6


def test_probabilities_are_moved_as_logits_are():
    found = moved(np.array([0.0, 0.3, 0.65, 1.0]), 0.3)
    assert found[[0, 1, 3]] == pytest.approx([0, 0.5, 1])
    # Odds 0.65 / 0.35 divided by 0.3 / 0.7.
    assert found[2] / (1 - found[2]) == pytest.approx(0.65 / 0.35 / (0.3 / 0.7))


def test_each_system_shows_its_cases():
    cells = np.ones((40, 40), int)
    cells[:, 20], cells[:, 21:] = 0, 2
    section = membrane.Section(7, np.zeros((40, 40), np.float32), cells, np.zeros((40, 40), np.float32))
    [view] = membrane.views(section, [(cells > 0).astype(float)[None]])
    assert not membrane.wrong(cells, cells).any()
    # One object over both cells: all of the smaller cell is wrong.
    assert (membrane.wrong(cells, np.ones_like(cells)) == (cells == 2)).all()
    assert view["score"] == 1 and view["words"] == "V_rand 1.000, V_info 1.000"
    cavity = np.zeros((40, 40), bool)
    cavity[15:25, 15:25] = True
    frame = ventricle.Frame("P", "P-1", np.zeros((40, 40), np.float32), cavity)
    [view] = ventricle.views(frame, [np.roll(cavity, 2, 1).astype(float)[None]])
    assert view["score"] == pytest.approx(0.8) and view["found"].shape == (20, 20) and view["group"] == "P"
    assert "Dice 0.800" in view["words"]


def test_the_window_holds_most_of_what_is_marked():
    marked = np.zeros((60, 80), bool)
    marked[50:60, 70:80], marked[5, 5] = True, True
    assert membrane.busiest(marked, 20) == (slice(40, 60), slice(60, 80))
    assert membrane.busiest(marked & False, 20) == (slice(20, 40), slice(30, 50))


def test_slices_of_tissue_stand_upright(monkeypatch):
    classes = np.zeros((60, 60), np.int64)
    classes[:20], classes[20:45], classes[45:50] = 3, 2, 4
    image = classes.astype(np.float32)
    monkeypatch.setattr(tissue, "looked_at", lambda case: [(image[None], classes), (image[None], classes * 0)])
    answer = np.eye(5)[classes].transpose(2, 0, 1)
    [view] = tissue.views(type("Case", (), {"name": "head"}), [answer, answer])
    # The first row of an array is the lowest in RAS: it is drawn at the foot. Outer fluid is background.
    assert view["truth"][-1, 0] == 3 and view["truth"][12, 0] == 0 and view["score"] == 1
