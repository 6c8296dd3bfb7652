"""Instruction data in LLaVA's JSON: conversations, each with at most one picture.

A file has one conversation per line, or is an array of them. A conversation is `{"id": ...,
"image": "a.jpg", "conversations": [{"from": "human", "value": ...}, ...]}`; without `image`, or
where that is null, empty or an empty list, it has text alone. The places of all conversations are
taken once; each is parsed when it is read. A local file is read in place; a remote file is fetched
as a whole.
"""

from __future__ import annotations

import os
import posixpath
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from sgt_data.errors import (
    CorpusError,
    FileMissing,
    InputError,
    LeavesRoot,
    RequestError,
    SourceError,
)
from sgt_data.files.outside_json import parse_json
from sgt_data.files.reading import read_bytes, read_range
from sgt_data.files.urls import Location, absolute, is_local, join
from sgt_data.foreign_errors import in_words
from sgt_data.names import checked_path
from sgt_data.stream.conversation_places import ConversationPlaces, find_places
from sgt_data.value_text import counted, cut

SHARD_LINES = 1024
"""Number of conversations that are shuffled together, as the samples of one shard are."""

PICTURE_WORD = "<image>"
"""Stands for the picture in the text of a turn."""

_NAMED_MAX = 5
"""So many wrong conversations are named; of more, their number."""


@dataclass(frozen=True, slots=True)
class Conversation:
    """One conversation of instruction data.

    Attributes:
        component: name of the mixture's component; empty outside a stream.
        key: its `id`, or the number of its line (or in its array) from 1.
        source: URL of the file.
        turns: `conversations` as stored, each turn `{"from": ..., "value": ...}`.
        image: the picture's bytes as stored; None where there is no picture.
        fields: all its fields.
        visit: how many passes of a stream over its component came before this one.
    """

    component: str
    key: str
    source: str
    turns: tuple[dict[str, Any], ...]
    image: bytes | None
    fields: dict[str, Any]
    visit: int = 0

    @property
    def has_picture(self) -> bool:
        """Whether it is about a picture, read or not."""
        return self.image is not None or bool(stated_pictures(self.fields))


def parse_turns(fields: Any, where: str) -> tuple[dict[str, Any], ...]:
    """The turns of a conversation in LLaVA's form.

    Args:
        fields: the parsed JSON.
        where: file and line, for messages.

    Raises:
        CorpusError: the JSON is no conversation.
    """
    form = 'conversations is a list of turns {"from": ..., "value": text}'
    if not isinstance(fields, dict):
        raise CorpusError(
            f"{where}: no conversation in LLaVA's form: found {cut(fields, 40)}, no JSON object"
        )
    turns = fields.get("conversations")
    if not isinstance(turns, list) or not turns:
        stated = (
            f"found conversations {cut(turns, 40)}" if "conversations" in fields else "none found"
        )
        raise CorpusError(f"{where}: no conversation in LLaVA's form: {stated}; {form}")
    for number, turn in enumerate(turns, 1):
        if not isinstance(turn, dict) or not isinstance(turn.get("value"), str):
            raise CorpusError(
                f"{where}: no conversation in LLaVA's form: turn {number} is {cut(turn, 40)}; "
                f"{form}"
            )
    return tuple(turns)


def stated_pictures(fields: dict[str, Any]) -> Any:
    """What a conversation states of its picture: the field `image`, else `images`."""
    return fields.get("image") or fields.get("images")


def check_placeholders(turns: Iterable[dict[str, Any]], where: str) -> None:
    """Check that the turns of a conversation without a picture speak of none.

    Raises:
        CorpusError: a turn holds the placeholder of a picture.
    """
    if any(PICTURE_WORD in turn["value"] for turn in turns):
        raise CorpusError(
            f"{where}: a turn holds {PICTURE_WORD}, and there is no picture; the field image (or "
            "images, with one name) names it"
        )


def picture_name(fields: dict[str, Any], where: str) -> str | None:
    """The name of a conversation's picture; None where it has text alone.

    Args:
        fields: the parsed JSON.
        where: file and line, for messages.

    Raises:
        CorpusError: it names several pictures, or none that lies in the folder of pictures.
    """
    name = stated_pictures(fields)
    if isinstance(name, list) and len(name) <= 1:
        name = name[0] if name else None
    if isinstance(name, list):
        raise CorpusError(
            f"{where}: image is a list of {counted(len(name), 'picture')}; a conversation has at "
            "most one"
        )
    if name is None or name == "":
        return None
    if not isinstance(name, str):
        raise CorpusError(f"{where}: image is {cut(name)}, no name of a file")
    try:
        return checked_path(name)
    except ValueError as why:
        raise LeavesRoot(f"{where}: image: {in_words(why)}") from None


