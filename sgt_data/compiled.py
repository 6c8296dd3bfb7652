"""Compilation by numba, with a typed decorator: numba's own hides the signature of a function."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

Record = Any
"""An element of a structured array, as an argument of compiled functions.

Its fields are read as attributes, through one pointer: arrays that are passed to inner functions
cost a reference count each."""

_F = TypeVar("_F", bound=Callable[..., Any])


def njit(function: _F) -> _F:
    """Compile a function to machine code on its first call; the code is cached on disk.

    The cache lies beside the function or, where that folder is read-only, in the user's folder of
    caches (or in NUMBA_CACHE_DIR). Where none can be written, each process compiles anew.

    The function runs without the GIL. Division by zero gives infinity, as in numpy. There is no
    fastmath: results must not depend on how a CPU reorders floating-point sums.
    """
    try:
        return cast(_F, numba.njit(cache=True, nogil=True, error_model="numpy")(function))
    except RuntimeError:  # numba's word for "no folder for a cache"
        return cast(_F, numba.njit(nogil=True, error_model="numpy")(function))
