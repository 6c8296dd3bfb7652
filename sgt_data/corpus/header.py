"""`corpus.json`: what a corpus is, which shards it has, what they add up to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import orjson

from sgt_data.corpus.paths import CORPUS_FILE
from sgt_data.errors import CorpusError, FileMissing
from sgt_data.files.reading import read_bytes
from sgt_data.files.urls import join
from sgt_data.files.writing import write_atomic
from sgt_data.records import Category

FORMAT = "sgt_data corpus"
FORMAT_VERSION = 1


@dataclass(frozen=True, slots=True)
class CorpusHeader:
    """The content of `corpus.json`.

    Attributes:
        name: of the corpus.
        manifest: resolved, every default written out.
        identity: what makes the build itself (see `identity`).
        environment: other package versions, for the record.
        vocabulary: categories by source.
        fingerprints: of the build, by proxy; every receipt repeats its own.
        complete: whether every planned shard is committed.
        shards: names by proxy, in corpus order. Empty until complete.
        samples: how many each of these shards holds, by proxy, in the same order. (Corpora of the
            first builds lack it; receipts say the same.)
        totals: by proxy: inputs, samples, damaged, filtered, segments, shards, bytes; notes,
            where there are any.
        source_totals: totals by proxy and source.
        parent: of a subset: `url` and `fingerprints` of the corpus that it was taken from, and
            sizes of the `population` that it was chosen from. None for a corpus that was built.
        left_out: folders of the corpus that this copy of it lacks, as its pictures may not be
            passed on. Nothing else in the header speaks of them.
    """

    name: str
    manifest: Mapping[str, Any]
    identity: Mapping[str, Any]
    environment: Mapping[str, str]
    vocabulary: Mapping[str, tuple[Category, ...]]
    fingerprints: Mapping[str, str]
    complete: bool = False
    shards: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    samples: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    totals: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    source_totals: Mapping[str, Mapping[str, Mapping[str, int]]] = field(default_factory=dict)
    parent: Mapping[str, Any] | None = None
    left_out: tuple[str, ...] = ()


def write_header(root: str, header: CorpusHeader) -> None:
    """Write `corpus.json` of the corpus at `root`, in one step."""
    write_atomic(join(root, CORPUS_FILE), encode_header(header))


def encode_header(header: CorpusHeader) -> bytes:
    """The bytes of `corpus.json`."""
    document = {"format": FORMAT, "version": FORMAT_VERSION, **asdict(header)}
    if header.parent is None:
        del document["parent"]
    if not header.left_out:
        del document["left_out"]
    options = orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS
    return orjson.dumps(document, option=options) + b"\n"


def read_header(root: str) -> CorpusHeader | None:
    """The header of the corpus at `root`; None where no corpus lies.

    Raises:
        CorpusError: the file exists but is no header of this version.
    """
    place = join(root, CORPUS_FILE)
    try:
        data = read_bytes(place)
    except FileMissing:
        return None
    try:
        document = orjson.loads(data)
        if (document["format"], document["version"]) != (FORMAT, FORMAT_VERSION):
            raise CorpusError(
                f"{place}: format {document['format']!r} version {document['version']!r}; "
                f"this package reads {FORMAT!r} version {FORMAT_VERSION}"
            )
        del document["format"], document["version"]
        document["vocabulary"] = {
            source: tuple(_category(category) for category in categories)
            for source, categories in document["vocabulary"].items()
        }
        document["shards"] = {
            proxy: tuple(map(str, names)) for proxy, names in document["shards"].items()
        }
        document["samples"] = {
            proxy: tuple(map(int, counts)) for proxy, counts in document.get("samples", {}).items()
        }
        document["left_out"] = tuple(map(str, document.get("left_out", ())))
        return CorpusHeader(**document)
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError, AttributeError) as why:
        raise CorpusError(f"{place} is not a corpus header: {why!r}") from why


def _category(fields: Mapping[str, Any]) -> Category:
    category = Category(**fields)
    kinds = {"id": int, "name": str, "isthing": bool}
    for name, kind in kinds.items():
        if not isinstance(fields[name], kind):
            raise ValueError(f"vocabulary: {name} of a category is {fields[name]!r:.40}")
    return category
