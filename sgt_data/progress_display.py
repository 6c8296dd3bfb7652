"""Show progress to a person: a bar on a terminal, a line in a notebook, lines in a log.

The choice is made from where standard error leads. All three say the same words, and how many
seconds a phase has taken, also while nothing is reported.
"""

from __future__ import annotations

import html
import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from dataclasses import replace
from importlib import import_module
from typing import Any, Protocol, Self, TextIO

from sgt_data.errors import RequestError
from sgt_data.event_log import is_heard
from sgt_data.progress import OnProgress, Progress, ProgressTo, ignore
from sgt_data.progress_events import ProgressEvents
from sgt_data.progress_text import Pace, duration_text, progress_text
from sgt_data.value_text import cut

_SILENT_SECONDS = 1.0
_BETWEEN_LINES, _BETWEEN_UPDATES = 10.0, 0.5
_LONG_PHASE = 1.0
_STAYS = "note: "


@contextmanager
def shown(progress: ProgressTo, unit: str) -> Iterator[OnProgress]:
    """What long work reports to, for the length of a block.

    Args:
        progress: True shows the reports, False drops them; a function is called with them.
        unit: what is counted, in the plural: pictures, samples, shards, steps.

    Raises:
        RequestError: it is something else.
    """
    if callable(progress):
        yield _told(progress, unit)
    elif progress is True:
        with ProgressDisplay(unit) as display:
            yield _told(display, unit)
    elif progress is False:
        yield _told(ignore, unit)
    else:
        raise RequestError(f"progress: found {cut(progress)}; allowed: True, False or a function")


def _told(on_progress: OnProgress, unit: str) -> OnProgress:
    return ProgressEvents(on_progress, unit) if is_heard() else on_progress


class ProgressDisplay:
    """A display of progress where a person sees it. It is a context manager, and an `OnProgress`.

    A phase that took a second or more leaves a line that says how long it took. So does a note that
    begins with `note: `, which is for the reader of the results.
    """

    def __init__(self, unit: str, pace_seconds: float = 30.0, phase: str = "") -> None:
        """Prepare the display; it is shown from `__enter__` to `__exit__`.

        Args:
            unit: what is counted, in the plural.
            pace_seconds: time over which the rate is measured.
            phase: what is being done until the first report.
        """
        self._unit, self._pace_seconds = unit, pace_seconds
        self._pace, self._progress = Pace(pace_seconds), Progress(0, phase=phase)
        self._phase_began = time.monotonic()
        self._face: _Face = _face(self)

    def __enter__(self) -> Self:
        self._phase_began = time.monotonic()
        self._face.__enter__()
        return self

    def __exit__(self, *exception: Any) -> None:
        self._end_phase()
        self._progress = replace(self._progress, phase="")
        self._face.__exit__(*exception)

    def __call__(self, progress: Progress) -> None:
        now = time.monotonic()
        if progress.phase != self._progress.phase:
            self._end_phase()
            self._phase_began, self._pace = now, Pace(self._pace_seconds)
        self._pace.mark(progress.done, now)
        if progress.note.startswith(_STAYS):
            self._face.print_line(progress.note)
            progress = replace(progress, note="")
        self._progress = progress
        self._face.changed()

    @property
    def progress(self) -> Progress:
        """The last report."""
        return self._progress

    def text(self) -> str:
        """The present state in words; empty where nothing is known yet."""
        progress, now = self._progress, time.monotonic()
        words = progress_text(progress, self._unit, self._pace.per_second(now))
        phase = progress.phase
        if phase and now - self._phase_began >= _LONG_PHASE:
            phase += f", {duration_text(now - self._phase_began)}"
        return ": ".join(filter(None, (phase, words)))

    def _end_phase(self) -> None:
        seconds = time.monotonic() - self._phase_began
        if self._progress.phase and seconds >= _LONG_PHASE:
            self._face.print_line(f"{self._progress.phase}: {duration_text(seconds)}")


class _Face(AbstractContextManager[Any], Protocol):
    """How a display looks in one place."""

    def changed(self) -> None:
        """There is a new report."""

    def print_line(self, line: str) -> None:
        """Print a line that stays."""


