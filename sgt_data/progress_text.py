"""The words of a progress display: pure functions of reports and times."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from sgt_data.progress import Progress
from sgt_data.value_text import counted


@dataclass(slots=True)
class Pace:
    """How fast units get done, over the last seconds.

    Attributes:
        window_seconds: how far back it looks.
    """

    window_seconds: float
    _marks: deque[tuple[float, int]] = field(default_factory=deque)

    def mark(self, done: int, now: float) -> None:
        """Note how many units are done at a time in seconds."""
        self._marks.append((now, done))
        while len(self._marks) > 2 and now - self._marks[1][0] >= self.window_seconds:
            self._marks.popleft()

    def per_second(self, now: float) -> float | None:
        """Units per second; None where that is not known yet."""
        if not self._marks:
            return None
        (began, before), (_, done) = self._marks[0], self._marks[-1]
        return (done - before) / (now - began) if now > began and done > before else None


def progress_text(progress: Progress, unit: str, rate: float | None) -> str:
    """What is done, of how much, how fast, and the time left.

    Args:
        progress: the last report.
        unit: what is counted, in the plural.
        rate: units per second, where it is known.
    """
    parts = []
    if progress.total is not None or progress.done:
        about = "" if progress.exact else "about "
        # an estimated total may be less than what is done by now
        total = max(progress.done, progress.total or 0)
        of_total = "" if progress.total is None else f" of {about}{total:,}"
        last = progress.done if progress.total is None else total
        amount = f"{progress.done:,}{of_total} {unit.removesuffix('s') if last == 1 else unit}"
        kept = f" ({progress.kept:,} from earlier runs)" if progress.kept else ""
        parts.append(amount + kept)
        if rate and 0 < progress.done < total:
            parts.append(f"{rate:,.1f}/s")
            parts.append(f"{duration_text((total - progress.done) / rate)} left")
    if progress.shards:
        parts.append(counted(progress.shards, "shard"))
    if progress.nbytes:
        parts.append(size_text(progress.nbytes))
    if progress.slowest:
        parts.append(f"most time: {progress.slowest}")
    if progress.note:
        parts.append(progress.note)
    return ", ".join(parts)


def duration_text(seconds: float) -> str:
    """A time span: `12 s`, `3 min 5 s`, `2 h 10 min`."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def size_text(nbytes: float) -> str:
    """A number of bytes in the unit that suits it (powers of 1000)."""
    for unit in ("B", "kB", "MB", "GB"):
        if nbytes < 1000:
            return f"{nbytes:.0f} {unit}" if unit == "B" else f"{nbytes:.1f} {unit}"
        nbytes /= 1000
    return f"{nbytes:,.1f} TB"
