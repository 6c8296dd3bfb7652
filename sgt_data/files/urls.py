"""URLs of files: what they name, and how patterns become lists of them.

A URL is an fsspec URL (`s3://...`, `hf://...`, `https://...`) or a local path.
"""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Iterable
from typing import Any

from braceexpand import braceexpand
from fsspec.core import url_to_fs
from fsspec.implementations.local import LocalFileSystem

from sgt_data.errors import RequestError
from sgt_data.foreign_errors import in_words

Location = str | os.PathLike[str]
"""A URL or a local path as public functions take it: a text, or a `pathlib.Path`."""

_BROKEN_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:/[^/]")


def plain(location: Location) -> str:
    """A URL or a local path as a text.

    Raises:
        RequestError: it is no path; or it is a `pathlib.Path` of a URL, which lacks a slash.
    """
    if isinstance(location, str):
        return location
    if not isinstance(location, os.PathLike) or not isinstance(path := os.fspath(location), str):
        raise RequestError(
            f"found {location!r:.80} where a path or URL belongs; allowed: a text or a pathlib.Path"
        )
    if _BROKEN_URL.match(path):
        raise RequestError(
            f"{path}: pathlib.Path takes a slash out of a URL; give the URL as a text"
        )
    return path


def absolute(location: Location) -> str:
    """A local path made absolute; other URLs are returned as they are.

    An absolute path means the same in every process.
    """
    url = plain(location)
    if "://" in url and not url.startswith("file://"):
        return url
    return os.path.abspath(os.path.expanduser(url.removeprefix("file://")))


def open_filesystem(url: str) -> tuple[Any, str]:
    """The fsspec file system of a URL, and the path within it.

    Raises:
        RequestError: the protocol is unknown, or its package is not installed.
    """
    try:
        filesystem, path = url_to_fs(url)
    except (ValueError, ImportError) as why:
        raise RequestError(f"cannot reach {url}: {in_words(why)}") from why
    return filesystem, path


def is_local(url: str) -> bool:
    """Whether a URL names a file of a local disk.

    Raises:
        RequestError: the protocol is unknown, or its package is not installed.
    """
    return isinstance(open_filesystem(url)[0], LocalFileSystem)


def lives_in_one_process(url: str) -> bool:
    """Whether a URL begins with `memory://`: other processes do not see such files."""
    return url.startswith("memory://")


def join(root: str, *parts: str) -> str:
    """A URL below `root`, whose parts are joined by `/`."""
    return posixpath.join(root, *parts)


def expand(patterns: str | Iterable[str]) -> list[str]:
    """URLs named by brace (`sa_{000000..000016}.tar`) and glob patterns, absolute, each once.

    A pattern without `*?[` is taken as it is, whether the file exists or not. The matches of a glob
    are sorted.

    Raises:
        RequestError: the braces of a pattern are unbalanced, or its protocol is unknown.
    """
    expanded: dict[str, None] = {}
    for pattern in [patterns] if isinstance(patterns, str) else patterns:
        try:
            urls = list(braceexpand(pattern))
        except ValueError as why:
            raise RequestError(f"unbalanced braces in {pattern!r}") from why
        for url in map(absolute, urls):
            # in http URLs a question mark begins the query
            glob_signs = "*[" if url.startswith(("http://", "https://")) else "*?["
            if not any(sign in url for sign in glob_signs):
                expanded[url] = None
                continue
            filesystem, path = open_filesystem(url)
            for match in sorted(filesystem.glob(path)):
                expanded[_with_protocol(filesystem, match)] = None
    return list(expanded)


def _with_protocol(filesystem: Any, path: str) -> str:
    if isinstance(filesystem, LocalFileSystem):
        return path
    url: str = filesystem.unstrip_protocol(path)
    return url
