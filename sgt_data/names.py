"""Names that a manifest gives: they become parts of keys and paths."""

from __future__ import annotations

import re

_NAME = re.compile(r"[a-z][a-z0-9-]{0,31}")


def checked_name(name: str) -> str:
    """Names of sources and proxies become parts of keys and paths.

    Raises:
        ValueError: it is no such name.
    """
    if not _NAME.fullmatch(name):
        raise ValueError("a name is 1 to 32 of a-z, 0-9 and -, and begins with a letter")
    return name
