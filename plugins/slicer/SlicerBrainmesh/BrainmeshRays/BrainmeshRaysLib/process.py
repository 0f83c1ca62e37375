"""The program as a child process that never blocks its parent.

Its output goes to files, which are read as they grow: no thread is needed (Python threads starve while Slicer's event loop
holds the interpreter) and no pipe can fill up.
"""

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from .program import Program

T = TypeVar("T")


@dataclass(frozen=True)
class Progress:
    """A stage of the work and how much of it is done."""

    stage: str
    done: int = 0
    total: int = 0

    @property
    def percent(self) -> int:
        """0 to 100; 0 where the total is not known."""
        return 100 * self.done // self.total if self.total else 0


Task = Generator[Progress, None, T]


@dataclass(frozen=True)
class Finished:
    """What the program said."""

    code: int
    text: str
    """Standard output."""
    messages: tuple[str, ...]
    """Lines of standard error that are not progress: warnings, errors."""


class ProgramError(RuntimeError):
    """The program failed; the message is its own."""

    def __init__(self, message: str, code: int) -> None:
        super().__init__(message)
        self.code = code


# Exit codes of every brainmesh program: 1 is "done, but more defects than --max-defects".
DONE = (0, 1)


def run(program: Program, arguments: Sequence[str | os.PathLike], folder: Path) -> Task[Finished]:
    """Runs the program in `folder`, which is the caller's to remove. Closing the generator kills it and its children."""
    output_path, error_path = folder / ".stdout", folder / ".stderr"
    with open(output_path, "wb") as output, open(error_path, "wb") as errors:
        process = _start([str(program.path), *map(os.fspath, arguments)], program, folder, output, errors)
    messages: list[str] = []
    progress = Progress("starting")
    try:
        with open(error_path, "rb") as stream:
            rest = b""
            while True:
                # Asked before reading: what was written before the end is read after it.
                code = process.poll()
                *lines, rest = (rest + stream.read()).split(b"\n")
                for line in lines if code is None else [*lines, rest]:
                    progress = _parse(line.decode(errors="replace").rstrip(), messages) or progress
                    yield progress
                if code is not None:
                    break
                yield progress
    finally:
        if process.poll() is None:
            _kill(process)
    if code not in DONE:
        raise ProgramError(_failure(messages, code), code)
    return Finished(code, output_path.read_text(errors="replace"), tuple(messages))


def finish(task: Task[T], on_progress: Callable[[Progress], object] = lambda _: None) -> T:
    """Drives a task to its end and gives its result; `on_progress` may raise to stop it."""
    last = None
    try:
        while True:
            try:
                progress = next(task)
            except StopIteration as end:
                return end.value
            if progress is last:
                time.sleep(0.01)
            else:
                on_progress(progress)
            last = progress
    finally:
        task.close()


def _start(command: list[str], program: Program, folder: Path, output, errors) -> subprocess.Popen:
    platform = {"creationflags": subprocess.CREATE_NO_WINDOW} if os.name == "nt" else {"start_new_session": True}
    streams = {"stdin": subprocess.DEVNULL, "stdout": output, "stderr": errors}
    try:
        return subprocess.Popen(command, cwd=folder, env=program.environment, **streams, **platform)
    except OSError as error:
        raise ProgramError(f"{program.path}: cannot be started: {error}", error.errno or 0) from error


def _kill(process: subprocess.Popen) -> None:
    # A wheel's entry point is a launcher with the real program as its child, so all of them go.
    if os.name == "nt":
        subprocess.run(
            ["taskkill", "/T", "/F", "/PID", str(process.pid)], capture_output=True, creationflags=subprocess.CREATE_NO_WINDOW
        )
    else:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _parse(line: str, messages: list[str]) -> Progress | None:
    try:
        event = json.loads(line)
        return Progress(event["stage"], event["done"], event["total"])
    except (ValueError, KeyError, TypeError):
        if line:
            messages.append(line)
        return None


def _failure(messages: list[str], code: int) -> str:
    errors = [m.removeprefix("error: ") for m in messages if m.startswith("error: ")]
    return "\n".join(errors or messages) or f"brainmesh ended with exit code {code}"
