"""Ctrl-C and `cancel` stop long work soon, with nothing left behind."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import brainmesh
import numpy as np
import pytest

#: The promise. Nothing here takes longer on an idle machine by far; a busy one gets a little more.
SOON_S = 0.5
SLACK_S = 1.0


def workers():
    """Threads of brainmesh's own that still run."""
    names = []
    for task in Path("/proc/self/task").iterdir():
        # One that ends between the two looks is gone.
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            names.append((task / "comm").read_text().strip())
    return [name for name in names if name.startswith("brainmesh")]


def gone():
    """Threads may end after their call has, on a busy machine seconds later."""
    end = time.monotonic() + 30
    while workers() and time.monotonic() < end:
        time.sleep(0.01)
    assert workers() == []
    return True


def work(made, out, **keywords):
    return brainmesh.rays2surface(made.pial, made.white, made.volume, out=out, **keywords)


@pytest.mark.parametrize("kind", ["event", "callable"])
def test_cancel_stops_work_and_leaves_nothing(made, tmp_path, kind):
    event, asked = threading.Event(), []

    def at_second_stage(stage, done, total):
        if stage == "classify rays":
            asked.append(time.monotonic())
            event.set()

    cancel = event if kind == "event" else event.is_set
    with pytest.raises(brainmesh.Cancelled, match="nothing was written"):
        work(made, tmp_path / "out", progress=at_second_stage, cancel=cancel)
    assert time.monotonic() - asked[0] < SOON_S + SLACK_S
    assert gone() and list(tmp_path.iterdir()) == []


def test_ctrl_c_stops_work_and_leaves_nothing(made, tmp_path):
    asked = []

    def interrupt(stage, done, total):
        if not asked:
            asked.append(time.monotonic())
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        work(made, tmp_path / "out", progress=interrupt)
    assert time.monotonic() - asked[0] < SOON_S + SLACK_S
    assert gone() and list(tmp_path.iterdir()) == []


def test_a_fault_in_progress_stops_work_and_is_the_one_that_is_raised(made, tmp_path):
    def fault(stage, done, total):
        raise ZeroDivisionError("of the caller")

    with pytest.raises(ZeroDivisionError, match="of the caller"):
        work(made, tmp_path / "out", progress=fault)
    assert gone() and list(tmp_path.iterdir()) == []


def test_cancel_that_is_set_stops_the_shortest_work():
    """Cause: it was first asked after 50 ms, when short work was over."""
    event = threading.Event()
    event.set()
    with pytest.raises(brainmesh.Cancelled):
        brainmesh.mesh(brainmesh.Volume(np.ones((2, 2, 2), "u1"), np.eye(4)), cancel=event)


def test_a_fault_in_the_last_call_of_progress_hides_no_result(made, tmp_path, monkeypatch):
    """Cause: files were written, and the call raised."""
    told = []
    monkeypatch.setattr(sys, "unraisablehook", lambda fault: told.append(fault.exc_type))

    def fault(stage, done, total):
        if (tmp_path / "out").exists():
            raise ZeroDivisionError("too late")

    assert len(work(made, tmp_path / "out", progress=fault).surfaces) == 7
    assert told in ([], [ZeroDivisionError])


RUN = "import sys, threading, time, brainmesh, numpy as np\n"


def test_a_process_may_fork_after_any_call():
    """Cause: contours ran in a pool of threads that stayed, which a forked process does not have: it waited for ever."""
    code = RUN + """
import os
corners = [[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]]
surface = brainmesh.Surface(corners, [[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]])
surface.contours([0, 0, 0.5], [0, 0, 1])
child = os.fork()
if child == 0:
    surface.contours([0, 0, 0.5], [0, 0, 1])
    os._exit(0)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
    assert subprocess.run([sys.executable, "-c", code], timeout=60).returncode == 0


@pytest.mark.parametrize("call", ["brainmesh.phantom()", "brainmesh.main(['phantom', '--out', sys.argv[1]])"])
def test_python_ends_while_a_daemon_thread_works(call, tmp_path):
    """Cause: at its end Python unwound the waiting thread through Rust's frames, and crashed."""
    code = f"{RUN}threading.Thread(target=lambda: {call}, daemon=True).start(); time.sleep(0.5)"
    done = subprocess.run([sys.executable, "-c", code, tmp_path / "out"], timeout=60, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert list(tmp_path.iterdir()) == []


def test_ctrl_c_on_the_command_line_leaves_nothing(tmp_path):
    """Cause: the process ended before the work had taken its hidden folder away."""
    command = [sys.executable, "-m", "brainmesh", "phantom", "--out", tmp_path / "out"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    end = time.monotonic() + 20
    while not list(tmp_path.iterdir()) and time.monotonic() < end:
        time.sleep(0.01)
    time.sleep(0.3)
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=20)
    assert process.returncode == 130 and "cancelled" in stderr
    assert list(tmp_path.iterdir()) == []


def test_progress_comes_on_the_callers_thread_and_reaches_the_end(made):
    seen = []
    work(made, None, progress=lambda *now: seen.append((threading.get_ident(), *now)))
    assert {thread for thread, *_ in seen} == {threading.get_ident()}
    assert all(0 <= done <= total for _, _, done, total in seen)
    assert seen[-1][1] == "checking surfaces" and seen[-1][2] == seen[-1][3]


def test_python_goes_on_while_work_runs(made):
    """The GIL is released: another thread counts on."""
    counted, stop = [0], threading.Event()

    def count():
        while not stop.is_set():
            counted[0] += 1
            time.sleep(0.001)

    thread = threading.Thread(target=count)
    thread.start()
    work(made, None)
    stop.set()
    thread.join()
    assert counted[0] > 50


def test_two_at_once(made, result):
    """Calls from several threads do not wait for each other and give the same."""
    results = [None, None]

    def run(n):
        results[n] = work(made, None)

    threads = [threading.Thread(target=run, args=(n,)) for n in range(2)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert all((r.surfaces[3].vertices == result.surfaces[3].vertices).all() for r in results)
