"""Maps of indices -> palette PNG, the file that Pillow writes at compression level 1."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from sgt_data.pictures.codec_clock import timed_codec
from sgt_data.pictures.deflate import pack_matches, pack_runs
from sgt_data.pictures.png_file import PALETTE, data_chunks, png_file
from sgt_data.pictures.png_filters import filtered_rows, unfiltered_rows

Strategy = Literal["matches", "runs"]


@timed_codec("PNG encoding")
def palette_file(
    indices: NDArray[np.uint8], colours: NDArray[np.uint8], strategy: Strategy
) -> bytes:
    """PNG with a palette; rows are filtered where an index takes less than 8 bits.

    Args:
        indices: [H, W], each below n.
        colours: [n, 3] RGB, n 1 to 256. An index takes 1, 2, 4 or 8 bits, as few as n allows.
        strategy: zlib's: `matches` is its default, for maps of few areas; `runs` (Z_RLE) is
            faster, for rough maps.
    """
    height, width = indices.shape
    bits = next(bits for bits in (1, 2, 4, 8) if len(colours) <= 1 << bits)
    packed = np.zeros((height, -(-width * bits // 8)), np.uint8)
    for place in range(8 // bits):
        pixels = indices[:, place :: 8 // bits]
        packed[:, : pixels.shape[1]] |= pixels << np.uint8(8 - bits * (place + 1))
    rows = unfiltered_rows(packed) if bits == 8 else filtered_rows(packed, 1)
    stream = pack_runs(rows) if strategy == "runs" else pack_matches(rows)
    palette = (b"PLTE", colours.astype(np.uint8).tobytes())
    return png_file((width, height), bits, PALETTE, palette, *data_chunks(stream, width))
