"""Numbers near zero as zero: arithmetic with denormal numbers is many times slower on a CPU."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def denormals_as_zero() -> Iterator[None]:
    """Take denormal numbers for zero, in this thread, until the context ends.

    A processor keeps this for all arithmetic of a thread, Python's too, so it is put back.
    """
    was = are_denormals_zero()
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(was)


def are_denormals_zero() -> bool:
    """Whether this thread takes denormal numbers for zero."""
    smallest_normal = torch.finfo(torch.float64).tiny
    return smallest_normal * 0.5 == 0.0
