"""The primary contrast of a plan: the one comparison that is named before any result is seen."""

from __future__ import annotations

from collections.abc import Iterable

from pydantic import ConfigDict
from pydantic.dataclasses import dataclass as checked

from sgt_data.errors import RequestError
from sgt_data.suggestions import not_among


@checked(frozen=True, config=ConfigDict(extra="forbid"))
class PrimaryContrast:
    """One arm less another.

    Each name is that of an arm, such as `entity`, or the name and its value on the axis, such as
    `entity, 2:1`. Of an arm with several values, its name alone stands for the last one.

    Attributes:
        arm: arm of which more is expected.
        baseline: arm that it is compared with.

    Raises:
        ValueError: both are the same.
    """

    arm: str
    baseline: str

    def __post_init__(self) -> None:
        if self.arm == self.baseline:
            raise ValueError("arm and baseline are the same; name two arms")


def check_primary(primary: PrimaryContrast | None, names: Iterable[str]) -> None:
    """Check that the arms of a primary contrast exist.

    Args:
        primary: the contrast; None is right.
        names: names of all arms, alone and with their values on the axis.

    Raises:
        RequestError: an arm does not exist.
    """
    if primary is None:
        return
    known = dict.fromkeys(names)
    for field, name in (("arm", primary.arm), ("baseline", primary.baseline)):
        if name not in known:
            raise RequestError(f"primary.{field}: {not_among(name, known)}")
