"""Errors of fields that may hold values of several kinds, which pydantic reports for each kind."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin


def fields_of(model: Any) -> Mapping[str, Any]:
    """The fields of a model, or of a dataclass that pydantic checks; empty for other classes."""
    fields: Mapping[str, Any] = getattr(model, "__pydantic_fields__", {})
    return fields


def by_field(errors: Sequence[Any], model: Any) -> Iterator[list[Any]]:
    """The errors of each field; their `loc` is the place that a person wrote.

    Of a field that may hold several kinds of values these are the errors within the kind that was
    meant, which is the one that fits farthest; where none fits, one error of each kind.

    Args:
        errors: of a `ValidationError`.
        model: the model that was validated, or another annotation.
    """
    unions: dict[tuple[Any, ...], dict[Any, list[Any]]] = {}
    for error in errors:
        place = tuple(error["loc"])
        depth = _depth_of_union(place, model)
        if depth is None:
            yield [error]
            continue
        kinds = unions.setdefault(place[:depth], {})
        without_kind = {**error, "loc": (*place[:depth], *place[depth + 1 :])}
        kinds.setdefault(place[depth], []).append(without_kind)
    for place, kinds in unions.items():
        within = [of_kind for of_kind in kinds.values() if len(of_kind[0]["loc"]) > len(place)]
        if within:
            yield from ([error] for error in within[0])
        else:
            yield [error for of_kind in kinds.values() for error in of_kind]


def _depth_of_union(place: Sequence[Any], model: Any) -> int | None:
    """Which step of a place is no field but the kind that pydantic tried; None where none is."""
    reached = model
    for depth, step in enumerate(place):
        kinds = _kinds(reached)
        if len(kinds) > 1:
            return depth
        reached = _below(kinds[0], step) if kinds else Any
    return None


def _kinds(annotation: Any) -> list[Any]:
    """The annotations that a value may have, None aside."""
    if get_origin(annotation) is Annotated:
        return _kinds(get_args(annotation)[0])
    if get_origin(annotation) in (Union, UnionType):
        return [kind for part in get_args(annotation) for kind in _kinds(part)]
    return [] if annotation is NoneType else [annotation]


def _below(annotation: Any, step: Any) -> Any:
    """The annotation of what lies in a field, or at a place of a list."""
    if step in fields_of(annotation):
        return fields_of(annotation)[step].annotation
    inner = get_args(annotation)
    origin = get_origin(annotation)
    if not inner or not isinstance(origin, type):
        return Any
    if issubclass(origin, tuple) and Ellipsis not in inner:
        return inner[step] if isinstance(step, int) and step < len(inner) else Any
    return inner[-1] if issubclass(origin, Mapping) else inner[0]
