"""The reader of stored samples: every byte is compared with the index's checksum.

Local tars are read by offset: no scan, and processes share the page cache. Tars elsewhere are read
by ranges, or from copies on a local disk where there is a store of such copies.
"""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO, Protocol

import orjson
import pyarrow as pa
from isal.isal_zlib import crc32

from sgt_data.corpus.index import MEMBERS
from sgt_data.corpus.member_places import PLACE_COLUMNS, MemberPlace, MemberPlaces
from sgt_data.corpus.mending import MAKE_AGAIN, REMOVE_AND_MAKE_AGAIN, lost
from sgt_data.corpus.paths import INPUT, tar_path
from sgt_data.corpus.reversed_proxies import SWAPPED
from sgt_data.corpus.sample import Sample
from sgt_data.errors import CorpusError, FileMissing
from sgt_data.files.file_signs import LFS_POINTER_BYTES, lfs_note
from sgt_data.files.read_ahead import read_ahead, threads_for
from sgt_data.files.reading import read_range
from sgt_data.files.urls import below, is_local, join
from sgt_data.foreign_errors import in_words
from sgt_data.value_text import counted

INDEXES_MAX, FILES_MAX = 256, 32
"""Indexes and open files that one reader keeps; the least recently used go first."""


class Indexed(Protocol):
    """What the reader needs of a corpus."""

    url: str

    @property
    def folders(self) -> tuple[str, ...]: ...

    @property
    def stored_fingerprints(self) -> Mapping[str, str]: ...

    @property
    def bases(self) -> Mapping[str, str]: ...

    def index(self, proxy: str, shard: str, columns: Sequence[str] | None = None) -> pa.Table: ...


@dataclass(frozen=True, slots=True)
class RemoteTar:
    """A tar that is not on a local disk.

    Attributes:
        url: where it lies.
        fingerprint: of its build; a tar of another build is another file.
    """

    url: str
    fingerprint: str


class LocalCopies(Protocol):
    """Copies of remote tars on a local disk (see `stream.shard_cache`)."""

    def read(self, tar: RemoteTar, start: int, length: int, /) -> bytes | None:
        """A range of a copy, or None where there is no copy."""
        ...

    def forget(self, tar: RemoteTar, /) -> None:
        """Remove a copy that is damaged."""
        ...


