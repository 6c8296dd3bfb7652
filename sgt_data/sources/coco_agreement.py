"""Whether the annotation files of a source speak of the same pictures and categories.

Files are joined by image id. Where two files give one id to two pictures, every picture would get
the masks of another one, so that such files are refused.
"""

from __future__ import annotations

import posixpath
from collections.abc import Sequence
from typing import Any

from sgt_data.errors import AnnotationError, RequestError
from sgt_data.records import Category
from sgt_data.sources.annotation_json import NOT_STATED, side_length
from sgt_data.sources.coco_categories import CATEGORIES_MAX, StatedCategory
from sgt_data.sources.coco_file import CocoFile, ImageId
from sgt_data.value_text import cut

_REMEDY = "correct one of the files, or give the source one of them in `annotations`"


def check_images(files: Sequence[CocoFile], source: str) -> None:
    """Check that the files say the same of every image id that they share.

    Compared are file names and addresses (the last part, without suffix: a panoptic file may name
    the PNG), and sizes where both know them.

    Raises:
        RequestError: two files differ; names files, image id, both values and how many ids differ.
    """
    for number, file in enumerate(files):
        for earlier in files[:number]:
            differing = [
                (identity, *difference)
                for identity, image in file.images.items()
                if (other := earlier.images.get(identity)) is not None
                and (difference := _difference(other, image)) is not None
            ]
            if differing:
                _refuse_images(earlier, file, differing, source)


def joint_categories(files: Sequence[CocoFile], source: str) -> dict[int, Category]:
    """The categories of all files by id.

    A category that no file calls thing or stuff is a thing where a file of instances lists it.

    Raises:
        RequestError: two files name a category differently, or one calls a thing what the other
            calls stuff.
    """
    stated: dict[int, tuple[CocoFile, StatedCategory]] = {}
    for file in files:
        for category in file.categories.values():
            other, earlier = stated.setdefault(category.id, (file, category))
            if earlier.name != category.name:
                _refuse_category(other, file, (earlier, category), source, "name")
            if earlier.isthing is None and category.isthing is not None:
                stated[category.id] = file, category
            elif category.isthing not in (None, earlier.isthing):
                _refuse_category(other, file, (earlier, category), source, "isthing")
    if len(stated) > CATEGORIES_MAX:
        raise RequestError(
            f"sources.{source}: its files have {len(stated)} categories; at most {CATEGORIES_MAX} "
            "are supported"
        )
    return {
        number: Category(
            number,
            category.name,
            file.kind == "instances" if category.isthing is None else category.isthing,
        )
        for number, (file, category) in sorted(stated.items())
    }


def _difference(first: dict[str, Any], second: dict[str, Any]) -> tuple[str, Any, Any] | None:
    """The field in which two entries of one image differ, and both values."""
    for name in ("file_name", "coco_url"):
        values = first.get(name), second.get(name)
        if all(isinstance(value, str) and value not in ("", *NOT_STATED) for value in values):
            stems = {_stem(str(value)) for value in values}
            if len(stems) > 1:
                return name, *values
    for name in ("width", "height"):
        sides = _side(first.get(name)), _side(second.get(name))
        if None not in sides and sides[0] != sides[1]:
            return name, *sides
    return None


def _stem(path: str) -> str:
    base = posixpath.basename(path.replace("\\", "/").split("?", 1)[0])
    return posixpath.splitext(base)[0]


def _side(value: Any) -> int | None:
    try:
        return side_length(value, "side")
    except AnnotationError:  # costs the picture when it is read
        return None


def _refuse_images(
    first: CocoFile,
    second: CocoFile,
    differing: Sequence[tuple[ImageId, str, Any, Any]],
    source: str,
) -> None:
    identity, name, left, right = differing[0]
    shared = len(first.images.keys() & second.images.keys())
    raise RequestError(
        f"sources.{source}.{second.kind}: {len(differing)} of the {shared} image ids that two "
        f"files share mean different pictures. Image id {identity}: {name} is {cut(left)} in "
        f"{first.place}, and {cut(right)} in {second.place}. Files are joined by image id, so "
        f"pictures would get the masks of others; {_REMEDY}"
    )


def _refuse_category(
    first: CocoFile,
    second: CocoFile,
    categories: tuple[StatedCategory, StatedCategory],
    source: str,
    name: str,
) -> None:
    values = [getattr(category, name) for category in categories]
    raise RequestError(
        f"sources.{source}.{second.kind}: {name} of category {categories[0].id} is "
        f"{cut(values[0], 40)} in {first.place}, and {cut(values[1], 40)} in {second.place}; "
        f"{_REMEDY}"
    )
