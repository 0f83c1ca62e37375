"""Made pictures of wafers: outlines, layouts, and regions that agree."""

import numpy as np
import pytest

from brainmesh_training.sections import noise
from brainmesh_training.sections.canvas import outside_px
from brainmesh_training.sections.layout import SLACK_PX, Habits, deal, penetration
from brainmesh_training.sections.quads import SPLITS, read_shapes, read_wafer, shapes
from brainmesh_training.sections.wafer import Wafer

#: A section of 120 x 90 full-resolution pixels, seam level: tissue above, magnet part below, 6 between them.
TISSUE = np.array([[0, 45], [5, 0], [115, 0], [120, 45.0]])
MAGNET = np.array([[3, 90], [0, 51], [120, 51], [117, 90.0]])


def turned(quads, degrees, by):
    c, s = np.cos(np.deg2rad(degrees)), np.sin(np.deg2rad(degrees))
    return quads @ np.array([[c, s], [-s, c]]) + by


def write(folder, sections):
    """The two files of a wafer."""
    folder.mkdir(parents=True)
    for name, part in (("tissue", 0), ("mag", 1)):
        lines = ["\t".join(f"{x:.3f},{y:.3f}" for x, y in section[part]) for section in sections]
        (folder / f"source_sections_{name}.txt").write_text("\n".join(lines) + "\n")


def outlines(folder, count=20):
    """Wafers `one` and `two` with sections of slightly different sizes, turned all ways."""
    for number, name in enumerate(("one", "two")):
        grown = [1 + 0.01 * n + 0.001 * number for n in range(count)]
        made = [(turned(TISSUE * g, 40 * n, [500 * n, 300]), turned(MAGNET * g, 40 * n, [500 * n, 300])) for n, g in enumerate(grown)]
        write(folder / name, made)
    return folder


def test_sections_annotated_twice_are_one(tmp_path):
    sections = [(TISSUE, MAGNET), (TISSUE + [400, 0], MAGNET + [400, 0]), (TISSUE + [401, 2], MAGNET + [401, 2])]
    write(tmp_path / "w", sections)
    tissue, magnet = read_wafer(tmp_path / "w")
    np.testing.assert_allclose(tissue, [TISSUE, TISSUE + [400, 0]])
    assert len(magnet) == 2


def test_shapes_are_upright_and_a_third_of_the_size(tmp_path):
    write(tmp_path / "w", [(turned(TISSUE, 130, [7, 9]), turned(MAGNET, 130, [7, 9]))])
    [shape] = shapes(*read_wafer(tmp_path / "w"))
    middle = np.concatenate([TISSUE, MAGNET]).mean(0)
    np.testing.assert_allclose(shape.tissue, (TISSUE - middle) / 3, atol=1e-3)
    np.testing.assert_allclose(shape.magnet, (MAGNET - middle) / 3, atol=1e-3)


@pytest.mark.parametrize(
    "line", ["1,2\t3,4\t5,6", "1,2\t3,4\t5,6\tx,8", "0,0\t10,0\t10,10\t0,nan", "0,0\t0,10\t10,10\t10,0", "0,0\t10,0\t1,1\t0,10"]
)
def test_lines_that_are_no_clockwise_convex_outline_are_named(tmp_path, line):
    write(tmp_path / "w", [(TISSUE, MAGNET)])
    with (tmp_path / "w" / "source_sections_mag.txt").open("a") as file:
        file.write(line + "\n")
    with pytest.raises(ValueError, match="line 2: expected"):
        read_wafer(tmp_path / "w")


def test_no_outline_is_in_two_splits(tmp_path):
    outlines(tmp_path)
    sizes = [{round(float(np.ptp(s.tissue[:, 0])), 6) for s in sum(read_shapes(tmp_path, split), [])} for split in SPLITS]
    assert [len(s) for s in sizes] == [28, 6, 6]
    assert not sizes[0] & sizes[1] and not sizes[0] & sizes[2] and not sizes[1] & sizes[2]


