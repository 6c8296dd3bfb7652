"""COCO run lengths: what pycocotools writes is read alike, what it should not is refused."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from pycocotools import mask as coco_mask

from sgt_data.errors import AnnotationError
from sgt_data.records import RunLengths
from sgt_data.segmentation.label_map import mask_boxes, paint
from sgt_data.segmentation.pixel_sampling import sample_grid
from sgt_data.segmentation.run_lengths import compress, parse_masks


def decoded(counts: RunLengths, height: int, width: int) -> NDArray[np.uint8]:
    """One mask painted at full size by our reader."""
    masks = parse_masks([counts], height, width)
    grid = sample_grid(height, width, height, width)
    return paint(masks, np.zeros(1, np.int64), np.ones(1, np.uint16), grid).astype(np.uint8)


def oracle(counts: bytes, height: int, width: int) -> NDArray[np.uint8]:
    return coco_mask.decode({"size": [height, width], "counts": counts})


def plain_runs(mask: NDArray[np.uint8]) -> list[int]:
    """Run lengths in column-major order, zeros first, by numpy alone."""
    flat = np.concatenate(([0], mask.ravel(order="F")))
    changes = np.flatnonzero(np.diff(flat))
    return np.diff(np.concatenate(([0], changes, [mask.size]))).tolist()


def random_mask(rng: np.random.Generator) -> NDArray[np.uint8]:
    height, width = rng.integers(1, 40, 2)
    if rng.random() < 0.5:
        return (rng.random((height, width)) < rng.random()).astype(np.uint8)
    mask = np.zeros((height, width), np.uint8)
    top, left = rng.integers(0, height), rng.integers(0, width)
    mask[top : rng.integers(top, height + 1), left : rng.integers(left, width + 1)] = 1
    return mask


def check_valid(mask: NDArray[np.uint8]) -> None:
    height, width = mask.shape
    coded = coco_mask.encode(np.asfortranarray(mask))
    runs = plain_runs(mask)
    assert compress(runs) == coded["counts"]
    for counts in (coded["counts"], runs):
        masks = parse_masks([counts], height, width)
        assert int(masks.areas[0]) == int(coco_mask.area(coded)) == int(mask.sum())
        np.testing.assert_array_equal(decoded(counts, height, width), coco_mask.decode(coded))
        if mask.any():
            expected = coco_mask.toBbox(coded).astype(int).tolist()
            assert mask_boxes(masks)[0].tolist() == expected


def check_any(counts: RunLengths, height: int, width: int) -> bool:
    """Refused with a reason, or read as pycocotools reads it."""
    try:
        mask = decoded(counts, height, width)
    except AnnotationError as why:
        assert str(why)
        return False
    text = counts if isinstance(counts, bytes) else compress(counts)
    np.testing.assert_array_equal(mask, oracle(text, height, width))
    return True


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 2**63))
def test_valid_masks_read_as_pycocotools_reads_them(seed: int) -> None:
    check_valid(random_mask(np.random.default_rng(seed)))


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=64), st.integers(1, 64), st.integers(1, 64))
def test_any_bytes_are_refused_or_read_as_pycocotools_reads_them(
    counts: bytes, height: int, width: int
) -> None:
    check_any(counts, height, width)


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.one_of(st.integers(0, 60), st.integers(-(2**70), 2**70)), max_size=12),
    st.integers(1, 12),
    st.integers(1, 12),
)
def test_any_integers_are_refused_or_read_as_pycocotools_reads_them(
    counts: list[int], height: int, width: int
) -> None:
    check_any(counts, height, width)


@pytest.mark.slow
def test_a_hundred_thousand_hostile_encodings_are_refused_or_read_alike() -> None:
    rng = np.random.default_rng(0)
    accepted = 0
    for case in range(100_000):
        height, width = rng.integers(1, 9, 2).tolist()
        kind = case % 3
        if kind == 0:
            counts = rng.integers(48, 112, rng.integers(0, 9), dtype=np.uint8).tobytes()
        elif kind == 1:
            mask = (rng.random((height, width)) < 0.4).astype(np.uint8)
            text = bytearray(coco_mask.encode(np.asfortranarray(mask))["counts"])
            for _ in range(rng.integers(0, 3)):
                text[rng.integers(0, len(text))] = rng.integers(40, 120)
            counts = bytes(text[: rng.integers(1, len(text) + 1)] if rng.random() < 0.3 else text)
        else:
            counts = rng.integers(-1, height * width + 2, rng.integers(0, 5)).tolist()
            if rng.random() < 0.7:
                counts.append(height * width - sum(counts))
        accepted += check_any(counts, height, width)
    assert accepted > 5_000


@pytest.mark.slow
def test_ten_thousand_masks_read_as_pycocotools_reads_them() -> None:
    rng = np.random.default_rng(1)
    for _ in range(10_000):
        check_valid(random_mask(rng))


@pytest.mark.parametrize(
    ("counts", "reason"),
    [
        ([5, 3, 9], "past the end"),
        (compress([12, 2]), "past the end"),
        (compress([1 << 33]), "past the end"),
        ([4, 4], "before the last pixel"),
        ([], "before the last pixel"),
        (b"", "before the last pixel"),
        (b"5O", "negative run"),
        (b"0O", "negative run"),
        ([12, -1, 1], "not within 0"),
        ([1 << 34], "not within 0"),
        ([2**80], "not within 0"),
        (b"4P", "middle of a number"),
        (b"oooooo", "middle of a number"),
        (b"4 8", "outside '0'..'o'"),
        (b"4\xff8", "outside '0'..'o'"),
        (b"4p", "outside '0'..'o'"),
        (b"oooooooo0", "more than 35 bits"),
        (b"PPPPPPPPPPPPPPPPPPPPPPPP0", "more than 35 bits"),
        ([4.0, 8], "not an integer"),
        (["4", 8], "not an integer"),
        ([True, 11], "not an integer"),
        ([None, 12], "not an integer"),
        ([[4], 8], "not an integer"),
    ],
)
def test_each_violation_names_itself(counts: RunLengths, reason: str) -> None:
    with pytest.raises(AnnotationError, match=reason):
        parse_masks([counts], 3, 4)


def test_a_violation_names_its_mask_and_the_picture() -> None:
    good = compress([12])
    with pytest.raises(AnnotationError, match=r"mask 2: .*\(4x3\)"):
        parse_masks([good, good, b"5"], 3, 4)


def test_masks_of_one_picture_do_not_leak_into_each_other() -> None:
    rng = np.random.default_rng(4)
    masks = [(rng.random((17, 23)) < 0.3).astype(np.uint8) for _ in range(50)]
    coded = [coco_mask.encode(np.asfortranarray(mask)) for mask in masks]
    mixed: list[RunLengths] = [
        encoded["counts"] if index % 2 else plain_runs(mask)
        for index, (encoded, mask) in enumerate(zip(coded, masks, strict=True))
    ]
    read = parse_masks(mixed, 17, 23)
    assert read.areas.tolist() == [int(mask.sum()) for mask in masks]
    grid = sample_grid(17, 23, 17, 23)
    for index, mask in enumerate(masks):
        painted = paint(read, np.array([index]), np.ones(len(masks), np.uint16), grid)
        np.testing.assert_array_equal(painted, mask)
