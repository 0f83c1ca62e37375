"""`python -m brainmesh_training COMMAND`: see `--help`."""

import sys

from .cli import main

sys.exit(main())
