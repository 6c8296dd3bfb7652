"""Read samples of a corpus by their places in the index, and check every byte against it.

Local tars are read by offset: no scan, and processes share the page cache. Remote ones are read by
ranges too, and kept in a bounded folder on a local disk if there is one (see `shard_cache`).
"""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any, BinaryIO

import numpy as np
import orjson
import pyarrow as pa
from isal.isal_zlib import crc32

from sgt_data.corpus.index import MEMBERS
from sgt_data.corpus.layout import INPUT, tar_path
from sgt_data.corpus.reader import Corpus
from sgt_data.errors import CorpusError, FileMissing
from sgt_data.files.reading import read_range
from sgt_data.files.urls import is_local, join
from sgt_data.stream.samples import Sample
from sgt_data.stream.shard_cache import RemoteShard, ShardCache

INDEXES_MAX, FILES_MAX = 256, 32
"""Indexes and open files that one process keeps; the least recently used go first."""


class Rows:
    """A shard's index as arrays: keys, and for each member the places and checksums of its bytes
    (size -1 where a sample has none)."""

    def __init__(self, table: pa.Table) -> None:
        self.keys: list[str] = table["key"].to_pylist()
        self.number = {key: row for row, key in enumerate(self.keys)}
        self.members = {
            member: np.stack(
                [
                    table[f"{member}_{what}"].fill_null(-1).to_numpy().astype(np.int64)
                    if what != "crc32"
                    else table[f"{member}_{what}"].fill_null(0).to_numpy().astype(np.int64)
                    for what in ("offset", "size", "crc32")
                ],
                axis=1,
            )
            for member in MEMBERS
        }


class CorpusReader:
    """Reads samples of one corpus. Each process, copy and pickle opens its own files."""

    def __init__(
        self, corpus: Corpus, *, checksums: bool = True, cache: ShardCache | None = None
    ) -> None:
        self._corpus, self._checksums = corpus, checksums
        self._rows: OrderedDict[tuple[str, str], Rows] = OrderedDict()
        self._files: OrderedDict[str, BinaryIO] = OrderedDict()
        self._local = is_local(corpus.url)
        self._cache = None if self._local else cache
        self._lock = threading.Lock()  # several threads fetch remote samples

    def key(self, proxy: str, shard: str, row: int) -> str:
        """The key of a sample.

        Raises:
            CorpusError: the index is damaged, or has no such row.
        """
        keys = self._rows_of(proxy, shard).keys
        if not row < len(keys):
            raise CorpusError(
                f"{self._corpus.url}: index of {proxy}/{shard} has {len(keys)} rows; corpus.json "
                f"promises row {row}"
            )
        return keys[row]

    def read(self, component: str, proxy: str, shard: str, row: int) -> Sample:
        """One whole sample.

        Raises:
            CorpusError: it is not what the index says: which shard, key and member.
            SourceError: it cannot be read just now.
        """
        key = self.key(proxy, shard, row)
        parts = self._members(proxy, shard, row)
        if "input" not in parts:
            number = self._rows_of(INPUT, shard).number.get(key)
            if number is None:
                raise CorpusError(f"{self._corpus.url}: {INPUT}/{shard} has no input {key}")
            parts |= self._members(INPUT, shard, number, ("input",))
        missing = [member for member in MEMBERS if member not in parts]
        if missing:
            raise CorpusError(
                f"{self._corpus.url}: {proxy}/{shard}, sample {key} has no {missing[0]}"
            )
        try:
            facts = orjson.loads(parts["facts"])
            instruction = parts["instruction"].decode()
        except ValueError as why:
            raise CorpusError(f"{self._corpus.url}: {proxy}/{shard}, sample {key}: {why}") from why
        return Sample(
            component, key, proxy, self._corpus.url, shard,
            parts["input"], parts["target"], instruction, facts,
        )  # fmt: skip

    def __getstate__(self) -> dict[str, Any]:
        return {"corpus": self._corpus, "checksums": self._checksums, "cache": self._cache}

    def __setstate__(self, state: Mapping[str, Any]) -> None:
        self.__init__(  # type: ignore[misc]
            state["corpus"], checksums=state["checksums"], cache=state["cache"]
        )

    def _members(
        self, proxy: str, shard: str, row: int, wanted: tuple[str, ...] = MEMBERS
    ) -> dict[str, bytes]:
        """Members of one sample, in one read, checked."""
        rows = self._rows_of(proxy, shard)
        places = {
            member: rows.members[member][row].tolist()
            for member in wanted
            if rows.members[member][row][1] >= 0
        }
        start = min(offset for offset, _, _ in places.values())
        stop = max(offset + size for offset, size, _ in places.values())
        place, key = join(self._corpus.url, tar_path(proxy, shard)), rows.keys[row]
        if self._cache is not None:
            remote = self._remote(proxy, shard)
            data = self._cache.read(remote, start, stop - start)
            try:
                if data is not None:
                    return self._checked(data, start, places, place, key)
            except CorpusError:
                self._cache.forget(remote)
        return self._checked(self._bytes(place, start, stop - start), start, places, place, key)

    def _checked(
        self, data: bytes, start: int, places: Mapping[str, list[int]], place: str, key: str
    ) -> dict[str, bytes]:
        """Members cut out of the bytes from `start` on."""
        found = {}
        for member, (offset, size, checksum) in places.items():
            part = data[offset - start : offset - start + size]
            wrong = "ends too early" if len(part) != size else None
            if wrong is None and self._checksums and crc32(part) != checksum:
                wrong = "has another CRC-32 than the index says"
            if wrong:
                raise CorpusError(f"{place}: {member} of sample {key} {wrong}")
            found[member] = part
        return found

    def tars(self, proxy: str, shard: str) -> list[RemoteShard]:
        """Of which tars a copy helps to read a shard; none where they lie on a local disk."""
        if self._local:
            return []
        shared = [INPUT] if INPUT in self._corpus.folders else []
        return [self._remote(folder, shard) for folder in (*shared, proxy)]

    def _remote(self, proxy: str, shard: str) -> RemoteShard:
        fingerprint = self._corpus.stored_fingerprints.get(proxy, "")
        return RemoteShard(join(self._corpus.url, tar_path(proxy, shard)), fingerprint)

    def _rows_of(self, proxy: str, shard: str) -> Rows:
        place = proxy, shard
        with self._lock:
            if place not in self._rows:
                try:
                    table = self._corpus.index(proxy, shard)
                except FileMissing as why:
                    raise CorpusError(str(why)) from why
                self._rows[place] = Rows(table)
                if len(self._rows) > INDEXES_MAX:
                    self._rows.popitem(last=False)
            self._rows.move_to_end(place)
            return self._rows[place]

    def _bytes(self, place: str, start: int, length: int) -> bytes:
        if not self._local:
            return read_range(place, start, length)
        try:
            return os.pread(self._file(place).fileno(), length, start)
        except OSError as why:
            raise CorpusError(f"{place} cannot be read: {why.strerror or why}") from why

    def _file(self, place: str) -> BinaryIO:
        """Open, and closed with the last reference to it; a fork may share it, as it is read by
        offset."""
        if place not in self._files:
            self._files[place] = open(place, "rb")  # noqa: SIM115
            if len(self._files) > FILES_MAX:
                self._files.popitem(last=False)[1].close()
        self._files.move_to_end(place)
        return self._files[place]
