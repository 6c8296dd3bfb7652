"""The tars that the patterns of a source name."""

from __future__ import annotations

import os
import posixpath
import re

from sgt_data.errors import RequestError
from sgt_data.files.urls import absolute, expand, is_local

_GLOB = re.compile(r"[*?\[]")


def matching_tars(source: str, patterns: str | list[str]) -> list[str]:
    """URLs of the tars that brace and glob patterns name, each once.

    Raises:
        RequestError: nothing matches a pattern; names it, and the folder that was looked in.
    """
    several = [patterns] if isinstance(patterns, str) else patterns
    if not several:
        raise RequestError(f"sources.{source}.tars: the list is empty; give a URL or a pattern")
    tars: dict[str, None] = {}
    for pattern in several:
        if not pattern.strip():
            raise RequestError(f"sources.{source}.tars: found {pattern!r}; give a URL or a pattern")
        matches = expand(pattern)
        if not matches:
            raise RequestError(f"sources.{source}.tars: nothing matches {_in_words(pattern)}")
        tars.update(dict.fromkeys(matches))
    return list(tars)


def _in_words(pattern: str) -> str:
    """A pattern that matches nothing, absolute, and what is in the folder where it looks."""
    place = absolute(pattern)
    plain = _GLOB.split(place.split("{")[0])[0]
    folder = posixpath.dirname(plain)
    if not is_local(folder):
        return place
    if not os.path.isdir(folder):
        return f"{place}: there is no folder {folder}"
    count = len(os.listdir(folder))
    return f"{place}: looked in {folder}, which holds {count} other files and folders"
