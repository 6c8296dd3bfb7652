"""What captions ask for or answer, of which tasks they are, and in which split each is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sgt_data import checks
from sgt_data.errors import RequestError
from sgt_data.questions.splits import SHARES, exact_shares
from sgt_data.value_text import cut


@dataclass(frozen=True, slots=True, kw_only=True)
class CaptionPlan:
    """What captions ask for or answer, and in which split.

    Attributes:
        draw: name of the proxy whose targets are drawn; None for the pictures themselves.
        ask: a question about the picture that the captions answer, such as "What does the picture
            show?"; then nothing is drawn. None: the caption asks for what is drawn.
        tasks: tasks whose captions are written, of those that the file states; None for all.
        source: name of the source whose pictures the captions are about; needed where two sources
            have pictures of one name.
        seed: of the splits; with the seed and shares of the questions, a picture is in the split
            that it is in there.
        shares: shares of the pictures by split, 0 to 1.

    Raises:
        RequestError: the seed is out of range, the shares are no shares of train, val and test,
            there are no names in tasks, or both a proxy to draw and a question are given.
    """

    draw: str | None = None
    ask: str | None = None
    tasks: tuple[str, ...] | None = None
    source: str | None = None
    seed: int = 0
    shares: Mapping[str, float] = field(default_factory=lambda: dict(SHARES))

    def __post_init__(self) -> None:
        exact_shares(self.shares)
        if self.ask is not None and (self.draw is not None or not self.ask.strip()):
            raise RequestError(
                f"ask is {cut(self.ask)} and draw is {cut(self.draw)}; captions answer a question, "
                "or ask for a drawing: give one of the two, and ask some words"
            )
        if self.tasks is not None and not checks.texts("tasks", self.tasks):
            raise RequestError("tasks: found no name; name some, or leave tasks out for all")
        checks.whole_number("seed", self.seed, 0, 2**63 - 1)
