"""Annotations of COCO as texts: what of them is read while files are listed, and what travels on.

Of each annotation few fields are needed, and the numbers of its mask only by the worker that draws
it. So a worker gets the texts of the fields as they are in the file, and parses them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec
import orjson

from sgt_data.errors import AnnotationError
from sgt_data.records import Category
from sgt_data.sources.annotation_json import NOT_STATED, member, whole_number
from sgt_data.sources.coco_document import Text, parsed

_NULL = Text(b"null")
_NO_MASK_BYTES = 64  # of a text that may be an empty mask; longer ones hold something


class Annotation(msgspec.Struct, gc=False):
    """What is read of every annotation while the file is listed."""

    image_id: Any
    id: Any = None
    file_name: Any = None
    segmentation: Text = _NULL

    @property
    def has_mask(self) -> bool:
        """Whether there is anything in the place of its mask."""
        text = bytes(self.segmentation)
        return len(text) > _NO_MASK_BYTES or orjson.loads(text) not in (*NOT_STATED, [])


class _Mask(msgspec.Struct, gc=False):
    """What is needed to draw an annotation, in the order in which it travels."""

    id: Text = _NULL
    category_id: Text = _NULL
    iscrowd: Text = _NULL
    segmentation: Text = _NULL


class _Map(msgspec.Struct, gc=False):
    segments_info: Text = _NULL


_Annotations = msgspec.json.Decoder(Annotation)
_Masks = msgspec.json.Decoder(_Mask)
_Maps = msgspec.json.Decoder(_Map)


def annotation_of(text: Text, where: str) -> Annotation:
    """The fields of an annotation that say which picture it is of.

    Raises:
        AnnotationError: it is no object, or does not say it; the message names `where`.
    """
    try:
        return _Annotations.decode(text)
    except msgspec.MsgspecError:
        fields = parsed(text)
        image_id = member(fields, "image_id", where)
        segmentation = Text(orjson.dumps(fields.get("segmentation")))
        return Annotation(image_id, fields.get("id"), fields.get("file_name"), segmentation)


def mask_list(texts: Iterable[Text], known: KnownCategories) -> bytes:
    """The JSON of the annotations of a picture: a list, with the fields that are read later.

    An annotation of an unknown category says so in the field `problem`.
    """
    return b"[%b]" % b",".join(_mask(_Masks.decode(text), known) for text in texts)


def map_object(file_name: Any, texts: Sequence[Text]) -> bytes:
    """The JSON of the annotation of a picture's map: its file, and the segments where there are
    any stated."""
    stated: dict[str, Any] = {"file_name": file_name}
    for text in texts:
        stated["segments_info"] = orjson.Fragment(bytes(_Maps.decode(text).segments_info))
    return orjson.dumps(stated)


class KnownCategories:
    """Tells annotations of categories that no file lists."""

    def __init__(self, vocabulary: Mapping[int, Category]) -> None:
        self._vocabulary = vocabulary
        self._fields: dict[bytes, bytes] = {}

    def problem_field(self, category_id: bytes) -> bytes:
        """The JSON of a further field that says what is wrong; empty where nothing is.

        Args:
            category_id: as the file writes it.
        """
        if category_id not in self._fields:
            problem = self._problem(orjson.loads(category_id))
            self._fields[category_id] = (
                b"" if problem is None else b',"problem":%b' % orjson.dumps(problem)
            )
        return self._fields[category_id]

    def _problem(self, value: Any) -> str | None:
        try:
            number = whole_number(value, "category_id")
        except AnnotationError:  # is said when the masks are read
            return None
        if number in self._vocabulary:
            return None
        return f"category_id is {number}, a category that `categories` does not list"


def _mask(mask: _Mask, known: KnownCategories) -> bytes:
    return b'{"id":%b,"category_id":%b,"iscrowd":%b,"segmentation":%b%b}' % (
        mask.id,
        mask.category_id,
        mask.iscrowd,
        mask.segmentation,
        known.problem_field(bytes(mask.category_id)),
    )
