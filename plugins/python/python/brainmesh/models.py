"""Models: those that ship with brainmesh, and your own.

>>> import brainmesh
>>> "cortical-layers" in [model["name"] for model in brainmesh.models.list()]
True
"""

from ._brainmesh import add_model as add
from ._brainmesh import list_models as list
from ._brainmesh import remove_model as remove
from ._brainmesh import show_model as show
from ._brainmesh import verify_models as verify

__all__ = ["add", "list", "remove", "show", "verify"]
