"""How the program speaks: no colours where none are wanted, and help for words nearly typed right."""

import os
import pty
import re
import subprocess

import pytest

COLOUR = re.compile(rb"\x1b\[[0-9;]*m")
# Help, an error of usage, and a message of the program's own (a picture whose spacing is not known).
WORDS = {"help": ["--help"], "usage": ["sgment"], "message": ["convert", "picture.png", "out.nii.gz", "--force"]}


def picture(folder):
    from PIL import Image

    Image.new("L", (8, 8), 7).save(folder / "picture.png")


def on_terminal(program, words, folder, environment):
    """What a terminal would be sent."""
    leader, follower = pty.openpty()
    process = subprocess.Popen([program, *words], cwd=folder, stdin=follower, stdout=follower, stderr=follower, env=environment)
    os.close(follower)
    said = b""
    while True:
        try:
            part = os.read(leader, 65536)
        except OSError:  # the other end is closed
            break
        if not part:
            break
        said += part
    process.wait()
    os.close(leader)
    return said


def environment(**more):
    kept = {name: value for name, value in os.environ.items() if name not in {"NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "TERM"}}
    return kept | {"TERM": "xterm-256color"} | more


@pytest.mark.parametrize("words", WORDS.values(), ids=WORDS)
def test_colours_only_where_they_are_wanted(programs, tmp_path, words):
    picture(tmp_path)
    program = programs / "brainmesh"
    plain = on_terminal(program, words, tmp_path, environment(NO_COLOR="1"))
    assert plain and not COLOUR.search(plain)
    piped = subprocess.run([program, *words], cwd=tmp_path, env=environment(), capture_output=True)
    assert b"\x1b" not in piped.stdout + piped.stderr
    # Without this the two above would hold of a program that knows no colours.
    assert COLOUR.search(on_terminal(program, words, tmp_path, environment()))


def said(programs, *words):
    done = subprocess.run([programs / "brainmesh", *words], capture_output=True, text=True)
    assert done.returncode != 0
    return done.stderr


@pytest.mark.parametrize("words, meant", [(["sgment"], "segment"), (["evaluate", "tisue"], "tissue"), (["info", "--jsn", "x"], "--json")])
def test_commands_and_options_nearly_typed_right(programs, words, meant):
    assert re.search(rf"similar \w+ exists: '{meant}'", said(programs, *words))


def test_models_nearly_typed_right(programs):
    assert "(did you mean `tissue`?)" in said(programs, "models", "show", "tisue")
    assert "(did you mean `cortical-layers-fast`?)" in said(programs, "models", "show", "cortical-layer-fast")
    assert "did you mean" not in said(programs, "models", "show", "something-else")
