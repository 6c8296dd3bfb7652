"""Fields of annotations from outside: what exporters write is read, the rest is refused by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from sgt_data.errors import AnnotationError
from sgt_data.sources.annotation_json import name_of, side_length, truth, whole_number
from sgt_data.sources.coco_file import image_id_of


@pytest.mark.parametrize("value", [True, 1, 1.0, "1"])
def test_what_means_true_is_true(value: Any) -> None:
    assert truth(value, "iscrowd") is True


@pytest.mark.parametrize("value", [False, 0, 0.0, -0.0, "0"])
def test_what_means_false_is_false(value: Any) -> None:
    assert truth(value, "iscrowd") is False


@pytest.mark.parametrize("value", [2, -1, 0.5, "yes", "true", "", " 0", [], [0], {}])
def test_what_means_neither_is_refused_with_what_is_allowed(value: Any) -> None:
    with pytest.raises(AnnotationError, match=r"annotation 3: iscrowd is .*; allowed are 0, 1"):
        truth(value, "annotation 3: iscrowd", default=False)


def test_no_truth_value_is_the_default_or_refused() -> None:
    assert truth(None, "iscrowd", default=False) is False
    with pytest.raises(AnnotationError, match="isthing is null"):
        truth(None, "isthing")


@pytest.mark.parametrize(("value", "number"), [(12, 12), (12.0, 12), ("12", 12), (0, 0), ("0", 0)])
def test_a_whole_number_is_one_however_it_is_written(value: Any, number: int) -> None:
    assert whole_number(value, "id") == number
    assert image_id_of(value, "id") == number


@pytest.mark.parametrize(
    "value", [True, 1.5, "1.0", "012", " 1", "one", None, [1], float("nan"), float("inf"), 2**60]
)
def test_what_is_no_whole_number_is_refused(value: Any) -> None:
    with pytest.raises(AnnotationError, match=r"^id is "):
        whole_number(value, "id")


def test_image_ids_may_be_text_that_is_no_number() -> None:
    assert image_id_of("aachen_000000_000019", "id") == "aachen_000000_000019"
    assert image_id_of("000012", "id") == "000012"
    assert image_id_of("-7", "id") == -7


@pytest.mark.parametrize("value", [True, None, "", 1.5, [1]])
def test_other_image_ids_are_refused(value: Any) -> None:
    with pytest.raises(AnnotationError, match=r"^images\[0\]\.id is "):
        image_id_of(value, "images[0].id")


@pytest.mark.parametrize("value", [None, 0, -1, -1.0, "-1", "0", "NaN"])
def test_a_size_that_nobody_knows_is_none(value: Any) -> None:
    assert side_length(value, "width") is None


@pytest.mark.parametrize("read", [side_length, name_of])
def test_messages_speak_json_not_python(read: Callable[[Any, str], Any]) -> None:
    with pytest.raises(AnnotationError, match=r"^width is true"):
        read(True, "width")
