"""Why inputs were lost: the rows of quarantine ledgers, grouped by reason."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields, replace
from typing import Any

import orjson

from sgt_data.bounded_json import loads_bounded
from sgt_data.corpus.opened_corpus import Corpus
from sgt_data.corpus.paths import quarantine_path
from sgt_data.errors import CorpusError
from sgt_data.files.reading import read_bytes
from sgt_data.files.urls import below
from sgt_data.foreign_errors import in_words
from sgt_data.records import QuarantineRow

_THREADS = 16
_FIELDS = tuple(field.name for field in fields(QuarantineRow))
_LEDGERS_MAX = 4096
"""Of more ledgers, so many are read, evenly spread: counts are then those of a part."""

_OWN_WORDS = re.compile(
    r"'[^']*'|\"[^\"]*\"|\[[^\]]*\]"  # values
    r"|\S*[/\\]\S*|[^\s:]+\.(?:jpe?g|png|webp|json|tar|zip)\b"  # names of files
    r"|(?<![A-WYZa-wyz\d])-?\d+(?:,\d{3})*(?:\.\d+)?"
    # numbers, also those of 64x48 and 1,000, but not of train2017
)


@dataclass(frozen=True, slots=True)
class Reason:
    """Why inputs did not become samples.

    Attributes:
        kind: `damaged` or `filtered`.
        reason: without the numbers and names of one input.
        rows: of ledgers, over all folders.
        folders: of the corpus whose ledgers have it.
        example: member of an input that it holds for.
        example_reason: the reason as its ledger has it.
        share_read: share of the ledgers that were read.
    """

    kind: str
    reason: str
    rows: int
    folders: tuple[str, ...]
    example: str
    example_reason: str
    share_read: float = 1.0

    def __str__(self) -> str:
        part = "" if self.share_read == 1 else f" in {self.share_read:.0%} of the ledgers"
        return (
            f"{self.rows:,} {self.kind}{part} ({', '.join(self.folders)}): {self.reason}; "
            f"such as {self.example}: {self.example_reason}"
        )


def without_own_words(reason: str) -> str:
    """A reason without what it says of one input alone: numbers, names and values become `…`."""
    return _OWN_WORDS.sub("…", reason)


def frequent_reasons(rows: Iterable[tuple[str, dict[str, Any]]], most: int = 3) -> list[Reason]:
    """The most frequent reasons.

    Args:
        rows: folder of the corpus and row of its ledger.
        most: so many are returned.
    """
    groups: dict[tuple[str, str], list[tuple[str, dict[str, Any]]]] = {}
    for folder, row in rows:
        group = row["kind"], without_own_words(row["reason"])
        groups.setdefault(group, []).append((folder, row))
    largest = sorted(groups.items(), key=lambda group: (-len(group[1]), group[0]))[:most]
    return [
        Reason(
            kind,
            reason,
            len(members),
            tuple(dict.fromkeys(folder for folder, _ in members)),
            members[0][1]["member"],
            members[0][1]["reason"],
        )
        for (kind, reason), members in largest
    ]


def reasons_in(root: str, ledgers: Sequence[tuple[str, str]]) -> list[Reason]:
    """The most frequent reasons in ledgers of a corpus.

    Args:
        root: of the corpus.
        ledgers: folder of the corpus and path of the ledger below `root`.

    Raises:
        CorpusError: a ledger is none.
        SourceError: it cannot be read just now.
    """
    step = -(-len(ledgers) // _LEDGERS_MAX) or 1
    chosen = ledgers[::step]
    with ThreadPoolExecutor(_THREADS) as threads:
        ledgers_rows = threads.map(lambda ledger: _rows_at(below(root, ledger[1])), chosen)
        reasons = frequent_reasons(
            (folder, row)
            for (folder, _), rows in zip(chosen, ledgers_rows, strict=True)
            for row in rows
        )
    share = len(chosen) / len(ledgers) if ledgers else 1.0
    return [replace(reason, share_read=share) for reason in reasons]


def reasons_of_corpus(corpus: Corpus) -> list[Reason]:
    """The most frequent reasons in the ledgers of a corpus; none of a subset, which has none.

    Raises:
        CorpusError: a ledger is none.
        SourceError: it cannot be read just now.
    """
    if corpus.selection is not None:
        return []
    lossy = [
        folder
        for folder in corpus.folders
        if (totals := corpus.header.totals.get(folder)) and totals["damaged"] + totals["filtered"]
    ]
    ledgers = [
        (folder, quarantine_path(folder, shard))
        for folder in lossy
        for shard in corpus.shards(folder)
    ]
    return reasons_in(corpus.url, ledgers)


def rows_of_ledger(ledger: bytes, place: str) -> list[dict[str, Any]]:
    """The rows of a quarantine ledger, each with the fields of `QuarantineRow`.

    Args:
        ledger: its bytes.
        place: where it lies, for the error.

    Raises:
        CorpusError: it is no ledger.
    """
    try:
        rows = [loads_bounded(line) for line in ledger.splitlines()]
    except orjson.JSONDecodeError as why:
        raise CorpusError(f"{place} is no quarantine ledger: {in_words(why)}") from why
    for number, row in enumerate(rows, 1):
        missing = [name for name in _FIELDS if not _is_text(row, name)]
        if missing:
            raise CorpusError(
                f"{place} is no quarantine ledger: line {number} has no text in the field "
                f"{missing[0]}"
            )
    return rows


def rows_in_ledger(root: str, folder: str, shard: str) -> list[dict[str, Any]]:
    """The rows of a shard's ledger: inputs that became no sample, and notes on samples.

    Args:
        root: URL of the corpus.
        folder: a proxy, or the shared inputs.
        shard: whose ledger.

    Raises:
        CorpusError: it is no ledger.
        SourceError: it cannot be read just now.
    """
    return _rows_at(below(root, quarantine_path(folder, shard)))


def lost_inputs(root: str, folder: str, shard: str) -> list[dict[str, Any]]:
    """The rows of a ledger that name inputs which became no sample; notes are left out.

    Args, errors: as of `rows_in_ledger`.
    """
    rows = rows_in_ledger(root, folder, shard)
    return [row for row in rows if row["kind"] in ("damaged", "filtered")]


def has_nameless_damage(root: str, folder: str, shard: str) -> bool:
    """Whether a ledger names damage by which inputs without a key were lost.

    Args, errors: as of `rows_in_ledger`.
    """
    rows = rows_in_ledger(root, folder, shard)
    return any(not row["key"] and row["kind"] == "damaged" for row in rows)


def _rows_at(place: str) -> list[dict[str, Any]]:
    return rows_of_ledger(read_bytes(place), place)


def _is_text(row: Any, name: str) -> bool:
    return isinstance(row, dict) and isinstance(row.get(name), str)
