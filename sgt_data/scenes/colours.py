"""Palettes of the things, and conversion between sRGB and the linear light that shading adds up."""

from __future__ import annotations

from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

Rgb = tuple[float, float, float]


@cache
def linear(hex_colour: str) -> Rgb:
    """`"#rrggbb"` (sRGB) as linear RGB in 0-1 (IEC 61966-2-1)."""
    red, green, blue = (
        ((v + 0.055) / 1.055) ** 2.4 if v > 0.04045 else v / 12.92
        for v in (int(hex_colour[i : i + 2], 16) / 255.0 for i in (1, 3, 5))
    )
    return red, green, blue


def srgb_table(steps: int = 4096) -> NDArray[np.uint8]:
    """[steps] uint8: sRGB value of linear light `i / (steps - 1)`."""
    light = np.linspace(0.0, 1.0, steps)
    value = np.where(light > 0.0031308, 1.055 * light ** (1 / 2.4) - 0.055, 12.92 * light)
    return np.round(255.0 * value).astype(np.uint8)


PALETTES: Final[tuple[tuple[Rgb, ...], ...]] = tuple(
    tuple(linear(colour) for colour in row.split())
    for row in (
        "#e4572e #17bebb #ffc914 #3d405b #76b041 #f4f1de",
        "#264653 #2a9d8f #e9c46a #f4a261 #e76f51 #f1faee",
        "#355070 #6d597a #b56576 #e56b6f #eaac8b #f7ede2",
        "#606c38 #7a4e2d #fefae0 #dda15e #bc6c25 #a3b18a",
        "#1d4e89 #d62828 #f77f00 #fcbf49 #eae2b7 #5f8f9f",
        "#b79ced #ff8fab #f7b2bd #8ecae6 #a2d2ff #6a5acd",
        "#1f3c88 #3a506b #5bc0be #f25f5c #ffe066 #f0f0f0",
        "#9b2226 #ee9b00 #94d2bd #0a9396 #005f73 #e9d8a6",
        "#7b2d52 #b23a48 #fb8b24 #e36414 #0f4c5c #f3e9dc",
        "#84a59d #f6bd60 #f5cac3 #f28482 #52796f #f7ede2",
        "#ef476f #ffd166 #06d6a0 #118ab2 #475d7a #fffcf2",
        "#8d99ae #d90429 #edf2f4 #4a5a78 #ffb703 #90be6d",
    )
)
"""Palettes of six colours that go together, chosen by eye; any kind of thing may use any."""

NAMED_COLOURS: Final[dict[str, Rgb]] = {
    name: linear(colour)
    for name, colour in (
        ("red", "#d01818"),
        ("orange", "#f27a00"),
        ("yellow", "#f7d708"),
        ("green", "#148a2c"),
        ("blue", "#1540d0"),
        ("purple", "#6f1fa8"),
        ("pink", "#f585b8"),
        ("white", "#f4f4f2"),
    )
}
"""Colours that anyone names alike, as linear RGB: they stay apart in light and in shade."""
