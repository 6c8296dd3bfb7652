"""The columns of a folder's samples as Hugging Face `datasets` reads them, for YAML of its cards.

`datasets` guesses types from the first five samples, and fails where these have no segment: a list
that is empty has no type. So a card declares the columns. Types come from a few samples of every
source, one of them with segments. Where they do not show one type for every field, and in samples
whose JSON may have other keys (of format 1.0, of proxies of other packages), the JSON is one column
of the type `json`, which `datasets` reads from version 4.7 on.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from sgt_data.corpus.index import MEMBERS
from sgt_data.corpus.opened_corpus import Corpus
from sgt_data.corpus.shard import member_name
from sgt_data.facts import have_one_form

_LOOKED_AT = 8
"""Shards of a source in which a sample with segments is looked for."""

_KINDS = {"input": "image", "target": "image", "instruction": "string"}
_DTYPES: Mapping[type, str] = {bool: "bool", int: "int64", float: "float64", str: "string"}
_INT64 = np.iinfo(np.int64)


def columns_of(corpus: Corpus, folder: str) -> list[dict[str, Any]]:
    """The columns of the samples of a folder: a `features` list of a card's `dataset_info`.

    Args:
        corpus: a complete corpus, or a subset of one.
        folder: a folder of it that holds samples.

    Raises:
        CorpusError, SourceError: the corpus is damaged, or cannot be read just now.
    """
    names: dict[str, str] = {}
    facts: list[Mapping[str, Any]] = []
    for shard, row in _looked_at(corpus, folder):
        fields = corpus.index(folder, shard).slice(row, 1).to_pylist()[0]
        for member in MEMBERS:
            if fields[f"{member}_size"] is not None:
                name = member_name("", member, fields["target_extension"]).removeprefix(".")
                names.setdefault(name, member)
        facts.append(corpus.reader.facts(folder, shard, row))
    known = _field(facts) if all(map(have_one_form, facts)) else None
    columns = [
        {"name": name, "dtype": _KINDS[member]}
        if member != "facts"
        else {"name": name, **(known or {"dtype": "json"})}
        for name, member in names.items()
    ]
    return [*columns, *({"name": name, "dtype": "string"} for name in ("__key__", "__url__"))]


def _looked_at(corpus: Corpus, folder: str) -> Iterator[tuple[str, int]]:
    """Shard and row of the samples that show the types: of each source the first sample, and the
    one with the most segments of its first shard that has any."""
    shards = [
        shard
        for shard, count in zip(
            corpus.shards(folder), corpus.samples_per_shard(folder), strict=True
        )
        if count
    ]
    for source in corpus.header.source_totals[folder]:
        of_source = [shard for shard in shards if shard.startswith(f"{source}-")]
        for number, shard in enumerate(of_source[:_LOOKED_AT]):
            segments = corpus.index(folder, shard)["segments"].to_numpy()
            most = int(segments.argmax())
            if number == 0:
                yield shard, 0
            if segments[most]:
                yield shard, most
                break


def _field(values: Sequence[Any]) -> dict[str, Any] | None:
    """The one type that all values have; None where they have none or several."""
    kinds = {type(value) for value in values}
    if len(kinds) != 1:
        return None
    (kind,) = kinds
    if kind is dict:
        return _struct(values)
    if kind is list:
        items = _field([item for value in values for item in value])
        if items is None:
            return None
        return {"list": items.get("dtype") or items.get("struct") or items}
    if kind is int and not all(_INT64.min <= value <= _INT64.max for value in values):
        return None
    return {"dtype": _DTYPES[kind]} if kind in _DTYPES else None


def _struct(values: Sequence[Mapping[str, Any]]) -> dict[str, Any] | None:
    """The type of objects that have the same keys."""
    names = list(values[0])
    if not names or any(value.keys() != values[0].keys() for value in values):
        return None
    fields = {name: _field([value[name] for value in values]) for name in names}
    if any(field is None for field in fields.values()):
        return None
    return {"struct": [{"name": name, **(field or {})} for name, field in fields.items()]}
