"""Annotation JSON from outside: fields that are checked as they are read.

Every reader takes what exporters really write for a field of its kind, and refuses the rest: the
message names the field, what was found and what is allowed.
"""

from __future__ import annotations

import re
from typing import Any

from sgt_data.errors import AnnotationError, InputError
from sgt_data.files.outside_json import parse_json
from sgt_data.records import RunLengths
from sgt_data.value_text import cut

NOT_STATED: tuple[Any, ...] = (None, "NaN")
"""What means that a field has no value: null, and the NaN that tables are exported with."""

SCORE_MAX = 1e9
"""Scores are below it."""

_NUMBER = (int, float)  # `int | float` would build a union at every call
_DIGITS = re.compile(r"-?(0|[1-9][0-9]{0,15})")
_SIZES_UNKNOWN = (None, 0, -1)  # as exporters write that they did not look at the picture


def load_json(data: bytes, where: str = "the annotation") -> Any:
    """Parse a JSON document (see `files.outside_json`).

    Raises:
        AnnotationError: the data are not JSON; the message begins with `where`.
    """
    try:
        return parse_json(data, where)
    except InputError as why:
        raise AnnotationError(str(why)) from why


def shown(value: Any) -> str:
    """A value of a document for a message: as JSON writes it, up to 40 characters."""
    words = {None: "null", True: "true", False: "false"}
    if value is None or isinstance(value, bool):
        return words[value]
    return f"{cut(value, 40)}"


def member(entry: Any, name: str, where: str) -> Any:
    """A field that must be there.

    Raises:
        AnnotationError: `entry` is no object, or has no such field.
    """
    if not isinstance(entry, dict):
        raise AnnotationError(f"{where} is {shown(entry)}, not an object")
    if name not in entry:
        raise AnnotationError(f"{where}.{name} is missing")
    return entry[name]


def list_member(entry: Any, name: str, where: str) -> list[Any]:
    """A field that must be there and hold a list.

    Raises:
        AnnotationError: it is missing, or no list.
    """
    value = member(entry, name, where)
    if not isinstance(value, list):
        raise AnnotationError(f"{where}.{name} is {shown(value)}, not a list")
    return value


def counts_of(counts: Any, where: str) -> RunLengths:
    """Run lengths from the field `counts` of a COCO mask: a compressed string, or a list.

    Raises:
        AnnotationError: the field is neither; the message begins with `where`.
    """
    if isinstance(counts, list):
        return counts
    if not isinstance(counts, str) or not counts.isascii():
        raise AnnotationError(f"{where}: counts are {shown(counts)}, not run lengths")
    return counts.encode()


def whole_number(value: Any, field: str, lowest: int = 0) -> int:
    """An integer from a JSON number without fraction, or from a string of its digits.

    Raises:
        AnnotationError: the value is anything else, or not within `lowest` to 2**53; the message
            names `field`.
    """
    number: int | float
    if isinstance(value, str) and _DIGITS.fullmatch(value):
        number = int(value)
    elif isinstance(value, _NUMBER) and not isinstance(value, bool) and value == value // 1:
        number = value
    else:
        raise AnnotationError(f"{field} is {shown(value)}, not a whole number")
    if number < lowest or number > 1 << 53:
        raise AnnotationError(f"{field} is {value}, not within {lowest}..2**53")
    return int(number)


def side_length(value: Any, field: str) -> int | None:
    """Pixels of a side of a picture; None where the field says that nobody knows: null, 0, -1, NaN.

    Raises:
        AnnotationError: the value is anything else than a whole number; the message names `field`.
    """
    number = None if value in NOT_STATED else whole_number(value, field, -1)
    return None if number in _SIZES_UNKNOWN else number


def truth(value: Any, field: str, default: bool | None = None) -> bool:
    """A truth value: true, false, 0, 1, 0.0, 1.0, "0" or "1".

    Args:
        value: of the field; None (or NaN, see `NOT_STATED`) where there is none.
        field: its name, for messages.
        default: what no value means; None where a value must be given.

    Raises:
        AnnotationError: the value is anything else; the message names `field`.
    """
    if value in NOT_STATED and default is not None:
        return default
    if isinstance(value, int | float) and value in (0, 1):  # of which true and false are two
        return value == 1
    if value in ("0", "1") and isinstance(value, str):
        return value == "1"
    raise AnnotationError(f'{field} is {shown(value)}; allowed are 0, 1, true, false, "0" and "1"')


def name_of(value: Any, field: str) -> str:
    """A name: text that is not empty, or a whole number.

    Raises:
        AnnotationError: the value is anything else; the message names `field`.
    """
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str) or not value.strip():
        raise AnnotationError(f"{field} is {shown(value)}, which names nothing")
    return value


def score(value: Any, field: str) -> float | None:
    """A number from a JSON field; None where the annotation has no such field.

    Raises:
        AnnotationError: the value is not a number below 1e9; the message names `field`.
    """
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, _NUMBER) or not abs(value) < SCORE_MAX:
        raise AnnotationError(f"{field} is {shown(value)}, not a number")
    return float(value)