class ConversationFile:
    """A JSON file of conversations; `len` is their number.

    Attributes:
        url: absolute URL of the file.
    """

    def __init__(self, url: Location, images: Location | None = None) -> None:
        """
        Args:
            url: fsspec URL of the file.
            images: fsspec URL of the folder of its pictures; None for the file's own folder.

        Raises:
            RequestError: the file does not exist, or is empty.
            CorpusError: it is no text, or an array that does not end.
        """
        self.url = absolute(url)
        self._images = absolute(images) if images else posixpath.dirname(self.url)
        self._data: bytes | None = None
        try:
            if not is_local(self.url):
                self._data = read_bytes(self.url)
            self._places = _places_of(self.url, self._data)
        except (FileMissing, FileNotFoundError) as why:
            raise RequestError(f"there is no {url}") from why
        if len(self) == 0:
            raise RequestError(f"{url} holds no line, and no item of an array")

    def __len__(self) -> int:
        return len(self._places.starts)

    @property
    def longest(self) -> int:
        """Bytes of the longest conversation in the file."""
        return int((self._places.stops - self._places.starts).max())

    def where(self, row: int) -> str:
        """The file, and the line or item of a conversation, for messages."""
        return f"{self.url}, {self._places.word} {self._places.numbers[row]}"

    def read(self, component: str, row: int, with_picture: bool = True) -> Conversation:
        """A conversation.

        Args:
            component: name of the mixture's component, noted in the conversation.
            row: its number in the file, from 0; blank lines do not count.
            with_picture: False leaves the picture unread.

        Raises:
            CorpusError: it is no conversation, or its picture does not exist; names the line.
            SourceError: the file cannot be read just now.
        """
        start, stop = int(self._places.starts[row]), int(self._places.stops[row])
        where = self.where(row)
        data = (
            self._data[start:stop]
            if self._data is not None
            else read_range(self.url, start, stop - start)
        )
        try:
            fields = parse_json(data, where)
        except InputError as why:
            raise CorpusError(f"no conversation in LLaVA's form: {why}") from why
        turns, name = parse_turns(fields, where), picture_name(fields, where)
        if name is None:
            check_placeholders(turns, where)
        picture = self._picture(name, where) if name is not None and with_picture else None
        key = _key(fields.get("id"), self._places.numbers[row], self.where(row))
        return Conversation(component, key, self.url, turns, picture, fields)

    def check(self) -> None:
        """Check every conversation, and whether its picture exists where that is a local file.

        Raises:
            CorpusError: some are wrong; names the first, and says how many there are.
            SourceError: the file cannot be read just now.
        """
        wrong = 0
        named: list[str] = []
        for problem in self._problems():
            wrong += 1
            if len(named) < _NAMED_MAX:
                named.append(f"  {problem}")
        if wrong:
            more = [f"  and {wrong - len(named)} more"] if wrong > len(named) else []
            listing = "\n".join([*named, *more])
            raise CorpusError(
                f"{self.url}: {wrong} of {counted(len(self), 'conversation')} cannot be used. "
                "Mend them or "
                "take them out; reading=Reading(images=...) names the folder of the pictures, and "
                f"on_error='skip' leaves a few out:\n{listing}"
            )

    def _problems(self) -> Iterator[str]:
        pictures_are_local = is_local(self._images)
        files_in = lru_cache(maxsize=256)(_files_in)
        for row in range(len(self)):
            try:
                fields = self.read("", row, with_picture=False).fields
                name = picture_name(fields, self.where(row))
            except CorpusError as why:
                yield str(why)
                continue
            if name is not None and pictures_are_local:
                folder, file = posixpath.split(join(self._images, name))
                if file not in files_in(folder):
                    yield f"{self.where(row)}: there is no picture {folder}/{file}"

    def _picture(self, name: str, where: str) -> bytes:
        try:
            return read_bytes(join(self._images, name))
        except SourceError as why:
            raise CorpusError(f"{where}: image {name}: {why}") from why


def _key(identity: Any, number: int, where: str) -> str:
    if identity is None:
        return str(number)
    if isinstance(identity, bool) or not isinstance(identity, str | int):
        raise CorpusError(f"{where}: id is {cut(identity, 40)}; allowed are text and whole numbers")
    return str(identity)


def _places_of(path: str, data: bytes | None) -> ConversationPlaces:
    """The places of a file's conversations, from its bytes or else from the local disk."""
    if data is not None:
        return find_places(np.frombuffer(data, np.uint8), path)
    if os.path.getsize(path) == 0:  # an empty file cannot be mapped
        return find_places(np.frombuffer(b"", np.uint8), path)
    return find_places(np.asarray(np.memmap(path, np.uint8, "r")), path)


def _files_in(folder: str) -> frozenset[str]:
    """Names of all that lies in a local folder."""
    try:
        return frozenset(os.listdir(folder))
    except (FileNotFoundError, NotADirectoryError):
        return frozenset()
