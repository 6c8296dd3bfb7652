"""What is drawn for captions, and in which split each is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sgt_data import checks
from sgt_data.questions.splits import SHARES, exact_shares


@dataclass(frozen=True, slots=True, kw_only=True)
class CaptionPlan:
    """What is drawn for captions, and in which split.

    Attributes:
        draw: name of the proxy whose targets are drawn; None for the pictures themselves.
        source: name of the source whose pictures the captions are about; needed where two sources
            have pictures of one name.
        seed: of the splits; with the seed and shares of the questions, a picture is in the split
            that it is in there.
        shares: shares of the pictures by split, 0 to 1.

    Raises:
        RequestError: the seed is out of range, or the shares are no shares of train, val and test.
    """

    draw: str | None = None
    source: str | None = None
    seed: int = 0
    shares: Mapping[str, float] = field(default_factory=lambda: dict(SHARES))

    def __post_init__(self) -> None:
        exact_shares(self.shares)
        checks.whole_number("seed", self.seed, 0, 2**63 - 1)
