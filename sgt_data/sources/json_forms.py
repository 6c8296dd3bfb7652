"""Which form of annotation a JSON document has, told from the names of its fields."""

from __future__ import annotations

from typing import Any

_FORMS: tuple[tuple[frozenset[str], str], ...] = (
    (
        frozenset({"segmentation", "predicted_iou"}),
        "the masks that SAM gives for one picture; use type: sa1b with pictures and annotations",
    ),
    (frozenset({"image_id", "score"}), "results of a model in COCO's form, without images"),
    (frozenset({"shapes", "imagePath"}), "a LabelMe file; labelme2coco converts it"),
    (frozenset({"image", "annotations"}), "SA-1B's file of one picture; use type: sa1b"),
    (frozenset({"videos", "categories"}), "a file of videos (YouTube-VIS)"),
    (frozenset({"_via_img_metadata"}), "a project of the VGG Image Annotator; export it as COCO"),
    (frozenset({"data", "annotations"}), "tasks of Label Studio; export them as COCO"),
    (frozenset({"conversations"}), "conversations in LLaVA's form"),
    (frozenset({"features", "type"}), "GeoJSON"),
    (frozenset({"train", "names"}), "a data set description of YOLO; convert it to COCO"),
    (frozenset({"image_id", "segmentation"}), "a list of annotations alone, without images"),
    (frozenset({"annotations", "categories"}), "annotations alone; `images` was left out"),
    (frozenset({"images", "annotations"}), "COCO captions, or the categories were left out"),
    (frozenset({"images", "categories"}), "an image_info file, which lists pictures alone"),
    (frozenset({"images"}), "an image_info file, which lists pictures alone"),
)  # fmt: skip


def likely_form(document: Any) -> str:
    """What a document looks like, as the end of a sentence; empty where nobody knows.

    A list is judged by its first member.
    """
    entry = document[0] if isinstance(document, list) and document else document
    if not isinstance(entry, dict):
        return ""
    for names, form in _FORMS:
        if names <= entry.keys():
            return f"; this looks like {form}"
    return ""
