"""One sample of a corpus, as stored: two pictures, an instruction and its facts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from sgt_data.errors import CorpusError, RequestError
from sgt_data.foreign_errors import in_words
from sgt_data.notebook_html import figure, heading
from sgt_data.pictures.decode_stored import rgb_pixels
from sgt_data.value_text import cut

_PNG = b"\x89PNG\r\n\x1a\n"


@dataclass(frozen=True, slots=True, repr=False)
class Sample:
    """One sample, encoded as it is stored.

    `sample["key"]` is `sample.key`, and so with every field, as in the dicts that `Pictures` makes.

    Attributes:
        key: of the picture; a key has at most one sample in each proxy.
        proxy: the task.
        corpus: URL of the corpus; a copied sample equals its original.
        shard: name of the shard.
        input: the picture to condition on, JPEG bytes. Empty where the reader left it out.
        target: the picture to generate, PNG or JPEG bytes.
        instruction: the text.
        facts: the sample's JSON; `sgt_data.decode(target, facts)` takes the target back.
        component: of the stream's mixture; empty outside a stream.
    """

    key: str
    proxy: str
    corpus: str = field(compare=False)
    shard: str
    input: bytes
    target: bytes
    instruction: str
    facts: Mapping[str, Any]
    component: str = ""

    @property
    def extension(self) -> Literal["png", "jpg"]:
        """File name extension of the target."""
        return "png" if self.target.startswith(_PNG) else "jpg"

    @property
    def place(self) -> str:
        """Corpus, shard and key, for messages."""
        return f"{self.corpus}: {self.proxy}/{self.shard}, sample {self.key}"

    @property
    def input_image(self) -> Image.Image:
        """The picture to condition on, decoded: RGB.

        Raises:
            CorpusError: it cannot be decoded.
        """
        return Image.fromarray(self.decoded(self.input))

    @property
    def target_image(self) -> Image.Image:
        """The picture to generate, decoded: RGB. Depth of 16 bits is shown in its upper 8 bits.

        Raises:
            CorpusError: it cannot be decoded.
        """
        return Image.fromarray(self.decoded(self.target))

    def __getitem__(self, name: str) -> Any:
        """A field by its name.

        Raises:
            RequestError: there is no such field.
        """
        if name not in self.__slots__:
            raise RequestError(
                f"a Sample has no field {name!r}; it has {', '.join(self.__slots__)}"
            )
        return getattr(self, name)

    __iter__ = None
    """A sample is no sequence of its fields."""

    def __repr__(self) -> str:
        size = self.facts.get("size", {})
        shape = f"{size['width']}x{size['height']} " if {"width", "height"} <= set(size) else ""
        text = f"{cut(self.instruction, 72)}"
        return f"<Sample {self.key} of {self.proxy}: {shape}{self.extension}, {text}>"

    def _repr_html_(self) -> str:
        """Input, target and instruction, as a notebook shows them."""
        pictures = [(self.input, "input"), (self.target, "target")]
        shown = "".join(figure(data, name) for data, name in pictures if data)
        return f"<div>{heading(f'{self.proxy} {self.key}', self.instruction)}{shown}</div>"

    def pixels(self) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        """Input and target, decoded: [H, W, 3] uint8 RGB each, perhaps read-only.

        Depth of 16 bits is shown in its upper 8 bits.

        Raises:
            CorpusError: a picture cannot be decoded.
        """
        return self.decoded(self.input), self.decoded(self.target)

    def pictures(self) -> tuple[Image.Image, Image.Image]:
        """Input and target as Pillow's RGB images; see `pixels`.

        Raises:
            CorpusError: a picture cannot be decoded.
        """
        given, target = self.pixels()
        return Image.fromarray(given), Image.fromarray(target)

    def decoded(self, data: bytes) -> NDArray[np.uint8]:
        """One of the sample's two pictures, decoded: [H, W, 3] uint8 RGB, perhaps read-only.

        Raises:
            CorpusError: the picture cannot be decoded.
        """
        try:
            return rgb_pixels(data)
        except ValueError as why:
            raise CorpusError(
                f"{self.place}: a picture cannot be decoded: {in_words(why)}"
            ) from why
