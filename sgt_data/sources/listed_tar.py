"""A tar as it was listed: where it lies, how long it is, and whether its end is there."""

from __future__ import annotations

import hashlib
import statistics
import tarfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import orjson

from sgt_data.errors import SourceError
from sgt_data.files.reading import read_range

NOT_WHOLE = "not whole when it was listed"
"""Stands in a build's identity for a tar that ended early, or was none, when the build began."""

_UNKNOWN = "unknown"
_EDGE_BYTES = 64 << 10
_BLOCK = 512
_MAGIC_BYTES = 512


class BrokenTar(SourceError):
    """A tar that was read, and of which an unknown part is missing. Messages hold no signature."""


@dataclass(frozen=True, slots=True)
class ListedTar:
    """A tar to read.

    Attributes:
        url: where it lies; of a list of links, its name there.
        nbytes: its size; None where the server does not tell.
        expected_bytes: the size that such tars have, by which the missing part of one that ends
            early is estimated; None where there is no other tar to compare.
    """

    url: str
    nbytes: int | None = None
    expected_bytes: int | None = None

    def payload(self) -> bytes:
        """The tar as the note of its slice."""
        return orjson.dumps(asdict(self))

    @classmethod
    def of(cls, payload: bytes) -> ListedTar:
        """The tar that a slice's note holds."""
        return cls(**orjson.loads(payload))


@dataclass(frozen=True, slots=True)
class TarEdges:
    """The first and the last bytes of a tar.

    Attributes:
        nbytes: size of the tar; None where the server does not tell.
        digest: SHA-256 over its first and last 64 KiB.
        beginning: SHA-256 of its first header; None where it begins with none.
        ended: whether an end marker is at its end; always where the size is not known.
        magic: its first bytes, by which a file of another kind is known.
    """

    nbytes: int | None
    digest: str
    beginning: str | None
    ended: bool
    magic: bytes

    def identity(self, *, truncated_allowed: bool) -> str:
        """What the tar is, for the identity of a build: size and digest, cheap and different for
        each. A tar that is not whole yet is known by its beginning alone."""
        if self.ended or truncated_allowed:
            return f"{self.nbytes} bytes, edges sha256:{self.digest}"
        return f"{NOT_WHOLE}, beginning {self.beginning or _UNKNOWN}"


def is_later_form(begun: str, beginning: str | None) -> bool:
    """Whether a tar may be the whole of one that was not whole when a corpus was begun.

    Args:
        begun: what the identity of the corpus says of it.
        beginning: of the tar that lies there now.
    """
    return begun.startswith(NOT_WHOLE) and begun.rsplit(" ", 1)[-1] in (_UNKNOWN, beginning)


def read_edges(url: str, size: int | None) -> TarEdges:
    """Read the first and the last bytes of a tar.

    Raises:
        SourceError: they cannot be read at present.
    """
    edges = first = read_range(url, 0, _EDGE_BYTES)
    if size is not None and size > _EDGE_BYTES:
        edges += read_range(url, max(_EDGE_BYTES, size - _EDGE_BYTES), _EDGE_BYTES)
    beginning = hashlib.sha256(first[:_BLOCK]).hexdigest()[:32] if _is_header(first) else None
    ended = size is None or _ends(edges, size)
    digest = hashlib.sha256(edges).hexdigest()[:32]
    return TarEdges(size, digest, beginning, ended, first[:_MAGIC_BYTES])


def expected_size(sizes: Sequence[int | None]) -> int | None:
    """The size that tars of these sizes have, most of them; None where there are less than two."""
    known = [size for size in sizes if size is not None]
    return statistics.median_high(known) if len(known) > 1 else None


def _is_header(data: bytes) -> bool:
    try:
        tarfile.TarInfo.frombuf(data[:_BLOCK], "utf-8", "surrogateescape")
    except tarfile.HeaderError:
        return False
    return True


def _ends(edges: bytes, size: int) -> bool:
    """Whether the last whole block of a tar is zeros, as an end marker's is."""
    rest = size % _BLOCK
    last = edges[len(edges) - rest - _BLOCK : len(edges) - rest]
    return len(last) == _BLOCK and not any(last)
