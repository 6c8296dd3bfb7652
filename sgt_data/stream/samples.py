"""What the stream gives: samples, encoded as they are stored, and decoded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from sgt_data.errors import CorpusError
from sgt_data.pictures.decode import rgb_pixels


@dataclass(frozen=True, slots=True)
class Sample:
    """One sample.

    Attributes:
        component: of the mixture.
        key, proxy, corpus, shard: where it comes from.
        input: the picture to condition on, as stored (JPEG bytes).
        target: the picture to generate, as stored (PNG or JPEG bytes).
        instruction: the text.
        facts: the sample's JSON; `sgt_data.decode(target, facts)` takes the target back.
    """

    component: str
    key: str
    proxy: str
    corpus: str
    shard: str
    input: bytes
    target: bytes
    instruction: str
    facts: Mapping[str, Any]

    def pixels(self) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        """Input and target, decoded: RGB [H, W, 3] each, perhaps read-only. 16-bit depth is shown
        in its upper 8 bits.

        Raises:
            CorpusError: one of them cannot be decoded.
        """
        return self.decoded(self.input), self.decoded(self.target)

    def pictures(self) -> tuple[Image.Image, Image.Image]:
        """As `pixels`, in Pillow's form.

        Raises:
            CorpusError: one of them cannot be decoded.
        """
        given, target = self.pixels()
        return Image.fromarray(given), Image.fromarray(target)

    def decoded(self, data: bytes) -> NDArray[np.uint8]:
        """One of its two, as `pixels`.

        Raises:
            CorpusError: it cannot be decoded.
        """
        try:
            return rgb_pixels(data)
        except ValueError as why:
            raise CorpusError(
                f"{self.corpus}: {self.proxy}/{self.shard}, sample {self.key}: a picture cannot be "
                f"decoded: {why}"
            ) from why
