"""Parts of files of HTTP servers, also of those that answer every request with the whole file.

A request for a part is answered 206, or 200 by a server that does not know parts (such as
`python -m http.server`). Of such a server a file is fetched once and kept in `whole_files`.
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

from fsspec.asyn import sync

from sgt_data.errors import SourceError
from sgt_data.files.whole_files import COPIES, Copy, TooLarge, Validator
from sgt_data.foreign_errors import in_words

_PARTIAL, _NOT_SATISFIABLE = 206, 416
_FIRST_BYTE = re.compile(r"bytes\s+(\d+)-")
_WHOLE_LENGTH = re.compile(r"bytes\s+\S+/(\d+)")
_PLAIN = ("", "identity")
_CHUNK_BYTES = 1 << 20

_ASK_SECONDS, _WHOLE_SECONDS = 60.0, 3600.0
"""How long a question about a file, and the fetching of a whole file, may take."""

_SILENT_SECONDS = 60.0
"""A stream of a whole file ends in an error after so long without a byte."""


def is_http(filesystem: Any) -> bool:
    """Whether a file system is that of HTTP servers."""
    protocol = filesystem.protocol
    return "https" in ([protocol] if isinstance(protocol, str) else protocol)


def read_http_range(filesystem: Any, url: str, start: int, length: int, seconds: float) -> bytes:
    """`length` bytes of a file from byte `start`; fewer at the end of the file.

    Args:
        filesystem: of the server.
        url: of the file.
        start: the first byte.
        length: number of bytes.
        seconds: how long a request for a part may take.

    Raises:
        SourceError: the server does not answer ranges, and the file is too large to be kept.
        Exception: what the HTTP client raises where the server cannot be asked.
    """
    if length <= 0:
        return b""
    if url not in COPIES:
        part: bytes | None = sync(
            filesystem.loop, _part, filesystem, url, start, length, timeout=seconds
        )
        if part is not None:
            return part
    return whole_copy(filesystem, url).read(start, length)


def http_size(filesystem: Any, url: str) -> int | None:
    """Bytes of a file; None where the server does not tell, and the file is too large to be kept.

    The first byte is asked for, as whoever reads the file asks: servers refuse questions without an
    answer (HEAD), or answer them for a packed form of the file.

    Raises:
        Exception: what the HTTP client raises where the server cannot be asked.
    """
    if url not in COPIES:
        size: int | None = sync(filesystem.loop, _size, filesystem, url, timeout=_ASK_SECONDS)
        if size is not None:
            return size
    try:
        return _copy(filesystem, url).size
    except TooLarge:
        return None


def answers_ranges(filesystem: Any, url: str) -> bool:
    """Whether a request for a part of a file is answered with this part.

    Raises:
        Exception: what the HTTP client raises where the server cannot be asked.
    """
    if url in COPIES:
        return False
    part = sync(filesystem.loop, _part, filesystem, url, 0, 1, timeout=_ASK_SECONDS)
    return part is not None


def whole_copy(filesystem: Any, url: str) -> Copy:
    """The copy of a file, fetched where there is none, or where the file has changed.

    Raises:
        SourceError: the file is too large to be kept.
        Exception: what the HTTP client raises where the server cannot be asked.
    """

    try:
        return _copy(filesystem, url)
    except TooLarge as why:
        server = urlsplit(url)
        raise SourceError(
            f"{server.scheme}://{server.hostname} does not answer requests for parts of a file "
            f"(HTTP ranges), and {url} is too large to be fetched as a whole ({in_words(why)}). "
            "Use a server that answers them (nginx, Caddy, an object store), or copy the file to "
            "a disk"
        ) from None


def _copy(filesystem: Any, url: str) -> Copy:
    def fetch(out: Any, most: int) -> Validator:
        fetched: Validator = sync(
            filesystem.loop, _fetch, filesystem, url, out, most, timeout=_WHOLE_SECONDS
        )
        return fetched

    def validator() -> Validator | None:
        asked: Validator | None = sync(
            filesystem.loop, _state, filesystem, url, timeout=_ASK_SECONDS
        )
        return asked

    return COPIES.get(url, fetch, validator)


class HttpStream:
    """A file of a server that knows no ranges, read from front to back.

    It is fetched in one answer; a file that was fetched already, for its size or its end, is read
    from its copy.

    Attributes:
        size: of the file in bytes; None where the server does not tell.
    """

    def __init__(self, filesystem: Any, url: str) -> None:
        self._loop = filesystem.loop
        self._copy = _copy(filesystem, url) if url in COPIES else None
        self._position = 0
        self.size: int | None
        if self._copy is not None:
            self.size = self._copy.size
            return
        self._response: Any = sync(self._loop, _whole_answer, filesystem, url, timeout=_ASK_SECONDS)
        self.size = _plain_length(self._response)

    def seekable(self) -> bool:
        """False: a later byte is reached by reading up to it."""
        return False

    def read(self, length: int) -> bytes:
        """The next bytes, at most so many; none at the end."""
        if self._copy is not None:
            part = self._copy.read(self._position, length)
            self._position += len(part)
            return part
        data: bytes = sync(self._loop, self._response.content.read, length)
        return data

    def close(self) -> None:
        """End the connection, whatever is left unread."""
        if self._copy is None:
            self._loop.call_soon_threadsafe(self._response.close)


async def _whole_answer(filesystem: Any, url: str) -> Any:
    session = await filesystem.set_session()
    options = _options(filesystem) | _stream_options()
    response = await session.get(filesystem.encode_url(url), **options)
    try:
        filesystem._raise_not_found_for_status(response, url)
    except BaseException:
        response.close()
        raise
    return response


def _stream_options() -> dict[str, Any]:
    """Options of a request whose answer may take hours: it may only not be silent for long."""
    from aiohttp import ClientTimeout

    return {"timeout": ClientTimeout(total=None, sock_read=_SILENT_SECONDS)}


def _options(filesystem: Any, **headers: str) -> dict[str, Any]:
    """Options of a request, as the file system sends them, for the file's own bytes."""
    options = dict(filesystem.kwargs)
    own = options.pop("headers", {})
    return {**options, "headers": {**own, "Accept-Encoding": "identity", **headers}}


