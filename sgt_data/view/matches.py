"""Which samples a query takes, in which order, and how many there are of each kind. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow.compute as pc
from numpy.typing import NDArray

from sgt_data.seeds import generator
from sgt_data.view.query import Query
from sgt_data.view.sample_table import NameCodes, SampleTable
from sgt_data.view.shard_columns import Codes, ShardColumns

NAMES_MAX = 300
"""Names that a list of counts holds; the rarer ones are counted together."""

Mask = NDArray[np.bool_]


def matching(table: SampleTable, columns: ShardColumns, query: Query) -> NDArray[np.int64]:
    """Places in `columns` of the samples that a query takes, in its order.

    The text of an instruction is not looked at, as no index holds it.
    """
    places = np.flatnonzero(_taken(table, columns, query))
    if query.order == "shuffled":
        return places[generator(0, "view", "shuffled").permutation(len(places))]
    if query.order in ("most", "fewest"):
        segments = columns.segments[places].astype(np.int64)
        return places[np.argsort(-segments if query.order == "most" else segments, kind="stable")]
    return places


def counts_of(table: SampleTable, columns: ShardColumns, query: Query) -> dict[str, Any]:
    """How many samples there are by source, licence and category, as JSON.

    Sources and licences are counted as if none of their own kind were chosen, so that a second one
    can be added to the choice. The text of an instruction is not looked at.
    """
    masks = _masks(table, columns, query)

    def without(left_out: str) -> Mask:
        return _all_of([mask for name, mask in masks.items() if name != left_out])

    taken = without("")
    return {
        "matches": int(np.count_nonzero(taken)),
        "source": _named(table.sources, columns.source[without("source")]),
        "licence": _named(table.licences, columns.licence[without("licence")]),
        "category": _named(table.categories, _categories_of(columns, taken)),
        "most_segments": int(columns.segments.max()) if len(columns) else 0,
    }


def _taken(table: SampleTable, columns: ShardColumns, query: Query) -> Mask:
    return _all_of(list(_masks(table, columns, query).values()))


def _all_of(masks: Sequence[Mask]) -> Mask:
    passing: Mask = np.logical_and.reduce(masks)
    return passing


def _masks(table: SampleTable, columns: ShardColumns, query: Query) -> dict[str, Mask]:
    """By filter, which samples it lets pass."""
    return {
        "source": _of_names(table.sources, columns.source, query.sources),
        "licence": _of_names(table.licences, columns.licence, query.licences),
        "segments": _numbers(columns, query),
        "category": _categories(table, columns, query),
        "key": _keys(columns, query),
    }


def _keys(columns: ShardColumns, query: Query) -> Mask:
    if not query.text or query.text_in != "key":
        return np.ones(len(columns), np.bool_)
    holding = pc.match_substring(columns.keys, query.text, ignore_case=True)
    mask: Mask = holding.to_numpy().astype(np.bool_)
    return mask


def _of_names(names: NameCodes, codes: NDArray[np.integer[Any]], chosen: Sequence[str]) -> Mask:
    if not chosen:
        return np.ones(len(codes), np.bool_)
    return np.isin(codes, names.find(chosen))


def _numbers(columns: ShardColumns, query: Query) -> Mask:
    mask = np.ones(len(columns), np.bool_)
    if query.least is not None:
        mask &= columns.segments >= query.least
    if query.most is not None:
        mask &= columns.segments <= query.most
    return mask


def _categories(table: SampleTable, columns: ShardColumns, query: Query) -> Mask:
    mask = np.ones(len(columns), np.bool_)
    for name in query.categories:
        codes = table.categories.find([name])
        holds = np.zeros(len(columns), np.bool_)
        if len(codes):
            owner = np.searchsorted(
                columns.category_ends, np.flatnonzero(columns.categories == codes[0]), "right"
            )
            holds[owner] = True
        mask &= holds
    return mask


def _categories_of(columns: ShardColumns, mask: Mask) -> Codes:
    """Codes of the categories of some samples."""
    if mask.all():
        return columns.categories
    return columns.categories[np.repeat(mask, np.diff(columns.category_ends, prepend=0))]


def _named(names: NameCodes, codes: NDArray[np.integer[Any]]) -> dict[str, Any]:
    """Counts by name, the largest first, and how many names are not listed."""
    counts = np.bincount(codes, minlength=len(names.names)).tolist()
    # codes depend on which shard was read first, names do not
    order = sorted(
        (code for code, count in enumerate(counts) if count),
        key=lambda code: (-counts[code], names.names[code]),
    )
    listed: list[tuple[str, int]] = [
        (names.names[code], counts[code]) for code in order[:NAMES_MAX] if names.names[code]
    ]
    return {"counts": listed, "more": max(0, len(order) - NAMES_MAX)}


def item_of(table: SampleTable, columns: ShardColumns, place: int) -> dict[str, Any]:
    """What a card of the gallery states of a sample, as JSON."""
    categories = [table.categories.names[code] for code in columns.categories_of(place).tolist()]
    return {
        "key": columns.keys[place].as_py(),
        "shard": table.shards[int(columns.shard[place])],
        "row": int(columns.row[place]),
        "source": table.sources.names[int(columns.source[place])],
        "licence": table.licences.names[int(columns.licence[place])],
        "width": int(columns.width[place]),
        "height": int(columns.height[place]),
        "segments": int(columns.segments[place]),
        "categories": categories,
    }
