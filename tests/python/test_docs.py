"""The documents: links lead somewhere, words are spelt, commands of the tutorials run, workflows and CITATION are valid."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    ROOT / name
    for name in subprocess.run(["git", "ls-files", "*.md"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
)
# What is not part of the guide is linked to where it stands.
SOURCES = "https://github.com/brainmesh/brainmesh/blob/main/"
TUTORIALS = sorted((ROOT / "docs/tutorials").glob("*.md"))


def anchor(heading: str) -> str:
    """As GitHub makes it: lower case, marks left out, spaces to hyphens."""
    plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading.replace("`", ""))
    return re.sub(r"[^\w\- ]", "", plain.lower()).strip().replace(" ", "-")


def prose(page: Path) -> str:
    """Without code, in which brackets mean other things."""
    text = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.DOTALL | re.MULTILINE)
    return re.sub(r"`[^`\n]*`", "", text)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_to_files_and_headings(page):
    for link in re.findall(r"\]\(([^)\s]+)\)", prose(page)):
        outside = link.startswith(SOURCES)
        if not outside and re.match(r"[a-z]+:", link):
            continue
        name, _, heading = link.removeprefix(SOURCES).partition("#")
        target = ((ROOT if outside else page.parent) / name).resolve() if name else page
        assert target.exists(), f"{link}: no such file"
        if page.is_relative_to(ROOT / "docs") and not outside:
            assert target.is_relative_to(ROOT / "docs"), f"{link}: not part of the site; begin it with {SOURCES}"
        if heading:
            headings = [anchor(line.lstrip("# ")) for line in target.read_text().splitlines() if line.startswith("#")]
            assert heading in headings, f"{link}: no such heading"


def test_every_page_is_in_the_contents():
    listed = set(re.findall(r"\]\(([^)]+)\)", (ROOT / "docs/SUMMARY.md").read_text()))
    pages = {str(page.relative_to(ROOT / "docs")) for page in PAGES if page.is_relative_to(ROOT / "docs")}
    assert pages - {"SUMMARY.md"} == listed


def tool(name: str) -> str:
    return str(Path(sys.executable).with_name(name))


def test_words_are_spelt():
    found = subprocess.run([tool("typos"), "--format", "brief", *map(str, PAGES)], cwd=ROOT, capture_output=True, text=True)
    assert found.returncode == 0, found.stdout


def test_workflows_and_citation_are_valid():
    for schema, pattern in (("github-workflows", ".github/workflows/*.yml"), ("citation-file-format", "CITATION.cff")):
        files = [str(path) for path in ROOT.glob(pattern)]
        assert files
        command = [tool("check-jsonschema"), "--builtin-schema", f"vendor.{schema}", *files]
        found = subprocess.run(command, capture_output=True, text=True)
        assert found.returncode == 0, found.stdout + found.stderr
    found = subprocess.run([tool("zizmor"), "--offline", "--quiet", ".github"], cwd=ROOT, capture_output=True, text=True)
    assert found.returncode == 0, found.stdout


# Real data of the tutorials that may lie beside the project: the folder a reader makes, and where it is here.
DATA = ROOT.parent / "shared/data"
REAL = {"bigbrain": "bigbrain", "isbi2012": "em_isbi2012/unlabelled", "mni152": "tissue_t1/mni152", "sunnybrook": "lv_sunnybrook/dicom"}


def real_data(name: str, work: Path) -> bool:
    """Puts the data where the tutorial has them; False where they are absent."""
    source = DATA / REAL[name]
    if not source.is_dir():
        return False
    (work / name).mkdir(exist_ok=True)
    for path in source.iterdir():
        (work / name / path.name).symlink_to(path)
        if path.name.endswith("profiles18.npy"):
            np.savetxt(work / name / "profiles18.txt", np.load(path), fmt="%.6g")
    return True


def run_blocks(page: Path, programs: Path, folder: Path, pattern: str, prepare=lambda name: True) -> int:
    """Every block whose mark matches, line after line, in one folder that lies beside the clone; how many ran."""
    (folder / "bin").mkdir()
    (folder / "bin/brainmesh").symlink_to(programs / "brainmesh")
    (folder / "brainmesh").symlink_to(ROOT)
    search = f"{folder / 'bin'}{os.pathsep}{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    ran = 0
    for name, block in re.findall(rf"^```sh{pattern}\n(.*?)^```", page.read_text(), flags=re.DOTALL | re.MULTILINE):
        if name and not prepare(name):
            continue
        command = ["bash", "-euo", "pipefail", "-c", block]
        done = subprocess.run(command, cwd=folder / "work", env=os.environ | {"PATH": search}, capture_output=True, text=True)
        assert done.returncode == 0, f"{block}\n{done.stdout}\n{done.stderr}"
        ran += 1
    return ran


@pytest.mark.parametrize("page", TUTORIALS, ids=lambda page: page.stem)
def test_commands_of_the_tutorials_run(page, programs, tmp_path):
    """Blocks marked `sh`, on data that the program or made.py makes; `text` marks what needs the network."""
    (tmp_path / "work").mkdir()
    assert run_blocks(page, programs, tmp_path, "()"), "a tutorial without commands"


@pytest.mark.parametrize("page", [page for page in TUTORIALS if "```sh real:" in page.read_text()], ids=lambda page: page.stem)
def test_commands_on_real_data_run(page, programs, tmp_path):
    """Blocks marked `sh real:NAME`, where the data lie beside the project."""
    (tmp_path / "work").mkdir()
    if not run_blocks(page, programs, tmp_path, r" real:(\w+)", lambda name: real_data(name, tmp_path / "work")):
        pytest.skip("its real data are not beside the project")


def test_readme_commands_run(programs, tmp_path):
    """The README's own blocks marked `sh`, in an empty folder."""
    (tmp_path / "work").mkdir()
    run_blocks(ROOT / "README.md", programs, tmp_path, "()")


