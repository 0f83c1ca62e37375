"""Where the program is looked for, and the package as the build system of Slicer sees it."""

import json
import re
import sys

import pytest
from BrainmeshRaysLib import MissingProgram, Program, ProgramError, find_program, finish
from BrainmeshRaysLib.process import run
from conftest import MODULE, PLUGIN


def put(folder, name="brainmesh"):
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text("#!/bin/sh\necho made up\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def places(tmp_path, monkeypatch):
    """The program at every place it may be; tests take them away from the first on."""
    monkeypatch.setattr("sysconfig.get_path", lambda name: str(tmp_path / "scripts"))
    return {name: put(tmp_path / name) for name in ("setting", "module/bin", "scripts", "path")}


def test_the_order_of_places(places, tmp_path):
    outside = {"PATH": str(tmp_path / "path"), "MARK": "as started"}
    for name, path in places.items():
        setting = str(places["setting"]) if name == "setting" else ""
        found = find_program(setting, tmp_path / "module", outside)
        # Slicer's own Python needs Slicer's own environment; programs from outside need theirs.
        assert found == Program(path, None if name == "scripts" else outside)
        path.unlink()
    with pytest.raises(MissingProgram, match="scripts"):
        find_program("", tmp_path / "module", outside)


def test_a_setting_that_names_no_program_is_not_passed_over(places, tmp_path):
    with pytest.raises(MissingProgram, match="elsewhere"):
        find_program(str(tmp_path / "elsewhere"), tmp_path / "module")
    places["setting"].chmod(0o644)
    with pytest.raises(MissingProgram, match="setting"):
        find_program(str(places["setting"]), tmp_path / "module")


def test_a_program_that_cannot_start_is_named(tmp_path):
    path = tmp_path / "brainmesh"
    path.write_bytes(b"\x7fELF rubbish")
    path.chmod(0o755)
    with pytest.raises(ProgramError, match="brainmesh: cannot be started"):
        finish(run(Program(path), [], tmp_path))


def script(tmp_path, text):
    path = tmp_path / "brainmesh"
    path.write_text(f"#!{sys.executable}\nimport sys, time\n{text}\n")
    path.chmod(0o755)
    return Program(path)


def test_progress_warnings_and_output_are_told_apart(tmp_path):
    program = script(
        tmp_path,
        """
print("the summary")
err = sys.stderr
err.write('{"stage":"a","done":1,"total":4}\\n warning: odd\\n{"stage":"b"')
err.flush(); time.sleep(.1)
err.write(',"done":2,"total":4}\\n{"unrelated":1}\\nlast without a newline')
""",
    )
    seen = []
    done = finish(run(program, [], tmp_path), seen.append)
    assert [(p.stage, p.percent) for p in seen if p.total] == [("a", 25), ("b", 50)]
    assert done.text == "the summary\n"
    assert done.messages == (" warning: odd", '{"unrelated":1}', "last without a newline")


@pytest.mark.parametrize("code, words, expected", [(3, "error: file: bad", "file: bad"), (4, "panic", "panic"), (139, "", "exit code 139")])
def test_a_failure_says_why(tmp_path, code, words, expected):
    program = script(tmp_path, f"sys.stderr.write({words!r}); sys.exit({code})")
    with pytest.raises(ProgramError, match=f"^.*{expected}$") as caught:
        finish(run(program, [], tmp_path))
    assert caught.value.code == code


def test_children_of_the_program_go_with_it(tmp_path):
    """A launcher with the real program as its child, as Slicer's Python is."""
    import os
    import time

    program = script(
        tmp_path,
        """
import subprocess
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
sys.stderr.write('{"stage":"%d","done":0,"total":1}\\n' % child.pid); sys.stderr.flush()
child.wait()
""",
    )
    task = run(program, [], tmp_path)
    while not (stage := next(task).stage).isdigit():
        time.sleep(0.01)
    task.close()
    for _ in range(50):
        # Gone, or a zombie that nobody has waited for yet.
        try:
            if open(f"/proc/{stage}/stat").read().rsplit(")", 1)[1].split()[0] == "Z":
                break
        except OSError:
            break
        time.sleep(0.01)
    else:
        os.kill(int(stage), 9)
        raise AssertionError("the child lives on")


def test_every_file_is_in_the_package():
    listed = re.findall(r"^  (\S+\.\w+)$", (MODULE / "CMakeLists.txt").read_text().replace("${MODULE_NAME}", "BrainmeshRays"), re.M)
    there = [p.relative_to(MODULE).as_posix() for p in MODULE.rglob("*") if p.is_file() and "__pycache__" not in p.parts]
    assert sorted(listed) == sorted(p for p in there if p != "CMakeLists.txt")


def test_the_catalog_entry_has_what_slicers_index_asks_for():
    """Required fields, types and no others: slicer-extension-catalog-entry-schema v1.0.2."""
    folder = PLUGIN / "SlicerBrainmesh"
    entry = json.loads((folder / "Brainmesh.json").read_text())
    assert {"$schema", "category", "scm_url"} <= set(entry)
    assert set(entry) <= {
        "$schema", "category", "scm_url", "scm_revision", "scm_type", "build_dependencies", "dicom_support_rule",
        "build_subdirectory", "enabled", "tier",
    }  # fmt: skip
    assert 1 <= entry["tier"] <= 5 and isinstance(entry["build_dependencies"], list)
    # The index wants the name of the entry, of the project and of the repository to go together, and a license at the top.
    assert "project(Brainmesh)" in (folder / "CMakeLists.txt").read_text()
    assert entry["scm_url"].endswith("/SlicerBrainmesh.git")
    assert (folder / "LICENSE.txt").is_file() and (folder / "Brainmesh.png").is_file()
