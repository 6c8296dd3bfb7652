"""Findings of an examination: what was looked at, what is there, what to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

State = Literal["good", "note", "lacks"]
"""`note`: some work is slower or not possible; `lacks`: builds fail."""


@dataclass(frozen=True, slots=True)
class Check:
    """What was found of one thing.

    Attributes:
        subject: what was looked at: Python, memory, Ray, the name of a node.
        state: whether it is as it should be.
        text: what is there.
        remedy: what to do; empty where nothing need be done.
    """

    subject: str
    state: State
    text: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Examination:
    """All checks of an examination.

    Attributes:
        checks: in the order in which things were looked at.
    """

    checks: tuple[Check, ...]

    @property
    def sound(self) -> bool:
        """Whether nothing is lacking."""
        return all(check.state != "lacks" for check in self.checks)
