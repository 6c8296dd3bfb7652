"""Text as numbers without a vocabulary: the number of a word is its hash.

So instructions and questions of any corpus can be read.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from functools import lru_cache

import torch
from torch import Tensor

_WORD = re.compile(r"\w+|[^\w\s]")


def hashed_words(texts: Sequence[str], length: int, rows: int) -> Tensor:
    """Numbers of the words of texts, [n, words of the longest text] int64.

    Lower-cased words and punctuation marks have numbers from 1 to `rows` - 1; 0 is padding. Two
    words may share a number; with 4,096 rows one in forty of a hundred words does.

    Args:
        texts: n texts.
        length: words of a text that are read; the rest is cut off.
        rows: rows of the table of word vectors.
    """
    numbers = [
        [_number(word, rows) for word in _WORD.findall(text.lower())[:length]] for text in texts
    ]
    longest = max(map(len, numbers), default=0)
    return torch.tensor(
        [row + [0] * (longest - len(row)) for row in numbers], dtype=torch.int64
    ).reshape(len(texts), longest)


@lru_cache(maxsize=65536)
def _number(word: str, rows: int) -> int:
    digest = hashlib.blake2b(word.encode(), digest_size=8, key=b"words").digest()
    return 1 + int.from_bytes(digest, "little") % (rows - 1)
