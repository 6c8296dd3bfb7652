"""Instruction data beside the proxies: LLaVA's JSONL, one conversation with at most one picture a
line (`{"id": ..., "image": "path.jpg", "conversations": [{"from": "human", "value": ...}, ...]}`).

Lines are found once by their byte offsets and parsed when they are read. A local file is read in
place; one that lies elsewhere is fetched whole.
"""

from __future__ import annotations

import posixpath
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from sgt_data.errors import (
    CorpusError,
    FileMissing,
    RequestError,
    SourceError,
)
from sgt_data.files.reading import read_bytes, read_range
from sgt_data.files.urls import absolute, is_local, join

SHARD_LINES = 1024
"""Lines that are shuffled together as one shard of a corpus is."""

_SCAN_BYTES = 64 << 20


@dataclass(frozen=True, slots=True)
class Conversation:
    """One line of instruction data.

    Attributes:
        component: of the mixture.
        key: its `id`, or its line number.
        source: URL of the file.
        turns: `conversations` as they stand, a list of `{"from": ..., "value": ...}`.
        image: the picture's bytes as stored, or None.
        fields: the whole line.
    """

    component: str
    key: str
    source: str
    turns: tuple[dict[str, Any], ...]
    image: bytes | None
    fields: dict[str, Any]


def parse_turns(fields: Any, where: str) -> tuple[dict[str, Any], ...]:
    """The turns of a conversation in LLaVA's form.

    Raises:
        CorpusError: it is none.
    """
    try:
        turns = tuple(fields["conversations"])
        if not turns or not all(isinstance(one["value"], str) for one in turns):
            raise TypeError("conversations")
    except (KeyError, TypeError) as why:
        raise CorpusError(f"{where}: no conversation in LLaVA's form: {why!r}") from why
    return turns


class ConversationFile:
    """A JSONL file, its pictures below `images` (the file's own folder by default)."""

    def __init__(self, url: str, images: str | None = None) -> None:
        """
        Raises:
            RequestError: the file is not there, or is empty.
        """
        self.url = absolute(url)
        self._images = absolute(images) if images else posixpath.dirname(self.url)
        self._data: bytes | None = None
        try:
            if not is_local(self.url):
                self._data = read_bytes(self.url)
            self._starts = self._find_lines()
        except (FileMissing, FileNotFoundError) as why:
            raise RequestError(f"there is no {url}") from why
        if len(self) == 0:
            raise RequestError(f"{url} holds no line")

    def __len__(self) -> int:
        return len(self._starts) - 1

    def read(self, component: str, line: int, pictured: bool = True) -> Conversation:
        """One line, with its picture.

        Args:
            pictured: False leaves the picture unread.

        Raises:
            CorpusError: it is no conversation, or its picture is not there: which line, what.
            SourceError: it cannot be read just now.
        """
        start, stop = int(self._starts[line]), int(self._starts[line + 1])
        where = f"{self.url}, line {line + 1}"
        data = (
            self._data[start:stop]
            if self._data is not None
            else read_range(self.url, start, stop - start)
        )
        try:
            fields = orjson.loads(data)
        except orjson.JSONDecodeError as why:
            raise CorpusError(f"{where}: no conversation in LLaVA's form: {why}") from why
        turns = parse_turns(fields, where)
        picture = self._picture(fields.get("image"), where) if pictured else None
        key = str(fields.get("id", line + 1))
        return Conversation(component, key, self.url, turns, picture, fields)

    def _picture(self, name: Any, where: str) -> bytes | None:
        if name is None:
            return None
        if (
            not isinstance(name, str)
            or posixpath.isabs(name)
            or "://" in name
            or ".." in name.split("/")
        ):
            raise CorpusError(f"{where}: image {name!r:.80} leaves the folder of pictures")
        try:
            return read_bytes(join(self._images, name))
        except SourceError as why:
            raise CorpusError(f"{where}: image {name}: {why}") from why

    def _find_lines(self) -> NDArray[np.int64]:
        """Where lines begin, and the end: [lines + 1]; blank ones at the end do not count."""
        starts: list[NDArray[np.int64]] = [np.zeros(1, np.int64)]
        size = 0
        blocks = [self._data] if self._data is not None else _blocks(self.url)
        last = b"\n"
        for block in blocks:
            breaks = np.flatnonzero(np.frombuffer(block, np.uint8) == ord("\n"))
            starts.append(breaks + size + 1)
            size += len(block)
            last = block[-1:] or last
        found = np.concatenate(starts)
        if last != b"\n":
            found = np.append(found, size)
        lengths = np.diff(found)
        while len(lengths) and lengths[-1] <= 1:
            lengths, found = lengths[:-1], found[:-1]
        return found


def _blocks(path: str) -> Any:
    with Path(path).open("rb") as file:
        while block := file.read(_SCAN_BYTES):
            yield block
