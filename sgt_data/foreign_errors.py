"""What exceptions of Python and of libraries say, in words for the person who reads the message."""

from __future__ import annotations

import json
import re
import struct

from sgt_data.field_errors import first_problem

_NUMBER = re.compile(r"(?:invalid literal for int\(\)|could not convert string to float).*?: (.*)")

_REFUSED = re.compile(r"Connect call failed \('([^']*)', (\d+).*\)")


def in_words(why: BaseException) -> str:
    """An exception without Python's own terms; one line, no name of a class.

    Exceptions of this package say what they say.
    """
    from pydantic import ValidationError  # a room that does not check documents does without it

    if isinstance(why, ValidationError):
        return first_problem(why)
    if isinstance(why, json.JSONDecodeError):  # orjson's is one, too
        if not why.doc.strip():
            return "it is empty, not JSON"
        return f"not JSON in line {why.lineno}, column {why.colno} ({why.msg.split(':')[0]})"
    if isinstance(why, UnicodeError):
        return "it holds bytes that are no UTF-8 text"
    if isinstance(why, KeyError):
        return f"the field {why.args[0]!r} is missing" if why.args else "a field is missing"
    if isinstance(why, IndexError):
        return "a list in it is too short"
    if isinstance(why, TypeError | AttributeError):
        return "a field of it holds another kind of value than it should"
    if isinstance(why, ArithmeticError | struct.error):
        return "a number in it is out of range"
    if isinstance(why, MemoryError):
        return "it needs more memory than there is"
    if isinstance(why, OSError):
        return _system_words(why)
    text = " ".join(str(why).split())
    if number := _NUMBER.fullmatch(text):
        return f"{number[1]} is not a number"
    if "values to unpack" in text:
        return "a list in it has another length than it should"
    return text or "it is damaged"


def _system_words(why: OSError) -> str:
    """What a system call or a connection answered; paths are left to the message around it."""
    if type(why).__name__ == "UnidentifiedImageError":  # Pillow's; its text names an object
        return "it is no picture of this format"
    if isinstance(why, TimeoutError):
        return "no answer in time"
    text = why.strerror or " ".join(str(why).split()) or "the connection broke"
    if refused := _REFUSED.fullmatch(text):
        return f"no server answers at {refused[1]}:{refused[2]}"
    return text
