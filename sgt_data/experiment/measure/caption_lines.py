"""Lines of `sgt-data captions`: what a caption names, and what is drawn of it."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from sgt_data.errors import CorpusError
from sgt_data.stream.conversations import ConversationFile
from sgt_data.training.exchanges import caption_of
from sgt_data.training.to_model import CAPTIONS
from sgt_data.value_text import cut

Relation = Literal["left of", "right of", "above", "below"]
RELATIONS: tuple[Relation, ...] = get_args(Relation)

_FORM = "`sgt-data captions` writes them"


@dataclass(frozen=True, slots=True)
class NamedThing:
    """A kind of thing that a caption names.

    Attributes:
        category: its category.
        count: how many there are; None where the caption does not say.
        colour: name of its colour; None where the caption does not say.
    """

    category: str
    count: int | None = None
    colour: str | None = None


@dataclass(frozen=True, slots=True)
class CaptionLine:
    """A caption, without what it describes.

    Attributes:
        key: key of the picture that it describes.
        task: what it asks for, such as `counting`, or `scene`.
        draws: `picture`, or the proxy whose target is drawn.
        text: what the model reads.
        things: kinds of things that it names; a relation holds from the first to the second.
        relation: how the first lies to the second; None where the caption does not say.
        row: number of the line in its file, from 0; blank lines do not count.
    """

    key: str
    task: str
    draws: str
    text: str
    things: tuple[NamedThing, ...]
    relation: Relation | None
    row: int


def captions_file(folder: str, split: str) -> ConversationFile:
    """The file of a split (`train`, `val` or `test`) in a folder of `sgt-data captions`.

    Raises:
        RequestError: the file does not exist.
    """
    return ConversationFile(posixpath.join(folder, f"{split}.jsonl"))


def caption_lines(file: ConversationFile) -> Iterator[CaptionLine]:
    """All captions of a file, in its order; no picture is read.

    Raises:
        CorpusError: a line is no caption; names the line, the field and what was found.
    """
    for row in range(len(file)):
        where = file.where(row)
        conversation = file.read(CAPTIONS, row, with_picture=False)
        fields = conversation.fields
        yield CaptionLine(
            _text(fields, "key", where),
            _text(fields, "task", where),
            _text(fields, "draws", where),
            caption_of(conversation),
            _things(fields, where),
            _relation(fields, where),
            row,
        )


def _text(fields: Mapping[str, Any], name: str, where: str) -> str:
    value = fields.get(name)
    if not isinstance(value, str) or not value:
        raise CorpusError(f"{where}: {name} is {cut(value, 40)}, no text; {_FORM}")
    return value


def _things(fields: Mapping[str, Any], where: str) -> tuple[NamedThing, ...]:
    things = fields.get("things")
    if not isinstance(things, list):
        raise CorpusError(f"{where}: things is {cut(things, 40)}, no list; {_FORM}")
    return tuple(_thing(thing, where) for thing in things)


def _thing(thing: Any, where: str) -> NamedThing:
    if isinstance(thing, dict):
        category, count, colour = (thing.get(name) for name in ("category", "count", "color"))
        is_count = count is None or (type(count) is int and count > 0)
        if isinstance(category, str) and is_count and isinstance(colour, str | None):
            return NamedThing(category, count, colour)
    raise CorpusError(
        f"{where}: things holds {cut(thing, 60)}; right is a category with a count and a color, "
        f"each of them null where it is not stated; {_FORM}"
    )


def _relation(fields: Mapping[str, Any], where: str) -> Relation | None:
    relation = fields.get("relation")
    if relation is None:
        return None
    if relation not in RELATIONS or len(fields["things"]) != 2:
        raise CorpusError(
            f"{where}: relation is {cut(relation, 40)} between {len(fields['things'])} things; "
            f"right is one of {', '.join(RELATIONS)} between two; {_FORM}"
        )
    stated: Relation = relation
    return stated
