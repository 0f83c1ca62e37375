"""What the module does, apart from Qt and from the application: what is named here runs on a bare MRML scene. `driver`,
`install`, `file_reader` and `sample` need Qt or the application; only the module takes them.

Long work is a generator: each step takes milliseconds and yields a `Progress`; closing the generator stops the work and
removes what it had begun. A timer drives it in the application, `finish` everywhere else.
"""

from .appearance import COLOR_CHOICES, color_by
from .choices import Choices
from .layers import LayerNodes, find_layers
from .process import ProgramError, Progress, finish
from .program import MissingProgram, Program, find_program
from .reader import NAME_FILTERS, recognise
from .tasks import list_models, load_file, make_layers, make_sample

__all__ = [
    "COLOR_CHOICES",
    "Choices",
    "LayerNodes",
    "MissingProgram",
    "NAME_FILTERS",
    "Program",
    "ProgramError",
    "Progress",
    "color_by",
    "find_layers",
    "find_program",
    "finish",
    "list_models",
    "load_file",
    "make_layers",
    "make_sample",
    "recognise",
]
