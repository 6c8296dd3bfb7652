"""Examples of entries in a manifest: those that the docstring of a kind gives."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from sgt_data.reference.docstrings import Docstring
from sgt_data.yaml_text import parse_yaml


def examples_of(name: str, kind: type[Any]) -> tuple[Mapping[str, Any], ...]:
    """The entries in the section `Examples:` of a docstring; else the shortest, where it is valid.

    Args:
        name: the `type` by which the kind is registered.
        kind: its class.
    """
    text = " ".join(line.strip() for line in Docstring.of(kind).sections.get("Examples", ()))
    entries = parse_yaml(f"[{text.replace('} {', '}, {')}]", f"examples of {name}") if text else []
    entries = entries or [{"type": name}]
    return tuple(entry for entry in entries if _validates(kind, entry))


def _validates(kind: type[Any], entry: Mapping[str, Any]) -> bool:
    try:
        kind.model_validate(entry)
    except ValidationError:
        return False
    return True
