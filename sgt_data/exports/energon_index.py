"""energon's index of a folder of tars: where each sample and each member lies, from our own index.

`SHARD.tar.idx` holds where each sample begins, and where the last one ends, as 64-bit numbers.
`index.sqlite` finds a sample or a member by its key.
"""

from __future__ import annotations

import hashlib
import sqlite3
import uuid
from collections.abc import Iterator
from urllib.parse import quote

import numpy as np

from sgt_data.corpus.index import MEMBERS
from sgt_data.corpus.shard import member_name
from sgt_data.errors import CorpusError
from sgt_data.exports.shard_tars import ShardTar

_TABLES = (
    "CREATE TABLE samples (tar_file_id INTEGER NOT NULL, sample_key TEXT NOT NULL UNIQUE, "
    "sample_index INTEGER NOT NULL, byte_offset INTEGER, byte_size INTEGER)",
    "CREATE TABLE sample_parts (tar_file_id INTEGER, sample_index INTEGER, part_name TEXT, "
    "content_byte_offset INTEGER, content_byte_size INTEGER)",
)
_INDEXES = (
    "CREATE INDEX idx_samples_by_tar_and_idx ON samples(tar_file_id, sample_index)",
    "CREATE INDEX idx_sample_parts_seq ON "
    "sample_parts(tar_file_id, sample_index, content_byte_offset)",
    "CREATE INDEX idx_sample_parts_full ON sample_parts(tar_file_id, sample_index, part_name, "
    "content_byte_offset, content_byte_size)",
)

_Part = tuple[int, int, str, int, int]


def tar_index(tar: ShardTar) -> bytes:
    """The content of a tar's `.tar.idx`."""
    return np.append(tar.starts, tar.ends[-1]).astype("<u8").tobytes()


class IndexDatabase:
    """Writes an `index.sqlite`. Its bytes depend on the tars and the version of SQLite alone."""

    def __init__(self, path: str) -> None:
        """
        Args:
            path: of a new file on a local disk.
        """
        # nobody reads the file before it has its name, so nothing is locked and nothing undone
        place = f"file:{quote(path)}?nolock=1"
        self._database = sqlite3.connect(place, uri=True, isolation_level=None)
        for setting in ("journal_mode = OFF", "synchronous = OFF"):
            self._database.execute(f"PRAGMA {setting}")
        self._database.execute("BEGIN")
        for table in _TABLES:
            self._database.execute(table)
        self._digest = hashlib.sha256()

    def add(self, number: int, tar: ShardTar) -> None:
        """Add the samples of a tar.

        Args:
            number: of the tar, in the order of file names.
            tar: whose samples.

        Raises:
            CorpusError: another tar has one of the keys.
        """
        keys, starts, ends = tar.rows["key"].to_pylist(), tar.starts.tolist(), tar.ends.tolist()
        samples = [
            (number, key, row, start, end - start)
            for row, (key, start, end) in enumerate(zip(keys, starts, ends, strict=True))
        ]
        parts = list(_parts(number, tar))
        try:
            self._database.executemany("INSERT INTO samples VALUES (?, ?, ?, ?, ?)", samples)
        except sqlite3.IntegrityError as why:
            raise CorpusError(
                f"{tar.folder}/{tar.shard}: another shard has one of its keys, which must be "
                "unique; `sgt-data verify` names it"
            ) from why
        self._database.executemany("INSERT INTO sample_parts VALUES (?, ?, ?, ?, ?)", parts)
        self._digest.update(repr((tar.name, samples, parts)).encode())

    def finish(self) -> str:
        """Complete the file; an identifier that says what is in it."""
        for index in _INDEXES:
            self._database.execute(index)
        self._database.execute("COMMIT")
        self.close()
        return str(uuid.UUID(bytes=self._digest.digest()[:16], version=5))

    def close(self) -> None:
        """Close the file."""
        self._database.close()


def _parts(number: int, tar: ShardTar) -> Iterator[_Part]:
    """A row for each member of a tar, in its order."""
    for row, sample in enumerate(tar.rows.to_pylist()):
        for member in MEMBERS:
            if (size := sample[f"{member}_size"]) is not None:
                name = member_name("", member, sample["target_extension"]).removeprefix(".")
                yield number, row, name, sample[f"{member}_offset"], size
