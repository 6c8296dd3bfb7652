"""The ledger of a corpus: every opening of its test split, by any experiment in any folder.

It is a file of JSON lines beside the corpus, `CORPUS.test-openings.jsonl`, so that the corpus keeps
its bytes; lines are added and never changed. It knows what was written into it: an experiment with
another ledger, or on a copy of the corpus elsewhere, is not in it.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson
from pydantic import TypeAdapter, ValidationError

from sgt_data.errors import CorpusError, RequestError, StorageError
from sgt_data.experiment.measure.opening_record import LedgerEntry, Opening
from sgt_data.files.claim import differences
from sgt_data.files.urls import Location, is_local, plain
from sgt_data.foreign_errors import in_words
from sgt_data.value_text import cut

SUFFIX = ".test-openings.jsonl"

LINE_BYTES_MAX = 4 * 1024**2
"""A configuration has a few kB."""


def ledger_file(corpus: str, ledger: Location | None) -> Path:
    """The ledger of a corpus.

    Args:
        corpus: absolute URL of the corpus; of a subset, that of its corpus.
        ledger: file that the user named; None for the one beside the corpus.

    Raises:
        RequestError: no file is named, and the corpus lies where no line can be added to a file; or
            the folder of the file cannot be written.
    """
    if ledger is None and not is_local(corpus):
        raise RequestError(
            f"{corpus} lies in a store where no line can be added to a file, so it has no ledger "
            "of openings of its test split beside it; name a local one with --ledger FILE"
        )
    beside = default_ledger(corpus)
    file = Path(plain(ledger)).absolute() if ledger is not None else beside
    assert file is not None
    writable = file if file.exists() else file.parent
    if not os.access(writable, os.W_OK):
        raise RequestError(
            f"{writable} cannot be written, and every opening of the test split is recorded in "
            f"{file}; name another ledger with --ledger FILE"
        )
    return file


def default_ledger(corpus: str) -> Path | None:
    """The ledger beside a corpus; None for one in a store."""
    return Path(f"{corpus.rstrip('/')}{SUFFIX}") if is_local(corpus) else None


def record_opening(
    file: Path, entry_of: Mapping[str, Any], opening: Opening
) -> tuple[LedgerEntry, ...]:
    """Add an opening to a ledger, unless it is there, and return all entries.

    Args:
        file: the ledger.
        entry_of: `kind`, `folder`, `corpus`, `split` and `configuration` of the entry.
        opening: the folder's record of the opening.

    Raises:
        CorpusError: the ledger is damaged.
        StorageError: it cannot be written.
    """
    try:
        with file.open("ab+") as ledger:
            fcntl.flock(ledger, fcntl.LOCK_EX)
            entries = read_ledger(file)
            if not _is_recorded(entries, opening, str(entry_of["folder"])):
                changed = _changes(entries, entry_of["configuration"])
                entry = LedgerEntry(
                    digest=opening.digest, date=opening.date, changed=changed, **entry_of
                )
                ledger.write(orjson.dumps(entry) + b"\n")
                ledger.flush()
                os.fsync(ledger.fileno())
                entries = (*entries, entry)
    except OSError as why:
        raise StorageError(f"{file} cannot be written: {in_words(why)}") from why
    return entries


def read_ledger(file: Path) -> tuple[LedgerEntry, ...]:
    """The entries of a ledger, in order; none where there is no ledger.

    Raises:
        CorpusError: a line is damaged.
    """
    if not file.exists():
        return ()
    entries = []
    with file.open("rb") as lines:
        for number in range(1, 2**31):
            line = lines.readline(LINE_BYTES_MAX + 1)
            if not line:
                break
            entries.append(_parse(line, f"{file}, line {number}"))
    return tuple(entries)


def _changes(entries: tuple[LedgerEntry, ...], configuration: Mapping[str, Any]) -> tuple[str, ...]:
    """What differs from the last entry, field by field; nothing where there is none."""
    if not entries:
        return ()
    return tuple(
        f"{each.path}: {'absent' if each.is_new else cut(each.claimed, 60)} before, "
        f"{'absent' if each.is_gone else cut(each.wanted, 60)} now"
        for each in differences(entries[-1].configuration, configuration)
    )


def _is_recorded(entries: tuple[LedgerEntry, ...], opening: Opening, folder: str) -> bool:
    """Whether an opening that was interrupted, or read again, is in the ledger."""
    stated = (opening.digest, opening.date, folder)
    return any((entry.digest, entry.date, entry.folder) == stated for entry in entries)


def _parse(line: bytes, where: str) -> LedgerEntry:
    try:
        if len(line) > LINE_BYTES_MAX:
            raise ValueError(f"it is longer than {LINE_BYTES_MAX} bytes")
        return _ADAPTER.validate_python(orjson.loads(line))
    except (ValueError, ValidationError) as why:
        raise CorpusError(
            f"{where} is no entry of a ledger of openings ({cut(line, 60)}); without it nobody "
            f"knows how often the test split was read: {in_words(why)}"
        ) from why


_ADAPTER: TypeAdapter[LedgerEntry] = TypeAdapter(LedgerEntry)
