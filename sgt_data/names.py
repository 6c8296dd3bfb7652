"""Names of sources, proxies and annotators in a manifest."""

from __future__ import annotations

import re

_NAME = re.compile(r"[a-z][a-z0-9-]{0,31}")


def checked_name(name: str) -> str:
    """Check a name, which becomes a part of keys and paths, and return it.

    Raises:
        ValueError: the name is not 1 to 32 of a-z, 0-9 and -, beginning with a letter.
    """
    if not _NAME.fullmatch(name):
        raise ValueError("a name is 1 to 32 of a-z, 0-9 and -, and begins with a letter")
    return name