def test_cargo_run_knows_its_program():
    """The README's first command: one package of the workspace has programs, and says which one is meant."""
    command = ["cargo", "metadata", "--no-deps", "--format-version", "1", "--offline"]
    packages = json.loads(subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout)["packages"]
    runnable = [package for package in packages if any("bin" in target["kind"] for target in package["targets"])]
    assert [package["default_run"] for package in runnable] == ["brainmesh"]


def test_tables_are_those_of_the_result_files():
    """Tables between marks are made from docs/results/, and no other table has a measured figure."""
    found = subprocess.run([sys.executable, ROOT / "docs/tables.py", "--check"], capture_output=True, text=True)
    assert found.returncode == 0, found.stdout + found.stderr


def test_a_figure_without_a_source_is_found(tmp_path):
    """The check itself: a changed cell, a table without a file, a figure of the README that no file has."""
    shutil.copytree(ROOT / "docs", tmp_path / "docs", ignore=shutil.ignore_patterns("pictures"))
    readme = (ROOT / "README.md").read_text()
    accuracy = tmp_path / "docs/accuracy.md"

    def check() -> str:
        return subprocess.run([sys.executable, tmp_path / "docs/tables.py", "--check"], capture_output=True, text=True).stdout

    (tmp_path / "README.md").write_text(readme)
    assert check() == ""
    text = accuracy.read_text()
    accuracy.write_text(re.sub(r"^(\| 20 um \| \d+ \| )\.\d+", r"\1.999", text, flags=re.MULTILINE))
    assert "docs/accuracy.md: tables differ" in check()
    accuracy.write_text(text + "\n| a | b |\n|---|---|\n| new | 1.5 |\n")
    assert "docs/accuracy.md: a table with figures and no result file: | a | b |" in check()
    accuracy.write_text(text)
    (tmp_path / "README.md").write_text(readme + "\n\nIt is 77.7 times as good.\n")
    assert "README.md: no source of 77.7" in check()


def test_the_guide_is_built_without_a_warning(tmp_path):
    if not (mdbook := shutil.which("mdbook")):
        pytest.skip("mdbook is not installed: cargo install mdbook --version 0.5.4")
    done = subprocess.run([mdbook, "build", "--dest-dir", tmp_path], cwd=ROOT, capture_output=True, text=True)
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    assert not re.search(r"\b(WARN|ERROR)\b", said), said
    assert (tmp_path / "tutorials/layers.html").stat().st_size > 5_000