def test_noise_is_the_same_in_every_region_and_of_unit_spread():
    whole = noise.smooth(5, -40, -30, 700, 600, 9.0)
    np.testing.assert_array_equal(noise.smooth(5, 100, 7, 50, 61, 9.0), whole[140:190, 37:98])
    assert abs(whole.std() - 1) < 0.1 and abs(whole.mean()) < 0.1
    white = noise.white(5, -300, 0, 600, 300)
    np.testing.assert_array_equal(noise.white(5, -10, 250, 30, 20), white[290:320, 250:270])
    assert abs(white.std() - 1) < 0.01
    # Neighbours know nothing of each other, across blocks too.
    assert abs((white[:-1] * white[1:]).mean()) < 0.01
    assert not np.array_equal(noise.white(6, 0, 0, 4, 4), noise.white(5, 0, 0, 4, 4))


def test_how_deep_outlines_reach_into_each_other():
    square = np.array([[0, 0], [10, 0], [10, 10], [0, 10.0]])
    # The last is turned by 45 degrees, a side across the corner at 10,10 and 1 within it.
    across = turned(square - 5, 45, [10 + 4 / np.sqrt(2), 10 + 4 / np.sqrt(2)])
    others = np.stack([square + [8, 0], square + [0, 13], square + [9, 9.5], across])
    np.testing.assert_allclose(penetration(square, others), [2, -3, 0.5, 1], atol=1e-9)


def habits(**other):
    given = {"crowding": 0.9, "gap_px": 4.0, "turn_degrees": 4.0, "shape": "all", "dummies": 0.7}
    return Habits(**(given | {"dummy_gap_px": 3.0, "dummy_height": 0.3, "patience": 30} | other))


def test_sections_lie_beside_each_other_and_within_the_wafer(tmp_path):
    one, _ = read_shapes(outlines(tmp_path), "train")
    placed = deal(np.random.default_rng(1), one, (300, 400), 1.0, habits())
    assert len(placed) > 20
    pile = [(n, outline) for n, section in enumerate(placed) for outline in section.outlines]
    for at, (n, outline) in enumerate(pile):
        others = [other for m, other in pile[:at] if m != n]
        assert not others or penetration(outline, np.stack(others)).max() < SLACK_PX
    bodies = np.concatenate([section.body for section in placed])
    assert bodies.min() >= 0 and bodies[:, 0].max() < 400 and bodies[:, 1].max() < 300
    [again] = deal(np.random.default_rng(1), one, (300, 400), 1.0, habits(), most=1)
    np.testing.assert_array_equal(again.tissue, placed[0].tissue)
    # Twice the scale, twice the section.
    [large] = deal(np.random.default_rng(2), one[:1], (900, 900), 2.0, habits(), most=1)
    wide = np.linalg.norm(large.tissue[3] - large.tissue[0])
    assert abs(wide - 2 * np.linalg.norm(one[0].tissue[3] - one[0].tissue[0])) < 8


def test_a_region_is_the_same_alone_as_in_the_whole(tmp_path):
    one, _ = read_shapes(outlines(tmp_path), "train")
    wafer = Wafer.make(one, (330, 420), 1.0, 4)
    whole = wafer.picture(0, 0, 330, 420)
    assert whole.shape == (2, 330, 420) and whole.dtype == np.uint8
    for top, left, height, width in ((0, 0, 40, 420), (100, 203, 90, 77), (251, 250, 79, 170)):
        part = wafer.picture(top, left, height, width).astype(int)
        assert np.abs(part - whole[:, top : top + height, left : left + width]).max() <= 1
    assert not np.array_equal(Wafer.make(one, (330, 420), 1.0, 5).picture(0, 0, 330, 420), whole)


def test_truth_lies_where_the_picture_shows_it(tmp_path):
    one, _ = read_shapes(outlines(tmp_path), "train")
    seeds = [s for s in range(40) if (look := Wafer.make(one, (9, 9), 1.0, s).look).glow and not look.inverted][:3]
    y, x = np.mgrid[:300, :300]
    for seed in seeds:
        wafer = Wafer.make(one, (300, 300), 1.5, seed)
        grey, glow = wafer.picture(0, 0, 300, 300).astype(float)
        assert wafer.sections
        near = np.min([np.minimum(outside_px(o, x, y), 99) for s in wafer.sections for o in s.outlines], 0)
        for section in wafer.sections:
            magnet, tissue = (outside_px(quad, x, y) < -2 for quad in (section.magnet, section.tissue))
            assert np.median(glow[magnet]) > np.median(glow[tissue]) + 20
            assert np.median(grey[tissue]) < np.median(grey[near > 6])