def _face(display: ProgressDisplay) -> _Face:
    if _in_notebook():
        return _NotebookLine(display)
    if sys.stderr.isatty():
        return _TerminalBar(display)
    return _LogLines(display)


def _in_notebook() -> bool:
    """Whether this process is the kernel of a notebook."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    return type(shell).__name__ == "ZMQInteractiveShell"


@contextmanager
def _own_stderr() -> Iterator[TextIO]:
    """Standard error by a descriptor of our own: that of the process is silent while Ray starts."""
    try:
        descriptor = os.dup(sys.stderr.fileno())
    except OSError:  # what stands for it has no descriptor, or it is closed
        yield sys.stderr
        return
    with (
        suppress(OSError),  # of the last flush: the command itself says so
        open(descriptor, "w", encoding=sys.stderr.encoding, errors="replace") as stream,
    ):
        yield stream


class _TerminalBar:
    """A bar of `rich`, which draws itself again several times a second."""

    def __init__(self, display: ProgressDisplay) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn
        from rich.table import Column
        from rich.text import Text

        class Words(TextColumn):
            def render(self, task: Any) -> Text:
                return Text(display.text())

        self._display, self._opened = display, ExitStack()
        self._bar = Progress(
            SpinnerColumn(),
            BarColumn(bar_width=20),
            Words("", table_column=Column(no_wrap=True, overflow="ellipsis", ratio=1)),
            console=Console(file=self._opened.enter_context(_own_stderr()), highlight=False),
            transient=True,
            expand=True,
        )
        self._task = self._bar.add_task("", total=None)

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._bar.stop()
        self._opened.close()

    def changed(self) -> None:
        progress = self._display.progress
        total = None if progress.total is None else max(progress.done, progress.total)
        self._bar.update(self._task, completed=progress.done, total=total)

    def print_line(self, line: str) -> None:
        self._bar.console.print(line, markup=False)


class _Repeating:
    """A thread that does something every few seconds, until the end of a block."""

    def __init__(self, seconds: float) -> None:
        self._seconds, self._ended = seconds, threading.Event()
        self._thread = threading.Thread(target=self._repeat, name="progress", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._ended.set()
        self._thread.join()

    def _repeat(self) -> None:
        wait = _SILENT_SECONDS
        while not self._ended.wait(wait):
            self.show()
            wait = self._seconds

    def show(self) -> None:
        """Show the present state."""


class _LogLines(_Repeating):
    """A line every ten seconds, the first after one; work that is done by then leaves none."""

    def __init__(self, display: ProgressDisplay) -> None:
        super().__init__(_BETWEEN_LINES)
        self._display, self._opened = display, ExitStack()
        self._stream = self._opened.enter_context(_own_stderr())

    def __exit__(self, *exception: object) -> None:
        super().__exit__(*exception)
        self._opened.close()

    def show(self) -> None:
        if text := self._display.text():
            self.print_line(text)

    def changed(self) -> None:
        pass

    def print_line(self, line: str) -> None:
        with suppress(OSError, ValueError):  # a closed stream: the command itself says so
            print(line, file=self._stream, flush=True)


class _NotebookLine(_Repeating):
    """A line below the cell that is replaced; phases that are over stay above it."""

    def __init__(self, display: ProgressDisplay) -> None:
        super().__init__(_BETWEEN_UPDATES)
        self._display, self._lines = display, list[str]()

    def __enter__(self) -> Self:
        notebook = import_module("IPython.display")  # which every kernel of a notebook has
        self._html = notebook.HTML
        self._handle = notebook.display(notebook.HTML(""), display_id=True)
        return super().__enter__()

    def __exit__(self, *exception: object) -> None:
        super().__exit__(*exception)
        self.show()

    def changed(self) -> None:
        pass

    def print_line(self, line: str) -> None:
        self._lines.append(line)

    def show(self) -> None:
        progress = self._display.progress
        share = ""
        if progress.total:
            share = f'<progress max="{progress.total}" value="{progress.done}"></progress> '
        lines = "".join(f"<div>{html.escape(line)}</div>" for line in self._lines)
        text = html.escape(self._display.text())
        self._handle.update(self._html(f"{lines}<div>{share}{text}</div>"))
