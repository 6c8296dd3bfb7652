"""JSON that others have written: bytes in, the document out, or an error that shows the place.

Files of exporters are seldom plain UTF-8 JSON: they begin with a byte order mark, are UTF-16, are
packed with gzip, or hold NaN in a field that nobody reads. All of this is read here. What JSON does
not allow and could be read in two ways (a comma before a closing bracket, single quotes) is not.
"""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Iterable
from typing import Any

import numpy as np
import orjson

from sgt_data.bounded_json import JSON_DEPTH_MAX, is_deeper
from sgt_data.errors import InputError
from sgt_data.files.file_signs import GZIP, LFS_POINTER, ZIP

UNPACKED_MAX = 16 << 30
"""Most bytes of JSON in a gzip file; COCO's largest file has half a gigabyte."""
UNPACKED_RATIO_MAX = 100
"""How many times its own size a gzip file may unpack to, beside `UNPACKED_ALWAYS`; annotation files
pack to a tenth or twentieth of their size."""
UNPACKED_ALWAYS = 64 << 20
"""Bytes that a gzip file may unpack to, whatever its size."""
_NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_PIECE_BYTES = 16 << 20
_SNIPPET = 24  # characters before and after the place

_NOT_JSON_AT_ALL = {
    LFS_POINTER: "it is a Git LFS pointer; run `git lfs pull` to get the file",
    ZIP: "it is a zip archive; unpack it, and name the JSON file in it",
    b"<": "it is HTML or XML, as a server sends in place of a file that it does not give",
}  # fmt: skip
_TRAILING_COMMA = "a comma before a closing bracket, which JSON does not allow"
_MISTAKES = {
    "Extra data": "a second document begins; one file holds one document (JSON Lines are not read)",
    "Invalid control character": "a line break or control character within a string",
    "Invalid \\": "a backslash that begins no escape of JSON (a Windows path?); write it twice",
}
_HALF_CHARACTER = re.compile(
    r"(?<!\\)\\u[dD][89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F][0-9a-fA-F]{2})"
    r"|(?<!\\u[dD][89abAB][0-9a-fA-F]{2})(?<!\\)\\u[dD][c-fC-F][0-9a-fA-F]{2}"
)


def unpacked(data: bytes, where: str) -> bytes:
    """The bytes of a file that may be packed with gzip.

    Args:
        data: the file.
        where: its URL, for messages.

    Raises:
        InputError: it is damaged, or claims far more bytes than JSON packs into its size.
    """
    if not data.startswith(GZIP):
        return data
    limit = min(UNPACKED_MAX, UNPACKED_ALWAYS + UNPACKED_RATIO_MAX * len(data))
    parts, size = [], 0
    try:
        while data:
            unpacker = zlib.decompressobj(wbits=31)
            parts.append(unpacker.decompress(data, limit - size + 1))
            size += len(parts[-1])
            if size > limit:
                raise InputError(
                    f"{where}: its {len(data)} bytes of gzip unpack to more than {limit} bytes, "
                    "which no annotation file does; unpack it yourself if it is right"
                )
            if not unpacker.eof:
                raise InputError(f"{where}: its gzip data end too early; fetch the file again")
            data = unpacker.unused_data
    except zlib.error as why:
        raise InputError(f"{where}: its gzip data are damaged; fetch the file again") from why
    return b"".join(parts)


def parse_json(data: bytes, where: str) -> Any:
    """Parse a JSON document.

    It may be UTF-8, UTF-16 or UTF-32, with or without byte order mark. NaN and infinite numbers
    become the strings `NaN`, `Infinity` and `-Infinity`, which no field for numbers accepts.

    Args:
        data: the document.
        where: what it is, for messages.

    Raises:
        InputError: it is no JSON; names line, column and what stands there. Or it is nested deeper
            than `JSON_DEPTH_MAX` levels.
    """
    try:
        document = orjson.loads(data)
    except orjson.JSONDecodeError:
        document = _parse_leniently(data, where)
    if _may_be_deeper(data, JSON_DEPTH_MAX) and is_deeper(document, JSON_DEPTH_MAX):
        raise InputError(f"{where}: nested deeper than {JSON_DEPTH_MAX} levels, as no such file is")
    return document


