"""A task driven by a timer of Qt, on the thread that owns the scene."""

import time
import traceback

import qt

# Small enough to keep the views alive, large enough to drain the program's progress as fast as it comes.
_INTERVAL_MS = 20
_BUDGET_S = 0.015


class Driver:
    """Runs a task to its end while the application stays awake; one of `on_done` and `on_error` is called, unless stopped."""

    def __init__(self, task, on_progress, on_done, on_error):
        self._task, self._last = task, None
        self._is_over = self._is_stepping = False
        self._on_progress, self._on_done, self._on_error = on_progress, on_done, on_error
        self._timer = qt.QTimer()
        self._timer.setInterval(_INTERVAL_MS)
        self._timer.connect("timeout()", self.step)
        self._timer.start()

    def step(self):
        """Takes steps until the task waits for its program or the time of a step is up."""
        # The application may handle events inside of a step, this timer's and a click on Cancel among them.
        if self._is_over or self._is_stepping:
            return
        report = None
        self._is_stepping = True
        try:
            self._advance()
        except StopIteration as end:
            report, value = self._on_done, end.value
        except Exception as error:
            traceback.print_exc()
            report, value = self._on_error, str(error) or type(error).__name__
        self._is_stepping = False
        if self._is_over:
            # Stopped from inside of the step.
            self._task.close()
        elif report is not None:
            self.stop()
            report(value)

    def stop(self):
        """Ends the task, its program, and all files of it. Does nothing where it has ended."""
        self._timer.stop()
        self._is_over = True
        if not self._is_stepping:
            self._task.close()

    def _advance(self):
        begin = time.monotonic()
        while not self._is_over and time.monotonic() - begin < _BUDGET_S:
            progress = next(self._task)
            if self._is_over or progress is self._last:
                return
            self._last = progress
            self._on_progress(progress)
