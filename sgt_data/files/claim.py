"""Whose work a folder is: a marker file says it, and other work is refused field by field."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from sgt_data.bounded_json import loads_bounded
from sgt_data.errors import (
    CorpusError,
    CorpusMismatch,
    FileMissing,
    RequestError,
)
from sgt_data.files.folder_entries import named, other_entries
from sgt_data.files.reading import read_bytes
from sgt_data.files.urls import is_local, join
from sgt_data.files.writing import write_atomic
from sgt_data.foreign_errors import in_words
from sgt_data.redaction import redacted
from sgt_data.value_text import cut

_LISTED = 12
"""So many differences are named; of more, their number."""

_ABSENT: Any = object()

_HEX = re.compile(r"\b[0-9a-f]{24,}\b")
_DIGEST = re.compile(r"(sha256:)?[0-9a-f]{24,}")


@dataclass(frozen=True, slots=True)
class Difference:
    """A field that has one value where a folder was claimed, and another one now.

    Attributes:
        path: of the field, with dots.
        claimed: its value there; absent where the field is new.
        wanted: its value now; absent where the field is gone.
    """

    path: str
    claimed: Any
    wanted: Any

    def __str__(self) -> str:
        if self._is_of_digests:
            return f"{self.path} is another there than here ({self._digests})"
        return f"{self.path} is {_shown(self.claimed)} there, {_shown(self.wanted)} here"

    @property
    def _is_of_digests(self) -> bool:
        """Whether both values are digests and no more: they say nothing to a person."""
        values = (self.claimed, self.wanted)
        return all(isinstance(value, str) and _DIGEST.fullmatch(value) for value in values)

    @property
    def _digests(self) -> str:
        claimed, wanted = (
            str(each).removeprefix("sha256:")[:8] for each in (self.claimed, self.wanted)
        )
        return f"SHA-256 {claimed}… there, {wanted}… here"

    @property
    def is_new(self) -> bool:
        """Whether the field is here alone."""
        return self.claimed is _ABSENT

    @property
    def is_gone(self) -> bool:
        """Whether the field is there alone."""
        return self.wanted is _ABSENT

    def of_corpus(self) -> str:
        """The difference in the words that suit a corpus."""
        if self.claimed is _ABSENT:
            return f"{self.path}: not in the corpus, now {_shown(self.wanted)}"
        if self._is_of_digests:
            return f"{self.path}: its content is another now ({self._digests})"
        now = "now gone" if self.wanted is _ABSENT else f"now {_shown(self.wanted)}"
        return f"{self.path}: in the corpus {_shown(self.claimed)}, {now}"


def differences(claimed: Mapping[str, Any], wanted: Mapping[str, Any]) -> list[Difference]:
    """Every field that differs, at any depth, by its path."""
    return _differences("", dict(claimed), dict(wanted))


def as_list(differing: Sequence[Difference]) -> str:
    """Differences from a corpus, a line each; of many the first."""
    more = [f"and {len(differing) - _LISTED} more"] if len(differing) > _LISTED else []
    lines = [*(difference.of_corpus() for difference in differing[:_LISTED]), *more]
    return "\n".join(f"  {line}" for line in lines)


@dataclass(frozen=True, slots=True)
class Claim:
    """What a folder is claimed for.

    Attributes:
        marker: name of the file in the folder that states the claim.
        identity: all that makes the work itself, as plain JSON.
        what: what such a folder holds, for messages ("an export", "questions").
        results: fields that the marker may state beside the identity, once the work is done; they
            are not compared.
        describe: puts a difference into words.
    """

    marker: str
    identity: Mapping[str, Any]
    what: str
    results: Collection[str] = ()
    describe: Callable[[Difference], str] = str


def claim(folder: str, wanted: Claim, *, remedy: str = "take another folder") -> bool:
    """Note whose work a folder is, or check that it is this work's already.

    Args:
        folder: URL.
        wanted: what the folder is claimed for.
        remedy: what a person can do where it is other work's.

    Returns:
        True where the folder is claimed now, False where it was claimed for the same work before.

    Raises:
        RequestError: it is a file.
        CorpusMismatch: it is other work's, or holds files of none; names every field that differs.
        CorpusError: the marker is damaged.
    """
    if is_local(folder) and os.path.isfile(folder):
        raise RequestError(f"{folder} is a file; {wanted.what} needs a folder")
    place = join(folder, wanted.marker)
    identity = orjson.dumps(redacted(wanted.identity), option=orjson.OPT_INDENT_2) + b"\n"
    data = _read_marker(folder, wanted, remedy)
    if data is None:
        write_atomic(place, identity)
        return True
    try:
        claimed = loads_bounded(data)
    except orjson.JSONDecodeError as why:
        raise CorpusError(f"{place} is not JSON: {in_words(why)}") from why
    if not isinstance(claimed, Mapping):
        raise CorpusError(f"{place} states no claim: found {type(claimed).__name__}")
    # compared as JSON, in which a tuple is a list and every key a string
    stated = {name: value for name, value in claimed.items() if name not in wanted.results}
    differing = differences(stated, orjson.loads(identity))
    if differing:
        listing = "; ".join(map(wanted.describe, differing[:_LISTED]))
        raise CorpusMismatch(f"{place}: {listing}; {remedy}")
    return False


def _read_marker(folder: str, wanted: Claim, remedy: str) -> bytes | None:
    """The content of the marker; None in a folder that nobody claimed and that holds nothing."""
    place = join(folder, wanted.marker)
    try:
        return read_bytes(place)
    except FileMissing:
        entries = other_entries(folder)
    if wanted.marker in entries:  # somebody claimed it just now
        return read_bytes(place)
    if entries:
        raise CorpusMismatch(
            f"{folder} holds {named(entries)}, something else than {wanted.what}; {remedy}"
        )
    return None


def _differences(path: str, claimed: Any, wanted: Any) -> list[Difference]:
    if isinstance(claimed, Mapping) and isinstance(wanted, Mapping):
        return [
            difference
            for name in sorted(claimed.keys() | wanted.keys())
            for difference in _differences(
                f"{path}.{name}" if path else name,
                claimed.get(name, _ABSENT),
                wanted.get(name, _ABSENT),
            )
        ]
    return [] if claimed == wanted else [Difference(path, claimed, wanted)]


def _shown(value: Any) -> str:
    """A value as part of a sentence; of a digest the begin, which is enough to compare."""
    if value is _ABSENT:
        return "absent"
    shown = redacted(value)
    return cut(_HEX.sub(_begin, shown) if isinstance(shown, str) else shown)


def _begin(digest: re.Match[str]) -> str:
    return f"{digest[0][:8]}…"
