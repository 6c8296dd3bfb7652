"""The memory of decoded pictures: never given away while a picture is in use, then used again."""

from __future__ import annotations

import gc
from typing import Any

import numpy as np
import pytest
import torch

from sgt_data.stream.pixel_memory import PixelMemory

SHAPE = (40, 50, 3)


def address(array: Any) -> int:
    start: int = array.__array_interface__["data"][0]
    return start


@pytest.mark.parametrize(
    "kept",
    [
        lambda pixels: pixels,
        lambda pixels: pixels[3:5, ::2],
        lambda pixels: pixels.reshape(-1)[7:8].view(np.int8),
        lambda pixels: memoryview(pixels),
        lambda pixels: torch.from_numpy(pixels).permute(2, 0, 1)[0],
    ],
)
def test_memory_of_which_any_part_is_in_use_is_not_given_again(kept: Any) -> None:
    memory = PixelMemory()
    pixels = memory.empty(SHAPE)
    pixels[:] = 7
    begin = address(pixels)
    part = kept(pixels)
    del pixels
    gc.collect()
    others = [memory.empty(SHAPE) for _ in range(3)]
    for other in others:
        other[:] = 9
    assert (np.asarray(part) == 7).all()
    del part, others, other
    gc.collect()
    again = [address(array) for array in [memory.empty(SHAPE) for _ in range(4)]]
    assert begin in again and len(set(again)) == 4


def test_arrays_are_as_numpys_own() -> None:
    pixels = PixelMemory().empty(SHAPE)
    assert pixels.shape == SHAPE and pixels.dtype == np.uint8
    assert pixels.flags.c_contiguous and pixels.flags.writeable


def test_pictures_of_about_one_size_use_the_same_memory() -> None:
    memory = PixelMemory()
    begin = address(memory.empty((512, 512, 3)))
    assert address(memory.empty((512, 500, 3))) == begin


def test_spare_memory_is_bounded_and_makes_room_for_other_sizes() -> None:
    memory = PixelMemory(spare_max=64 << 10)
    pictures = [memory.empty((64, 64, 3)) for _ in range(20)]  # 12 KiB each
    assert memory.spare_bytes == 0
    pictures.clear()
    assert 48 << 10 <= memory.spare_bytes <= 64 << 10
    larger = memory.empty((100, 100, 3))
    assert memory.spare_bytes == 0
    del larger
    assert 0 < memory.spare_bytes <= 64 << 10
