"""Instruction data as WebDataset tars: `KEY.json` with `conversations` as in LLaVA's JSONL, and at
most one picture beside it (`KEY.jpg`, `.jpeg`, `.png`, `.webp`).

A tar is walked once, its headers alone, and its members are read by their places. Names are labels:
members of other kinds, pickles among them, are neither unpacked nor looked at.
"""

from __future__ import annotations

import posixpath
from dataclasses import dataclass, field

import orjson

from sgt_data.corpus.sample_reader import RemoteTar
from sgt_data.errors import CorpusError, RequestError
from sgt_data.files.forward_reader import ForwardReader
from sgt_data.files.reading import read_range
from sgt_data.files.tar_walk import TarDamage, TarMember, walk_tar
from sgt_data.files.urls import absolute
from sgt_data.sources.tars import PICTURE_SUFFIXES
from sgt_data.stream.conversations import Conversation, parse_turns


@dataclass(slots=True)
class _Row:
    """One sample's members by their places, or what is wrong where it should be."""

    key: str
    text: tuple[int, int] | None = None
    picture: tuple[int, int] | None = None
    damage: str | None = None


@dataclass(slots=True)
class ConversationTar:
    """One tar of conversations."""

    url: str
    rows: list[_Row] = field(default_factory=list)

    @classmethod
    def open(cls, url: str) -> ConversationTar:
        """Walk the tar's headers.

        Raises:
            RequestError: it holds no conversation.
            SourceError: it cannot be read.
        """
        place = absolute(url)
        rows: dict[str, _Row] = {}
        reader = ForwardReader(place)
        try:
            for item in walk_tar(reader):
                _note(rows, item)
        finally:
            reader.close()
        found = [row for row in rows.values() if row.text or row.damage]
        if not found:
            raise RequestError(f"{url} holds no KEY.json with a conversation")
        return cls(place, found)

    @property
    def count(self) -> int:
        return len(self.rows)

    @property
    def tars(self) -> list[RemoteTar]:
        """None: they have no checksums by which an outdated copy would be known."""
        return []

    def read(self, component: str, row: int) -> Conversation:
        """One conversation, with its picture.

        Raises:
            CorpusError: it is damaged, or no conversation: which tar, key, what.
            SourceError: the tar cannot be read just now.
        """
        one = self.rows[row]
        where = f"{self.url}, sample {one.key}"
        if one.damage or one.text is None:
            raise CorpusError(f"{where}: {one.damage}")
        try:
            fields = orjson.loads(self._bytes(one.text, where))
        except orjson.JSONDecodeError as why:
            raise CorpusError(f"{where}: its JSON is damaged: {why}") from why
        turns = parse_turns(fields, where)
        picture = self._bytes(one.picture, where) if one.picture else None
        return Conversation(component, one.key, self.url, turns, picture, fields)

    def _bytes(self, place: tuple[int, int], where: str) -> bytes:
        data = read_range(self.url, *place)
        if len(data) != place[1]:
            raise CorpusError(f"{where}: the tar ends {place[1] - len(data)} bytes too early")
        return data


def _note(rows: dict[str, _Row], item: TarMember | TarDamage) -> None:
    if isinstance(item, TarDamage):
        key = posixpath.splitext(item.member or f"at byte {item.position}")[0]
        rows.setdefault(key, _Row(key)).damage = item.reason
        return
    key, suffix = posixpath.splitext(item.name)
    place = item.start, item.size
    if suffix == ".json":
        rows.setdefault(key, _Row(key)).text = place
    elif suffix.lower() in PICTURE_SUFFIXES:
        rows.setdefault(key, _Row(key)).picture = place
