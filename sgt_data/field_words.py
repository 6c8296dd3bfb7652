"""What a field must hold, in words, for every kind of error that pydantic finds in fields."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

_LIST = "must be a list"
_FIELDS = "must be `field: value` pairs"
_WHOLE = "must be a whole number"
_NUMBER = "must be a number"

MUST: Mapping[str, str] = {
    "bool_parsing": "must be true or false",
    "bool_type": "must be true or false",
    "bytes_type": "must be bytes",
    "callable_type": "must be a function",
    "dataclass_type": _FIELDS,
    "dict_type": _FIELDS,
    "finite_number": "must be a finite number",
    "float_parsing": _NUMBER,
    "float_type": _NUMBER,
    "frozen_set_type": "must be a frozenset",
    "greater_than": "must be more than {gt}",
    "greater_than_equal": "must be {ge} or more",
    "int_from_float": _WHOLE,
    "int_parsing": _WHOLE,
    "int_parsing_size": "must be a whole number of fewer digits",
    "int_type": _WHOLE,
    "is_instance_of": "must be of {class}",
    "iterable_type": _LIST,
    "less_than": "must be less than {lt}",
    "less_than_equal": "must be {le} or less",
    "list_type": _LIST,
    "mapping_type": _FIELDS,
    "missing": "must be given",
    "missing_argument": "must be given",
    "model_attributes_type": _FIELDS,
    "model_type": _FIELDS,
    "multiple_of": "must be a multiple of {multiple_of}",
    "none_required": "must be null",
    "sequence_str": _LIST,
    "set_type": _LIST,
    "string_pattern_mismatch": "must fit the pattern {pattern}",
    "string_sub_type": "must be text",
    "string_too_long": "must have {max_length} letters or fewer",
    "string_too_short": "must have {min_length} letters or more",
    "string_type": "must be text",
    "string_unicode": "must be UTF-8 text",
    "too_long": "must be a list of {max_length} or fewer",
    "too_short": "must be a list of {min_length} or more",
    "tuple_type": _LIST,
}
"""By the type of an error: what the field must do, as a message says it.

The names in braces are of its context.
"""

_SEQUENCES = ("Sequence", "Iterable", "Collection")


def must(error: Any) -> str | None:
    """What a field must do, such as `must be a whole number`; None where no words are known.

    Args:
        error: one of a `ValidationError`.
    """
    context = dict(error.get("ctx") or {})
    if context.get("class") in _SEQUENCES:
        return _LIST
    form = MUST.get(error["type"])
    if form is None:
        return None
    return form.format_map({name: _plain(value) for name, value in context.items()})


def either(words: Iterable[str]) -> str:
    """One sentence of what a field must do where several things are right."""
    first, *others = dict.fromkeys(words)
    shared = (
        "must be " if all(word.startswith("must be ") for word in (first, *others)) else "must "
    )
    return " or ".join((first, *(word.removeprefix(shared) for word in others)))


def _plain(value: object) -> object:
    """A bound without the decimals that it does not need."""
    return int(value) if isinstance(value, float) and value.is_integer() else value
