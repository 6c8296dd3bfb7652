"""Compilation by numba, with a typed decorator: numba's own hides the signature of a function."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

from sgt_data.machine_code import MachineCode

Record = Any
"""An element of a structured array, as an argument of compiled functions.

Its fields are read as attributes, through one pointer: arrays that are passed to inner functions
cost a reference count each."""

FUNCTIONS: list[Any] = []
"""Every compiled function of the modules that are imported, as numba's dispatcher."""

_F = TypeVar("_F", bound=Callable[..., Any])


def njit(function: _F) -> _F:
    """Compile a function to machine code on its first call; the code is kept on disk.

    `machine_code` says how it is kept, `machine_code_folders` where.

    The function runs without the GIL. Division by zero gives infinity, as in numpy. There is no
    fastmath: results must not depend on how a CPU reorders floating-point sums.
    """
    compiled: Any = numba.njit(nogil=True, error_model="numpy")(function)
    compiled._cache = MachineCode(function)
    FUNCTIONS.append(compiled)
    return cast(_F, compiled)
