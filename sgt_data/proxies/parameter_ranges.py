"""Ranges of a manifest, and random values within them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core.core_schema import CoreSchema, no_info_after_validator_function

_T = TypeVar("_T")
_STEPS = 1000


@dataclass(frozen=True, slots=True)
class ItemBounds:
    """Pydantic annotation that states the bounds of a range's two values in JSON Schemas.

    The field itself checks them, and their order, which a JSON Schema cannot state.

    Attributes:
        low, high: bounds of both values, included.
    """

    low: float
    high: float

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        written = handler(schema)
        bounds = {"minimum": self.low, "maximum": self.high}
        return {**written, "prefixItems": [{**item, **bounds} for item in written["prefixItems"]]}


@dataclass(frozen=True, slots=True)
class Within(ItemBounds):
    """Pydantic annotation of a range (least, most) that lies within two bounds."""

    def __get_pydantic_core_schema__(
        self, annotated: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return no_info_after_validator_function(self._check, handler(annotated))

    def _check(self, bounds: tuple[float, float]) -> tuple[float, float]:
        if not self.low <= bounds[0] <= bounds[1] <= self.high:
            raise ValueError(
                f"a range is least and most, in {self.low} to {self.high}; found {list(bounds)}"
            )
        return bounds


def within(low: float, high: float) -> Within:
    """Pydantic annotation of a range (least, most) that lies within `low` to `high`."""
    return Within(low, high)


def draw_fraction(rng: np.random.Generator, bounds: tuple[float, float]) -> float:
    """One of 1001 evenly spaced values of a range (least, most), rounded to four decimals."""
    low, high = bounds
    value = round(low + (high - low) * int(rng.integers(0, _STEPS + 1)) / _STEPS, 4)
    return float(min(max(value, low), high))


def draw_integer(rng: np.random.Generator, bounds: tuple[int, int]) -> int:
    """An integer of a range (least, most), both included."""
    return int(rng.integers(bounds[0], bounds[1] + 1))


def draw_option(rng: np.random.Generator, options: Sequence[_T]) -> _T:
    """An option, each with the same chance."""
    return options[int(rng.integers(0, len(options)))]
