"""Levels of 8 bits as numbers that can be subtracted in compiled code."""

from __future__ import annotations

import numpy as np

from sgt_data.compiled import njit


@njit
def signed(level: int) -> int:
    """A level with a sign: `int` of an unsigned one stays unsigned when it is compiled, and the
    difference of two of them wraps round."""
    return int(np.int64(level))
