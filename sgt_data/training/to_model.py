"""A transform of the stream: samples and conversations at the size of a model, as uint8."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from hashlib import blake2b
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from sgt_data.corpus.sample import Sample
from sgt_data.errors import CorpusError
from sgt_data.facts import reversed_facts
from sgt_data.foreign_errors import in_words
from sgt_data.pictures.decode_stored import rgb_pixels
from sgt_data.stream.conversations import Conversation
from sgt_data.stream.transforms import input_filter, target_filter
from sgt_data.training.categories import classes_of
from sgt_data.training.exchanges import caption_of, question_and_answer
from sgt_data.training.letterbox import GREY, RGB, letterboxed, target_padding
from sgt_data.training.pixel_cache import PixelCache

QUESTIONS, DESCRIPTIONS, CAPTIONS = "questions", "descriptions", "captions"
"""The mixture's components of questions, of questions that captions answer, and of captions."""

PICTURE = "picture"
"""What a caption describes where it is no target of a proxy (its field `draws`)."""

_BLACK = (0, 0, 0)
_FORMS_MAX = 1 << 16

Pixels = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class _Form:
    """How a picture is brought to a model's size: its filter, and its padding."""

    resampling: Image.Resampling
    padding: RGB


_PHOTOGRAPH = _Form(Image.Resampling.BICUBIC, GREY)


@dataclass(frozen=True, slots=True)
class ToModel:
    """Resizes and decodes samples for a model, to uint8 [S, S, 3].

    Pictures that are not square are padded, see `letterbox`. Targets of labels are resized by the
    nearest pixel. Resized pictures are cached, up to 256 MiB: a small model reads the same pictures
    many times, and decoding a photograph takes longer than learning from it.

    Attributes:
        picture: side S of the model's pictures, pixels.
        blind: whether questions get a grey picture.
        categories: number of every category by name, for drawings that are classified; None for
            drawings that are drawn.
        cache: resized pictures by digest, filter and padding; categories by proxy, shard and key.
        forms: how the pictures of a sample are resized, by proxy, shard and key; so its JSON is
            parsed once, for up to 65,536 samples.
    """

    picture: int
    blind: bool
    categories: Mapping[str, int] | None = None
    cache: PixelCache = field(default_factory=PixelCache, repr=False)
    forms: dict[tuple[str, str, str], tuple[_Form, _Form]] = field(default_factory=dict, repr=False)

    def __call__(self, sample: Any) -> dict[str, Any]:
        """The fields that the model reads.

        `part` is `questions`, `drawings` or `captions`. Of a question `picture`, `text` and
        `answer`; of a drawing `picture`, `target`, `text`, `proxy`, `key`, and `classes` [S, S]
        int16 where there are categories; of a caption `text` and `target`.

        Raises:
            CorpusError: the sample is damaged.
        """
        if isinstance(sample, Conversation):
            is_caption = sample.component == CAPTIONS
            return self._caption(sample) if is_caption else self._question(sample)
        assert isinstance(sample, Sample)
        input_form, target_form = self._forms(sample)
        target = self._resized(sample.target, target_form, sample.decoded)
        drawing = {
            "part": "drawings",
            "picture": self._resized(sample.input, input_form, sample.decoded),
            "target": target,
            "text": sample.instruction,
            "proxy": sample.proxy,
            "key": sample.key,
        }
        if self.categories is not None:
            drawing["classes"] = self._classes(target, sample, self.categories)
        return drawing

    def _question(self, sample: Conversation) -> dict[str, Any]:
        text, answer = question_and_answer(sample)
        if self.blind or sample.image is None:
            picture = np.full((self.picture, self.picture, 3), GREY, np.uint8)
        else:
            picture = self._resized(sample.image, _PHOTOGRAPH, partial(_decoded, sample))
        return {"part": QUESTIONS, "picture": picture, "text": text, "answer": answer}

    def _caption(self, sample: Conversation) -> dict[str, Any]:
        text = caption_of(sample)
        is_picture = sample.fields.get("draws", PICTURE) == PICTURE
        form = _PHOTOGRAPH if is_picture else _Form(Image.Resampling.NEAREST, _BLACK)
        target = self._resized(sample.image or b"", form, partial(_decoded, sample))
        return {"part": CAPTIONS, "text": text, "target": target}

    def _forms(self, sample: Sample) -> tuple[_Form, _Form]:
        """How the input and the target of a sample are resized."""
        name = sample.proxy, sample.shard, sample.key
        if (known := self.forms.get(name)) is None:
            facts = sample.facts
            drawn = reversed_facts(facts)  # of a sample whose input is another proxy's target
            padding = GREY if drawn is None else target_padding(drawn)
            known = (
                _Form(input_filter(facts), padding),
                _Form(target_filter(facts), target_padding(facts)),
            )
            if len(self.forms) < _FORMS_MAX:
                self.forms[name] = known
        return known

    def _classes(
        self, target: Pixels, sample: Sample, categories: Mapping[str, int]
    ) -> NDArray[Any]:
        name = sample.proxy, sample.shard, sample.key
        if (cached := self.cache.get(name)) is not None:
            return cached
        return self.cache.put(name, classes_of(target, sample, categories))

    def _resized(self, data: bytes, form: _Form, decode: Callable[[bytes], Pixels]) -> Pixels:
        name = blake2b(data, digest_size=16).digest(), form
        if (cached := self.cache.get(name)) is not None:
            return cached
        pixels = letterboxed(decode(data), self.picture, form.resampling, form.padding)
        return self.cache.put(name, pixels)


def _decoded(sample: Conversation, data: bytes) -> Pixels:
    try:
        return rgb_pixels(data)
    except ValueError as why:
        raise CorpusError(f"{sample.source}, {sample.key}: its picture: {in_words(why)}") from why
