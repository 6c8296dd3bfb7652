"""What a page says of a ledger of openings: every entry, and what the ledger cannot know."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from sgt_data.experiment.measure.opening_record import LedgerEntry
from sgt_data.value_text import counted

_CHANGES_NAMED = 6
"""So many changed fields are named; of more, their number."""


def ledger_notes(file: Path | None, entries: Sequence[LedgerEntry], corpus: str) -> list[str]:
    """The ledger in sentences.

    Args:
        file: the ledger; None where the corpus has none.
        entries: its entries.
        corpus: digest of the corpus as it is now.
    """
    if file is None:
        return [
            "Openings of the test split by experiments in other folders are not known: the corpus "
            "has no ledger of them."
        ]
    if not entries:
        return [f"No opening of the test split is recorded in {file.name}."]
    head = (
        f"{counted(len(entries), 'opening')} of the test split recorded in {file.name}; an "
        "experiment with another ledger, or on a copy of the corpus, is not in it:"
    )
    return [
        head,
        *(_entry(number, entry, corpus, file.parent) for number, entry in enumerate(entries, 1)),
    ]


def _entry(number: int, entry: LedgerEntry, corpus: str, beside: Path) -> str:
    split = ", ".join(f"{name} {value}" for name, value in entry.split.items())
    build = "" if entry.corpus == corpus else ", of another build of the corpus"
    return (
        f"{number}. {entry.date}: {entry.kind} in {_folder(entry, beside)}, "
        f"configuration {entry.digest}, {split}{build}{_changes(entry, number)}"
    )


def _folder(entry: LedgerEntry, beside: Path) -> str:
    """Folder of an opening, relative to the ledger where it lies beside it."""
    folder = Path(entry.folder)
    return str(folder.relative_to(beside) if folder.is_relative_to(beside) else folder)


def _changes(entry: LedgerEntry, number: int) -> str:
    if number == 1:
        return "; the first."
    if not entry.changed:
        return "; nothing changed since the one before."
    named = "; ".join(entry.changed[:_CHANGES_NAMED])
    more = len(entry.changed) - _CHANGES_NAMED
    return f"; changed since the one before: {named}{f'; and {more} more' if more > 0 else ''}."
