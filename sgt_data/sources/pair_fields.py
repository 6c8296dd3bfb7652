"""Which fields of a row hold input, target and text: stated, or told by their usual names. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from sgt_data.errors import InputError, RequestError
from sgt_data.suggestions import did_you_mean
from sgt_data.value_text import cut

USUAL: Mapping[str, tuple[str, ...]] = {
    "input": (
        "input_image", "input_images", "original_image", "source_image", "source_img", "src_img",
        "src_image", "input", "original", "image", "image_path", "input_path",
        "file_name", "input_file_name", "original_file_name", "input_image_file_name",
        "original_image_file_name", "source_image_file_name",
    ),
    "target": (
        "edited_image", "output_image", "output_images", "target_image", "edited_img",
        "target_img", "tgt_img",
        "output", "target", "edited", "output_path", "target_path", "edited_file_name",
        "target_file_name", "output_file_name", "edited_image_file_name",
        "output_image_file_name", "target_image_file_name", "result",
    ),
    "text": (
        "edit_prompt", "instruction", "edit_instruction", "edited_prompt_list", "prompt",
        "generation_prompt", "text", "instructions", "editing_instruction",
    ),
}  # fmt: skip
"""Names that editing data sets give to these fields, by the field of a manifest."""

_WHERE_NONE: Mapping[str, str] = {
    "text": ' (text: "" where they have none)',
    "target": " (targets: FOLDER where rows of `metadata` name none)",
}
"""What a manifest says where rows have no such field."""

_LISTS: Mapping[str, tuple[str, str]] = {
    "input": ("image_list", "image_list.0"),
    "target": ("image_list", "image_list.1"),
    "text": ("instruction_list", "instruction_list.0"),
}
"""BAGEL's form: a list of the pictures, and a list of lists of texts."""


@dataclass(frozen=True, slots=True)
class PairFields:
    """Paths of the fields of a row: names and numbers of list items, joined by dots.

    Attributes:
        input, target, text, key, facts: the paths; None where rows have no such field.
    """

    input: str
    target: str | None
    text: str | None = None
    key: str | None = None
    facts: str | None = None

    @property
    def columns(self) -> list[str]:
        """The names of the fields that are read, each once."""
        paths = (self.input, self.target, self.text, self.key, self.facts)
        return list(dict.fromkeys(path.split(".")[0] for path in paths if path is not None))


def fields_of(
    stated: Mapping[str, str | None], names: Collection[str], needed: Collection[str], where: str,
    *, pictures: Collection[str] | None = None,
) -> PairFields:  # fmt: skip
    """The fields of rows.

    Args:
        stated: paths by `input`, `target`, `text`, `key` and `facts`, as a manifest gives them.
        names: the fields that rows have.
        needed: which of these a row must have.
        where: the manifest's source, for messages.
        pictures: which of the fields may be pictures; None where all may.

    Raises:
        RequestError: rows have no such field, or several may be meant.
    """
    paths = {
        role: _told(role, _may_be(role, names, pictures), role in needed, where)
        if (path := stated.get(role)) is None
        else _stated(path, names, f"{where}.{role}")
        for role in ("input", "target", "text")
    }
    for role in ("key", "facts"):
        path = stated.get(role)
        field = {"key": "key", "facts": "facts_field"}[role]
        paths[role] = None if path is None else _stated(path, names, f"{where}.{field}")
    return PairFields(
        paths["input"] or "", paths["target"], paths["text"], paths["key"], paths["facts"]
    )


def value_at(row: Mapping[str, Any], path: str) -> Any:
    """What a row holds at a path; None where it holds nothing there."""
    value: Any = row
    for step in path.split("."):
        if isinstance(value, Mapping):
            value = value.get(step)
        elif isinstance(value, list) and step.isdigit():
            value = value[int(step)] if int(step) < len(value) else None
        else:
            return None
    return value


def single(value: Any, what: str) -> Any:
    """A value that may stand in lists of one.

    Raises:
        InputError: a list has several values or none.
    """
    while isinstance(value, list):
        if len(value) != 1:
            raise InputError(f"{what}: a list of {len(value)}; a pair has one")
        value = value[0]
    return value


def first_text(value: Any) -> str:
    """A text; the first where there are several that say the same in other words.

    Raises:
        InputError: there is none.
    """
    while isinstance(value, list) and value:
        value = value[0]
    if not isinstance(value, str):
        raise InputError(f"text: found {cut(value, 60)}, which is no text")
    return value


def facts_at(row: Mapping[str, Any], path: str) -> bytes:
    """The JSON that a row holds, as text or as fields.

    Raises:
        InputError: there is none.
    """
    value = value_at(row, path)
    if isinstance(value, str):
        return value.encode("utf-8", "replace")
    if not isinstance(value, dict):
        raise InputError(f"facts: found {cut(value, 60)} in {path}, which is no JSON of a sample")
    return orjson.dumps(value)


def _stated(path: str, names: Collection[str], field: str) -> str | None:
    name = path.split(".")[0]
    if name in names or not path:
        return path or None
    raise RequestError(
        f"{field}: rows have no field {cut(name, 40)}; they have "
        f"{', '.join(sorted(names)) or 'none'}{did_you_mean(name, names)}"
    )


def _may_be(role: str, names: Collection[str], pictures: Collection[str] | None) -> Collection[str]:
    """The fields among which a role is looked for by usual names."""
    return names if role == "text" or pictures is None else pictures


def _told(role: str, names: Collection[str], is_needed: bool, where: str) -> str | None:
    """The field of a role by its usual names."""
    by_list = _LISTS[role]
    if by_list[0] in names:
        return by_list[1]
    usual = [name for name in USUAL[role] if name in names]
    if len(usual) == 1:
        return usual[0]
    if len(usual) > 1:
        raise RequestError(
            f"{where}.{role}: rows have {' and '.join(usual)}; say which is the {role}, such as "
            f"{role}: {usual[0]}"
        )
    if is_needed:
        raise RequestError(
            f"{where}.{role}: no field of the rows has a usual name of the {role}; they have "
            f"{', '.join(sorted(names)) or 'none'}. Say which it is: {role}: NAME"
            + _WHERE_NONE.get(role, "")
        )
    return None
