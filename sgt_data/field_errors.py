"""What pydantic found wrong in fields, as lines for the person who wrote them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, get_args

from sgt_data.field_unions import by_field, fields_of
from sgt_data.field_words import either, must
from sgt_data.redaction import redacted
from sgt_data.suggestions import did_you_mean
from sgt_data.value_text import cut

if TYPE_CHECKING:  # whoever has such an error has imported pydantic
    from pydantic import ValidationError

_UNKNOWN = ("extra_forbidden", "unexpected_keyword_argument")
_MISSING = ("missing", "missing_argument")
_PLAIN = (str, bytes, int, float, list, tuple, type(None))
_KEY = "[key]"  # pydantic's mark of a name that a table may not have
_QUOTED = re.compile(r"'([^']*)'")


def field_problems(
    why: ValidationError, model: type[Any], path: Sequence[str | int] = ()
) -> list[str]:
    """A line for every wrong field: its path, the value found, and what is right.

    Args:
        why: what was raised.
        model: the model that was validated, whose fields are allowed.
        path: of the data within the whole document.
    """
    return [
        f"  {dotted((*path, *place)) or 'manifest'}: {problem}"
        for place, problem in wrong_fields(why, model)
    ]


def wrong_fields(why: ValidationError, model: Any = Any) -> list[tuple[Sequence[str | int], str]]:
    """Every wrong field: its path, and the value found with what is right.

    Args:
        why: what was raised.
        model: the model that was validated, whose fields are allowed; Any where it is not known.
    """
    return [
        ([part for part in errors[0]["loc"] if part != _KEY], _problem(errors, model))
        for errors in by_field(why.errors(include_url=False), model)
    ]


def first_problem(why: ValidationError, model: Any = Any) -> str:
    """The first wrong field, on one line; of several fields together, what the model says."""
    place, problem = wrong_fields(why, model)[0]
    return f"{dotted(place)}: {problem}" if place else problem


def right_words(why: ValidationError) -> str:
    """What is right in place of a single value that was checked, such as `must be text`."""
    return _right(why.errors(include_url=False)[:1], Any)


def dotted(place: Sequence[str | int]) -> str:
    """The path of a field as `--set` takes it."""
    return ".".join(map(str, place))


def _problem(errors: Sequence[Any], model: Any) -> str:
    """What was found in one field, and what is right."""
    error = errors[0]
    value = f"found {cut(redacted(error['input']))}"
    if error["type"] in _MISSING:
        return "must be given"
    if error["type"] in _UNKNOWN:
        return f"no such field ({value}){_allowed_fields(error, model)}"
    if error["type"] == "value_error" and not isinstance(error["input"], _PLAIN):
        return _right(errors, model)  # it names the fields that do not go together
    return f"{value}; {_right(errors, model)}"


def _right(errors: Sequence[Any], model: Any) -> str:
    """What is right for one field, where pydantic tried one kind of value or several."""
    if len(errors) > 1:
        return either(_must_be(error) for error in errors)
    error = errors[0]
    if error["type"] == "literal_error":
        options = _expected(error)
        return f"allowed: {', '.join(options)}{did_you_mean(error['input'], options)}"
    return _must_be(error)


def _must_be(error: Any) -> str:
    if error["type"] == "literal_error":
        return f"must be {' or '.join(_expected(error))}"
    return must(error) or str(error["msg"]).removeprefix("Value error, ")


def _allowed_fields(error: Any, model: type[Any]) -> str:
    """The fields that are allowed where there was an unknown one."""
    *parents, name = error["loc"]
    names = sorted(_fields_at(model, parents))
    return f"; allowed: {', '.join(names)}{did_you_mean(name, names)}" if names else ""


def _expected(error: Any) -> list[str]:
    """The values of a literal; pydantic states them as one text."""
    text = str(error["ctx"]["expected"])
    return _QUOTED.findall(text) or [text]


def _fields_at(model: type[Any], parents: Sequence[str | int]) -> set[str]:
    """Names of the fields of the model at a place within a model; empty where there is none."""
    for step in parents:
        fields = fields_of(model)
        if step in fields:
            inner = next(_models_in(fields[str(step)].annotation), None)
            if inner is None:
                return set()
            model = inner
    return set(fields_of(model))


def _models_in(annotation: Any) -> Iterator[type[Any]]:
    """The models that an annotation holds."""
    if isinstance(annotation, type) and fields_of(annotation):
        yield annotation
    for part in get_args(annotation):
        yield from _models_in(part)
