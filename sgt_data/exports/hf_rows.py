"""The rows of the export for Hugging Face: columns, and the bytes of samples as a table.

Pictures are the structs of bytes and path that `datasets` takes for its feature Image. The schema
carries the features, so that every reader of `datasets` knows them from a file alone.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
import pyarrow as pa

from sgt_data.corpus.index import MEMBERS
from sgt_data.corpus.opened_corpus import Corpus
from sgt_data.exports.parquet_files import BytesColumn
from sgt_data.files.read_ahead import read_ahead, threads_for
from sgt_data.files.urls import is_local

PICTURES = ("input", "target")
_STATED = ("key", "source", "licence")
_TEXTS = ("instruction", *_STATED, "facts")
_PNG = b"\x89PNG"

PICTURE = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
"""A picture, as `datasets` stores it."""


@dataclass(frozen=True, slots=True)
class Row:
    """A sample as it is stored.

    Attributes:
        key: of the picture.
        source: name of its source.
        licence: of the picture; empty where the source states none.
        members: bytes of input, target, instruction and facts.
    """

    key: str
    source: str
    licence: str
    members: Mapping[str, bytes]


def features(rgb: bool) -> dict[str, dict[str, Any]]:
    """The columns as `datasets` names their types.

    Args:
        rgb: pictures are decoded as RGB, so that a palette is never taken for numbers; pictures of
            16 bits would lose their depth by it.
    """
    picture = {"mode": "RGB", "_type": "Image"} if rgb else {"_type": "Image"}
    text = {"dtype": "string", "_type": "Value"}
    return {**{name: dict(picture) for name in PICTURES}, **{name: dict(text) for name in _TEXTS}}


def card_features(rgb: bool) -> list[dict[str, Any]]:
    """The columns as a card's `dataset_info` names them."""
    return [
        *({"name": name, "dtype": _picture(rgb)} for name in PICTURES),
        *({"name": name, "dtype": "string"} for name in _TEXTS),
    ]


def _picture(rgb: bool) -> Any:
    """The type of a picture; a new object each time, which YAML writes out instead of naming it."""
    return {"image": {"mode": "RGB"}} if rgb else "image"


def schema(rgb: bool) -> pa.Schema:
    """The columns of a file, with the features of `datasets` in its metadata."""
    columns = [(name, PICTURE) for name in PICTURES] + [(name, pa.string()) for name in _TEXTS]
    info = {"info": {"features": features(rgb)}}
    return pa.schema(columns, {"huggingface": orjson.dumps(info)})


def read_rows(corpus: Corpus, proxy: str, start: int, stop: int) -> Generator[Row, None, None]:
    """The samples of a proxy from number `start` to `stop`, read a little ahead
    where the corpus is far away.

    Raises:
        CorpusError: a sample is not what the index says.
        SourceError: a sample cannot be read just now.
    """
    reader = corpus.reader

    def read(place: tuple[str, int, dict[str, Any]]) -> Row:
        shard, row, stated = place
        members = reader.members(proxy, shard, row, MEMBERS)
        if len(members) < len(MEMBERS):
            reader.read(proxy, shard, row)  # says which one is not there, and why
        return Row(stated["key"], stated["source"], stated["licence"] or "", members)

    places = _places(corpus, proxy, start, stop)
    if is_local(corpus.url):
        yield from map(read, places)
    else:
        yield from read_ahead(read, places, threads_for(corpus.url))


def _places(
    corpus: Corpus, proxy: str, start: int, stop: int
) -> Iterator[tuple[str, int, dict[str, Any]]]:
    """Shard, row, and what the index states of each sample from `start` to `stop`."""
    first = 0
    for shard, count in zip(corpus.shards(proxy), corpus.samples_per_shard(proxy), strict=True):
        begin, end = max(start - first, 0), min(stop - first, count)
        if begin < end:
            stated = corpus.index(proxy, shard, ("key", "source", "licence")).to_pylist()
            for row in range(begin, end):
                yield shard, row, stated[row]
        first += count


class RowTables:
    """Makes tables of rows, each in the memory of the one before."""

    def __init__(self, rgb: bool) -> None:
        """
        Args:
            rgb: see `features`.
        """
        self.rgb, self.schema = rgb, schema(rgb)
        self._pictures = {name: BytesColumn() for name in PICTURES}

    def table(self, rows: Sequence[Row]) -> pa.Table:
        """Rows of one row group as a table, which holds until the next one is made."""
        pictures = [self._column(rows, name) for name in PICTURES]
        texts = [
            pa.array([row.members["instruction"].decode() for row in rows], pa.string()),
            *(pa.array([getattr(row, name) for row in rows], pa.string()) for name in _STATED),
            pa.array([row.members["facts"].decode() for row in rows], pa.string()),
        ]
        return pa.Table.from_arrays([*pictures, *texts], schema=self.schema)

    def _column(self, rows: Sequence[Row], name: str) -> pa.StructArray:
        data = [row.members[name] for row in rows]
        paths = [
            f"{row.key}.{name}.{'png' if picture.startswith(_PNG) else 'jpg'}"
            for row, picture in zip(rows, data, strict=True)
        ]
        columns = [self._pictures[name].array(data), pa.array(paths, pa.string())]
        return pa.StructArray.from_arrays(columns, fields=list(PICTURE))
