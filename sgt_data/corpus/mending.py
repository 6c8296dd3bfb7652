"""What a person can do about a shard whose files are lost or damaged, and reads that say it."""

from __future__ import annotations

from sgt_data.errors import CorpusError, FileMissing
from sgt_data.files.reading import read_bytes
from sgt_data.files.urls import below

MAKE_AGAIN = (
    "Run the command that wrote the corpus again, which makes the shard anew; `sgt-data verify` "
    "names all that is lost"
)
"""What to do about a file that is missing or too short."""

REMOVE_AND_MAKE_AGAIN = (
    "Remove the file, then run the command that wrote the corpus again, which makes the shard "
    "anew; `sgt-data verify --deep` names all that is damaged"
)
"""What to do about a file that has its size and other bytes."""


def read_committed(root: str, path: str) -> bytes:
    """A file of a shard that is committed.

    Args:
        root: of the corpus.
        path: of the file below it.

    Raises:
        CorpusError: it is missing; says what to do.
        SourceError: it cannot be read just now.
    """
    place = below(root, path)
    try:
        return read_bytes(place)
    except FileMissing as why:
        raise lost(place) from why


def lost(place: str) -> CorpusError:
    """The error for a file of a committed shard that does not exist."""
    return CorpusError(f"{place} is missing, and its shard was committed. {MAKE_AGAIN}")
