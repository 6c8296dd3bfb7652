"""Captions in COCO's form: which picture each is about, and what it says; pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sgt_data.errors import RequestError
from sgt_data.value_text import cut

CAPTION_MAX = 10_000
"""Most characters of a caption; those of COCO have 250 at most."""
_WORD_MAX = 200
"""Most characters of a task or of the name of a category or colour."""
_PLACEHOLDER = "<image>"
"""Stands for a picture in LLaVA's form."""

NO_PICTURE_STATED = "its image_id is none of `images`"
_NO_TEXT = "it has no text"
_TOO_LONG = f"it is longer than {CAPTION_MAX:,} characters"
_HOLDS_PLACEHOLDER = f"it holds {_PLACEHOLDER}, which stands for a picture"
_WRONG_FIELDS = "its task, things or relation have another form"


@dataclass(frozen=True, slots=True)
class ReadCaption:
    """A caption of a picture.

    Attributes:
        number: its id in the file.
        text: the caption, in one line.
        task: what it is about; `caption` where the file states none.
        things: what it names: `category`, `count` and `color` of each; empty where not stated.
        relation: of the first thing to the second; None where not stated.
    """

    number: int
    text: str
    task: str = "caption"
    things: tuple[Mapping[str, Any], ...] = ()
    relation: str | None = None


@dataclass(slots=True)
class CaptionsOfPictures:
    """The captions of a file.

    Attributes:
        captions: number of captions in the file.
        by_name: captions by the file name of their picture, in the order of the file.
        left_out: how many captions cannot be used, by reason.
    """

    captions: int = 0
    by_name: dict[str, list[ReadCaption]] = field(default_factory=lambda: defaultdict(list))
    left_out: Counter[str] = field(default_factory=Counter)


def read_captions(document: Any, place: str) -> CaptionsOfPictures:
    """The captions of a JSON document in COCO's form.

    Args:
        document: with `images` (`id`, `file_name`) and `annotations` (`id`, `image_id`,
            `caption`); of `sgt-data sample` also `task`, `things` and `relation`.
        place: its URL, for messages.

    Raises:
        RequestError: it has another form.
    """
    names = _names(_rows(document, "images", place), place)
    annotations = _rows(document, "annotations", place)
    if annotations and not any("caption" in row for row in annotations if isinstance(row, Mapping)):
        raise RequestError(
            f"{place}: no entry of `annotations` has the field caption; give COCO's captions file, "
            "such as annotations/captions_train2017.json"
        )
    read = CaptionsOfPictures(len(annotations))
    for row in annotations:
        caption = _caption(row)
        name = names.get(row["image_id"]) if isinstance(caption, ReadCaption) else None
        if isinstance(caption, str):
            read.left_out[caption] += 1
        elif name is None:
            read.left_out[NO_PICTURE_STATED] += 1
        else:
            read.by_name[name].append(caption)
    return read


def _rows(document: Any, name: str, place: str) -> list[Any]:
    rows = document.get(name) if isinstance(document, Mapping) else None
    if not isinstance(rows, list):
        shown = cut(rows, 80) if isinstance(document, Mapping) else type(document).__name__
        raise RequestError(
            f"{place}: found {shown}, no list `{name}`; COCO's captions file is an object with "
            "`images` and `annotations`"
        )
    return rows


def _names(images: list[Any], place: str) -> dict[int, str]:
    names: dict[int, str] = {}
    for number, row in enumerate(images):
        identity = row.get("id") if isinstance(row, Mapping) else None
        name = row.get("file_name") if isinstance(row, Mapping) else None
        if type(identity) is not int or not isinstance(name, str):
            raise RequestError(
                f"{place}: `images`, entry {number}: found {cut(row, 80)}; each has a whole number "
                "`id` and a text `file_name`"
            )
        if names.setdefault(identity, name) != name:
            raise RequestError(
                f"{place}: `images` gives the id {identity} to {cut(names[identity], 80)} and to "
                f"{cut(name, 80)}"
            )
    return names


def _caption(row: Any) -> ReadCaption | str:
    """A caption, or why it cannot be used."""
    text = row.get("caption") if isinstance(row, Mapping) else None
    if not isinstance(text, str) or not text.strip():
        return _NO_TEXT
    if len(text) > CAPTION_MAX:
        return _TOO_LONG
    if _PLACEHOLDER in text:
        return _HOLDS_PLACEHOLDER
    if type(row.get("image_id")) is not int:
        return NO_PICTURE_STATED
    number, task = row.get("id"), row.get("task", "caption")
    things, relation = row.get("things", []), row.get("relation")
    if not (
        type(number) is int
        and _is_word(task)
        and isinstance(things, list)
        and all(map(_is_thing, things))
        and (relation is None or _is_word(relation))
    ):
        return _WRONG_FIELDS
    kept = tuple({name: thing[name] for name in ("category", "count", "color")} for thing in things)
    return ReadCaption(number, " ".join(text.split()), task, kept, relation)


def _is_thing(thing: Any) -> bool:
    return (
        isinstance(thing, Mapping)
        and {"category", "count", "color"} <= thing.keys()
        and _is_word(thing["category"])
        and (thing["count"] is None or type(thing["count"]) is int)
        and (thing["color"] is None or _is_word(thing["color"]))
    )


def _is_word(value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value) <= _WORD_MAX
