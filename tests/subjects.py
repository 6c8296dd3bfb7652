"""Pictures of which a proxy draws a target, made by hand; and the samples that a build made."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from making import samples_in
from numpy.typing import NDArray

from sgt_data.pictures.decode_source import Picture, StoredPicture
from sgt_data.proxies.base import Subject
from sgt_data.records import Category, DrawnTarget, MapAnnotation, Segment


def subject_of(
    ids: NDArray[np.int32], segments: Sequence[Segment], names: Sequence[tuple[str, bool]]
) -> Subject:
    """A picture with this panoptic annotation; category k + 1 is `names[k]`."""
    height, width = ids.shape
    stored = StoredPicture(b"", width, height, 1)
    picture = Picture(np.zeros((height, width, 3), np.uint8), stored, "none", None)
    return Subject(
        key="made_1",
        seed=5,
        picture=picture,
        layers=frozenset({"panoptic"}),
        annotation=lambda layer: MapAnnotation(tuple(segments), ids, 0),
        dense=lambda layer: pytest.fail("no dense layer is needed"),
        vocabulary={number: Category(number, *name) for number, name in enumerate(names, 1)},
        clean=lambda: pytest.fail("the clean picture is not needed"),
        encode=lambda image: pytest.fail("no other picture is needed"),
    )


def whole_facts(subject: Subject, drawn: DrawnTarget) -> dict[str, Any]:
    """Facts as a corpus holds them."""
    picture = subject.picture
    more = {
        "size": {"width": picture.width, "height": picture.height},
        "instruction": {"words": dict(drawn.words)},
    }
    whole: dict[str, Any] = json.loads(json.dumps(drawn.facts | more))
    return whole


def facts_and_targets(root: Path, name: str) -> Iterator[tuple[dict[str, Any], bytes]]:
    for files in samples_in(root, name).values():
        yield json.loads(files["json"]), files["target.png"]
