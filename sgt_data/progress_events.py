"""Reports of progress as events: each new phase, and every ten seconds how far the work is."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

from sgt_data.event_log import tell
from sgt_data.progress import OnProgress, Progress
from sgt_data.progress_text import progress_text

_BETWEEN = 10.0


@dataclass(slots=True)
class ProgressEvents:
    """Passes reports on, and tells some of them as events.

    Attributes:
        on_progress: what every report is passed on to.
        unit: what is counted, in the plural.
    """

    on_progress: OnProgress
    unit: str
    _phase: str = ""
    _told: float = field(default_factory=time.monotonic)

    def __call__(self, progress: Progress) -> None:
        """Take a report."""
        self.on_progress(progress)
        now = time.monotonic()
        if progress.phase != self._phase:
            self._phase, self._told = progress.phase, now
            tell("phase", progress.phase, **self._counts(progress))
        elif now - self._told >= _BETWEEN:
            self._told = now
            words = progress_text(progress, self.unit, None)
            tell("progress", words, phase=progress.phase or None, **self._counts(progress))

    def _counts(self, progress: Progress) -> dict[str, Any]:
        return {
            "unit": self.unit,
            "done": progress.done,
            "total": progress.total,
            "kept": progress.kept or None,
            "shards": progress.shards or None,
            "bytes": progress.nbytes or None,
        }
