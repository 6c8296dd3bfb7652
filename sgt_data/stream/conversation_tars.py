"""Instruction data in WebDataset tars: one conversation per key, with at most one picture.

A sample is `KEY.json`, whose `conversations` are as in LLaVA's JSONL, and its picture if there is
one: `KEY.jpg`, `.jpeg`, `.png` or `.webp`. The headers of a tar are read once; then members are
read by their positions. Member names are labels only, and nothing is unpacked. Members of other
kinds, pickles among them, are not read.
"""

from __future__ import annotations

import posixpath
from dataclasses import dataclass, field
from typing import Any

from sgt_data.corpus.sample_reader import RemoteTar
from sgt_data.errors import CorpusError, InputError, RequestError, SourceError
from sgt_data.files.forward_reader import ForwardReader
from sgt_data.files.not_pictures import is_system_file
from sgt_data.files.outside_json import parse_json
from sgt_data.files.reading import read_range
from sgt_data.files.tar_walk import TarDamage, TarJoint, TarMember, walk_tar
from sgt_data.files.urls import absolute, is_local
from sgt_data.pictures.suffixes import PICTURE_SUFFIXES
from sgt_data.stream.conversations import (
    Conversation,
    check_placeholders,
    parse_turns,
    picture_name,
)
from sgt_data.value_text import counted


@dataclass(slots=True)
class _Row:
    """Where the members of one sample lie in the tar.

    Attributes:
        key: key of the sample.
        text: position and size of its JSON in bytes; None where the tar has none.
        picture: position and size of its picture in bytes; None where the tar has none.
        damage: what is broken in the tar at this sample; None where nothing is.
    """

    key: str
    text: tuple[int, int] | None = None
    picture: tuple[int, int] | None = None
    damage: str | None = None


@dataclass(slots=True)
class ConversationTar:
    """One tar of conversations, read as one shard.

    Attributes:
        url: URL of the tar.
        rows: where the members of each sample lie.
    """

    url: str
    rows: list[_Row] = field(default_factory=list)

    @classmethod
    def open(cls, url: str) -> ConversationTar:
        """Open a tar: read all its headers.

        Raises:
            RequestError: the tar holds no conversation.
            SourceError: the tar cannot be read, or ends early.
        """
        tar = absolute(url)
        rows: dict[str, _Row] = {}
        reader = ForwardReader(tar)
        try:
            for item in walk_tar(reader):
                if isinstance(item, TarDamage) and item.length is None:
                    raise SourceError(
                        f"{url}, byte {item.position}: {item.reason}. Nobody knows how many "
                        "conversations are missing; fetch the tar again"
                    )
                if not isinstance(item, TarJoint):
                    _add(rows, item)
        finally:
            reader.close()
        samples = [row for row in rows.values() if row.text or row.damage]
        if not samples:
            raise RequestError(f"{url} holds no KEY.json with a conversation")
        return cls(tar, samples)

    @property
    def count(self) -> int:
        """Number of conversations, broken ones too."""
        return len(self.rows)

    @property
    def tars(self) -> list[RemoteTar]:
        """No tars: without checksums, an outdated local copy would not be noticed."""
        return []

    def read(self, component: str, row: int, with_picture: bool = True) -> Conversation:
        """The conversation in a row of the tar, with its picture.

        Args:
            component: name of the mixture's component, noted in the conversation.
            row: number of the conversation, from 0.
            with_picture: False leaves the picture unread.

        Raises:
            CorpusError: it is damaged or no conversation; names tar, key and what is wrong.
            SourceError: the tar cannot be read just now.
        """
        sample = self.rows[row]
        where = f"{self.url}, sample {sample.key}"
        if sample.damage or sample.text is None:
            raise CorpusError(f"{where}: {sample.damage}")
        try:
            fields = parse_json(self._member(sample.text, where), where)
        except InputError as why:
            raise CorpusError(str(why)) from why
        turns = parse_turns(fields, where)
        _check_picture(sample, fields, where)
        if sample.picture is None:
            check_placeholders(turns, where)
        picture = None
        if sample.picture and with_picture:
            picture = self._member(sample.picture, where)
        return Conversation(component, sample.key, self.url, turns, picture, fields)

    def check(self) -> None:
        """Check every conversation of a tar on a local disk, and whether it has its picture.

        Raises:
            CorpusError: the first that is damaged or no conversation; says how many there are.
        """
        if not is_local(self.url):
            return  # it would be read as a whole
        wrong = []
        for row, sample in enumerate(self.rows):
            try:
                if sample.damage is None:
                    self.read("", row, with_picture=False)
            except CorpusError as why:
                wrong.append(str(why))
        if wrong:
            raise CorpusError(
                f"{self.url}: {len(wrong)} of {counted(self.count, 'conversation')} cannot be "
                "used; mend "
                "them, or leave a few out with reading=Reading(on_error='skip'). The first: "
                f"{wrong[0]}"
            )

    def _member(self, place: tuple[int, int], where: str) -> bytes:
        position, size = place
        data = read_range(self.url, position, size)
        if len(data) != size:
            raise CorpusError(f"{where}: the tar ends {size - len(data)} bytes too early")
        return data


def _check_picture(sample: _Row, fields: dict[str, Any], where: str) -> None:
    """Check that the tar has the picture that a conversation names.

    Raises:
        CorpusError: it has none, or the conversation names several.
    """
    name = picture_name(fields, where)
    if name is not None and sample.picture is None:
        raise CorpusError(
            f"{where}: its JSON names the picture {name}, and the tar has no {sample.key}.jpg, "
            ".jpeg, .png or .webp"
        )


def _add(rows: dict[str, _Row], item: TarMember | TarDamage) -> None:
    """Note a member, or a broken place of the tar, in the row of its key."""
    if isinstance(item, TarDamage):
        key = posixpath.splitext(item.member or f"at byte {item.position}")[0]
        rows.setdefault(key, _Row(key)).damage = item.reason
        return
    if is_system_file(item.name):
        return
    key, suffix = posixpath.splitext(item.name)
    place = item.start, item.size
    if suffix == ".json":
        rows.setdefault(key, _Row(key)).text = place
    elif suffix.lower() in PICTURE_SUFFIXES:
        rows.setdefault(key, _Row(key)).picture = place
