"""A subset as a file: `NAME.subset.parquet`, the keys and what they add up to.

A row per key, shard by shard: its shard, and for each folder of the corpus whether that has a
sample of it, so that nothing of the corpus but its header is read to open the subset. The file's
metadata holds one JSON document: where the corpus lies, what it was, how the keys were chosen.
Nothing in it is executed or evaluated; the `where` expression is for the record.
"""

from __future__ import annotations

import io
import os
import posixpath
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from sgt_data.corpus.header import CorpusHeader, read_header
from sgt_data.corpus.selection import Selection
from sgt_data.errors import (
    CorpusError,
    CorpusMismatch,
    FileMissing,
    RequestError,
)
from sgt_data.files.claim import as_list, differences
from sgt_data.files.reading import read_bytes
from sgt_data.files.urls import is_local, join
from sgt_data.subsets.subset_header import keys_digest, made_of, subset_header

SUFFIX = ".subset.parquet"
VERSION = 1
_DOCUMENT = b"sgt_data subset"
_HELD = "held:"
_ROWS_MAX = 1 << 30
_FIELDS = {
    "version": int, "beside": str | None, "rule": dict, "parent": dict, "source_totals": dict,
    "empty_shards": list, "shards": int,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class SubsetFile:
    """What a subset file holds.

    Attributes:
        selection: the keys.
        rule: how they were chosen.
        parent: which corpus they are of.
        beside: path of the corpus from the file's folder, where they lay in one file system.
        source_totals: what they add up to, by folder and source.
    """

    selection: Selection
    rule: Mapping[str, Any]
    parent: Mapping[str, Any]
    beside: str | None
    source_totals: Mapping[str, Mapping[str, Mapping[str, int]]]

    def samples(self) -> dict[str, dict[str, int]]:
        """How many each shard holds, by folder and shard."""
        shards = list(self.selection.spans)
        bounds = [end for _, end in self.selection.spans.values()]
        found = {}
        for folder, held in self.selection.held.items():
            so_far = np.concatenate([[0], np.cumsum(held.to_numpy(zero_copy_only=False))])
            ends = so_far[bounds]
            begins = so_far[[begin for begin, _ in self.selection.spans.values()]]
            found[folder] = dict(zip(shards, (ends - begins).tolist(), strict=True))
        return found


def is_subset_file(url: str) -> bool:
    return url.endswith(SUFFIX)


def encode_subset(header: CorpusHeader, selection: Selection, url: str) -> bytes:
    """The bytes of a subset file.

    Args:
        header: of the subset.
        selection: its keys.
        url: where the file is to lie, absolute.
    """
    spans = selection.spans
    names = [shard for shard, (begin, end) in spans.items() if end > begin]
    shard = np.repeat(np.arange(len(names)), [spans[name][1] - spans[name][0] for name in names])
    parent = header.parent or {}
    document = {
        "version": VERSION,
        "beside": _beside(url, str(parent["url"])),
        "rule": header.identity["subset"],
        "parent": parent,
        "source_totals": header.source_totals,
        "empty_shards": [shard for shard, (begin, end) in spans.items() if end == begin],
        "shards": len(names),
    }
    columns = {
        "key": selection.keys,
        "shard": pa.DictionaryArray.from_arrays(
            pa.array(shard, pa.int32()), pa.array(names, pa.string())
        ),
        **{f"{_HELD}{folder}": held for folder, held in selection.held.items()},
    }
    text = orjson.dumps(document, option=orjson.OPT_SORT_KEYS)
    out = io.BytesIO()
    table = pa.table(columns)
    with pq.ParquetWriter(
        out, table.schema, compression="zstd", compression_level=9, write_statistics=False,
        use_dictionary=["shard"], column_encoding={"key": "DELTA_BYTE_ARRAY"},
    ) as writer:  # fmt: skip
        writer.write_table(table)
        # of the file, not of the schema, which is stored twice
        writer.add_key_value_metadata({_DOCUMENT: text})
    return out.getvalue()


def read_subset(url: str) -> SubsetFile:
    """Raises:
    RequestError: there is no such file.
    CorpusError: it is no subset file of this version, or damaged.
    """
    try:
        data = read_bytes(url)
    except FileMissing as why:
        raise RequestError(f"there is no subset at {url}") from why
    try:
        with pq.ParquetFile(io.BytesIO(data)) as file:
            metadata = file.metadata.metadata or {}
            if _DOCUMENT not in metadata:
                raise CorpusError(f"{url} is not a subset of a corpus")
            document = _parsed(metadata[_DOCUMENT], url)
            if file.metadata.num_rows > _ROWS_MAX:
                raise CorpusError(f"{url}: {file.metadata.num_rows} keys; allowed: {_ROWS_MAX}")
            table = file.read().combine_chunks()
        selection = _selection(table, document)
    except (pa.ArrowException, OSError, KeyError, TypeError, ValueError) as why:
        raise CorpusError(f"{url} is not a subset of a corpus: {why!r}") from why
    if keys_digest(selection.keys) != document["rule"].get("keys"):
        raise CorpusError(f"{url}: its keys are not those that it was written with")
    return SubsetFile(
        selection, document["rule"], document["parent"], document["beside"],
        document["source_totals"],
    )  # fmt: skip


def find_parent(file: SubsetFile, url: str) -> tuple[str, CorpusHeader]:
    """The corpus that a subset file is of: where it lies from the file, or where it lay.

    Raises:
        RequestError: it is at neither place.
        CorpusMismatch: what is there is another corpus, or another build of it; says what differs.
    """
    refused: CorpusMismatch | None = None
    places = list(_places(file, url))
    for place in places:
        header = read_header(place)
        if header is None:
            continue
        stated = {folder: file.parent["fingerprints"].get(folder) for folder in file.selection.held}
        if stated == {folder: header.fingerprints.get(folder) for folder in stated}:
            if not header.complete:
                raise RequestError(f"{place} is not complete; build it to its end first")
            return place, header
        found = differences(
            _relevant(file, file.parent["made"]), _relevant(file, made_of(header.identity))
        )
        refused = refused or CorpusMismatch(
            f"{url} is a subset of another corpus than {place} holds; these differ:\n"
            + (as_list(found) if found else f"  fingerprints: {stated}")
        )
    raise refused or RequestError(
        f"{url} is a subset of the corpus {file.parent['name']!r}, which is neither at "
        f"{' nor at '.join(places)}"
    )


def opened_header(file: SubsetFile, header: CorpusHeader) -> CorpusHeader:
    """The header of the subset, from that of its corpus."""
    mine = {folder: set(header.shards[folder]) for folder in file.selection.held}
    samples = {
        folder: {shard: count for shard, count in counts.items() if shard in mine[folder]}
        for folder, counts in file.samples().items()
    }
    return subset_header(header, file.rule, file.parent, samples, file.source_totals)


def _relevant(file: SubsetFile, made: Mapping[str, Any]) -> dict[str, Any]:
    """What made the corpus, but for proxies that the subset does not know."""
    by_proxy = ("proxies", "banks", "makers")
    return {
        name: {proxy: one for proxy, one in value.items() if proxy in file.selection.held}
        if name in by_proxy
        else value
        for name, value in made.items()
    }


def _parsed(text: bytes, url: str) -> dict[str, Any]:
    document = orjson.loads(text)
    for name, kind in _FIELDS.items():
        if not isinstance(document.get(name), kind):
            raise CorpusError(f"{url}: field {name} is {document.get(name)!r:.40}")
    if document["version"] != VERSION:
        raise CorpusError(
            f"{url}: version {document['version']}; this package reads version {VERSION}"
        )
    parent = document["parent"]
    for name, expected in {"url": str, "name": str, "fingerprints": dict, "made": dict}.items():
        if not isinstance(parent.get(name), expected):
            raise CorpusError(f"{url}: field parent.{name} is {parent.get(name)!r:.40}")
    return dict(document)


def _selection(table: pa.Table, document: Mapping[str, Any]) -> Selection:
    """Raises:
    ValueError, KeyError: the columns are others, or not in order.
    """
    shard = table["shard"].combine_chunks()
    numbers = shard.indices.to_numpy()
    if shard.null_count or table["key"].null_count or (np.diff(numbers) < 0).any():
        raise ValueError("keys without a shard, or shards out of order")
    names = shard.dictionary.to_pylist()
    ends = np.cumsum(np.bincount(numbers, minlength=len(names))).tolist()
    spans = dict(zip(names, zip([0, *ends[:-1]], ends, strict=True), strict=True))
    empty = {str(name): (0, 0) for name in document["empty_shards"]}
    held = {
        name.removeprefix(_HELD): table[name].combine_chunks()
        for name in table.column_names
        if name.startswith(_HELD)
    }
    whole = bool(document["rule"].get("whole"))
    return Selection(table["key"].combine_chunks(), {**spans, **empty}, held, whole)


def _places(file: SubsetFile, url: str) -> Iterator[str]:
    if file.beside is not None:
        folder = os.path.dirname(url)
        yield (
            os.path.normpath(join(folder, file.beside))
            if is_local(url)
            else _joined(folder, file.beside)
        )
    yield str(file.parent["url"])


def _beside(url: str, corpus: str) -> str | None:
    """The path of a corpus from the folder of a file, if both are in one file system."""
    scheme, _, path = url.rpartition("://")
    other, _, target = corpus.rpartition("://")
    if scheme != other or path.split("/")[0] != target.split("/")[0]:
        return None
    return posixpath.relpath(f"/{target}", posixpath.dirname(f"/{path}"))


def _joined(folder: str, relative: str) -> str:
    scheme, _, path = folder.rpartition("://")
    return f"{scheme}://{posixpath.normpath(posixpath.join('/' + path, relative)).lstrip('/')}"
