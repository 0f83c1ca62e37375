"""The tutorial runs from beginning to end."""

from pathlib import Path

import pytest

TUTORIAL = Path(__file__).resolve().parents[3] / "docs" / "tutorial.ipynb"


def test_the_tutorial_runs():
    nbformat, nbclient = pytest.importorskip("nbformat"), pytest.importorskip("nbclient")
    notebook = nbformat.read(TUTORIAL, as_version=4)
    nbclient.NotebookClient(notebook, timeout=300, kernel_name="python3").execute()
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    pictures = [output for output in outputs if "image/png" in output.get("data", {})]
    assert len(pictures) == 2
    text = "".join(output.get("text", "") for output in outputs)
    errors_um = [int(line.split()[2]) for line in text.splitlines() if line.startswith("boundary")]
    assert len(errors_um) == 7 and max(errors_um) < 100