class SampleReader:
    """Reads samples of one corpus. Each process, copy and pickle opens its own files."""

    def __init__(
        self,
        corpus: Indexed,
        *,
        checksums: bool = True,
        copies: LocalCopies | None = None,
        late_facts: bool = False,
    ) -> None:
        """
        Args:
            corpus: an opened one.
            checksums: compare every member with the CRC-32 that the index states.
            copies: of tars that are not on a local disk.
            late_facts: parse the JSON of a sample when its facts are first looked at, which takes
                longer than all else of reading it. JSON that is none is an error only then.
        """
        self._corpus, self._checksums, self._late_facts = corpus, checksums, late_facts
        self._places: OrderedDict[tuple[str, str], MemberPlaces] = OrderedDict()
        self._files: OrderedDict[str, BinaryIO] = OrderedDict()
        self._local = is_local(corpus.url)
        self._bases = corpus.bases
        self._copies = None if self._local else copies
        self._lock = threading.Lock()  # several threads read samples

    def key(self, proxy: str, shard: str, row: int) -> str:
        """The key of the sample in a row of a shard's index.

        Raises:
            CorpusError: the index is damaged, or has no such row.
        """
        keys = self._places_of(proxy, shard).keys
        if not row < len(keys):
            raise CorpusError(
                f"{self._corpus.url}: index of {proxy}/{shard} has {counted(len(keys), 'row')}; "
                f"corpus.json promises row {row}"
            )
        return keys[row]

    def count(self, proxy: str, shard: str) -> int:
        """How many samples a shard's index has.

        Raises:
            CorpusError: the index is damaged.
        """
        return len(self._places_of(proxy, shard).keys)

    def row(self, proxy: str, shard: str, key: str) -> int | None:
        """The row of a key in a shard's index; None where the shard has no sample of this key.

        Raises:
            CorpusError: the index is damaged.
        """
        return self._places_of(proxy, shard).number.get(key)

    def read(
        self, proxy: str, shard: str, row: int, *, component: str = "", with_input: bool = True
    ) -> Sample:
        """One sample: one range of its tar, and one of the shared inputs' where it has no own.

        Args:
            proxy, shard: which tar.
            row: of the shard's index.
            component: of a stream's mixture, noted in the sample.
            with_input: False leaves `input` empty and reads fewer bytes.

        Raises:
            CorpusError: it is not what the index says: names shard, key and member.
            SourceError: it cannot be read just now.
        """
        key = self.key(proxy, shard, row)
        parts = self.members(proxy, shard, row, MEMBERS if with_input else MEMBERS[1:])
        if not with_input:
            parts["input"] = b""
        if "input" not in parts or ("target" not in parts and proxy in self._bases):
            self.row(INPUT, shard, key)  # says that this copy has no pictures, where it has none
        missing = [member for member in MEMBERS if member not in parts]
        if missing:
            raise CorpusError(
                f"{self._corpus.url}: {proxy}/{shard}, sample {key} has no {missing[0]}"
            )
        try:
            facts = {} if self._late_facts else orjson.loads(parts["facts"])
            instruction = parts["instruction"].decode()
        except ValueError as why:
            raise CorpusError(
                f"{self._corpus.url}: {proxy}/{shard}, sample {key}: {in_words(why)}"
            ) from why
        sample = Sample(
            key, proxy, self._corpus.url, shard,
            parts["input"], parts["target"], instruction, facts, component,
        )  # fmt: skip
        return sample.parsed_late(parts["facts"]) if self._late_facts else sample

    def members(self, proxy: str, shard: str, row: int, names: Collection[str]) -> dict[str, bytes]:
        """Some members of a sample by name, in one read; the shared input where it has no own.

        Pictures of a proxy that reverses another are those of that one, the other way round.

        Args:
            proxy, shard: which tar.
            row: of the shard's index.
            names: of `MEMBERS`; those that the corpus does not hold are left out.

        Raises:
            CorpusError: one of them is not what the index says, or there is no shared input.
            SourceError: it cannot be read just now.
        """
        parts = self._members(proxy, shard, row, names)
        if proxy in self._bases:
            asked = [SWAPPED[name] for name in names if name in SWAPPED]
            given = self._of_base(proxy, shard, row, asked) if asked else {}
            return parts | {SWAPPED[name]: data for name, data in given.items()}
        if "input" in names and "input" not in parts and INPUT in self._corpus.folders:
            key = self.key(proxy, shard, row)
            number = self.row(INPUT, shard, key)
            if number is None:
                raise CorpusError(f"{self._corpus.url}: {INPUT}/{shard} has no input {key}")
            parts |= self._members(INPUT, shard, number, ("input",))
        return parts

    def _of_base(self, proxy: str, shard: str, row: int, names: Sequence[str]) -> dict[str, bytes]:
        """Pictures of the sample that a sample of a reversed proxy takes them from."""
        base, key = self._bases[proxy], self.key(proxy, shard, row)
        if base in self._bases:
            raise CorpusError(f"{self._corpus.url}: {proxy} reverses {base}, which is reversed")
        number = self.row(base, shard, key)
        if number is None:
            raise CorpusError(
                f"{self._corpus.url}: {base}/{shard} has no sample {key}, whose pictures {proxy} "
                "takes"
            )
        return self.members(base, shard, number, names)

    def facts(self, folder: str, shard: str, row: int) -> dict[str, Any]:
        """The JSON alone of a sample of a proxy, or of a picture of the shared inputs.

        Raises:
            CorpusError: it is not what the index says.
            SourceError: it cannot be read just now.
        """
        key = self.key(folder, shard, row)
        try:
            facts = orjson.loads(self._members(folder, shard, row, ("facts",))["facts"])
        except (KeyError, ValueError) as why:
            raise CorpusError(
                f"{self._corpus.url}: {folder}/{shard}, sample {key}: {in_words(why)}"
            ) from why
        if not isinstance(facts, dict):
            raise CorpusError(f"{self._corpus.url}: {folder}/{shard}, sample {key} has no facts")
        return facts

    def facts_of_shard(self, folder: str, shard: str) -> Iterator[dict[str, Any]]:
        """The JSON of every sample of a shard, in order; read a little ahead.

        Raises:
            CorpusError: one is not what the index says.
            SourceError: one cannot be read just now.
        """
        rows, threads = range(self.count(folder, shard)), threads_for(self._corpus.url)
        return read_ahead(lambda row: self.facts(folder, shard, row), rows, threads)

    def __getstate__(self) -> dict[str, Any]:
        return {
            "corpus": self._corpus,
            "checksums": self._checksums,
            "copies": self._copies,
            "late_facts": self._late_facts,
        }

    def __setstate__(self, state: Mapping[str, Any]) -> None:
        self.__init__(**state)  # type: ignore[misc]

    def tars(self, proxy: str, shard: str) -> list[RemoteTar]:
        """The remote tars that hold a shard's samples; none where they lie on a local disk."""
        if self._local:
            return []
        joined = [INPUT, self._bases.get(proxy)]
        folders = [folder for folder in joined if folder in self._corpus.folders]
        return [self._remote(str(folder), shard) for folder in (*folders, proxy)]

    def _members(
        self, proxy: str, shard: str, row: int, names: Collection[str]
    ) -> dict[str, bytes]:
        """Members of one sample, in one read, compared with their checksums."""
        index = self._places_of(proxy, shard)
        places = index.of(row, names)
        if not places:
            return {}
        start = min(place[0] for place in places.values())
        stop = max(place[0] + place[1] for place in places.values())
        tar, key = index.tar, index.keys[row]
        if self._copies is not None:
            remote = self._remote(proxy, shard)
            data = self._copies.read(remote, start, stop - start)
            try:
                if data is not None:
                    return self._cut(data, start, places, tar, key)
            except CorpusError:
                self._copies.forget(remote)
        data = self._bytes(tar, start, stop - start)
        return self._cut(data, start, places, tar, key)

    def _cut(
        self, data: bytes, start: int, places: Mapping[str, MemberPlace], tar: str, key: str
    ) -> dict[str, bytes]:
        """Members cut out of the tar's bytes from `start` on, compared with their checksums."""
        members = {}
        for name, (offset, size, checksum) in places.items():
            part = data[offset - start : offset - start + size]
            if len(part) != size:
                note = lfs_note(read_range(tar, 0, LFS_POINTER_BYTES))
                raise CorpusError(
                    f"{tar}: {name} of sample {key} ends too early{note}. {MAKE_AGAIN}"
                )
            if self._checksums and crc32(part) != checksum:
                raise CorpusError(
                    f"{tar}: {name} of sample {key} has another CRC-32 than the index says. "
                    f"{REMOVE_AND_MAKE_AGAIN}"
                )
            members[name] = part
        return members

    def _remote(self, proxy: str, shard: str) -> RemoteTar:
        fingerprint = self._corpus.stored_fingerprints.get(proxy, "")
        return RemoteTar(join(self._corpus.url, tar_path(proxy, shard)), fingerprint)

    def _places_of(self, proxy: str, shard: str) -> MemberPlaces:
        name = proxy, shard
        with self._lock:
            if name not in self._places:
                index = self._corpus.index(proxy, shard, PLACE_COLUMNS)
                tar = join(self._corpus.url, tar_path(proxy, shard))
                self._places[name] = MemberPlaces(tar, index)
                if len(self._places) > INDEXES_MAX:
                    self._places.popitem(last=False)
            self._places.move_to_end(name)
            return self._places[name]

    def _bytes(self, tar: str, start: int, length: int) -> bytes:
        try:
            if not self._local:
                return read_range(tar, start, length)
            return os.pread(self._file(tar).fileno(), length, start)
        except (FileMissing, FileNotFoundError) as why:
            raise lost(tar) from why
        except OSError as why:
            raise CorpusError(f"{tar} cannot be read: {why.strerror or why}") from why

    def _file(self, tar: str) -> BinaryIO:
        """The open file. It closes with the last reference to it; a fork may share it, as it is
        read by offset."""
        with self._lock:  # a file that two threads opened would be closed under one of them
            if tar not in self._files:
                root = self._corpus.url
                path = below(root, tar.removeprefix(root).lstrip("/"))
                self._files[tar] = open(path, "rb")  # noqa: SIM115
                if len(self._files) > FILES_MAX:
                    self._files.popitem(last=False)[1].close()
            self._files.move_to_end(tar)
            return self._files[tar]
