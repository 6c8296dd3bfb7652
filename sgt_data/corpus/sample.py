"""One sample of a corpus, as stored: two pictures, an instruction and its facts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import orjson
from numpy.typing import NDArray
from PIL import Image

from sgt_data.errors import CorpusError, RequestError
from sgt_data.foreign_errors import in_words
from sgt_data.notebook_html import figure, heading
from sgt_data.pictures.decode_stored import rgb_pixels
from sgt_data.pictures.palette_png import Empty, empty_pixels
from sgt_data.value_text import cut

_PNG = b"\x89PNG\r\n\x1a\n"


class _Unparsed:
    """The JSON of a sample whose facts nobody has looked at yet; no field of the sample."""

    __slots__ = ("_json",)
    _json: bytes | None


@dataclass(frozen=True, slots=True, repr=False)
class Sample(_Unparsed):
    """One sample, encoded as it is stored.

    `sample["key"]` is `sample.key`, and so with every field, as in the dicts that `Pictures` makes.
    A stream's reader gives samples whose facts are parsed when they are first looked at: to parse
    them takes longer than all else of reading a sample, and many trainers use none of them. Such
    samples travel to other processes with their JSON.

    Attributes:
        key: of the picture; a key has at most one sample in each proxy.
        proxy: the task.
        corpus: URL of the corpus; a copied sample equals its original.
        shard: name of the shard.
        input: the picture to condition on, JPEG bytes; of a proxy that reverses another, the target
            of that one, perhaps a PNG. Empty where the reader left it out.
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

    def parsed_late(self, json: bytes) -> Sample:
        """This new sample, whose facts are parsed from their JSON when they are first looked at.

        Looking at them raises a `CorpusError` where they are no JSON.
        """
        object.__setattr__(self, "_json", json)
        object.__delattr__(self, "facts")
        return self

    if not TYPE_CHECKING:  # a type checker would take every name for an attribute

        def __getattr__(self, name: str) -> Any:
            """The facts that are not parsed yet: Python asks here for what is not set."""
            if name != "facts":
                raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
            return self._parse()

    def _parse(self) -> Mapping[str, Any]:
        json = self._json
        if json is None:  # another thread has just parsed them
            return self.facts
        try:
            facts: Mapping[str, Any] = orjson.loads(json)
        except ValueError as why:
            raise CorpusError(f"{self.place}: {in_words(why)}") from why
        object.__setattr__(self, "facts", facts)
        object.__setattr__(self, "_json", None)
        return facts

    def __reduce__(self) -> tuple[Callable[..., Sample], tuple[Any, ...]]:
        json = getattr(self, "_json", None)
        values = [
            {} if json is not None and part.name == "facts" else getattr(self, part.name)
            for part in fields(self)
        ]
        return _restored, (json, *values)

    @property
    def facts_json(self) -> bytes:
        """The facts as JSON; as the corpus holds them where they are not parsed yet."""
        json: bytes | None = getattr(self, "_json", None)
        return orjson.dumps(self.facts) if json is None else json

    @property
    def extension(self) -> Literal["png", "jpg"]:
        """File name extension of the target."""
        return "png" if self.target.startswith(_PNG) else "jpg"

    @property
    def input_extension(self) -> Literal["png", "jpg"]:
        """File name extension of the input: `png` where it is a map, of a reversed proxy."""
        return "png" if self.input.startswith(_PNG) else "jpg"

    @property
    def place(self) -> str:
        """Corpus, shard and key, for messages."""
        return f"{self.corpus}: {self.proxy}/{self.shard}, sample {self.key}"

    @property
    def input_image(self) -> Image.Image:
        """The picture to condition on, decoded: RGB. Depth of 16 bits is shown in its upper 8 bits.

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

    def pixels(self, empty: Empty = empty_pixels) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        """Input and target, decoded: [H, W, 3] uint8 RGB each, perhaps read-only.

        Depth of 16 bits is shown in its upper 8 bits.

        Args:
            empty: gives the memory for pixels, as `numpy.empty` does.

        Raises:
            CorpusError: a picture cannot be decoded.
        """
        return self.decoded(self.input, empty), self.decoded(self.target, empty)

    def pictures(self) -> tuple[Image.Image, Image.Image]:
        """Input and target as Pillow's RGB images; see `pixels`.

        Raises:
            CorpusError: a picture cannot be decoded.
        """
        given, target = self.pixels()
        return Image.fromarray(given), Image.fromarray(target)

    def decoded(self, data: bytes, empty: Empty = empty_pixels) -> NDArray[np.uint8]:
        """One of the sample's two pictures, decoded: [H, W, 3] uint8 RGB, perhaps read-only.

        Args:
            data: of the picture.
            empty: gives the memory for pixels, as `numpy.empty` does.

        Raises:
            CorpusError: the picture cannot be decoded.
        """
        try:
            return rgb_pixels(data, empty)
        except ValueError as why:
            raise CorpusError(
                f"{self.place}: a picture cannot be decoded: {in_words(why)}"
            ) from why


def _restored(json: bytes | None, *values: Any) -> Sample:
    """A sample from a pickle, as it was when it was pickled."""
    sample = Sample(*values)
    return sample if json is None else sample.parsed_late(json)
