"""A document of COCO's form taken apart: its long lists as a text for each member, the rest parsed.

A file of hundreds of megabytes would become gigabytes of numbers, and nobody needs the numbers of
all masks in one place. So the texts of its annotations are views of the file: they are checked to
be JSON, and parsed one at a time where they are needed.
"""

from __future__ import annotations

import codecs
from typing import Any

import msgspec
import orjson

from sgt_data.errors import AnnotationError
from sgt_data.sources.annotation_json import load_json

Text = msgspec.Raw
"""A JSON value as it is written in the file."""

LONG_LISTS = ("images", "annotations")

_CHECKED_BYTES = 4 << 20  # of a text that are looked at together
_Fields = msgspec.json.Decoder(dict[str, Text])
_Members = msgspec.json.Decoder(list[Text])


def take_apart(data: bytes, where: str) -> Any:
    """Parse a document but the members of `images` and `annotations`, which stay texts.

    Args:
        data: the document, in any form that `files.outside_json` reads.
        where: what it is, for messages.

    Returns:
        The document; where it is an object, each of the long lists is a list of `Text`. A long
        list that is something else is parsed.

    Raises:
        AnnotationError: the data are not JSON; the message begins with `where`.
    """
    document = _views(data)
    return _dumped(load_json(data, where), where) if document is None else document


def parsed(text: Text) -> Any:
    """The value of a text of a document that was taken apart."""
    return load_json(bytes(text), "a member")


def _views(data: bytes) -> dict[str, Any] | None:
    """The document with texts that are views of it; None where the careful reader must look."""
    if not _is_utf8(data):  # of texts that nobody parses, msgspec does not check it
        return None
    try:
        fields = _Fields.decode(data)
        return {name: _parsed_field(name, text) for name, text in fields.items()}
    except (msgspec.MsgspecError, orjson.JSONDecodeError, RecursionError):
        return None


def _parsed_field(name: str, text: Text) -> Any:
    if name in LONG_LISTS:
        try:
            return _Members.decode(text)
        except msgspec.ValidationError:  # it is no list
            pass
    return orjson.loads(bytes(text))


def _is_utf8(data: bytes) -> bool:
    if data.isascii():
        return True
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for start in range(0, len(data), _CHECKED_BYTES):
            decoder.decode(data[start : start + _CHECKED_BYTES])
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _dumped(document: Any, where: str) -> Any:
    """A parsed document with the members of its long lists as texts again."""
    if not isinstance(document, dict):
        return document
    for name in LONG_LISTS:
        members = document.get(name)
        if isinstance(members, list):
            try:
                document[name] = [Text(orjson.dumps(member)) for member in members]
            except TypeError as why:
                raise AnnotationError(f"{where}: {name} are nested too deeply") from why
    return document
