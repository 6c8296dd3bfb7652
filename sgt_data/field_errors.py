"""What pydantic found wrong in fields, as lines for the person who wrote them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from sgt_data.redaction import redacted
from sgt_data.suggestions import did_you_mean

_UNKNOWN = ("extra_forbidden", "unexpected_keyword_argument")
_MISSING = ("missing", "missing_argument")
_QUOTED = re.compile(r"'([^']*)'")


def field_problems(
    why: ValidationError, model: type[Any], path: Sequence[str | int] = ()
) -> list[str]:
    """A line for every wrong field: its path, what is allowed, and the value found.

    Args:
        why: what was raised.
        model: the model that was validated, whose fields are allowed.
        path: of the data within the whole document.
    """
    return [
        f"  {'.'.join(map(str, (*path, *error['loc']))) or 'manifest'}: {_problem(error, model)}"
        for error in why.errors(include_url=False)
    ]


def field_message(error: Any, model: type[Any]) -> str:
    """What is allowed in place of a wrong field, and what may have been meant.

    Args:
        error: one of a `ValidationError`.
        model: the model that was validated.
    """
    if error["type"] == "literal_error":
        return f"allowed: {', '.join(_expected(error))}" + did_you_mean(
            error["input"], _expected(error)
        )
    if error["type"] in _UNKNOWN:
        return f"no such field{_allowed_fields(error, model)}"
    if error["type"] in _MISSING:
        return "must be given"
    message: str = error["msg"]
    return message.removeprefix("Value error, ")


def _problem(error: Any, model: type[Any]) -> str:
    """What was found, and what is allowed."""
    if error["type"] in _MISSING:
        return field_message(error, model)
    value = f"found {redacted(error['input'])!r:.80}"
    if error["type"] == "literal_error":
        return f"{value}; {field_message(error, model)}"
    if error["type"] in _UNKNOWN:
        return f"no such field ({value}){_allowed_fields(error, model)}"
    return f"{field_message(error, model)} ({value})"


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
        fields = _fields(model)
        if step in fields:
            inner = next(_models_in(fields[str(step)].annotation), None)
            if inner is None:
                return set()
            model = inner
    return set(_fields(model))


def _fields(model: type[Any]) -> dict[str, Any]:
    """The fields of a model, or of a dataclass that pydantic checks."""
    if isinstance(model, type) and issubclass(model, BaseModel):
        return dict(model.model_fields)
    fields: dict[str, Any] = getattr(model, "__pydantic_fields__", {})
    return fields


def _models_in(annotation: Any) -> Iterator[type[Any]]:
    """The models that an annotation holds."""
    if isinstance(annotation, type) and _fields(annotation):
        yield annotation
    for part in get_args(annotation):
        yield from _models_in(part)