async def _part(filesystem: Any, url: str, start: int, length: int) -> bytes | None:
    """A part of a file; None where the server would give the whole file instead."""
    session = await filesystem.set_session()
    options = _options(filesystem, Range=f"bytes={start}-{start + length - 1}")
    async with session.get(filesystem.encode_url(url), **options) as response:
        if response.status == _NOT_SATISFIABLE:  # it begins behind the end of the file
            return b""
        filesystem._raise_not_found_for_status(response, url)
        if response.status == _PARTIAL:
            first = _FIRST_BYTE.match(response.headers.get("Content-Range", ""))
            if (first is not None and int(first[1]) != start) or not _is_plain(response):
                return None
            return await _beginning(response, length)
        size = _plain_length(response)
        if start == 0 and size is not None and size <= length:
            whole: bytes = await response.read()
            return whole
        return None


async def _size(filesystem: Any, url: str) -> int | None:
    """Bytes of a file as an answer to a request for its first byte states them; None if none."""
    session = await filesystem.set_session()
    options = _options(filesystem, Range="bytes=0-0")
    async with session.get(filesystem.encode_url(url), **options) as response:
        stated = _WHOLE_LENGTH.match(response.headers.get("Content-Range", ""))
        if response.status != _NOT_SATISFIABLE:  # as the only byte of an empty file is
            filesystem._raise_not_found_for_status(response, url)
        if response.status in (_PARTIAL, _NOT_SATISFIABLE):
            return int(stated[1]) if stated is not None and _is_plain(response) else None
        return _plain_length(response)


def _is_plain(response: Any) -> bool:
    """Whether an answer is the file itself, and no packed form of it, as some servers send to whom
    did not ask for one."""
    return response.headers.get("Content-Encoding", "") in _PLAIN


def _plain_length(response: Any) -> int | None:
    """Bytes of the file that an answer gives as a whole; None where it does not say it."""
    length: int | None = response.content_length
    return length if _is_plain(response) else None


async def _beginning(response: Any, length: int) -> bytes:
    """At most so many bytes of an answer, whatever else the server sends."""
    data = bytearray()
    while len(data) < length and (part := await response.content.read(length - len(data))):
        data += part
    return bytes(data)


async def _fetch(filesystem: Any, url: str, out: Any, most: int) -> Validator:
    """Write a whole file to a local one; what tells it from a later one.

    Both states are answers to HEAD: servers state another length where they send a packed form.
    """
    state = await _state(filesystem, url)
    session = await filesystem.set_session()
    options = _options(filesystem) | _stream_options()
    async with session.get(filesystem.encode_url(url), **options) as response:
        filesystem._raise_not_found_for_status(response, url)
        count = _plain_length(response) or 0
        if count <= most:
            count = 0
            async for chunk in response.content.iter_chunked(_CHUNK_BYTES):
                count += len(chunk)
                if count > most:
                    break
                out.write(chunk)
        if count > most:
            raise TooLarge(f"{count} bytes or more; allowed: {most}")
        return state or ()


async def _state(filesystem: Any, url: str) -> Validator | None:
    """What tells the file from an earlier one; None where the server does not say it."""
    session = await filesystem.set_session()
    options = _options(filesystem) | {"allow_redirects": True}
    async with session.head(filesystem.encode_url(url), **options) as response:
        names = ("Content-Length", "ETag", "Last-Modified")
        stated = tuple(response.headers.get(name) for name in names)
        return stated if response.status == 200 else None
