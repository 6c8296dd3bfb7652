"""Instruction lines that a manifest gives itself, and that its corpus keeps in `corpus.json`."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from sgt_data.prompts.bank import Bank, built_in_banks
from sgt_data.redaction import has_secrets
from sgt_data.value_text import cut

LINES_MAX = 20_000
"""Most lines of a bank of a manifest."""
LINE_MAX = 2000
"""Longest line, in characters."""

_Line = Annotated[str, Field(min_length=1, max_length=LINE_MAX)]
_Lines = Annotated[tuple[_Line, ...], Field(min_length=1, max_length=LINES_MAX)]


class OwnLines(BaseModel):
    """Lines of instructions of a manifest.

    Attributes:
        bank: name of the bank, which chooses the line of a sample together with seed and key.
        train: lines that the corpus uses.
        held_out: lines for evaluation alone.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    bank: str = Field(pattern=r"^[a-z0-9_]{1,64}$")
    train: _Lines
    held_out: _Lines

    @model_validator(mode="after")
    def _lines_fit(self) -> Self:
        if self.bank in built_in_banks():
            raise ValueError(
                f"the bank's name {self.bank} is that of a built-in bank; take another name (that "
                "of a file is its bank's)"
            )
        if both := set(self.train) & set(self.held_out):
            raise ValueError(
                f"the line {cut(min(both))} is a train line and a held-out line; evaluation "
                "needs lines that training never sees: remove one of the two"
            )
        for line in (*self.train, *self.held_out):
            if line != line.strip() or not line.isprintable():
                raise ValueError(
                    f"the line {cut(line)} holds a control character, or spaces at an end; a "
                    "line is one line of printable text"
                )
            if has_secrets(line):
                raise ValueError(
                    f"the line that begins with {line[:12]!r} holds the password or the query of "
                    "a URL, which may be a signature; corpora keep no secrets: take it out"
                )
        return self

    def as_bank(self) -> Bank:
        """The lines as a bank."""
        return Bank(self.bank, self.train, self.held_out, own=True)
