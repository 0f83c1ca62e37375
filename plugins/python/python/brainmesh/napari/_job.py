"""One blocking call of brainmesh off the window's thread: progress while it runs, stopped within half a second."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Generator
from typing import Any

from napari.qt.threading import thread_worker
from qtpy.QtCore import QObject, Qt, Signal

#: Seconds after which the worker looks whether it should stop.
HEARTBEAT_S = 0.05
#: A call that takes progress=(stage, done, total) and cancel=Event.
Call = Callable[..., Any]


def stages(call: Call, cancel: threading.Event) -> Generator[tuple[str, int, int] | None, None, dict[str, Any]]:
    """Runs a call in a thread of its own; yields the latest progress (or None, as a sign of life) and returns its "result" or its
    "error" (raised here, a RuntimeError such as ModelError would be taken for a fault of Qt's and never be told).

    However the generator ends, the call has ended too.
    """
    events: queue.SimpleQueue[tuple[str, int, int]] = queue.SimpleQueue()
    outcome: dict[str, Any] = {}

    def work() -> None:
        try:
            outcome["result"] = call(progress=lambda *stage: events.put(stage), cancel=cancel)
        except BaseException as error:  # noqa: BLE001  # told by the job
            outcome["error"] = error

    thread = threading.Thread(target=work, name="brainmesh", daemon=True)
    thread.start()
    try:
        while thread.is_alive():
            latest = None
            try:
                latest = events.get(timeout=HEARTBEAT_S)
                while True:
                    latest = events.get_nowait()
            except queue.Empty:
                yield latest
    finally:
        # Also where the generator is closed from outside.
        if thread.is_alive():
            cancel.set()
        thread.join()
    return outcome


class Job(QObject):
    """A call under way. Exactly one of `returned`, `failed` and `cancelled` is emitted, in the window's thread."""

    progressed = Signal(str, object, object)
    returned = Signal(object)
    failed = Signal(object)
    cancelled = Signal()

    def __init__(self, call: Call) -> None:
        super().__init__()
        self.cancel_flag = threading.Event()
        self.worker = thread_worker(stages, start_thread=False, ignore_errors=True)(call, self.cancel_flag)
        self.worker.yielded.connect(self._progress)
        self.worker.returned.connect(self._end)
        # napari quits workers when its window closes, where no event is delivered any more: the flag is set at once.
        self.worker.aborted.connect(self.cancel_flag.set, Qt.ConnectionType.DirectConnection)
        self.worker.aborted.connect(self.cancelled)

    def start(self) -> None:
        """Begins, once somebody listens."""
        self.worker.start()

    def cancel(self) -> None:
        """Asks the call to stop."""
        self.cancel_flag.set()

    def _progress(self, stage: tuple[str, int, int] | None) -> None:
        if stage is not None:
            self.progressed.emit(*stage)

    def _end(self, outcome: dict[str, Any]) -> None:
        from brainmesh import Cancelled

        if "result" in outcome:
            self.returned.emit(outcome["result"])
        elif isinstance(outcome["error"], Cancelled):
            self.cancelled.emit()
        else:
            self.failed.emit(outcome["error"])

