"""What the stream gives: samples, encoded as they are stored, and decoded."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from PIL import Image

from sgt_data.errors import CorpusError


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

    def pictures(self) -> tuple[Image.Image, Image.Image]:
        """Input and target, decoded: RGB each. 16-bit depth is shown in its upper 8 bits.

        Raises:
            CorpusError: one of them cannot be decoded.
        """
        return _picture(self.input, self), _picture(self.target, self)


def _picture(data: bytes, sample: Sample) -> Image.Image:
    try:
        with Image.open(io.BytesIO(data), formats=["JPEG", "PNG"]) as image:
            if image.mode.startswith("I"):
                return image.point(lambda value: value / 256).convert("L").convert("RGB")
            return image.convert("RGB")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as why:
        raise CorpusError(
            f"{sample.corpus}: {sample.proxy}/{sample.shard}, sample {sample.key}: a picture "
            f"cannot be decoded: {why}"
        ) from why
