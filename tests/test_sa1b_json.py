"""SA-1B's JSON is read in a fast way and a careful one, with one result."""

from __future__ import annotations

import json
import tarfile
from pathlib import Path
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from sgt_data.errors import InputError
from sgt_data.sources.sa1b_annotation import (
    _checked_masks,
    _plain_masks,
    parse_annotation,
)

VALUES = (
    None, True, False, -1, 0, 1, 2, 3.0, 2.5, 1e9, -1e9, 1e10, 1e308, 2**53, 2**53 + 1, 2**70,
    "", "3", "NaN", "\u00e9", "04\\n", [], [4, 6], [6, 4], [4.0, 6.0], [4, 6, 1], [4, "6"], {},
)  # fmt: skip
PATHS: tuple[tuple[str | int, ...], ...] = (
    (), ("image",), ("image", "width"), ("image", "height"), ("annotations",), ("annotations", 1),
    ("annotations", 1, "id"), ("annotations", 1, "segmentation"),
    ("annotations", 1, "segmentation", "size"), ("annotations", 1, "segmentation", "size", 0),
    ("annotations", 1, "segmentation", "counts"), ("annotations", 1, "predicted_iou"),
    ("annotations", 1, "stability_score"), ("annotations", 1, "bbox"), ("image", "file_name"),
)  # fmt: skip


def document() -> dict[str, Any]:
    masks = [
        {
            "id": 7 + number, "segmentation": {"size": [4, 6], "counts": counts},
            "bbox": [0, 0, 1, 2.5], "area": 3, "predicted_iou": 0.9, "stability_score": 1,
            "point_coords": [[1.5, 2]], "crop_box": [0, 0, 6, 4],
        }
        for number, counts in enumerate(("0h0", "4D<", "\\0`0"))
    ]  # fmt: skip
    image = {"image_id": 1, "width": 6, "height": 4, "file_name": "sa_1.jpg"}
    return {"image": image, "annotations": masks}


def changed(path: tuple[str | int, ...], value: Any, *, is_removed: bool) -> bytes:
    whole: Any = {"document": document()}
    holder, name = whole, "document"
    for step in path:
        holder, name = holder[name], step  # type: ignore[assignment]
    if is_removed:
        del holder[name]
    else:
        holder[name] = value
    return json.dumps(whole.get("document")).encode()


def outcome(read: Any, data: bytes) -> Any:
    try:
        return read(data, b"")
    except InputError as why:
        return str(why)


@settings(max_examples=400)
@given(
    path=st.sampled_from(PATHS),
    value=st.sampled_from(VALUES),
    is_removed=st.booleans(),
    suffix=st.sampled_from([b"", b" ", b"x", b"\xff"]),
)
@example(path=("annotations", 1, "id"), value=7, is_removed=False, suffix=b"")
@example(path=("annotations", 1, "id"), value=8.0, is_removed=False, suffix=b"")
def test_both_ways_read_the_same_or_name_the_same_fault(
    path: tuple[str | int, ...], value: Any, is_removed: bool, suffix: bytes
) -> None:
    data = changed(path, value, is_removed=is_removed) + suffix
    assert outcome(parse_annotation, data) == outcome(_checked_masks, data)


def test_real_annotations_take_the_fast_way(real_data: Path) -> None:
    for path in (real_data / "sa1b").glob("*.tar"):
        with tarfile.open(path) as tar:
            files = [tar.extractfile(member) for member in tar if member.name.endswith(".json")]
            for file in files:
                assert file is not None
                data = file.read()
                assert _plain_masks(data) == _checked_masks(data, b"")
