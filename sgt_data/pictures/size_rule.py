"""Rules for the output size of a picture, which holds for the picture and its labels alike."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field, model_validator


class SizeRule(BaseModel):
    """Bounds of the sides of an output picture, in pixels.

    The default is BAGEL's rule for generated pictures: longer side at most 1024, shorter side at
    least 512, both multiples of 16.

    A picture is shrunk until its longer side fits `max_side`, and enlarged only as far as its
    shorter side needs to reach `min_side`; `max_side` wins where both cannot hold. Then each side
    is rounded to the nearest multiple of `multiple_of`: the aspect ratio may change by that much.

    Attributes:
        min_side: least length of the shorter side.
        max_side: greatest length of the longer side.
        multiple_of: both sides are multiples of it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    min_side: int = Field(512, ge=1, le=16384)
    max_side: int = Field(1024, ge=1, le=16384)
    multiple_of: int = Field(16, ge=1, le=512)

    @model_validator(mode="after")
    def _sides_in_order(self) -> SizeRule:
        if self.min_side > self.max_side:
            raise ValueError(f"min_side {self.min_side} is larger than max_side {self.max_side}")
        if self.multiple_of > self.max_side:
            raise ValueError(f"multiple_of {self.multiple_of} exceeds max_side {self.max_side}")
        return self

    def output_size(self, width: int, height: int) -> tuple[int, int]:
        """Width and height of the output of an upright picture of `width` x `height` pixels."""
        scale = min(1.0, self.max_side / max(width, height))
        scale = max(scale, self.min_side / min(width, height))
        scale = min(scale, self.max_side / max(width, height))
        return self._rounded(width * scale), self._rounded(height * scale)

    def _rounded(self, side: float) -> int:
        largest = self.max_side // self.multiple_of
        return self.multiple_of * min(largest, max(1, round(side / self.multiple_of)))


class AsStored(SizeRule):
    """The rule by which pictures keep their size."""

    def output_size(self, width: int, height: int) -> tuple[int, int]:
        """Width and height as they are."""
        return width, height


class Exactly(SizeRule):
    """The rule by which pictures get one size, whatever theirs is.

    Attributes:
        width, height: of every output, in pixels.
    """

    width: int = Field(ge=1)
    height: int = Field(ge=1)

    def output_size(self, width: int, height: int) -> tuple[int, int]:
        """Width and height of the rule."""
        return self.width, self.height
