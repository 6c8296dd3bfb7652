"""The categories and the licences that an annotation file of COCO lists."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sgt_data.errors import AnnotationError
from sgt_data.sources.annotation_json import NOT_STATED, member, name_of, shown, truth, whole_number

CATEGORIES_MAX = 1 << 14
"""Most categories of a source: the table of colours has an entry for each."""


@dataclass(frozen=True, slots=True)
class StatedCategory:
    """A category as one file states it; `isthing` is None where the file does not say it."""

    id: int
    name: str
    isthing: bool | None


def read_licences(rows: Any) -> dict[str, str]:
    """Names of licences by id. A row without a name gives its URL; one without either gives ''."""
    licences = {}
    for row in rows if isinstance(rows, list) else ():
        if isinstance(row, dict) and row.get("id") is not None:
            texts = (row.get("name"), row.get("url"))
            named = [str(text) for text in texts if isinstance(text, str | int) and str(text)]
            licences[str(row["id"])] = named[0] if named else ""
    return licences


def read_categories(rows: Sequence[Any], kind: str) -> dict[int, StatedCategory]:
    """The categories of a file by id.

    Args:
        rows: its list `categories`.
        kind: field of the manifest that names the file.

    Raises:
        AnnotationError: a row lacks a field, or two rows of one id differ; names row and field.
    """
    categories: dict[int, StatedCategory] = {}
    for index, entry in enumerate(rows):
        where = f"categories[{index}]"
        number = whole_number(member(entry, "id", where), f"{where}.id")
        isthing = None if entry.get("isthing") in NOT_STATED else entry["isthing"]
        if isthing is None and kind == "panoptic":
            raise AnnotationError(
                f"{where}.isthing is missing; a panoptic file says 1 (thing) or 0 (stuff)"
            )
        stated = StatedCategory(
            number,
            name_of(member(entry, "name", where), f"{where}.name"),
            None if isthing is None else truth(isthing, f"{where}.isthing"),
        )
        earlier = categories.setdefault(number, stated)
        if earlier != stated:
            raise AnnotationError(
                f"categories has two entries of id {number}, which differ: {earlier.name!r} "
                f"(isthing {shown(earlier.isthing)}) and {stated.name!r} "
                f"(isthing {shown(stated.isthing)})"
            )
    return categories
