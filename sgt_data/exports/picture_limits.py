"""Which pictures the loaders of BAGEL and its kin change, and so spoil."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

LOADERS_CLIP = "pictures have 16 bits, which the released loaders clip to white; build with bits: 8"


def resizing_note(manifest: Mapping[str, Any], min_side: int) -> str | None:
    """What a person should know where trainers resize the pictures of a corpus; None where these
    keep their size.

    Args:
        manifest: of the corpus, resolved.
        min_side: the shortest side in pixels that the trainer does not enlarge.
    """
    sizes = manifest.get("pictures", {})
    fits = sizes.get("max_side", 1024) <= 1024 and sizes.get("multiple_of", 16) % 16 == 0
    if fits and sizes.get("min_side", 512) >= min_side:
        return None
    return (
        "the trainer resizes these pictures, and blends the colours of targets; build with "
        "pictures: {min_side: 512, max_side: 1024, multiple_of: 16}"
    )


def is_16_bit_png(data: bytes) -> bool:
    """Whether a picture is a PNG with 16 bits per channel, as its header states."""
    return data.startswith(b"\x89PNG") and data[24:25] == b"\x10"
