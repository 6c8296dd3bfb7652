"""Base class of the restoration proxies: degraded picture -> clean picture."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from PIL import Image

from sgt_data.degradations.pixels import Pixels
from sgt_data.errors import BuildError, CorpusError, FilteredOut
from sgt_data.foreign_errors import in_words
from sgt_data.proxies.base import Proxy, Subject, Tier
from sgt_data.records import DrawnTarget, Layer
from sgt_data.seeds import generator


class RestorationProxy(Proxy):
    """Base class of the restoration proxies; a subclass defines the degradation."""

    tier: ClassVar[Tier] = "low"
    degrades: ClassVar[bool] = True
    target_bytes_per_pixel: ClassVar[float] = 0.36

    @property
    def shows_picture(self) -> bool:
        return True

    def degrade(self, picture: Pixels, rng: np.random.Generator) -> tuple[Pixels, dict[str, Any]]:
        """Degrade a picture.

        Args:
            picture: [H, W, 3] uint8 RGB; it must not be changed.
            rng: source of randomness for this picture.

        Returns:
            The degraded picture, of the same shape, and the parameters that were drawn for it.

        Raises:
            FilteredOut: the picture has nothing that could be restored.
        """
        raise NotImplementedError

    def unmet_need(self, layers: frozenset[Layer]) -> str | None:
        return None

    def bank(self) -> str:
        return self.type

    def draw(self, subject: Subject) -> DrawnTarget:
        picture = subject.picture.pixels
        rng = generator(subject.seed, "restoration", self.type, subject.key)
        degraded, parameters = self.degrade(picture, rng)
        if degraded.shape != picture.shape or degraded.dtype != np.uint8:
            raise BuildError(
                f"proxy {self.name} made {degraded.dtype} {list(degraded.shape)} of the "
                f"{list(picture.shape)} picture of {subject.key}; it must keep size and type"
            )
        degraded_jpeg = subject.encode(Image.fromarray(degraded))
        if degraded_jpeg == subject.clean():
            raise FilteredOut(f"the degradation {parameters} leaves this picture as it is")
        facts = {"degradation": parameters}
        return DrawnTarget(subject.clean(), "jpg", facts, picture=degraded_jpeg)

    @classmethod
    def decode(cls, target: bytes, facts: Mapping[str, Any]) -> Pixels:
        """The clean picture, [H, W, 3] uint8 RGB.

        Raises:
            CorpusError: target and facts do not belong together.
        """
        return decoded_photo(target, facts)

    @classmethod
    def map_words(cls, facts: Mapping[str, Any]) -> str:
        return "degraded photo"


def decoded_photo(target: bytes, facts: Mapping[str, Any]) -> Pixels:
    """A stored photograph, [H, W, 3] uint8 RGB.

    Raises:
        CorpusError: target and facts do not belong together.
    """
    try:
        size = facts["size"]["width"], facts["size"]["height"]
    except (KeyError, TypeError) as why:
        raise CorpusError(f"the facts do not state the target's size: {in_words(why)}") from why
    try:
        with Image.open(io.BytesIO(target), formats=["JPEG"]) as image:
            if image.size != size or image.mode != "RGB":
                raise CorpusError(
                    f"the target is {image.mode} {image.size}, its facts say RGB {size}"
                )
            return np.array(image)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as why:
        raise CorpusError(f"the target cannot be decoded: {in_words(why)}") from why
