"""Annotation JSON from outside: fields that are checked as they are read."""

from __future__ import annotations

from typing import Any

import orjson

from sgt_data.errors import AnnotationError
from sgt_data.foreign_errors import in_words
from sgt_data.records import RunLengths

_NUMBER = (int, float)  # `int | float` would build a union at every call


def load_json(data: bytes) -> Any:
    """Parse JSON strictly.

    Raises:
        AnnotationError: the data are not JSON.
    """
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError as why:
        raise AnnotationError(f"the annotation is not JSON: {in_words(why)}") from why


def counts_of(counts: Any, where: str) -> RunLengths:
    """Run lengths from the field `counts` of a COCO mask: a compressed string, or a list.

    Raises:
        AnnotationError: the field is neither; the message begins with `where`.
    """
    if isinstance(counts, list):
        return counts
    if not isinstance(counts, str) or not counts.isascii():
        raise AnnotationError(f"{where}: counts are {counts!r:.40}, not run lengths")
    return counts.encode()


def whole_number(value: Any, field: str, lowest: int = 0) -> int:
    """An integer from a JSON number that has no fraction, from `lowest` to 2**53.

    Raises:
        AnnotationError: the value is anything else; the message names `field`.
    """
    if isinstance(value, bool) or not isinstance(value, _NUMBER) or value != value // 1:
        raise AnnotationError(f"{field} is {value!r:.40}, not a whole number")
    if value < lowest or value > 1 << 53:
        raise AnnotationError(f"{field} is {value}, not within {lowest}..2**53")
    return int(value)


def score(value: Any, field: str) -> float | None:
    """A number from a JSON field; None where the annotation has no such field.

    Raises:
        AnnotationError: the value is not a number below 1e9; the message names `field`.
    """
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, _NUMBER) or not abs(value) < 1e9:
        raise AnnotationError(f"{field} is {value!r:.40}, not a number")
    return float(value)
