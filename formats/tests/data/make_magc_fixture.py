"""Makes `magc/wafer.magc` as Python's configparser writes it, with the numbers MagFinder would put there."""

import configparser
import math
from pathlib import Path

SECTIONS = {1: [(10.5, 20.5), (10.5, 8.25), (40.0, 8.0), (42.125, 21.75)], 12: [(100.0, 60.0), (70.0, 90.0), (50.0, 70.0), (80.0, 40.0)]}


def flat(points):
    return ",".join(str(round(value, 6)) for point in points for value in point)


def stored_angle(points):
    """Against the clock from x, as ImageJ's getFloatAngle of the first two corners; then as MagFinder stores it."""
    (x1, y1), (x2, y2) = points[:2]
    return ((math.degrees(math.atan2(y1 - y2, x2 - x1)) - 90) % 360) - 180


def box_area(points):
    """Of ij.process.FloatPolygon.getBounds."""
    sides = []
    for values in zip(*points):
        low = math.floor(min(values))
        sides.append(int(max(values) - low + 0.5))
    return float(sides[0] * sides[1])


def outline(config, name, points):
    config[name] = {
        "polygon": flat(points),
        "center": flat([[sum(v) / len(points) for v in zip(*points)]]),
        "area": str(box_area(points)),
        "angle": str(round(stored_angle(points), 6)),
    }


config = configparser.ConfigParser()
config["sections"] = {"number": "2"}
for number, points in SECTIONS.items():
    outline(config, f"section.{number:04}", points)
config["section.0012"]["compression"] = "0.97"
config["end_sections"] = {}
config["focus"] = {"number": "1"}
config["focus.0001"] = {"polygon": flat([(12.0, 9.0), (39.0, 9.0)])}
config["end_focus"] = {}
config["magnets"] = {"number": "2"}
config["magnet.0001"] = {"location": "25.0,30.5"}
config["magnet.0012"] = {"location": "95.25,85.0", "template": "3"}
config["end_magnets"] = {}
config["landmarks"] = {"number": "1"}
config["landmark.0000"] = {"location": "1.5,2.5"}
config["end_landmarks"] = {}
config["rois"] = {"number": "1"}
outline(config, "roi.0012.00", [(71.0, 71.0), (75.0, 75.0), (71.0, 75.0)])
config["serial_order"] = {"serial_order": "12,1"}
config["stage_order"] = {"stage_order": "1,12"}
config["microscope"] = {"beam": "3.0", "note": "two\nlines"}
with open(Path(__file__).parent / "magc" / "wafer.magc", "w") as file:
    config.write(file)
