"""URLs of files: what they name, and how patterns become lists of them.

A URL is an fsspec URL (`s3://...`, `hf://...`, `https://...`) or a local path.
"""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Collection, Iterable
from typing import Any
from urllib.parse import quote

from fsspec.core import url_to_fs
from fsspec.implementations.local import LocalFileSystem

from sgt_data.errors import LeavesRoot, RequestError
from sgt_data.extras import EXTRA_OF_PROTOCOL, install_hint
from sgt_data.files.braces import expand_braces
from sgt_data.files.retries import retried
from sgt_data.files.troubles import ask_to_tell
from sgt_data.foreign_errors import in_words
from sgt_data.redaction import without_secrets
from sgt_data.value_text import cut

Location = str | os.PathLike[str]
"""A URL or a local path as public functions take it: a text, or a `pathlib.Path`."""

_UNQUOTED = "/!$&'()*+,;=:@~"
_BROKEN_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:/[^/]")

PLAIN_PROTOCOLS = (
    "file", "http", "https", "s3", "s3a", "gs", "gcs", "az", "abfs", "abfss", "hf", "memory",
)  # fmt: skip
"""The protocols of URLs that come from files: they read the one file that they name. Others load
what a file describes (`reference`), ask further programs, or hide a second URL."""


def checked_url(url: object, protocols: Collection[str] = PLAIN_PROTOCOLS) -> str:
    """Check a URL that comes from a file (a subset file, an annotation, a list), and return it.

    URLs that a person types may have any protocol, and may chain several (`::`).

    Args:
        url: anything; a local path is a URL, too.
        protocols: those that are allowed.

    Raises:
        ValueError: it is no URL, chains file systems, or has another protocol.
    """
    if not isinstance(url, str) or not url:
        raise ValueError(f"found {cut(url, 60)}, which is no URL")
    protocol, separator, _ = url.partition("://")
    if "::" in url or (separator and protocol not in protocols):
        raise ValueError(
            f"found {cut(without_secrets(url))}; a URL that is read from a file must begin with "
            f"one of {', '.join(f'{name}://' for name in protocols)} and hold no `::`"
        )
    if not separator and "file" not in protocols:
        raise ValueError(f"found {cut(url)}, which is no URL of {', '.join(protocols)}")
    return url


def plain(location: Location) -> str:
    """A URL or a local path as a text.

    Raises:
        RequestError: it is no path; or it is a `pathlib.Path` of a URL, which lacks a slash.
    """
    if isinstance(location, str):
        return location
    if not isinstance(location, os.PathLike) or not isinstance(path := os.fspath(location), str):
        raise RequestError(
            f"found {cut(location)} where a path or URL belongs; allowed: a text or a pathlib.Path"
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
    if url.startswith("/"):  # whatever its name holds: fsspec would read `::` as a chain
        return LocalFileSystem(), LocalFileSystem._strip_protocol(url)
    try:
        filesystem, path = url_to_fs(url)
    except (ValueError, ImportError) as why:
        extra = EXTRA_OF_PROTOCOL.get(url.partition("://")[0])
        lacks = extra is not None and isinstance(why, ImportError)
        hint = f": {install_hint(extra)}" if extra and lacks else ""
        raise RequestError(f"cannot reach {url}: {in_words(why)}{hint}") from why
    ask_to_tell(filesystem)
    return filesystem, path


def is_local(url: str) -> bool:
    """Whether a URL names a file of a local disk.

    Raises:
        RequestError: the protocol is unknown, or its package is not installed.
    """
    return isinstance(open_filesystem(url)[0], LocalFileSystem)


def is_http_url(url: str) -> bool:
    """Whether a URL is one of the web."""
    return url.startswith(("http://", "https://"))


def has_glob(part: str, url: str) -> bool:
    """Whether a part of a URL is a glob pattern; in those of the web `?` begins the query."""
    return any(sign in part for sign in ("*[" if is_http_url(url) else "*?["))


def lives_in_one_process(url: str) -> bool:
    """Whether a URL begins with `memory://`: other processes do not see such files."""
    return url.startswith("memory://")


def join(root: str, *parts: str) -> str:
    """A URL below `root`, whose parts are joined by `/`. Parts are names: they are quoted where
    `root` is an HTTP URL, in which `#` and `?` have another meaning."""
    if is_http_url(root):
        parts = tuple(quote(part, _UNQUOTED, errors="surrogateescape") for part in parts)
    return posixpath.join(root, *parts)


def below(root: str, path: str) -> str:
    """The URL of a file of the folder `root`, for reading and writing.

    Links within the folder are followed. A link that leads out of it is not, save those of a copy
    that the Hub's client downloaded, which keeps the content of its files beside its snapshots.

    Args:
        root: absolute URL of the folder; it may be a link itself.
        path: of the file within the folder, of checked names (see `names`).

    Raises:
        LeavesRoot: the path, or a link on it, leads out of the folder.
    """
    place = join(root, path)
    if not root.startswith("/"):
        return place
    real_root, real = os.path.realpath(root), os.path.realpath(place)
    if not is_within(real, real_root) and os.path.dirname(real) != _blobs_of(real_root):
        raise LeavesRoot(
            f"{place} leads to {real}, out of {real_root}; files of a corpus must lie in its own "
            "folder: put the file itself in the place of the link (cp -L)"
        )
    return place


def is_within(path: str, folder: str) -> bool:
    """Whether a path is that of a folder, or lies in it. Both are resolved, without links."""
    return path == folder or path.startswith(f"{folder.rstrip('/')}/")


def _blobs_of(root: str) -> str | None:
    """Where the Hub's cache keeps the content of a snapshot's files; None for other folders."""
    repository, snapshots, _ = f"{root}/".rpartition("/snapshots/")
    return f"{repository}/blobs" if snapshots else None


def expand(patterns: str | Iterable[str]) -> list[str]:
    """URLs named by brace (`sa_{000000..000016}.tar`) and glob patterns, absolute, each once.

    A pattern without `*?[` is taken as it is, whether the file exists or not. The matches of a glob
    are sorted.

    Raises:
        RequestError: the braces of a pattern are unbalanced or stand for too much, or its protocol
            is unknown.
        FileMissing: the place of a glob does not exist.
        SourceError: it cannot be listed, after several attempts.
    """
    expanded: dict[str, None] = {}
    for pattern in [patterns] if isinstance(patterns, str) else patterns:
        try:
            urls = expand_braces(pattern)
        except ValueError as why:
            raise RequestError(f"unbalanced braces in {pattern!r}") from why
        for url in map(absolute, urls):
            if not has_glob(url, url):
                expanded[url] = None
                continue
            expanded.update(dict.fromkeys(_matches(url)))
    return list(expanded)


def _matches(url: str) -> list[str]:
    """The URLs that a glob pattern matches, sorted."""

    def ask() -> list[str]:
        filesystem, path = open_filesystem(url)
        filesystem.invalidate_cache()
        return [_with_protocol(filesystem, match) for match in sorted(filesystem.glob(path))]

    return retried(ask, f"cannot list {url}")


def _with_protocol(filesystem: Any, path: str) -> str:
    if isinstance(filesystem, LocalFileSystem):
        return path
    url: str = filesystem.unstrip_protocol(path)
    return url
