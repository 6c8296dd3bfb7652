"""URLs: what they name, and how patterns become lists of them.

A path is an fsspec URL, or a local path.
"""

from __future__ import annotations

import os
import posixpath
from collections.abc import Iterable
from typing import Any

from braceexpand import braceexpand
from fsspec.core import url_to_fs
from fsspec.implementations.local import LocalFileSystem

from sgt_data.errors import RequestError


def absolute(url: str) -> str:
    """A local path made absolute (it must mean the same in every process); other URLs unchanged."""
    if "://" in url and not url.startswith("file://"):
        return url
    return os.path.abspath(os.path.expanduser(url.removeprefix("file://")))


def open_filesystem(url: str) -> tuple[Any, str]:
    """The fsspec filesystem of a URL, and the path within it.

    Raises:
        RequestError: unknown protocol, or its package is not installed.
    """
    try:
        filesystem, path = url_to_fs(url)
    except (ValueError, ImportError) as why:
        raise RequestError(f"cannot reach {url}: {why}") from why
    return filesystem, path


def is_local(url: str) -> bool:
    return isinstance(open_filesystem(url)[0], LocalFileSystem)


def lives_in_one_process(url: str) -> bool:
    """True for `memory://`: other processes do not see it."""
    return url.startswith("memory://")


def join(root: str, *parts: str) -> str:
    return posixpath.join(root, *parts)


def expand(patterns: str | Iterable[str]) -> list[str]:
    """URLs named by brace (`sa_{000000..000016}.tar`) and glob patterns, absolute, each once.

    A pattern without `*?[` is taken as it is, existing or not; a glob's matches are sorted.
    """
    found: dict[str, None] = {}
    for pattern in [patterns] if isinstance(patterns, str) else patterns:
        try:
            urls = list(braceexpand(pattern))
        except ValueError as why:
            raise RequestError(f"unbalanced braces in {pattern!r}") from why
        for url in map(absolute, urls):
            signs = "*[" if url.startswith(("http://", "https://")) else "*?["
            if not any(sign in url for sign in signs):
                found[url] = None
                continue
            filesystem, path = open_filesystem(url)
            for match in sorted(filesystem.glob(path)):
                found[_with_protocol(url, filesystem, match)] = None
    return list(found)


def _with_protocol(url: str, filesystem: Any, path: str) -> str:
    if isinstance(filesystem, LocalFileSystem):
        return path
    name: str = filesystem.unstrip_protocol(path)
    return name
