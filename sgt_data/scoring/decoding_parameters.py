"""The measures of the proxies of a corpus, with the parameters of decoding that were asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass, replace
from enum import Enum
from typing import Any, get_type_hints

from pydantic import TypeAdapter, ValidationError

from sgt_data.corpus.opened_corpus import Corpus
from sgt_data.errors import RequestError
from sgt_data.foreign_errors import in_words
from sgt_data.proxies.taken_facts import scored_facts
from sgt_data.scoring.layout_fidelity import class_colours
from sgt_data.scoring.measure import Measure
from sgt_data.scoring.measures import has_class_colours, measure_for
from sgt_data.suggestions import not_among
from sgt_data.value_text import cut


def measures_of(
    corpus: Corpus, proxies: Sequence[str], decoding: Mapping[str, Any]
) -> dict[str, Measure[Any]]:
    """The measures of each proxy, with the parameters that were asked for.

    Args:
        corpus: whose proxies.
        proxies: their names; each has a sample.
        decoding: values of parameters by name, which every measure takes that has such a one.

    Raises:
        RequestError: there is no measure for a proxy, no measure has such a parameter, or not such
            a value.
    """
    measures = {}
    for proxy in proxies:
        facts = next(_facts_of(corpus, proxy))
        classes = class_colours(_facts_of(corpus, proxy)) if has_class_colours(facts) else None
        measures[proxy] = measure_for(facts, classes)
    known = {name for measure in measures.values() for name in parameters_of(measure)}
    for name in decoding:
        if name not in known:
            raise RequestError(f"decoding: {not_among(name, sorted(known))}")
    return {proxy: _changed(measure, decoding) for proxy, measure in measures.items()}


def parameters_of(measure: Any) -> dict[str, Any]:
    """The parameters of decoding of a measure, by name, as JSON holds them.

    What the facts of samples decide (colours of classes, whether targets may be empty) is none.
    """
    parameters: dict[str, Any] = {}
    for each in fields(measure):
        value = getattr(measure, each.name)
        if is_dataclass(value):
            parameters |= parameters_of(value)
        elif isinstance(value, Enum):
            parameters[each.name] = value.name.lower()
        elif not isinstance(value, Mapping | bool):
            parameters[each.name] = value
    return parameters


def _facts_of(corpus: Corpus, proxy: str) -> Iterator[Mapping[str, Any]]:
    for shard in corpus.shards(proxy):
        for row in range(corpus.reader.count(proxy, shard)):
            yield scored_facts(corpus.reader.facts(proxy, shard, row))


def _changed(measure: Any, decoding: Mapping[str, Any]) -> Any:
    """A record of parameters with other values, and so the records in it.

    Raises:
        RequestError: a value is not one of its parameter.
    """
    hints = get_type_hints(type(measure))
    changes: dict[str, Any] = {}
    for each in fields(measure):
        usual = getattr(measure, each.name)
        if is_dataclass(usual):
            changes[each.name] = _changed(usual, decoding)
        elif each.name in decoding and not isinstance(usual, Mapping | bool):
            changes[each.name] = _checked(each.name, decoding[each.name], usual, hints[each.name])
    try:
        return replace(measure, **changes)
    except ValueError as why:
        raise RequestError(f"decoding: {in_words(why)}") from why


def _checked(name: str, value: Any, usual: Any, hint: Any) -> Any:
    if isinstance(usual, Enum):
        names = {member.name.lower(): member for member in type(usual)}
        if value not in names:
            raise RequestError(f"decoding: {name}: {not_among(value, names)}")
        return names[value]
    try:
        return TypeAdapter(hint).validate_python(value, strict=True)
    except ValidationError as why:
        problem = why.errors()[0]["msg"]
        raise RequestError(
            f"decoding: {name}: found {cut(value)}; {problem}; a usual value is {usual!r}"
        ) from why
