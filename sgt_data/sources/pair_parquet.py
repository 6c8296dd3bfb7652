"""Pairs in Parquet files, whose rows hold the bytes of both pictures, as on the Hub.

A file is a slice; its rows are read in pieces, so that a row group of gigabytes is never in memory
as a whole. A picture is binary, or a struct with `bytes` (the Image feature of Hugging Face
datasets), or an item of a list of these (BAGEL's `image_list`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Mapping
from contextlib import closing
from dataclasses import asdict, dataclass
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from sgt_data.errors import InputError, RequestError, SourceError
from sgt_data.files.promised_reads import PromisedFile
from sgt_data.files.reading import read_range, size_of
from sgt_data.files.urls import expand
from sgt_data.foreign_errors import in_words
from sgt_data.records import Inventory, RawInput, RawShard, Slice
from sgt_data.sources.keys import key_of
from sgt_data.sources.pair_entry import with_distinct_keys
from sgt_data.sources.pair_fields import PairFields, facts_at, fields_of, first_text, value_at
from sgt_data.sources.tars import slice_name
from sgt_data.value_text import cut

ROWS_MAX = 1 << 27
"""Most rows of a file; those of the Hub have some thousands."""
GROUP_BYTES_MAX = 16 << 30
"""Most bytes that a row group may claim to unpack to."""
UNPACKED_RATIO_MAX = 100
"""How many times its own size a file may claim to unpack to, beside `_UNPACKED_ALWAYS`: pictures
are packed already."""
_UNPACKED_ALWAYS = 64 << 20
_BATCH = 16
_FOOTER_BYTES = 64 << 10
_ENDING = ".parquet"


@dataclass(frozen=True, slots=True)
class ParquetPairs:
    """How rows become pairs.

    Attributes:
        source: name of the source.
        licence: of the pictures.
        stated: paths of the fields by role, as the manifest gives them.
        needed: the roles of which a row must have a field.
    """

    source: str
    licence: str | None
    stated: Mapping[str, str | None]
    needed: tuple[str, ...]

    def inventory(self, patterns: str | list[str], shard_samples: int) -> Inventory:
        """The files as slices, a run of rows as a shard.

        Raises:
            RequestError: nothing matches, a file is no Parquet file, or has no such fields.
            SourceError: a file cannot be read.
        """
        where = f"sources.{self.source}"
        urls = expand(patterns)
        if not urls:
            raise RequestError(f"{where}.parquet: nothing matches {cut(patterns)}")
        slices, identity = [], {}
        for url in urls:
            name = _name(url)
            if f"{name}{_ENDING}" in identity:
                raise RequestError(
                    f"{where}.parquet: two files are named {name}; shards take their names from "
                    "files, so names must differ"
                )
            with closing(_Opened(url, f"{where}.parquet")) as file:
                fields = fields_of(
                    self.stated, file.names, self.needed, where, pictures=file.pictures
                )
                count = file.rows
                identity[f"{name}{_ENDING}"] = file.identity()
                nbytes = file.nbytes
            shards = [
                f"{self.source}-{name}-{number:05d}" for number in range(-(-count // shard_samples))
            ]
            note = {"url": url, "nbytes": nbytes, "rows": count, "fields": asdict(fields)}
            if count:
                slices.append(
                    Slice(self.source, name, orjson.dumps(note), tuple(shards), count, nbytes)
                )
        return Inventory(tuple(slices), identity)

    def read(self, piece: Slice, shard_samples: int, skip: Collection[str]) -> Iterator[RawShard]:
        """Read a file in order, cut into shards.

        Raises:
            SourceError: it cannot be read at present, or is not as it was listed.
        """
        note = orjson.loads(piece.payload)
        names = piece.shards or ()
        fields = PairFields(**note["fields"])
        with closing(_Opened(note["url"], note["url"])) as file:
            if (file.nbytes, file.rows) != (note["nbytes"], note["rows"]):
                raise SourceError(
                    f"{note['url']} has {file.nbytes} bytes and {file.rows} rows; "
                    f"{note['nbytes']} and {note['rows']} when it was listed"
                )
            for number, shard in enumerate(names):
                if shard in skip:
                    continue
                first = number * shard_samples
                rows = file.read(first, min(first + shard_samples, note["rows"]), fields.columns)
                inputs = with_distinct_keys(
                    self._input(piece.name, place, row, fields)
                    for place, row in enumerate(rows, first)
                )
                yield RawShard(
                    shard, piece.name, self.source, inputs, last=number == len(names) - 1
                )

    def _input(self, file: str, place: int, row: Mapping[str, Any], fields: PairFields) -> RawInput:
        member = f"{file}{_ENDING} row {place}"
        key = key_of(self.source, f"{file}-{place:07d}")
        if fields.key is not None:
            value = value_at(row, fields.key)
            if not isinstance(value, str | int) or not str(value).strip():
                return RawInput(key, member, problem=f"key: found {cut(value, 60)}, which is none")
            key = key_of(self.source, str(value))
        problems: dict[str, str] = {}
        extras: dict[str, bytes] = {}
        try:
            picture = _bytes_at(row, fields.input, "input")
        except InputError as why:
            return RawInput(key, member, problem=str(why))
        try:
            extras["target"] = _bytes_at(row, fields.target or "", "target")
        except InputError as why:
            problems["target"] = str(why)
        if fields.text is not None:
            try:
                extras["text"] = first_text(value_at(row, fields.text)).encode("utf-8", "replace")
            except InputError as why:
                problems["text"] = str(why)
        if fields.facts is not None:
            try:
                extras["target_facts"] = facts_at(row, fields.facts)
            except (InputError, TypeError) as why:
                problems["target_facts"] = str(why)
        return RawInput(key, member, picture, extras, self.licence, layer_problems=problems)


class _Opened:
    """A Parquet file from outside, whose claims were checked.

    Attributes:
        nbytes: its size.
        rows: how many rows it has.
        names: of its columns.
        pictures: names of the columns that may hold bytes: no texts and no numbers.
    """

    def __init__(self, url: str, field: str) -> None:
        self.url = url
        size = size_of(url)
        if size is None:
            raise SourceError(f"{url}: its server does not tell its size, which Parquet needs")
        self.nbytes = size
        self._file = PromisedFile(url, size)
        try:
            self._parquet = pq.ParquetFile(self._file)
        except (pa.ArrowException, OSError, ValueError) as why:
            self._file.close()
            raise RequestError(f"{field}: {url} is no Parquet file: {in_words(why)}") from why
        self.rows = self._parquet.metadata.num_rows
        columns = self._parquet.schema_arrow
        self.names = list(columns.names)
        self.pictures = [column.name for column in columns if _may_hold_bytes(column.type)]
        self._check_claims(field)

    def close(self) -> None:
        """Close the connection."""
        self._file.close()

    def identity(self) -> str:
        """What the file is: its size and the digest of its end, which holds its footer."""
        end = read_range(self.url, max(0, self.nbytes - _FOOTER_BYTES), _FOOTER_BYTES)
        return f"{self.nbytes} bytes, end sha256:{hashlib.sha256(end).hexdigest()[:32]}"

    def read(self, first: int, end: int, columns: list[str]) -> Iterator[dict[str, Any]]:
        """The rows from `first` to `end` (exclusive).

        Raises:
            SourceError: they cannot be read.
        """
        position = begin = 0
        groups: list[int] = []
        for number in range(self._parquet.num_row_groups):
            count = self._parquet.metadata.row_group(number).num_rows
            if position < end and position + count > first:
                begin = position if not groups else begin
                groups.append(number)
            position += count
        try:
            for batch in self._parquet.iter_batches(_BATCH, groups, columns, use_threads=False):
                low, high = max(first - begin, 0), min(end - begin, batch.num_rows)
                if high > low:
                    yield from batch.slice(low, high - low).to_pylist()
                begin += batch.num_rows
                if begin >= end:
                    return
        except (pa.ArrowException, OSError, ValueError) as why:
            raise SourceError(f"{self.url}: rows {first} to {end}: {in_words(why)}") from why

    def _check_claims(self, field: str) -> None:
        metadata = self._parquet.metadata
        groups = [metadata.row_group(number) for number in range(metadata.num_row_groups)]
        sizes = [
            sum(group.column(number).total_uncompressed_size for number in range(group.num_columns))
            for group in groups
        ]
        limit = _UNPACKED_ALWAYS + UNPACKED_RATIO_MAX * self.nbytes
        if not 0 <= self.rows <= ROWS_MAX or sum(group.num_rows for group in groups) != self.rows:
            raise RequestError(
                f"{field}: {self.url} claims {self.rows} rows, which it does not have"
            )
        if (
            min(sizes, default=0) < 0
            or max(sizes, default=0) > GROUP_BYTES_MAX
            or sum(sizes) > limit
        ):
            raise RequestError(
                f"{field}: {self.url} has {self.nbytes} bytes and claims to unpack to "
                f"{sum(sizes)}, which no file of pictures does"
            )


def _may_hold_bytes(column: pa.DataType) -> bool:
    """Whether a column may hold pictures: binary, or a struct or list with it."""
    kinds = ("is_nested", "is_binary", "is_large_binary", "is_binary_view")
    return any(getattr(pa.types, kind)(column) for kind in kinds)


def _bytes_at(row: Mapping[str, Any], path: str, what: str) -> bytes:
    """The bytes of a picture.

    Raises:
        InputError: there are none.
    """
    value = value_at(row, path)
    if isinstance(value, Mapping):
        value = value.get("bytes")
    if not isinstance(value, bytes) or not value:
        raise InputError(f"{what}: found {cut(value, 40)} in {path}, which is no picture's bytes")
    return value


def _name(url: str) -> str:
    return slice_name(url).removesuffix(_ENDING)
