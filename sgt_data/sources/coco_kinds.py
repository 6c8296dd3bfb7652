"""Which of COCO's kinds of annotation a file holds: a file of one kind read as another misleads."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sgt_data.errors import AnnotationError

_OTHER_KINDS: tuple[tuple[str, str], ...] = (
    ("segments_info", "panoptic"),
    ("segmentation", "instances"),
    ("caption", "captions"),
    ("keypoints", "keypoints"),
    ("question", "questions"),
)
"""By a field that annotations of a kind alone have: the kind. The first that fits counts."""

_FILES = {
    "panoptic": "a panoptic file", "instances": "an instances file", "captions": "a captions file",
    "keypoints": "a keypoints file", "questions": "a file of questions",
}  # fmt: skip

_NEEDED = {"panoptic": "segments_info", "instances": "segmentation", "stuff": "segmentation"}
"""By kind of the manifest: the field that its annotations have."""


def check_kind(annotations: Iterable[Any], kind: str) -> None:
    """Check that annotations are of the kind as which they are read.

    Files whose annotations have the field of their kind are of it, whatever else they have:
    COCO's `person_keypoints` files hold masks as well. So are files without annotations.

    Args:
        annotations: of the file; no more of them are taken than it needs.
        kind: field of the manifest that names the file.

    Raises:
        AnnotationError: they are of another kind; says of which, and what to give where.
    """
    needed = _NEEDED.get(kind)
    if needed is None:
        return
    fields: set[str] = set()
    for entry in annotations:
        if isinstance(entry, dict):
            fields |= entry.keys()
        if needed in fields:
            return
    for field, stated in _OTHER_KINDS:
        if field in fields:
            raise AnnotationError(
                f"its annotations have no {needed} but {field}: it is {_FILES[stated]}"
                f"{_advice(stated, kind)}"
            )


def _advice(stated: str, kind: str) -> str:
    if stated in _NEEDED:
        other = "instances (or stuff)" if stated == "instances" else stated
        return f". Give it as the field {other}, with annotations: [{stated}]"
    name = "panoptic" if kind == "panoptic" else kind
    return (
        f", which holds no masks. Give the file of masks of the same pictures, such as COCO's "
        f"{name}_train2017.json"
    )
