"""What a field must hold, in words, for every kind of error that pydantic finds in fields."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

_LIST = "be a list"
_FIELDS = "be `field: value` pairs"
_WHOLE = "be a whole number"
_NUMBER = "be a number"

MUST: Mapping[str, str] = {
    "bool_parsing": "be true or false",
    "bool_type": "be true or false",
    "bytes_type": "be bytes",
    "callable_type": "be a function",
    "dataclass_type": _FIELDS,
    "dict_type": _FIELDS,
    "finite_number": "be a finite number",
    "float_parsing": _NUMBER,
    "float_type": _NUMBER,
    "frozen_set_type": "be a frozenset",
    "greater_than": "be more than {gt}",
    "greater_than_equal": "be {ge} or more",
    "int_from_float": _WHOLE,
    "int_parsing": _WHOLE,
    "int_parsing_size": "be a whole number of fewer digits",
    "int_type": _WHOLE,
    "is_instance_of": "be of {class}",
    "iterable_type": _LIST,
    "less_than": "be less than {lt}",
    "less_than_equal": "be {le} or less",
    "list_type": _LIST,
    "mapping_type": _FIELDS,
    "missing": "be given",
    "missing_argument": "be given",
    "model_attributes_type": _FIELDS,
    "model_type": _FIELDS,
    "multiple_of": "be a multiple of {multiple_of}",
    "none_required": "be null",
    "sequence_str": _LIST,
    "set_type": _LIST,
    "string_pattern_mismatch": "fit the pattern {pattern}",
    "string_sub_type": "be text",
    "string_too_long": "have {max_length} letters or fewer",
    "string_too_short": "have {min_length} letters or more",
    "string_type": "be text",
    "string_unicode": "be UTF-8 text",
    "too_long": "be a list of {max_length} or fewer",
    "too_short": "be a list of {min_length} or more",
    "tuple_type": _LIST,
}
"""By the type of an error: what the field must do. The names in braces are of its context."""

_SEQUENCES = ("Sequence", "Iterable", "Collection")


def must(error: Any) -> str | None:
    """What a field must do, such as `be a whole number`; None where no words are known.

    Args:
        error: one of a `ValidationError`.
    """
    context = dict(error.get("ctx") or {})
    if context.get("class") in _SEQUENCES:
        return _LIST
    form = MUST.get(error["type"])
    return (
        form.format_map({name: _plain(value) for name, value in context.items()}) if form else None
    )


def either(words: Iterable[str]) -> str:
    """One sentence of what a field must do where several things are right."""
    first, *others = dict.fromkeys(words)
    if first.startswith("be ") and all(word.startswith("be ") for word in others):
        others = [word.removeprefix("be ") for word in others]
    return " or ".join((first, *others))


def _plain(value: object) -> object:
    """A bound without the decimals that it does not need."""
    return int(value) if isinstance(value, float) and value.is_integer() else value
