"""`brainmesh` and `python -m brainmesh`: the same program as the Rust binary."""

from __future__ import annotations

import sys

from ._brainmesh import command_line


def main(argv: list[str] | None = None) -> int:
    words = sys.argv[1:] if argv is None else argv
    if isinstance(words, str):
        raise TypeError("argv: expected a list of words, found one text")
    return command_line(["brainmesh", *words])


if __name__ == "__main__":
    sys.exit(main())
