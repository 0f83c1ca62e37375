"""Scores of results against a known truth, as `brainmesh evaluate` gives them."""

from ._brainmesh import evaluate_layers as layers

__all__ = ["layers"]
