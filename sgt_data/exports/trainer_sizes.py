"""Sizes at which image-editing trainers leave pictures as they are.

Every trainer brings pictures to sizes of its own, and a smooth filter then blends the colours of
targets. Each function here says which setting of a trainer keeps the pictures of an export, or how
many of them no setting keeps. A size is (width, height) in pixels.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping

Size = tuple[int, int]
Sizes = Mapping[Size, int]
"""How many pictures have each size."""

MULTIPLE = 16
"""DiffSynth-Studio, musubi-tuner and ai-toolkit crop sides to multiples of it (FLUX.1 Kontext)."""

SIMPLETUNER_MULTIPLE = 64
"""SimpleTuner's `aspect_bucket_alignment` of FLUX.1 Kontext."""

_KNOWN_SIDES = {0.25: 512, 0.5: 768, 1.0: 1024, 2.0: 1536, 4.0: 2048}
"""SimpleTuner's sides of squares, by their area in megapixels."""


def most_pixels(sizes: Sizes) -> int:
    """Pixels of the largest picture: DiffSynth-Studio's `--max_pixels`."""
    return max((width * height for width, height in sizes), default=1)


def covering_side(sizes: Sizes) -> int:
    """Side of the smallest square of no less pixels than any picture: `resolution` of musubi-tuner,
    which then enlarges nothing if `bucket_no_upscale` is set, and of ai-toolkit."""
    return math.isqrt(most_pixels(sizes) - 1) + 1


def off_multiple(sizes: Sizes) -> int:
    """How many pictures have a side that is no multiple of 16."""
    return _count(sizes, (size for size in sizes if size[0] % MULTIPLE or size[1] % MULTIPLE))


def diffusers_buckets(sizes: Sizes) -> tuple[Size, ...]:
    """Sizes for `--aspect_ratio_buckets` of diffusers' scripts, in order.

    A script takes the bucket whose aspect ratio is nearest, and the last of equals. Of sizes with
    one aspect ratio only one can be a bucket: the most frequent, or the largest of these.
    """
    chosen: dict[Size, Size] = {}
    for size in sorted(sizes, key=lambda size: (sizes[size], size)):
        divisor = math.gcd(*size)
        chosen[size[0] // divisor, size[1] // divisor] = size
    return tuple(sorted(chosen.values()))


def outside_buckets(sizes: Sizes) -> int:
    """How many pictures have the size of no bucket of `diffusers_buckets`."""
    return sum(sizes.values()) - _count(sizes, diffusers_buckets(sizes))


def square_side(sizes: Sizes) -> int:
    """`--resolution` of instruct-pix2pix: the side of the most frequent square, or where there is
    none, the longest side."""
    squares = Counter({size: count for size, count in sizes.items() if size[0] == size[1]})
    if not squares:
        return max((max(size) for size in sizes), default=1)
    return max(squares, key=lambda size: (squares[size], size))[0]


def not_square(sizes: Sizes) -> int:
    """How many pictures instruct-pix2pix resizes."""
    side = square_side(sizes)
    return sum(sizes.values()) - _count(sizes, [(side, side)])


def simpletuner_side(sizes: Sizes) -> int:
    """`resolution` of SimpleTuner (`pixel_area`) that leaves most pictures as they are; where none
    does, the one nearest to the largest picture."""
    sides = {_nearest(side) for size in sizes for side in (*size, math.sqrt(size[0] * size[1]))}
    nearest = _nearest(math.sqrt(most_pixels(sizes)))
    kept = {side: _count(sizes, _kept_by_simpletuner(sizes, side)) for side in sides | {nearest}}
    return max(kept, key=lambda side: (kept[side], side == nearest, side))


def simpletuner_resizes(sizes: Sizes) -> int:
    """How many pictures SimpleTuner resizes at `simpletuner_side`."""
    kept = _count(sizes, _kept_by_simpletuner(sizes, simpletuner_side(sizes)))
    return sum(sizes.values()) - kept


def _kept_by_simpletuner(sizes: Sizes, side: int) -> list[Size]:
    """The sizes that SimpleTuner gives pictures of these sizes too.

    It rounds a picture's aspect ratio to 2 digits and makes sides of it that have about `side`
    squared pixels and are multiples of 64. Squares get the side that it knows for such an area.
    """
    return [size for size in sizes if _made_by_simpletuner(size, side) == size]


def _made_by_simpletuner(size: Size, side: int) -> Size | None:
    """The size that SimpleTuner gives a picture; None where it is resized on the way there."""
    width, height = size
    ratio = round(width / height, 2) or 0.01
    if ratio == 1:
        known = _known_side(side)
        return known, known
    root = math.sqrt(ratio)
    return (_nearest(side * root), _nearest(side / root)) if _is_exact(width, height) else None


def _known_side(side: int) -> int:
    """The side that SimpleTuner takes for one of about the area of a usual one."""
    megapixels = side * side / 1e6
    for usual, known in _KNOWN_SIDES.items():
        if abs(megapixels - usual) < 0.05:
            return known
    return side


def _is_exact(width: int, height: int) -> bool:
    """Whether SimpleTuner's division of one side by the aspect ratio leads back to the other."""
    ratio = width / height
    return int(width / ratio) == height if width < height else int(height * ratio) == width


def _nearest(side: float) -> int:
    return max(SIMPLETUNER_MULTIPLE, round(side / SIMPLETUNER_MULTIPLE) * SIMPLETUNER_MULTIPLE)


def _count(sizes: Sizes, chosen: Iterable[Size]) -> int:
    return sum(sizes.get(size, 0) for size in chosen)
