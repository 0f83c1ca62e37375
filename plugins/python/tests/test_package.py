"""What the package holds: docstrings whose examples run, types that are those of the module, nothing heavy on import."""

import doctest
import importlib
import subprocess
import sys
from pathlib import Path

import brainmesh
import pytest

PUBLIC = [name for name in brainmesh.__all__ if not name.startswith("_")]


def documented():
    for module in (brainmesh, brainmesh.evaluate, brainmesh.models, importlib.import_module("brainmesh.view")):
        yield module.__name__, module.__doc__
    for name in PUBLIC:
        value = getattr(brainmesh, name)
        if callable(value):
            yield name, value.__doc__
            members = vars(value).items() if isinstance(value, type) else ()
            yield from ((f"{name}.{m}", v.__doc__) for m, v in members if not m.startswith("_"))


@pytest.mark.parametrize(("name", "text"), [pytest.param(n, t, id=n) for n, t in documented()])
def test_everything_public_is_documented_and_examples_run(name, text):
    if name in ("LAYER_COLORS", "LAYER_NAMES"):
        return
    assert text and len(text) > 10, name
    test = doctest.DocTestParser().get_doctest(text, {}, name, None, None)
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
    assert runner.run(test).failed == 0


def test_import_loads_nothing_heavy():
    code = "import sys, brainmesh; print(*sorted(sys.modules))"
    loaded = set(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split())
    heavy = {"napari", "qtpy", "nibabel", "matplotlib", "pyvista", "trimesh", "onnxruntime", "torch", "dask", "scipy"}
    assert not loaded & heavy


def test_numpy_is_all_it_needs():
    from importlib.metadata import requires

    needed = [line for line in requires("brainmesh") if "extra ==" not in line]
    assert [line.split(">")[0] for line in needed] == ["numpy"]
    # No plugin may choose a binding of Qt for the user.
    assert not [line for line in requires("brainmesh") if any(qt in line.lower() for qt in ("pyqt", "pyside"))]


def test_types_are_those_of_the_module():
    """mypy compares the type stubs with the module itself; `stubs.py` makes them anew."""
    pytest.importorskip("mypy")
    command = [sys.executable, "-m", "mypy.stubtest", "brainmesh._brainmesh", "--ignore-disjoint-bases"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    for file in ("py.typed", "_brainmesh.pyi"):
        assert (Path(brainmesh.__file__).parent / file).exists()
