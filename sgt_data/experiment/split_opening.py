"""The test split opens once for each frozen configuration, and the folder records when.

`config.json` holds the configuration that was chosen on the validation split. Before anything is
measured, opening the test split writes down which configuration reads it, on which day and in which
runs; the digest of each run's result seals it. A sealed run is not measured again; its file is
read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from datetime import date as calendar_date
from hashlib import sha256
from typing import Any

import orjson
from pydantic import TypeAdapter, ValidationError

from sgt_data.errors import CorpusError, RequestError
from sgt_data.experiment.measure.opening_record import Opening
from sgt_data.files.reading import exists, read_bytes
from sgt_data.files.urls import join
from sgt_data.files.writing import write_atomic
from sgt_data.foreign_errors import in_words
from sgt_data.training.config import digest_of
from sgt_data.value_text import counted, cut

FROZEN_FILE, OPENINGS_FILE = "config.json", "test_opened.json"


def freeze(folder: str, document: Mapping[str, Any]) -> str:
    """Keep a configuration as the one whose test results count, and return its digest.

    Args:
        folder: fsspec URL of the experiment.
        document: the configuration.

    Raises:
        RequestError: the test split was opened in this folder for another configuration.
    """
    digest = digest_of(document)
    others = [opening for opening in read_openings(folder) if opening.digest != digest]
    if others:
        raise RequestError(
            f"{folder}: its test split was opened on {others[0].date} for configuration "
            f"{others[0].digest}; this one is {digest}. What was seen there must choose nothing "
            "here: take a new folder, and say so"
        )
    write_atomic(join(folder, FROZEN_FILE), _to_json(document))
    return digest


def open_test_split(
    folder: str, document: Mapping[str, Any], runs: Sequence[str], date: str
) -> Opening:
    """Write down that the frozen configuration reads the test split, and return the record.

    Args:
        folder: fsspec URL of the experiment.
        document: the configuration as it is now.
        runs: names of all runs that will be measured; none can be added later.
        date: today, YYYY-MM-DD.

    Returns:
        The opening. Its `missing` runs may be measured; each must be sealed.

    Raises:
        RequestError: no configuration is frozen, or another one is; or the test split was opened
            for this one with other runs, or all its results are sealed.
    """
    calendar_date.fromisoformat(date)
    digest = digest_of(document)
    _require_frozen(folder, digest)
    openings = read_openings(folder)
    earlier = next((opening for opening in openings if opening.digest == digest), None)
    if earlier is None:
        opening = Opening(digest, date, dict.fromkeys(runs))
    elif not earlier.missing:
        raise RequestError(
            f"{folder}: the test split was opened on {earlier.date} for this configuration "
            f"({digest}) and its {counted(len(earlier.runs), 'result')} are there; read them again"
        )
    elif list(earlier.runs) != list(runs):
        raise RequestError(
            f"{folder}: the test split was opened on {earlier.date} for "
            f"{counted(len(earlier.runs), 'run')}, "
            f"and {len(runs)} are asked for now; runs cannot be changed after that"
        )
    else:
        opening = replace(earlier, resumed=(*earlier.resumed, date))
    others = [other for other in openings if other.digest != digest]
    _write_openings(folder, [*others, opening])
    return opening


def seal(folder: str, digest: str, run: str, data: bytes) -> Opening:
    """Record that a run was measured on the test split, with the digest of its result file.

    Args:
        folder: fsspec URL of the experiment.
        digest: digest of the configuration.
        run: name of the run.
        data: bytes of its result file.

    Raises:
        RequestError: the split is not open for this configuration and run, or the run is sealed.
    """
    openings = read_openings(folder)
    opening = next((opening for opening in openings if opening.digest == digest), None)
    if opening is None or run not in opening.runs:
        raise RequestError(f"{folder}: the test split is not open for run {cut(run)} of {digest}")
    if opening.runs[run] is not None:
        raise RequestError(f"{folder}: run {cut(run)} has been measured on the test split before")
    sealed = replace(opening, runs={**opening.runs, run: sha256(data).hexdigest()})
    _write_openings(folder, [sealed if other is opening else other for other in openings])
    return sealed


def check_sealed(opening: Opening, run: str, data: bytes) -> None:
    """Check that the bytes of a run's result file are those that were sealed.

    Raises:
        CorpusError: they are not.
    """
    sealed = opening.runs.get(run)
    if sealed is None or sealed != sha256(data).hexdigest():
        raise CorpusError(f"the test result of run {cut(run)} is not the one that was sealed")


def read_openings(folder: str) -> list[Opening]:
    """Every configuration that has read the test split in a folder, in order.

    Raises:
        CorpusError: the record is damaged.
    """
    path = join(folder, OPENINGS_FILE)
    if not exists(path):
        return []
    try:
        return _ADAPTER.validate_python(orjson.loads(read_bytes(path)))
    except (orjson.JSONDecodeError, ValidationError) as why:
        raise CorpusError(
            f"{path} is not a record of openings; without it nobody knows how often the test "
            f"split was read: {in_words(why)}"
        ) from why


def _require_frozen(folder: str, digest: str) -> None:
    path = join(folder, FROZEN_FILE)
    if not exists(path):
        raise RequestError(
            f"{path} is missing: choose on the validation split and freeze first, then test"
        )
    try:
        frozen = digest_of(orjson.loads(read_bytes(path)))
    except orjson.JSONDecodeError as why:
        raise CorpusError(f"{path} is not a configuration: {in_words(why)}") from why
    if frozen != digest:
        raise RequestError(
            f"{path} holds configuration {frozen}, the one asked for is {digest}; the test split "
            "opens for the frozen one alone"
        )


def _write_openings(folder: str, openings: Sequence[Opening]) -> None:
    document = [asdict(opening) for opening in openings]
    write_atomic(join(folder, OPENINGS_FILE), _to_json(document))


def _to_json(document: Any) -> bytes:
    return orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


_ADAPTER: TypeAdapter[list[Opening]] = TypeAdapter(list[Opening])
