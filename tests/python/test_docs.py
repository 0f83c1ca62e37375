"""The documents: links lead somewhere, words are spelt, commands of the tutorials run, workflows and CITATION are valid."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    ROOT / name
    for name in subprocess.run(["git", "ls-files", "*.md"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
)
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
        if re.match(r"[a-z]+:", link):
            continue
        name, _, heading = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        assert target.exists(), f"{link}: no such file"
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


@pytest.mark.parametrize("page", TUTORIALS, ids=lambda page: page.stem)
def test_commands_of_the_tutorials_run(page, programs, tmp_path):
    """Every block marked `sh`, line after line, in one empty folder; `text` marks what needs files that are not ours to give."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/brainmesh").symlink_to(programs / "brainmesh")
    work = tmp_path / "work"
    work.mkdir()
    search = f"{tmp_path / 'bin'}{os.pathsep}{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    blocks = re.findall(r"^```sh\n(.*?)^```", page.read_text(), flags=re.DOTALL | re.MULTILINE)
    assert blocks, "a tutorial without commands"
    for block in blocks:
        command = ["bash", "-euo", "pipefail", "-c", block]
        done = subprocess.run(command, cwd=work, env=os.environ | {"PATH": search}, capture_output=True, text=True)
        assert done.returncode == 0, f"{block}\n{done.stdout}\n{done.stderr}"
