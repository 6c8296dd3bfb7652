"""A subset as a file: `NAME.subset.parquet`, the keys and what they add up to.

A row per key, shard by shard: its shard, and for each folder of the corpus whether that has a
sample of it, so that nothing of the corpus but its header is read to open the subset. The file's
metadata holds one JSON document: where the corpus lies, what it was, how the keys were chosen.
Nothing in it is executed or evaluated; the `where` expression is for the record.
"""

from __future__ import annotations

import io
import posixpath
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from sgt_data.bounded_json import loads_bounded
from sgt_data.corpus.header import CorpusHeader
from sgt_data.corpus.index import check_keys
from sgt_data.corpus.key_selection import Selection
from sgt_data.corpus.opened_corpus import Corpus
from sgt_data.corpus.parquet_bounds import SUBSET_ROWS_MAX, check_claims
from sgt_data.corpus.subset_text import subset_text
from sgt_data.errors import (
    CorpusError,
    CorpusMismatch,
    FileMissing,
    LeavesRoot,
    RequestError,
)
from sgt_data.files.claim import as_list, differences
from sgt_data.files.reading import exists, read_bytes
from sgt_data.files.urls import checked_url
from sgt_data.files.writing import write_atomic
from sgt_data.foreign_errors import in_words
from sgt_data.names import SUBSET_SUFFIX, checked_folder, checked_shard
from sgt_data.redaction import without_secrets
from sgt_data.subsets.subset_headers import keys_digest
from sgt_data.value_text import cut

SUFFIX = SUBSET_SUFFIX
VERSION = 1
_DOCUMENT = b"sgt_data subset"
_HELD = "held:"
_FIELDS = {
    "version": int, "beside": str | None, "rule": dict, "parent": dict, "source_totals": dict,
    "empty_shards": list, "shards": int,
}  # fmt: skip
_PARENT_FIELDS = {"url": str, "name": str, "fingerprints": dict, "made": dict}


@dataclass(frozen=True, slots=True)
class SubsetFile:
    """What a subset file holds.

    Attributes:
        selection: the keys.
        rule: how they were chosen.
        parent: which corpus they are of.
        relative_path: of the corpus from the file's folder, where both lay in one file system; else
            None.
        source_totals: what the keys add up to, by folder and source.
    """

    selection: Selection
    rule: Mapping[str, Any]
    parent: Mapping[str, Any]
    relative_path: str | None
    source_totals: Mapping[str, Mapping[str, Mapping[str, int]]]

    def samples(self) -> dict[str, dict[str, int]]:
        """How many samples each shard holds, by folder and shard."""
        spans = self.selection.spans
        begins, ends = [begin for begin, _ in spans.values()], [end for _, end in spans.values()]
        samples = {}
        for folder, held in self.selection.held.items():
            before = np.concatenate([[0], np.cumsum(held.to_numpy(zero_copy_only=False))])
            counts = before[ends] - before[begins]
            samples[folder] = dict(zip(spans, counts.tolist(), strict=True))
        return samples


def is_subset_file(url: str) -> bool:
    """Whether a URL is that of a subset file, by its name."""
    return url.endswith(SUFFIX)


def write_subset_file(subset: Corpus, url: str) -> None:
    """Write a subset file; never over that of another subset.

    Args:
        subset: an opened subset.
        url: absolute.

    Raises:
        CorpusMismatch: another subset's file is there; names what differs.
        StorageError: it cannot be written.
    """
    assert subset.selection is not None
    if exists(url):
        recorded, wanted = read_subset_file(url).rule, subset.header.identity["subset"]
        differing = differences(recorded, wanted)
        if differing:
            raise CorpusMismatch(
                f"{url} is another subset: {_choice_in_words(recorded)}; this one is "
                f"{_choice_in_words(wanted)}. Use another --file. These differ:\n"
                f"{as_list(differing)}"
            )
    write_atomic(url, encode_subset(subset.header, subset.selection, url))


def _choice_in_words(rule: Mapping[str, Any]) -> str:
    """How much a subset is of what it was taken from."""
    if "from" not in rule:
        return "a list of keys"
    text = subset_text(rule)
    return f"{text} of {_choice_in_words(rule['of'])}" if rule.get("of") else text


