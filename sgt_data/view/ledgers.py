"""Rejected inputs: rows of quarantine ledgers by reason, with examples, read step by step."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import orjson

from sgt_data.corpus.reasons import without_own_words
from sgt_data.errors import SgtDataError
from sgt_data.foreign_errors import in_words
from sgt_data.value_text import counted
from sgt_data.view.gradual_work import GradualWork

LEDGERS_MAX = 4096
"""Of more ledgers, so many are read, evenly spread; the page says of how many."""
EXAMPLES_MAX = 120
"""Rows that are kept of each reason; all are counted."""
_GROUPS_MAX = 500
_BLOCK = 32
_FIELDS = ("key", "source", "slice", "member", "kind", "reason")


@dataclass(frozen=True, slots=True)
class Ledger:
    """The ledger of a shard.

    Attributes:
        folder: of the corpus: a proxy, or the shared inputs.
        shard: name of the shard.
    """

    folder: str
    shard: str


@dataclass(slots=True)
class ReasonGroup:
    """Rows of one reason.

    Attributes:
        kind: `damaged`, `filtered` or `note`.
        reason: without the numbers and names of one input.
        rows: how many, by folder.
        examples: the first rows, each with its `folder` and `shard`.
    """

    kind: str
    reason: str
    rows: dict[str, int] = field(default_factory=dict)
    examples: list[dict[str, str]] = field(default_factory=list)


class Ledgers:
    """The quarantine of a corpus, read only as far as somebody asks."""

    def __init__(
        self, ledgers: Sequence[Ledger], read: Callable[[Ledger], Sequence[bytes]]
    ) -> None:
        """
        Args:
            ledgers: all that may hold rows.
            read: the lines of a ledger.
        """
        step = -(-len(ledgers) // LEDGERS_MAX) or 1
        self._chosen = ledgers[::step]
        self._read = read
        self._lock = threading.Lock()
        self._groups: dict[tuple[str, str], ReasonGroup] = {}
        self.total, self.done = len(ledgers), 0
        self.problems: list[str] = []
        self.work = GradualWork(self._steps())

    @property
    def chosen(self) -> int:
        """Ledgers that are read in the end."""
        return len(self._chosen)

    def groups(self, folder: str = "") -> list[ReasonGroup]:
        """Reasons as far as they are read, the most frequent first: of one folder, or of all."""
        with self._lock:
            groups = list(self._groups.values())
        if folder:
            groups = [group for group in groups if folder in group.rows]
        return sorted(
            groups,
            key=lambda group: (
                -(group.rows[folder] if folder else sum(group.rows.values())),
                group.kind,
                group.reason,
            ),
        )

    def _steps(self) -> Iterator[int]:
        with ThreadPoolExecutor(16) as threads:
            for begin in range(0, len(self._chosen), _BLOCK):
                block = self._chosen[begin : begin + _BLOCK]
                for ledger, rows in zip(block, threads.map(self._rows, block), strict=True):
                    for row in rows:
                        self._count(ledger, row)
                    self.done += 1
                yield begin

    def _rows(self, ledger: Ledger) -> list[dict[str, str]]:
        try:
            rows: list[Any] = [orjson.loads(line) for line in self._read(ledger)]
        except (SgtDataError, orjson.JSONDecodeError) as why:
            self.problems.append(
                f"ledger of {ledger.folder}/{ledger.shard} is not shown: {in_words(why)}"
            )
            return []
        sound = [
            row
            for row in rows
            if isinstance(row, dict) and all(isinstance(row.get(name), str) for name in _FIELDS)
        ]
        if len(sound) < len(rows):
            self.problems.append(
                f"ledger of {ledger.folder}/{ledger.shard}: "
                f"{counted(len(rows) - len(sound), 'row')} of another form"
            )
        return [{name: row[name] for name in _FIELDS} for row in sound]

    def _count(self, ledger: Ledger, row: dict[str, str]) -> None:
        name = row["kind"], without_own_words(row["reason"])
        with self._lock:
            if name not in self._groups and len(self._groups) >= _GROUPS_MAX:
                name = row["kind"], "other reasons"
            group = self._groups.setdefault(name, ReasonGroup(*name))
            group.rows[ledger.folder] = group.rows.get(ledger.folder, 0) + 1
            if sum(example["folder"] == ledger.folder for example in group.examples) < EXAMPLES_MAX:
                group.examples.append({**row, "folder": ledger.folder, "shard": ledger.shard})
