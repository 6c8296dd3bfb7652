"""Fields of a kind in words: what is allowed, the default, the meaning. Pure, from JSON Schemas."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from sgt_data.names import NAME_PATTERN, NAME_RULE

_TYPES = {"string": "text", "boolean": "true or false", "object": "fields"}
_NUMBERS = {"integer": "whole number", "number": "number"}


@dataclass(frozen=True, slots=True)
class FieldFacts:
    """A field of a manifest or of one of its members.

    Attributes:
        name: of the field; `filters.min_area` for a field within a field.
        allowed: which values it takes, in words.
        required: whether it must be given.
        default: its value where it is not given; None where it must be.
        meaning: what it decides.
        of_base: whether every member of the family has it.
    """

    name: str
    allowed: str
    required: bool
    default: Any
    meaning: str
    of_base: bool = False

    @property
    def default_text(self) -> str:
        """The default as one writes it in YAML; empty where it must be given."""
        return "" if self.required else as_yaml(self.default)


def field_facts(
    schema: Mapping[str, Any],
    definitions: Mapping[str, Any],
    base: Sequence[str] = (),
    inside: str = "",
) -> Iterator[FieldFacts]:
    """The fields of a schema, each followed by the fields within it; `type` is left out.

    Args:
        schema: of an object.
        definitions: by name, what the schema refers to.
        base: names of the fields that every member of the family has.
        inside: prefix of the names.
    """
    required = schema.get("required", ())
    for name, written in schema.get("properties", {}).items():
        if name == "type" and not inside:
            continue
        inner = _referred(written, definitions)
        default = written.get("default")
        yield FieldFacts(
            inside + name,
            allowed_in_words(written, definitions),
            name in required,
            {} if inner and isinstance(default, dict) else default,
            written.get("description", ""),
            name in base,
        )
        if inner:
            yield from field_facts(inner, definitions, (), f"{inside}{name}.")


def allowed_in_words(schema: Mapping[str, Any], definitions: Mapping[str, Any]) -> str:
    """Which values a schema allows: `whole number, 1 to 256`, `black or overlay`."""
    if "anyOf" in schema:
        return _any_of(schema["anyOf"], definitions)
    if values := _values(schema):
        return either(values)
    if inner := _referred(schema, definitions):
        return f"fields: {', '.join(inner['properties'])}"
    kind = schema.get("type")
    if kind == "array":
        return _list_in_words(schema, definitions)
    if kind in _NUMBERS:
        return ", ".join(filter(None, (_NUMBERS[kind], _bounds(schema))))
    return _TYPES.get(str(kind), "any value") + _pattern(schema)


def as_yaml(value: Any) -> str:
    """A value of a field as one writes it in a line of YAML."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name}: {as_yaml(each)}" for name, each in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(as_yaml, value)) + "]"
    if isinstance(value, str):
        return value if _is_plain(value) else orjson.dumps(value).decode()
    return "null" if value is None else orjson.dumps(value).decode()


def either(words: Sequence[str]) -> str:
    """Words as a choice: `a, b or c`."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"


def _any_of(options: Sequence[Mapping[str, Any]], definitions: Mapping[str, Any]) -> str:
    """What one of several schemas allows; all single values in one list."""
    values = [value for option in options for value in _values(option)]
    ranges = [allowed_in_words(option, definitions) for option in options if not _values(option)]
    words = [*dict.fromkeys(ranges), *([either(values)] if values else [])]
    return ("; or " if any("," in text for text in words) else " or ").join(words)


def _values(schema: Mapping[str, Any]) -> list[str]:
    """The single values that a schema lists; none where it allows a range of them."""
    if schema.get("type") == "null":
        return ["null"]
    values = [schema["const"]] if "const" in schema else schema.get("enum", [])
    return [as_yaml(value) for value in values]


def _list_in_words(schema: Mapping[str, Any], definitions: Mapping[str, Any]) -> str:
    if "prefixItems" in schema:
        items = [allowed_in_words(item, definitions) for item in schema["prefixItems"]]
        if len(set(items)) == 1:
            return f"list of {len(items)}: {items[0]}"
        return f"list of {len(items)}: {'; '.join(items)}"
    least = schema.get("minItems")
    items_text = allowed_in_words(schema.get("items", {}), definitions)
    return f"list of {items_text}" + (f"; at least {least}" if least else "")


def _bounds(schema: Mapping[str, Any]) -> str:
    least, above = schema.get("minimum"), schema.get("exclusiveMinimum")
    most, below = schema.get("maximum"), schema.get("exclusiveMaximum")
    if least is not None and most is not None:
        return f"{_number(least)} to {_number(most)}"
    begin = f"from {_number(least)}" if least is not None else ""
    begin = f"above {_number(above)}" if above is not None else begin
    end = f"at most {_number(most)}" if most is not None else ""
    end = f"below {_number(below)}" if below is not None else end
    return " and ".join(filter(None, (begin, end)))


def _number(value: float) -> str:
    return "2^63" if value == 2**63 else f"{value:,}".removesuffix(".0")


def _pattern(schema: Mapping[str, Any]) -> str:
    pattern = schema.get("pattern")
    if pattern is None:
        return ""
    return ": " + NAME_RULE if pattern == NAME_PATTERN else f" that matches {pattern}"


def _is_plain(value: str) -> bool:
    """Whether a text needs no quotation marks within a line of YAML."""
    begins = value[:1].isalpha() or value.startswith("/")
    is_word = value.lower() in ("true", "false", "null")
    return begins and not is_word and not set(value) & set(":#{}[],*&'\"")


def _referred(schema: Mapping[str, Any], definitions: Mapping[str, Any]) -> Mapping[str, Any]:
    """The object that a schema refers to; empty where it refers to none."""
    reference = schema.get("$ref")
    if reference is None and "anyOf" in schema:
        reference = next((each["$ref"] for each in schema["anyOf"] if "$ref" in each), None)
    inner: Mapping[str, Any] = definitions.get(str(reference).removeprefix("#/$defs/"), {})
    return inner if "properties" in inner else {}