def encode_subset(header: CorpusHeader, selection: Selection, url: str) -> bytes:
    """The bytes of a subset file.

    Args:
        header: of the subset.
        selection: its keys.
        url: where the file is to lie, absolute.

    Raises:
        RequestError: the corpus' URL could not be opened again when it is read from the file.
    """
    spans = selection.spans
    names = [shard for shard, (begin, end) in spans.items() if end > begin]
    shard = np.repeat(np.arange(len(names)), [spans[name][1] - spans[name][0] for name in names])
    parent = header.parent or {}
    beside = _relative_path(url, str(parent["url"]))
    if beside is None:
        _check_place(parent["url"], url)
    document = {
        "version": VERSION,
        "beside": beside,
        "rule": header.identity["subset"],
        "parent": {**parent, "url": without_secrets(str(parent["url"]))},
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


def _check_place(corpus: object, url: str) -> None:
    try:
        checked_url(corpus)
    except ValueError as why:
        raise RequestError(
            f"{url}: it would have to name its corpus by URL: {in_words(why)}; open the corpus by "
            "such a URL"
        ) from None


def read_subset_file(url: str) -> SubsetFile:
    """Read a subset file and check it.

    Raises:
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
            check_claims(file.metadata, len(data), SUBSET_ROWS_MAX, url)
            table = file.read().combine_chunks()
            table.validate(full=True)
        selection = _selection(table, document)
    except (pa.ArrowException, OSError, KeyError, TypeError, ValueError) as why:
        raise CorpusError(f"{url} is not a subset of a corpus: {in_words(why)}") from why
    _check_names(selection, document, url)
    if keys_digest(selection.keys) != document["rule"].get("keys"):
        raise CorpusError(f"{url}: its keys are not those that it was written with")
    return SubsetFile(
        selection, document["rule"], document["parent"], document["beside"],
        document["source_totals"],
    )  # fmt: skip


def _check_names(selection: Selection, document: Mapping[str, Any], url: str) -> None:
    """Check every name of which paths are made, and that the corpus lies at a relative path.

    Raises:
        LeavesRoot: a name could lead out of its folder; names the field.
    """
    check_keys(selection.keys, f"{url}, column key")
    beside = document["beside"]
    if beside is not None and (beside.startswith("/") or "://" in beside or "::" in beside):
        raise LeavesRoot(
            f"{url}: field beside is {cut(beside)}; it must be a path from the file's own folder"
        )
    fingerprints, totals = document["parent"]["fingerprints"], document["source_totals"]
    try:
        for shard in selection.spans:
            checked_shard(shard)
        for folder in (*selection.held, *fingerprints, *totals):
            checked_folder(folder)
    except ValueError as why:
        raise LeavesRoot(f"{url}: {in_words(why)}") from None


def _parsed(text: bytes, url: str) -> dict[str, Any]:
    document = loads_bounded(text)
    if not isinstance(document, dict):
        raise CorpusError(f"{url} is not a subset of a corpus: its document is no object")
    for name, kind in _FIELDS.items():
        if name not in document or not isinstance(document[name], kind):
            raise CorpusError(f"{url}: field {name} is {cut(document.get(name), 40)}")
    if document["version"] != VERSION:
        raise CorpusError(
            f"{url}: version {document['version']}; this package reads version {VERSION}"
        )
    parent = document["parent"]
    for name, expected in _PARENT_FIELDS.items():
        if not isinstance(parent.get(name), expected):
            raise CorpusError(f"{url}: field parent.{name} is {cut(parent.get(name), 40)}")
    return dict(document)


def _selection(table: pa.Table, document: Mapping[str, Any]) -> Selection:
    """The keys of a file's table; ValueError or KeyError where its columns are others, or not in
    order."""
    if not pa.types.is_dictionary(table["shard"].type) or not pa.types.is_string(table["key"].type):
        raise ValueError("its columns shard and key are of other types")
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
    whole = document["rule"].get("whole", False)
    if not isinstance(whole, bool):
        raise ValueError(f"rule.whole is {cut(whole, 40)}, neither true nor false")
    return Selection(table["key"].combine_chunks(), {**spans, **empty}, held, whole)


def _relative_path(url: str, corpus: str) -> str | None:
    """The path of a corpus from the folder of a file, if both are in one file system."""
    scheme, _, path = url.rpartition("://")
    corpus_scheme, _, corpus_path = corpus.rpartition("://")
    if scheme != corpus_scheme or path.split("/")[0] != corpus_path.split("/")[0]:
        return None
    if "::" in corpus_path:  # which chains file systems in a URL; a reader would refuse it
        return None
    return posixpath.relpath(f"/{corpus_path}", posixpath.dirname(f"/{path}"))
