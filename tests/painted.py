"""Pictures painted from labels, and what decoding them gives."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sgt_data.segmentation.target_png import DecodedSegmentation

COLOURS = {"ball": (255, 0, 0), "cone": (0, 255, 0), "ring": (0, 0, 255), "mug": (255, 255, 0)}


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def painted(labels: NDArray[Any], colours: Sequence[tuple[int, int, int]]) -> NDArray[np.float32]:
    """A generated picture [3, S, S] that shows a label map without fault."""
    table = np.array([(0, 0, 0), *colours], np.float32)
    return (table[labels] / 127.5 - 1).transpose(2, 0, 1)


def decoded_of(labels: NDArray[Any], names: Sequence[str], **facts: Any) -> DecodedSegmentation:
    segments = tuple(
        {"label": k, "color": list(COLOURS[name]), "category": name, "isthing": True, **facts}
        for k, name in enumerate(names, 1)
    )
    return DecodedSegmentation(labels.astype(np.uint16), segments)
