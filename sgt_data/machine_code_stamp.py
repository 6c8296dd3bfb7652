"""A digest of all that the compiled code of a function depends on, but for CPU and signature.

numba compiles called functions into their caller, and the values of global names as constants. So
the digest covers the function's file and, for every global name that the function uses: of a
compiled function the same again, of a module of this package its file, and of any other its value.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

import numpy as np


def stamp_of(function: Callable[..., Any]) -> str:
    """The digest of a function: hexadecimal."""
    digest = hashlib.sha256()
    for part in _parts(function, set()):
        digest.update(f"{len(part)}:".encode() + part)
    return digest.hexdigest()


def _parts(function: Callable[..., Any], known: set[Any]) -> Iterator[bytes]:
    known.add(function)
    yield function.__qualname__.encode()
    yield _file_digest(function.__code__.co_filename)
    for name, value in _names_used(function):
        yield name.encode()
        called = getattr(value, "py_func", None)  # of what numba compiles
        if called is not None:
            if called not in known:
                yield from _parts(called, known)
        elif isinstance(value, ModuleType):
            yield value.__name__.encode()
            if _package(value.__name__) == _package(function.__module__) and value.__file__:
                yield _file_digest(value.__file__)
        elif isinstance(value, np.ndarray):
            yield f"{value.dtype} {value.shape}".encode() + value.tobytes()
        elif isinstance(value, type) or callable(value):
            yield f"{getattr(value, '__module__', '')}.{getattr(value, '__name__', '')}".encode()
        else:
            yield repr(value).encode()


def _names_used(function: Callable[..., Any]) -> Iterator[tuple[str, Any]]:
    """Global names and names of enclosing functions that a function uses, with their values."""
    for name in sorted(_names_in(function.__code__)):
        if name in function.__globals__:
            yield name, function.__globals__[name]
    enclosed = function.__code__.co_freevars, function.__closure__ or ()
    for name, cell in zip(*enclosed, strict=True):
        yield name, cell.cell_contents


def _names_in(code: CodeType) -> set[str]:
    names = set(code.co_names)
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            names |= _names_in(constant)
    return names


def _package(module: str) -> str:
    return module.partition(".")[0]


@cache
def _file_digest(path: str) -> bytes:
    return hashlib.sha256(Path(path).read_bytes()).digest()
