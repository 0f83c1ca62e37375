"""What the three panels share: a form, Run, Cancel, progress and a message."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from napari.utils.notifications import show_error, show_info
from qtpy.QtCore import QEvent, Qt
from qtpy.QtWidgets import QFormLayout, QHBoxLayout, QLabel, QProgressBar, QPushButton, QVBoxLayout, QWidget

from ._job import Call, Job


class Panel(QWidget):
    """A panel that runs one call at a time. It cancels the call when it is taken out of the window."""

    title = ""

    def __init__(self, viewer: Any) -> None:
        super().__init__()
        # Plugins get a proxy, whose layers are proxies made anew each time; `_detail` needs more than it gives.
        self.viewer = viewer = getattr(viewer, "__wrapped__", viewer)
        self.job: Job | None = None
        self.done: Callable[[Any], None] | None = None
        self.form = QFormLayout()
        self.form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        self.run_button = QPushButton("Run")
        self.run_button.clicked.connect(self.try_run)
        self.cancel_button = QPushButton("Cancel")
        self.cancel_button.setEnabled(False)
        self.cancel_button.clicked.connect(self.cancel)
        self.bar = QProgressBar()
        self.bar.setTextVisible(True)
        self.bar.hide()
        self.message = QLabel()
        self.message.setWordWrap(True)
        self.message.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        buttons = QHBoxLayout()
        buttons.addWidget(self.run_button)
        buttons.addWidget(self.cancel_button)
        self.column = QVBoxLayout(self)
        self.column.addLayout(self.form)
        self.column.addLayout(buttons)
        self.column.addWidget(self.bar)
        self.column.addWidget(self.message)

    def try_run(self) -> None:
        """Run was pressed."""
        if self.job is not None:
            return
        try:
            call, done = self.prepare()
        except (ValueError, OSError, RuntimeError) as error:
            self.failed(error)
            return
        self.start(call, done)

    def prepare(self) -> tuple[Call, Callable[[Any], None]]:
        """The call that the form asks for, and what is done with its result; ValueError says what is missing."""
        raise NotImplementedError

    def start(self, call: Call, done: Callable[[Any], None]) -> None:
        """Runs a call."""
        self.done = done
        self.job = Job(call)
        self.job.progressed.connect(self.progressed)
        self.job.returned.connect(self.returned)
        self.job.failed.connect(self.failed)
        self.job.cancelled.connect(self.cancelled)
        self.destroyed.connect(self.job.cancel_flag.set)
        self.busy(True)
        self.message.setText("Starting ...")
        self.job.start()

    def cancel(self) -> None:
        """Asks the call under way to stop."""
        if self.job is not None:
            self.cancel_button.setEnabled(False)
            self.message.setText("Stopping ...")
            self.job.cancel()

    def busy(self, busy: bool) -> None:
        """Which buttons can be pressed."""
        if not busy:
            self.job = None
        self.run_button.setEnabled(not busy)
        self.cancel_button.setEnabled(busy)
        self.bar.setVisible(busy)
        self.bar.setRange(0, 0)

    def progressed(self, stage: str, done: int, total: int) -> None:
        """A stage has come this far. Totals may be beyond Qt's 32 bits."""
        self.bar.setRange(0, 1000 if total else 0)
        self.bar.setValue(1000 * done // total if total else 0)
        if self.cancel_button.isEnabled():
            self.message.setText(stage)

    def returned(self, result: Any) -> None:
        """The call has a result."""
        self.busy(False)
        self.message.setText("")
        if self.done is not None:
            self.done(result)

    def failed(self, error: BaseException) -> None:
        """The call, or getting ready for it, failed."""
        import brainmesh

        self.busy(False)
        self.message.setText(str(error))
        if isinstance(error, ValueError | OSError | brainmesh.ModelError):
            show_error(str(error))
        else:  # a fault of ours: napari shows where it came from
            raise error

    def cancelled(self) -> None:
        """The call stopped."""
        self.busy(False)
        self.message.setText("Cancelled; nothing was changed.")
        show_info(f"{self.title}: cancelled")

    def event(self, event: Any) -> bool:
        """napari takes the parent away when a dock is closed."""
        if event.type() == QEvent.Type.ParentChange and self.parent() is None and self.job is not None:
            self.job.cancel()
        return super().event(event)
