"""The measures of the proxies of a corpus, with the parameters of decoding that were asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields, is_dataclass, replace
from typing import Any

from sgt_data.corpus.opened_corpus import Corpus
from sgt_data.errors import RequestError
from sgt_data.scoring.measure import Measure
from sgt_data.scoring.measures import measure_for
from sgt_data.suggestions import not_among
from sgt_data.value_text import cut


def measures_of(
    corpus: Corpus, proxies: Sequence[str], decoding: Mapping[str, Any]
) -> dict[str, Measure[Any]]:
    """The measures of each proxy, with the parameters that were asked for.

    Raises:
        RequestError: no measure has such a parameter, or not such a value.
    """
    measures = {}
    for proxy in proxies:
        shard = next(
            shard
            for shard, count in zip(
                corpus.shards(proxy), corpus.samples_per_shard(proxy), strict=True
            )
            if count
        )
        measures[proxy] = measure_for(corpus.reader.facts(proxy, shard, 0))
    known = {name for measure in measures.values() for name in parameters_of(measure)}
    for name in decoding:
        if name not in known:
            raise RequestError(f"decoding: {not_among(name, sorted(known))}")
    return {proxy: _with(measure, decoding) for proxy, measure in measures.items()}


def parameters_of(measure: Measure[Any]) -> dict[str, Any]:
    """The parameters of decoding of a measure, by name."""
    return asdict(measure) if is_dataclass(measure) else {}  # type: ignore[arg-type]


def _with(measure: Measure[Any], decoding: Mapping[str, Any]) -> Measure[Any]:
    own = {name: value for name, value in decoding.items() if name in parameters_of(measure)}
    if not own:
        return measure
    for each in fields(measure):  # type: ignore[arg-type]
        value, usual = own.get(each.name), getattr(measure, each.name)
        is_number = isinstance(usual, int | float) and not isinstance(usual, bool)
        takes = (int, float) if is_number else (type(usual),)
        if each.name in own and (
            not isinstance(value, takes) or isinstance(value, bool) != isinstance(usual, bool)
        ):
            raise RequestError(
                f"decoding: {each.name}: found {cut(value)}; allowed: a value such as {usual!r}"
            )
    try:
        changed: Measure[Any] = replace(measure, **own)  # type: ignore[type-var]
    except ValueError as why:
        raise RequestError(f"decoding: {why}") from why
    return changed
