"""What came of long work: one shape for builds, copies, exports, questions, runs and pushes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sized
from dataclasses import dataclass, field, fields

from sgt_data.notebook_html import heading, table
from sgt_data.redaction import shown_text
from sgt_data.value_text import counted


@dataclass(frozen=True, slots=True)
class Failure:
    """A part of the work that failed; what was done before is kept.

    Attributes:
        part: its name: `source/slice`, `proxy/shard`, or that of a run.
        message: why it failed.
        may_pass: whether the same may succeed a moment later, as after a store's outage.
    """

    part: str
    message: str
    may_pass: bool = field(default=False, kw_only=True)

    def __post_init__(self) -> None:
        object.__setattr__(self, "message", shown_text(self.message))

    def __str__(self) -> str:
        return f"{self.part}: {self.message}"


@dataclass(slots=True, kw_only=True, repr=False)
class Result:
    """What came of long work; each verb adds its own counts.

    Attributes:
        complete: everything that was asked for is done; else the same call goes on.
        failures: parts that failed.
        notes: remarks for the person who asked.
    """

    complete: bool = False
    failures: list[Failure] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.notes = [shown_text(note) for note in self.notes]

    @property
    def succeeded(self) -> bool:
        """Whether the work is complete and no part of it failed."""
        return self.complete and not self.failures

    def __repr__(self) -> str:
        stated = ", ".join(f"{name}: {_short(value)}" for name, value in self._stated())
        return f"<{type(self).__name__} {self._state}{f'; {stated}' if stated else ''}>"

    def _repr_html_(self) -> str:
        """What came of the work, as a notebook shows it; totals are a table of their own."""
        rows = [(name, _short(value)) for name, value in self._stated()]
        problems = [("failure", str(failure)) for failure in self.failures]
        problems += [("note", note) for note in self.notes]
        totals = getattr(self, "totals", {})
        return (
            heading(type(self).__name__, self._state)
            + table(("field", "value"), [*rows, *problems])
            + _totals_table(totals)
        )

    @property
    def _state(self) -> str:
        if self.failures:
            return f"not complete, {counted(len(self.failures), 'failure')}"
        return "complete" if self.complete else "not complete"

    def _stated(self) -> Iterator[tuple[str, object]]:
        """What the verb's own fields state; those that are empty are left out."""
        for stated in fields(self):
            value = getattr(self, stated.name)
            is_empty = value is None or (isinstance(value, Sized) and not len(value))
            if stated.name not in _OWN_FIELDS and not is_empty:
                yield stated.name, value


_OWN_FIELDS = frozenset({"complete", "failures", "notes", "totals"})
_SHORT = 60  # characters


def _short(value: object) -> str:
    """A value in few characters; of a mapping or list, how many items it has."""
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    if isinstance(value, Mapping | list | tuple):
        return f"{len(value)} {'item' if len(value) == 1 else 'items'}"
    text = shown_text(str(value))
    return text if len(text) <= _SHORT else f"{text[:_SHORT]}…"


def _totals_table(totals: object) -> str:
    """Totals by folder, as a table; nothing where they are counts of one kind."""
    if not isinstance(totals, Mapping) or not totals:
        return ""
    by_folder = {name: value for name, value in totals.items() if isinstance(value, Mapping)}
    if not by_folder:
        return table(("count", "of"), [(number, name) for name, number in totals.items()])
    names = list(dict.fromkeys(name for counts in by_folder.values() for name in counts))
    rows = [(name, *(counts.get(key, 0) for key in names)) for name, counts in by_folder.items()]
    return table(("folder", *names), rows)
