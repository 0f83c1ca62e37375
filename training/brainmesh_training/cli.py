"""The command line: each module that has subcommands adds its own."""

import argparse
import logging

import torch

from . import deepbet, extended, image_run, image_ship, phantoms, picture_cases, program, quantise, ribbon, section, ship
from . import ship_ribbon, tissue_volume
from .sections import adapt as sections_adapt
from .sections import mask_rcnn_run
from .sections import run as sections_run
from .sections import ship as sections_ship


def main() -> int:
    """Runs one subcommand."""
    parser = argparse.ArgumentParser(prog="python -m brainmesh_training", description=__doc__)
    parser.add_argument("--threads", type=int, default=0, help="threads of the processor; 0 leaves it to torch")
    subparsers = parser.add_subparsers(required=True, metavar="COMMAND")
    layers = (phantoms, extended, ship, ribbon, ship_ribbon, program, deepbet, quantise, section)
    images = (image_run, image_ship, picture_cases, tissue_volume, sections_run, sections_ship, mask_rcnn_run, sections_adapt)
    for module in layers + images:
        module.add_parser(subparsers)
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    if options.threads:
        torch.set_num_threads(options.threads)
    options.run(options)
    return 0
