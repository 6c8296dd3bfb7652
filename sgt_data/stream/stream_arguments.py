"""What a stream is given: sources, options, weights and states, checked before any is opened."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from numbers import Integral, Real
from typing import Any, TypeVar

from sgt_data import checks
from sgt_data.errors import RequestError
from sgt_data.files.urls import absolute, plain
from sgt_data.stream.mixture import Mixture, Weights
from sgt_data.stream.pattern import Pattern
from sgt_data.suggestions import not_among
from sgt_data.value_text import cut

_Options = TypeVar("_Options")


def named_sources(sources: object) -> dict[str, Sequence[str] | str]:
    """The sources, each with the names that are taken of it.

    Raises:
        RequestError: they are no mapping, or a value is neither a name nor a list of names.
    """
    if not isinstance(sources, Mapping):
        raise checks.wrong("sources", sources, "a mapping: names of proxies by URL")
    for location, names in sources.items():
        if not isinstance(names, str) and not (
            isinstance(names, Sequence) and names and all(isinstance(name, str) for name in names)
        ):
            raise checks.wrong(
                f"sources: {location}", names, "of a corpus, a list of names of its proxies; of "
                "conversations, the name of the component",
            )  # fmt: skip
    _check_each_once(sources)
    return {plain(location): names for location, names in sources.items()}


def _check_each_once(sources: Mapping[Any, Sequence[str] | str]) -> None:
    """Check that nothing is read twice: more of a component is a matter of its weight."""
    taken: set[tuple[str, str]] = set()
    for location, names in sources.items():
        for name in [names] if isinstance(names, str) else names:
            place = absolute(location), name
            if place in taken:
                raise RequestError(
                    f"sources: {name} of {place[0]} is named twice, and would be read twice in an "
                    "epoch; name it once, and give it a larger weight in mixture"
                )
            taken.add(place)


def given(name: str, value: _Options | None, kind: type[_Options]) -> _Options | None:
    """An option that is a value of a class, or None where it is not given.

    Raises:
        RequestError: it is something else.
    """
    return None if value is None else checks.instance_of(name, value, kind)


def is_state(state: Any) -> bool:
    """Whether a state has the fields of one, with the types that they have."""
    return (
        isinstance(state, Mapping)
        and state.get("version") == 1
        and isinstance(state.get("stream"), Mapping)
        and all(
            type(number) is int and number >= 0
            for number in (state.get("step"), state.get("of_worker", 0))
        )
    )


def batch_contents(
    weights: Mapping[int, Weights] | None,
    pattern: Sequence[str] | None,
    batch_size: int,
    components: Collection[str],
) -> Mixture | Pattern:
    """How many samples of each component every batch holds: of weights by step, or of a pattern.

    Raises:
        RequestError: weights or pattern cannot be followed, or name no component of the stream.
    """
    contents: Mixture | Pattern
    if pattern is not None:
        contents, name_of_option = Pattern(pattern, batch_size), "pattern"
    else:
        contents, name_of_option = Mixture(weights or {}, batch_size), "mixture"
    for name in contents.components:
        if name not in components:
            raise RequestError(f"{name_of_option}: {not_among(name, components)}")
    return contents


def check_one_of(mixture: object, pattern: Sequence[str] | None) -> None:
    """Check that a mixture and a pattern are not both given.

    Raises:
        RequestError: they are.
    """
    if mixture is not None and pattern is not None:
        raise RequestError(
            f"pattern and mixture are both given: found pattern {cut(list(pattern))}, mixture "
            f"{cut(mixture)}; a pattern puts one component into each batch, so leave mixture out, "
            "and name a component more often in the pattern for more of it"
        )


def weights_by_step(
    mixture: Weights | Mapping[int, Weights] | None, components: Collection[str]
) -> dict[int, Weights]:
    """The weights of a mixture, by the step from which on they hold.

    Raises:
        RequestError: the mixture is no mapping, or a weight is no number.
    """
    if mixture is None:
        return {0: dict.fromkeys(components, 1)}
    if not isinstance(mixture, Mapping):
        raise checks.wrong("mixture", mixture, "weights by component, or such weights by step")
    by_step: Mapping[Any, Any] = mixture
    if not mixture or not all(isinstance(step, int) for step in mixture):
        by_step = {0: mixture}
    for step, weights in by_step.items():
        _check_weights(step, weights)
    return {
        int(step): {name: _plain_number(weight) for name, weight in weights.items()}
        for step, weights in by_step.items()
    }


def _plain_number(weight: Real) -> float:
    """A weight as JSON holds it, in the state of a stream."""
    return int(weight) if isinstance(weight, Integral) else float(weight)


def _check_weights(step: int, weights: object) -> None:
    place = f"mixture at step {step}"
    if not isinstance(weights, Mapping):
        raise checks.wrong(place, weights, "weights by component")
    for name, weight in weights.items():
        if isinstance(weight, bool) or not isinstance(weight, Real):
            raise checks.wrong(f"{place}: {name}", weight, "a weight, a number from 0 on")
