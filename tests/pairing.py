"""Pairs as others make them: pictures, maps in tab20 with colours reused, edited photos."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from making import encoded, jpeg, scene
from numpy.typing import NDArray
from PIL import Image

TAB20 = [
    (31, 119, 180), (174, 199, 232), (255, 127, 14), (255, 187, 120), (44, 160, 44),
    (152, 223, 138), (214, 39, 40), (255, 152, 150),
]  # fmt: skip
SIZE = 96, 64
"""Width and height that the size rule of `making.SMALL` leaves as they are."""


def reused_colours(width: int, height: int, seed: int = 0, colours: int = 5) -> NDArray[np.uint8]:
    """A map [height, width, 3] of rectangles on black, more of them than there are colours."""
    rng = np.random.default_rng([seed, 11])
    pixels = np.zeros((height, width, 3), np.uint8)
    for number in range(2 * colours):
        left, top = int(rng.integers(0, width - 12)), int(rng.integers(0, height - 12))
        right, bottom = left + int(rng.integers(6, 30)), top + int(rng.integers(6, 30))
        pixels[top:bottom, left:right] = TAB20[number % colours]
    return pixels


def png(pixels: NDArray[np.uint8]) -> bytes:
    return encoded(Image.fromarray(pixels), "PNG")


def pixels_of(data: bytes) -> NDArray[np.uint8]:
    with Image.open(io.BytesIO(data)) as image:
        return np.array(image.convert("RGB"))


def edited(width: int, height: int, seed: int = 0) -> NDArray[np.uint8]:
    """A picture of its own: what an editing model paints."""
    noise = np.random.default_rng(seed).integers(0, 12, (height, width, 3))
    return np.clip(255 - scene(width, height, seed) + noise, 0, 255).astype(np.uint8)


def write(root: Path, files: Mapping[str, bytes]) -> Path:
    for name, data in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(data)
    return root


def sam_sgt(root: Path, count: int = 6, size: tuple[int, int] = SIZE) -> Path:
    """The released layout: `sam_selection/*.jpg`, `sam_mask/*.png`, and texts beside."""
    for number in range(count):
        write(
            root,
            {
                f"sam_selection/sa_{number}.jpg": jpeg(*size, seed=number),
                f"sam_mask/sa_{number}.png": png(reused_colours(*size, seed=number)),
                f"text/sa_{number}.txt": f"Paint picture {number}.\n".encode(),
            },
        )
    return root


def folders_source(root: Path, **more: Any) -> dict[str, Any]:
    return {
        "type": "pairs", "pictures": f"{root}/sam_selection", "targets": f"{root}/sam_mask",
        "texts": f"{root}/text",
    } | more  # fmt: skip


PAIRED = [{"type": "paired"}]
