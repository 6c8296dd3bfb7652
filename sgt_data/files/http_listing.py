"""List a folder of an HTTP server: the links of the page that the server makes of it.

Names in links are quoted (`my%20photo.jpg`); listings hold the names themselves.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any
from urllib.parse import unquote, urljoin, urlsplit

from fsspec.asyn import sync

from sgt_data.errors import RequestError

_PAGE_SECONDS = 60.0
FOLDERS_MAX = 10_000
"""Most folders below a place: a server could make each lead to another, without end."""
PAGE_BYTES_MAX = 256 << 20
"""Longest page that is read, in bytes: a folder of a million files has about 150 million."""
_TITLE = re.compile(r"<(title|h1)[^>]*>\s*(index of|directory listing)", re.IGNORECASE)


def list_http_files(filesystem: Any, url: str) -> list[str]:
    """Paths of all files below a folder, by the links of its pages; none where it is not there.

    Links to other places and with a query (by which such pages are sorted) are no files.

    Raises:
        RequestError: the server gives a page that is no listing, or lists without end.
        Exception: what the HTTP client raises where the server cannot be asked.
    """
    base = url.rstrip("/") + "/"
    try:
        page = _page(filesystem, base)
    except FileNotFoundError:
        return []
    files: list[str] = []
    waiting = [("", page)]
    seen = {""}
    while waiting:
        folder, page = waiting.pop()
        place = base + folder
        names = list(dict.fromkeys(_names(place, page)))
        if not names and not _is_listing(place, page):
            raise RequestError(
                f"cannot list {place}: the server gives a page there, and no listing of files. Use "
                "a tar or a zip, another server (nginx with autoindex, an object store), or a copy "
                "on a disk"
            )
        if len(seen) > FOLDERS_MAX:
            raise RequestError(
                f"cannot list {base}: more than {FOLDERS_MAX:,} folders lie below it; name a "
                "folder farther down, or give a tar or a zip"
            )
        for name in names:
            path = folder + name
            if not name.endswith("/"):
                files.append(unquote(path, errors="surrogateescape"))
            elif path not in seen:
                seen.add(path)
                waiting.append((path, _page(filesystem, base + path)))
    return files


class _Links(HTMLParser):
    """The targets of the links of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.targets: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.targets += [value for name, value in attrs if tag == "a" and name == "href" and value]


def _targets(place: str, page: str) -> Iterator[str]:
    links = _Links()
    links.feed(page)
    for target in links.targets:
        try:
            yield urljoin(place, target)
        except ValueError:  # no URL at all
            continue


def _names(place: str, page: str) -> Iterator[str]:
    """The quoted names of what lies directly in a folder; those of folders end with `/`."""
    folder = urlsplit(place)
    for target in _targets(place, page):
        parts = urlsplit(target)
        name = parts.path.removeprefix(folder.path)
        if parts.hostname != folder.hostname or name == parts.path or "?" in target:
            continue
        plain = unquote(name.removesuffix("/"))
        if "/" not in plain and plain not in ("", ".", ".."):
            yield name


def _is_listing(place: str, page: str) -> bool:
    """Whether a page without files is that of an empty folder."""
    above = posixpath.dirname(place.rstrip("/")) + "/"
    return bool(_TITLE.search(page)) or above in _targets(place, page)


def _page(filesystem: Any, url: str) -> str:
    text: str = sync(filesystem.loop, _get, filesystem, url, timeout=_PAGE_SECONDS)
    return text


async def _get(filesystem: Any, url: str) -> str:
    session = await filesystem.set_session()
    async with session.get(filesystem.encode_url(url), **filesystem.kwargs) as response:
        filesystem._raise_not_found_for_status(response, url)
        if "html" not in response.headers.get("Content-Type", "html"):
            return ""
        page = bytearray()
        async for part in response.content.iter_chunked(1 << 20):
            page += part
            if len(page) > PAGE_BYTES_MAX:
                raise RequestError(
                    f"cannot list {url}: its page has more than {PAGE_BYTES_MAX:,} bytes"
                )
        return page.decode(response.charset or "utf-8", errors="replace")
