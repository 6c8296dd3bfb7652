"""Instruction data in LLaVA's JSONL: one conversation per line, with at most one picture.

A line is `{"id": ..., "image": "a.jpg", "conversations": [{"from": "human", "value": ...}, ...]}`.
The byte offsets of all lines are taken once; a line is parsed when it is read. A local file is read
in place; a remote file is fetched as a whole.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator
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
"""Number of lines that are shuffled together, as the samples of one shard are."""

_BLOCK_BYTES = 64 << 20


@dataclass(frozen=True, slots=True)
class Conversation:
    """One conversation of instruction data.

    Attributes:
        component: name of the mixture's component; empty outside a stream.
        key: its `id`, or the number of its line from 1.
        source: URL of the file.
        turns: `conversations` as stored, each turn `{"from": ..., "value": ...}`.
        image: the picture's bytes as stored; None where there is no picture.
        fields: all fields of the line.
    """

    component: str
    key: str
    source: str
    turns: tuple[dict[str, Any], ...]
    image: bytes | None
    fields: dict[str, Any]


def parse_turns(fields: Any, where: str) -> tuple[dict[str, Any], ...]:
    """The turns of a conversation in LLaVA's form.

    Args:
        fields: the parsed JSON.
        where: file and line, for messages.

    Raises:
        CorpusError: the JSON is no conversation.
    """
    try:
        turns = tuple(fields["conversations"])
        if not turns or not all(isinstance(turn["value"], str) for turn in turns):
            raise TypeError("conversations")
    except (KeyError, TypeError) as why:
        raise CorpusError(f"{where}: no conversation in LLaVA's form: {why!r}") from why
    return turns


class ConversationFile:
    """A JSONL file of conversations; `len` is the number of its lines.

    Attributes:
        url: absolute URL of the file.
    """

    def __init__(self, url: str, images: str | None = None) -> None:
        """
        Args:
            url: fsspec URL of the file.
            images: fsspec URL of the folder of its pictures; None for the file's own folder.

        Raises:
            RequestError: the file does not exist, or is empty.
        """
        self.url = absolute(url)
        self._images = absolute(images) if images else posixpath.dirname(self.url)
        self._data: bytes | None = None
        try:
            if not is_local(self.url):
                self._data = read_bytes(self.url)
            blocks = [self._data] if self._data is not None else _read_in_blocks(self.url)
            self._starts = _line_starts(blocks)
        except (FileMissing, FileNotFoundError) as why:
            raise RequestError(f"there is no {url}") from why
        if len(self) == 0:
            raise RequestError(f"{url} holds no line")

    def __len__(self) -> int:
        return len(self._starts) - 1

    def read(self, component: str, line: int, with_picture: bool = True) -> Conversation:
        """The conversation in a line.

        Args:
            component: name of the mixture's component, noted in the conversation.
            line: number of the line, from 0.
            with_picture: False leaves the picture unread.

        Raises:
            CorpusError: it is no conversation, or its picture does not exist; names the line.
            SourceError: the file cannot be read just now.
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
        picture = self._picture(fields.get("image"), where) if with_picture else None
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


def _line_starts(blocks: Iterable[bytes]) -> NDArray[np.int64]:
    """Byte offsets at which the lines of a file begin, and of its end: [lines + 1].

    Blank lines at the end do not count.
    """
    parts: list[NDArray[np.int64]] = [np.zeros(1, np.int64)]
    size = 0
    last_byte = b"\n"
    for block in blocks:
        breaks = np.flatnonzero(np.frombuffer(block, np.uint8) == ord("\n"))
        parts.append(breaks + size + 1)
        size += len(block)
        last_byte = block[-1:] or last_byte
    starts = np.concatenate(parts)
    if last_byte != b"\n":
        starts = np.append(starts, size)
    lengths = np.diff(starts)
    while len(lengths) and lengths[-1] <= 1:
        lengths, starts = lengths[:-1], starts[:-1]
    return starts


def _read_in_blocks(path: str) -> Iterator[bytes]:
    with Path(path).open("rb") as file:
        while block := file.read(_BLOCK_BYTES):
            yield block
