"""`--set FIELD.PATH=VALUE`: change fields of plain data before they are validated."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sgt_data import checks
from sgt_data.errors import ManifestError
from sgt_data.suggestions import not_among
from sgt_data.value_text import cut
from sgt_data.yaml_text import parse_setting


def override_fields(
    data: dict[str, Any],
    overrides: Sequence[str] | str,
    default_names: Mapping[str, Mapping[str, str]] | None = None,
) -> None:
    """Change fields of plain data in place.

    Args:
        data: what a YAML file holds.
        overrides: `field.path=value` each, or one of these; items of a list by number or name,
            values as `parse_setting` reads them.
        default_names: by list: the names of its items without one, by their `type`.

    Raises:
        ManifestError: an override has another form, names no field, or contradicts another one.
    """
    given: dict[str, str] = {}
    for override in checks.texts("overrides", overrides):
        path, _, text = override.partition("=")
        if given.setdefault(path, text) != text:
            raise ManifestError(
                f"--set {path} is given twice, with {cut(given[path], 60)} and {cut(text, 60)}; "
                "give one"
            )
        _override(data, override, default_names or {})


def _override(
    data: dict[str, Any], override: str, default_names: Mapping[str, Mapping[str, str]]
) -> None:
    path, equals, text = override.partition("=")
    if not equals or not all(path.split(".")):
        raise ManifestError(f"--set {cut(override)}: the form is field.path=value")
    value = parse_setting(text, f"--set {cut(override)}")
    *parents, last = path.split(".")
    place: Any = data
    defaults = default_names.get(path.split(".")[0], {})
    for step in parents:
        place = _step(place, step, override, defaults)
    if isinstance(place, list):
        place[_position(place, last, override, defaults)] = value
    else:
        place[last] = value


def _step(place: Any, step: str, override: str, defaults: Mapping[str, str]) -> Any:
    if isinstance(place, list):
        return place[_position(place, step, override, defaults)]
    below = place.setdefault(step, {})
    if not isinstance(below, dict | list):
        raise ManifestError(f"--set {override!r}: {step} is {cut(below, 40)} and has no fields")
    return below


def _position(items: list[Any], step: str, override: str, defaults: Mapping[str, str]) -> int:
    """Index of a list item by its name or, where it has none, its default name or type; or by its
    number."""
    types = [str(item.get("type", "")) if isinstance(item, dict) else "" for item in items]
    names = [
        str(item.get("name", defaults.get(kind, kind))) if isinstance(item, dict) else ""
        for item, kind in zip(items, types, strict=True)
    ]
    if step in names:
        return names.index(step)
    unnamed = [
        kind if isinstance(item, dict) and "name" not in item else ""
        for item, kind in zip(items, types, strict=True)
    ]
    if step in unnamed:
        return unnamed.index(step)
    if step.isdigit() and int(step) < len(items):
        return int(step)
    raise ManifestError(f"--set {override!r}: {not_among(step, names)}")
