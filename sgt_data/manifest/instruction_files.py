"""`instructions` of a proxy in a manifest: files of lines become the lines themselves.

A value is the name of a built-in bank (`depth_grey`), the path or URL of a text file (`my.txt`,
beside the manifest), a text file of an installed package (`my_package:banks/zh.txt`), or a list of
these, whose lines are put together. A file has the form of the built-in banks: lines below
`[train]`, and lines below `[held-out]`; it is UTF-8.
"""

from __future__ import annotations

import hashlib
import posixpath
import re
from collections.abc import Sequence
from importlib.util import find_spec
from typing import Any

from sgt_data.errors import RequestError, SgtDataError
from sgt_data.files.reading import read_bytes
from sgt_data.files.urls import absolute, checked_url, join
from sgt_data.manifest.protocols import protocols_of
from sgt_data.prompts.bank import Bank, built_in_banks, load_bank, parse_bank
from sgt_data.suggestions import did_you_mean
from sgt_data.value_text import cut

BYTES_MAX = 4 << 20
"""Longest file of instructions, in bytes."""

_IN_PACKAGE = re.compile(r"([A-Za-z_]\w*):(?!/)(.+)")
_ROOTED = re.compile(r"/|~|[A-Za-z][A-Za-z0-9+.-]*://")
_OTHER_ENCODINGS = {b"\xff\xfe": "UTF-16", b"\xfe\xff": "UTF-16"}


def read_instructions(value: Any, folder: str) -> Any:
    """The value of `instructions` with the lines of its files in it.

    Args:
        value: as the manifest has it.
        folder: in which relative paths lie; empty for the current one.

    Returns:
        The name of a built-in bank; fields of `OwnLines`; or another value, as it is.

    Raises:
        RequestError: a file is missing or is no bank; says what would be right.
    """
    if isinstance(value, str):
        return value if value in built_in_banks() else _fields([_read(value, folder)])
    if isinstance(value, list | tuple) and value and all(isinstance(each, str) for each in value):
        return _fields([_read(each, folder) for each in value])
    return value


def _fields(banks: Sequence[Bank]) -> dict[str, Any]:
    """The lines of banks, put together."""
    name = "_".join(bank.name for bank in banks)
    if len(name) > 64:
        name = f"{name[:51]}_{hashlib.sha256(name.encode()).hexdigest()[:12]}"
    return {
        "bank": name,
        "train": tuple(line for bank in banks for line in bank.train),
        "held_out": tuple(line for bank in banks for line in bank.held_out),
    }


def _read(place: str, folder: str) -> Bank:
    if place in built_in_banks():
        return load_bank(place)
    if not place.endswith(".txt"):
        banks = ", ".join(built_in_banks())
        raise RequestError(
            f"found {cut(place)}; allowed: a built-in bank ({banks}), the path of a .txt file, or "
            f"package:file.txt{did_you_mean(place, built_in_banks())}"
        )
    where = _place(place, folder)
    if protocols_of(place):
        checked_url(place)
    try:
        text = read_bytes(where)
    except SgtDataError as why:
        raise RequestError(f"{why}; a relative path lies beside the manifest") from why
    return parse_bank(_bank_name(place, text), _decoded(text, where))


def _place(place: str, folder: str) -> str:
    """Where a file of instructions lies. A package is looked up, and not imported."""
    if packaged := _IN_PACKAGE.fullmatch(place):
        package, path = packaged.groups()
        spec = find_spec(package)
        if spec is None or not spec.submodule_search_locations:
            raise RequestError(f"found {cut(place)}; no package {package} is installed")
        if ".." in path.split("/"):
            raise RequestError(f"found {cut(place)}; the path leaves the package")
        return posixpath.join(spec.submodule_search_locations[0], path)
    return absolute(place if _ROOTED.match(place) or not folder else join(folder, place))


def _bank_name(place: str, text: bytes) -> str:
    """The name of the bank in a file: that of the file, of characters that a name may have."""
    stem = posixpath.splitext(posixpath.basename(place))[0]
    name = re.sub(r"[^a-z0-9]+", "_", stem.lower()).strip("_")[:64] if stem.isascii() else ""
    return name or f"bank_{hashlib.sha256(text).hexdigest()[:12]}"


def _decoded(text: bytes, where: str) -> str:
    if len(text) > BYTES_MAX:
        raise RequestError(f"{where} has {len(text):,} bytes; at most {BYTES_MAX:,} are read")
    if text[:2] in _OTHER_ENCODINGS:
        raise RequestError(f"{where} is {_OTHER_ENCODINGS[text[:2]]}; save it as UTF-8")
    try:
        return text.decode()
    except UnicodeDecodeError as why:
        line = text.count(b"\n", 0, why.start) + 1
        raise RequestError(f"{where}, line {line}: it is not UTF-8; save it as UTF-8") from why
