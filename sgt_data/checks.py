"""Checks of arguments that a program gives: type and range, before anything is done with them.

Each returns the value as its plain type (a numpy integer becomes an `int`), or raises an error that
names the argument, what was found and what is allowed.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from numbers import Integral, Real
from typing import Any, TypeVar

from sgt_data.errors import RequestError
from sgt_data.suggestions import not_among
from sgt_data.value_text import cut

_Choice = TypeVar("_Choice")


def one_of(name: str, value: _Choice, allowed: Iterable[object]) -> _Choice:
    """A value that is one of some, of the same type too.

    Raises:
        RequestError: it is none of them.
    """
    options = list(allowed)
    if not any(type(value) is type(option) and value == option for option in options):
        raise RequestError(f"{name}: {not_among(value, options)}")
    return value


def flag(name: str, value: Any) -> bool:
    """A truth value.

    Raises:
        RequestError: it is something else.
    """
    if not isinstance(value, bool):
        raise wrong(name, value, "True, False")
    return value


def whole_number(name: str, value: Any, least: int | None = None, most: int | None = None) -> int:
    """A whole number from `least` to `most`; None for no bound.

    Raises:
        RequestError: it is no whole number, or out of bounds.
    """
    end = "on" if most is None else f"to {most}"
    bounds = "a whole number" if least is None else f"a whole number from {least} {end}"
    if isinstance(value, bool) or not isinstance(value, Integral):
        raise wrong(name, value, bounds)
    number = int(value)
    if (least is not None and number < least) or (most is not None and number > most):
        raise wrong(name, value, bounds)
    return number


def share(name: str, value: Any, *, above_zero: bool = False) -> float:
    """A share of a whole: 0 to 1, or above 0.

    Raises:
        RequestError: it is no number, or out of bounds.
    """
    bounds = "a share above 0 and at most 1" if above_zero else "a share from 0 to 1"
    if isinstance(value, bool) or not isinstance(value, Real) or not math.isfinite(value):
        raise wrong(name, value, bounds)
    number = float(value)
    if 1 < number <= 100:
        raise wrong(name, value, f"{bounds} ({number:g} % is {number / 100:g})")
    if not 0 <= number <= 1 or (above_zero and number == 0):
        raise wrong(name, value, bounds)
    return number


def text(name: str, value: Any) -> str:
    """A text that is not empty.

    Raises:
        RequestError: it is something else.
    """
    if not isinstance(value, str) or not value:
        raise wrong(name, value, "a text")
    return value


def texts(name: str, value: Any) -> tuple[str, ...]:
    """Texts of a list; a text alone is one of them.

    Raises:
        RequestError: it is something else.
    """
    listed = (value,) if isinstance(value, str) else value
    if not isinstance(listed, Iterable):
        raise wrong(name, value, "a list of texts")
    listed = tuple(listed)
    if not all(isinstance(item, str) for item in listed):
        raise wrong(name, value, "a list of texts")
    return listed


def instance_of(name: str, value: Any, *kinds: type[Any]) -> Any:
    """A value of one of some classes.

    Raises:
        RequestError: it is of another.
    """
    if not isinstance(value, kinds):
        raise wrong(name, value, f"a value of {' or '.join(kind.__name__ for kind in kinds)}")
    return value


def wrong(name: str, value: object, allowed: str) -> RequestError:
    """The error of an argument with another value than is allowed."""
    return RequestError(f"{name}: found {cut(value)}; allowed: {allowed}")
