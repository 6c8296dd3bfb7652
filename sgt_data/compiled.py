"""A typed `njit`: numba's own decorator hides the signature of what it wraps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

Record = Any
"""One element of a structured array. Compiled code reads its fields as attributes, through one
pointer: arrays passed to inner functions cost a reference count each."""

_F = TypeVar("_F", bound=Callable[..., Any])


def njit(function: _F) -> _F:
    """Compile to machine code on first call, keep it on disk, release the GIL while it runs.

    Division by zero gives infinity as in numpy instead of a check per division. No fastmath:
    results must not depend on how a CPU reorders floating-point sums.
    """
    return cast(_F, numba.njit(cache=True, nogil=True, error_model="numpy")(function))
