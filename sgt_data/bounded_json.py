"""JSON of corpora and of what is made of them: parsed, and refused where it is nested deeply.

What reads such documents (redaction, models of fields, writers of JSON) calls itself for each
level, and Python ends such calls at about a thousand.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import orjson

JSON_DEPTH_MAX = 64
"""Deepest nesting that is read. Documents of this package nest 8 deep."""


def loads_bounded(data: bytes | str) -> Any:
    """A JSON document.

    Raises:
        orjson.JSONDecodeError: it is none, or is nested deeper than `JSON_DEPTH_MAX` levels.
    """
    document = orjson.loads(data)
    if is_deeper(document, JSON_DEPTH_MAX):
        raise orjson.JSONDecodeError(f"nested deeper than {JSON_DEPTH_MAX} levels", "{", 0)
    return document


def is_deeper(document: Any, levels: int) -> bool:
    """Whether a document of plain JSON is nested deeper than so many levels."""
    level: list[Any] = [document] if isinstance(document, dict | list) else []
    for _ in range(levels):
        if not level:
            return False
        level = [part for each in level for part in _parts(each) if isinstance(part, dict | list)]
    return bool(level)


def _parts(container: dict[str, Any] | list[Any]) -> Iterable[Any]:
    return container.values() if isinstance(container, dict) else container
