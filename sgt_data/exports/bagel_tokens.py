"""How many tokens BAGEL packs for a sample, at most, and which groups fit into each packed sequence
(pure).

A picture of W x H pixels has W x H / stride^2 tokens after BAGEL's transform. An instruction has at
most one token for each byte of its UTF-8, as BAGEL's tokenizer (Qwen2's) merges bytes. Each step of
a sample, text or picture, adds two tokens that mark its beginning and end.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

MARKS = 2
"""Tokens that packing adds to each step of a sample."""

PACKED_MAX = 36_864
"""Most tokens of a packed sequence (`max_num_tokens`), by default in BAGEL and in SGT's release;
more than these, and its attention mask cannot be made."""

SAMPLE_MAX = 16_384
"""Most tokens of one sample (`max_num_tokens_per_sample`) by default; longer ones are skipped."""

MANDATORY_MAX = 16_384
"""Most tokens of the mandatory groups' greatest samples together. From here on BAGEL leaves samples
that it held back in its buffer (`prefer_buffer_before`, by default), and SGT's release calls a
sequence full (`expected_num_tokens`): mandatory groups above it would leave no room for weights."""


@dataclass(frozen=True, slots=True)
class TransformSizes:
    """The sizes of BAGEL's `ImageTransform`, in pixels.

    Attributes:
        stride: both sides become multiples of it.
        most: the longer side is at most this.
        least: the shorter side is at least this, unless the longer one would exceed `most`.
    """

    stride: int
    most: int
    least: int

    @property
    def square(self) -> int:
        """Tokens of the greatest picture there is: a square of `most` pixels."""
        return (self.most // self.stride) ** 2

    def tokens(self, widths: NDArray[np.int64], heights: NDArray[np.int64]) -> NDArray[np.int64]:
        """Most tokens of pictures of these sizes.

        Args:
            widths, heights: [n] pixels, at least 1.

        Returns:
            [n] int64; exact where the transform leaves a picture as it is.
        """
        longer = np.maximum(widths, heights).astype(np.float64)
        shorter = np.minimum(widths, heights).astype(np.float64)
        scale = np.maximum(np.minimum(self.most / longer, 1.0), self.least / shorter)
        clipped = longer * scale > self.most
        scale = np.where(clipped, self.most / longer, scale)
        # sides are rounded to the stride; a clipped picture is rounded twice, by a stride at most
        columns = np.minimum(np.ceil(longer * scale / self.stride), self.most // self.stride)
        rows = np.ceil(shorter * scale / self.stride) + clipped
        tokens: NDArray[np.int64] = (columns * np.minimum(rows, columns)).astype(np.int64)
        return tokens


VAE_SIZES = TransformSizes(stride=16, most=1024, least=512)
"""Of pictures to draw, in SGT's configurations."""

VIT_SIZES = TransformSizes(stride=14, most=224, least=224)
"""Of pictures to look at before drawing, in SGT's configurations."""

QUESTION_SIZES = TransformSizes(stride=14, most=980, least=378)
"""Of pictures that are asked about, in BAGEL's and SGT's configurations."""


def sample_tokens(
    widths: NDArray[np.int64], heights: NDArray[np.int64], text_bytes: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Most tokens of samples in SGT's plan: the input looked at, the instruction, the target.

    Args:
        widths, heights: [n] pixels of both pictures.
        text_bytes: [n] bytes of the instruction.

    Returns:
        [n] int64.
    """
    pictures = VAE_SIZES.tokens(widths, heights) + VIT_SIZES.tokens(widths, heights)
    return pictures + text_bytes + 3 * MARKS


def question_tokens(line_bytes: int) -> int:
    """Most tokens of a question whose line in its list has so many bytes.

    The line holds the texts, and more bytes around each of them than it has marks.
    """
    return QUESTION_SIZES.square + line_bytes + MARKS


def fitting_groups(greatest: Mapping[str, int], room: int = MANDATORY_MAX) -> list[str]:
    """Names of the groups that a packed sequence can always hold a sample of, in their order.

    Args:
        greatest: most tokens of a sample, by group.
        room: tokens for one sample of each.
    """
    names: list[str] = []
    for name, tokens in greatest.items():
        if tokens <= room:
            names.append(name)
            room -= tokens
    return names
