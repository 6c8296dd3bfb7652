"""The test split opens once for each frozen configuration, and the folder says when.

`config.json` holds the configuration that was chosen on the validation split. Opening the test
split writes down, before anything is measured, which configuration reads it, on which day and in
which runs; what each run found is sealed by its digest. A run that is sealed is not measured again:
its file is read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from datetime import date as calendar_date
from hashlib import sha256
from typing import Any

import orjson
from pydantic import TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass as checked

from sgt_data.errors import CorpusError, RequestError
from sgt_data.experiment.measure.intervals import RECORD
from sgt_data.files.reading import exists, read_bytes
from sgt_data.files.urls import join
from sgt_data.files.writing import write_atomic
from sgt_data.training.config import digest_of

FROZEN, OPENED = "config.json", "test_opened.json"


@checked(frozen=True, slots=True, config=RECORD)
class Opening:
    """One configuration's reading of the test split.

    Attributes:
        digest: of the configuration.
        date: of the first reading, YYYY-MM-DD.
        runs: SHA-256 of each run's result file; None until it is sealed.
        resumed: dates on which an opening that was cut short went on.
    """

    digest: str
    date: str
    runs: Mapping[str, str | None]
    resumed: tuple[str, ...] = ()

    @property
    def missing(self) -> list[str]:
        """Runs that are still to be measured."""
        return [run for run, sealed in self.runs.items() if sealed is None]


def freeze(folder: str, document: Mapping[str, Any]) -> str:
    """Keep a configuration as the one whose test results count; its digest.

    Raises:
        RequestError: the test split has been read in this folder for another configuration.
    """
    digest = digest_of(document)
    others = [one for one in openings(folder) if one.digest != digest]
    if others:
        raise RequestError(
            f"{folder}: its test split was opened on {others[0].date} for configuration "
            f"{others[0].digest}; this one is {digest}. What was seen there must choose nothing "
            "here: take a new folder, and say so"
        )
    write_atomic(join(folder, FROZEN), _document(document))
    return digest


def open_test(folder: str, document: Mapping[str, Any], runs: Sequence[str], date: str) -> Opening:
    """Open the test split for the frozen configuration, and write that down first.

    Args:
        folder: fsspec URL of the experiment.
        document: the configuration as it is now.
        runs: names of all runs that will be measured; none can be added later.
        date: of today, YYYY-MM-DD.

    Returns:
        The opening; measure its `missing` runs alone, and seal each.

    Raises:
        RequestError: no configuration is frozen, or another one; or the test split has been opened
            for it, and all its results are there.
    """
    calendar_date.fromisoformat(date)
    digest = digest_of(document)
    _require_frozen(folder, digest)
    earlier = openings(folder)
    known = next((one for one in earlier if one.digest == digest), None)
    if known is None:
        opening = Opening(digest, date, dict.fromkeys(runs))
    elif not known.missing:
        raise RequestError(
            f"{folder}: the test split was opened on {known.date} for this configuration "
            f"({digest}) and its {len(known.runs)} results are there; read them again"
        )
    elif list(known.runs) != list(runs):
        raise RequestError(
            f"{folder}: the test split was opened on {known.date} for {len(known.runs)} runs, and "
            f"{len(runs)} are asked for now; runs cannot be changed after that"
        )
    else:
        opening = replace(known, resumed=(*known.resumed, date))
    _write(folder, [*(one for one in earlier if one.digest != digest), opening])
    return opening


def seal(folder: str, digest: str, run: str, data: bytes) -> Opening:
    """Note that a run was measured on the test split, and what its file holds.

    Raises:
        RequestError: the split is not open for this configuration and run, or it is sealed.
    """
    known = openings(folder)
    mine = next((one for one in known if one.digest == digest), None)
    if mine is None or run not in mine.runs:
        raise RequestError(f"{folder}: the test split is not open for run {run!r:.80} of {digest}")
    if mine.runs[run] is not None:
        raise RequestError(f"{folder}: run {run!r:.80} has been measured on the test split before")
    opening = replace(mine, runs={**mine.runs, run: sha256(data).hexdigest()})
    _write(folder, [opening if one.digest == digest else one for one in known])
    return opening


def check_sealed(opening: Opening, run: str, data: bytes) -> None:
    """
    Raises:
        CorpusError: a run's result file is not what was sealed.
    """
    sealed = opening.runs.get(run)
    if sealed is None or sealed != sha256(data).hexdigest():
        raise CorpusError(f"the test result of run {run!r:.80} is not the one that was sealed")


def openings(folder: str) -> list[Opening]:
    """Every configuration that has read the test split in this folder, in order.

    Raises:
        CorpusError: the record is damaged.
    """
    where = join(folder, OPENED)
    if not exists(where):
        return []
    try:
        return _ADAPTER.validate_python(orjson.loads(read_bytes(where)))
    except (orjson.JSONDecodeError, ValidationError) as why:
        raise CorpusError(
            f"{where} is not a record of openings; without it nobody knows how often the test "
            f"split was read: {str(why).splitlines()[0]}"
        ) from why


def _require_frozen(folder: str, digest: str) -> None:
    where = join(folder, FROZEN)
    if not exists(where):
        raise RequestError(
            f"{where} is missing: choose on the validation split and freeze first, then test"
        )
    try:
        frozen = digest_of(orjson.loads(read_bytes(where)))
    except orjson.JSONDecodeError as why:
        raise CorpusError(f"{where} is not a configuration: {why}") from why
    if frozen != digest:
        raise RequestError(
            f"{where} holds configuration {frozen}, the one asked for is {digest}; the test split "
            "opens for the frozen one alone"
        )


def _write(folder: str, found: Sequence[Opening]) -> None:
    write_atomic(join(folder, OPENED), _document([asdict(one) for one in found]))


def _document(document: Any) -> bytes:
    return orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


_ADAPTER: TypeAdapter[list[Opening]] = TypeAdapter(list[Opening])