def _may_be_deeper(data: bytes, levels: int) -> bool:
    """Whether the brackets of a JSON text, those in its strings too, nest deeper than so many
    levels. It costs a hundredth of parsing; a walk through all values would cost more than that."""
    depth = 0
    for begin in range(0, len(data), _PIECE_BYTES):
        signs = data[begin : begin + _PIECE_BYTES].translate(None, _NO_BRACKETS)
        opens = np.isin(np.frombuffer(signs, np.uint8), np.frombuffer(b"[{", np.uint8))
        depths = depth + np.cumsum(np.where(opens, 1, -1), dtype=np.int64)
        if depths.size and int(depths.max()) > levels:
            return True
        depth = int(depths[-1]) if depths.size else depth
    return False


def repeated_key(data: bytes, names: Iterable[str]) -> str | None:
    """The first of `names` that a JSON object, itself no part of another one, gives twice.

    Parsers keep the last value and say nothing. A document whose bytes hold each name once, as
    nearly all do, costs one search for each name.

    Args:
        data: a document that `parse_json` has read; only UTF-8 is searched.
        names: keys.
    """
    suspects = [name for name in names if data.count(f'"{name}"'.encode()) > 1]
    if not suspects:
        return None
    keys: list[str] = []

    def keep_keys(pairs: list[tuple[str, Any]]) -> None:
        keys[:] = [key for key, _ in pairs]  # the outermost object ends last

    try:
        json.loads(data, object_pairs_hook=keep_keys, parse_int=str)
    except (ValueError, RecursionError):  # read leniently, or nested too deeply for this parser
        return None
    return next((name for name in suspects if keys.count(name) > 1), None)


def _parse_leniently(data: bytes, where: str) -> Any:
    """Parse what orjson refuses; slower, with the same result where both can read."""
    if not data.strip():
        raise InputError(f"{where} is empty, not JSON")
    for beginning, remedy in _NOT_JSON_AT_ALL.items():
        if data.lstrip().startswith(beginning):
            raise InputError(f"{where} is not JSON: {remedy}")
    encoding = json.detect_encoding(data)
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as why:
        line = data.count(b"\n", 0, why.start) + 1
        raise InputError(
            f"{where} is not JSON: line {line} holds bytes that are not {encoding.upper()} "
            f"(at byte {why.start}); save the file as UTF-8"
        ) from why
    if half := _HALF_CHARACTER.search(text):
        raise _wrong_at(text, half.start(), "an escape of half a character", where)
    try:
        return json.loads(text, parse_constant=str, parse_int=_number)
    except json.JSONDecodeError as why:
        raise _wrong_at(text, *_what_is_wrong(text, why), where) from why
    except RecursionError as why:
        raise InputError(f"{where} is not JSON that can be read: it is nested too deeply") from why


def _number(digits: str) -> int | float:
    """An integer of 64 bits; a larger one as a float, as orjson reads it."""
    return int(digits) if len(digits) <= 18 else _large_number(digits)


def _large_number(digits: str) -> int | float:
    exact = int(digits) if len(digits) <= 20 else None
    return exact if exact is not None and -(2**63) <= exact < 2**64 else float(digits)


def _what_is_wrong(text: str, why: json.JSONDecodeError) -> tuple[int, str]:
    """The place of the mistake, and what it is."""
    before, after = text[: why.pos].rstrip(), text[why.pos :].lstrip()
    if not after or why.msg.startswith("Unterminated"):
        return why.pos, "the file ends too early; it was cut off while it was copied or written"
    # versions of Python name the comma or the bracket
    if after[:1] in "]}" and before.endswith(","):
        return len(before) - 1, _TRAILING_COMMA
    if after[:1] == "," and after[1:].lstrip()[:1] in ("]", "}"):
        return why.pos, _TRAILING_COMMA
    if after[:1] == "'":
        return why.pos, "single quotes, which JSON does not allow; write the file with json.dump"
    for beginning, problem in _MISTAKES.items():
        if why.msg.startswith(beginning):
            return why.pos, problem
    return why.pos, "this does not belong here"


def _wrong_at(text: str, position: int, problem: str, where: str) -> InputError:
    line = text.count("\n", 0, position) + 1
    column = position - (text.rfind("\n", 0, position) + 1) + 1
    begin, end = max(0, position - _SNIPPET), position + _SNIPPET
    snippet = " ".join(text[begin:end].split())
    return InputError(
        f"{where} is not JSON: line {line}, column {column}, near {snippet!r}: {problem}"
    )
