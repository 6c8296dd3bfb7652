"""What a proxy is: configured by the manifest, it draws targets one by one, and decodes them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from PIL import Image
from pydantic import BaseModel, ConfigDict, field_validator

from sgt_data.names import checked_name
from sgt_data.pictures.prepare import Picture
from sgt_data.records import (
    Annotation,
    Category,
    DenseLayer,
    DenseMap,
    DrawnTarget,
    Layer,
)

Tier = Literal["high", "mid", "low"]


@dataclass(frozen=True, slots=True)
class Subject:
    """All that a proxy may look at to draw one target.

    Attributes:
        key: of the sample.
        seed: of the manifest; every random choice derives from seed and key.
        picture: upright sRGB at the output size, with the header of its stored file.
        layers: what the source's annotations, and the proxy's annotator, say.
        annotation: parses one layer of segments on demand; None where the source says nothing of
            this picture.
        dense: reads one dense layer on demand.
        vocabulary: the source's categories by id.
        clean: the picture as the JPEG that other proxies take as their input (encoded once).
        encode: any upright RGB picture of the output size as a JPEG, by the manifest's rule.
    """

    key: str
    seed: int
    picture: Picture
    layers: frozenset[Layer]
    annotation: Callable[[Layer], Annotation | None]
    dense: Callable[[DenseLayer], DenseMap]
    vocabulary: Mapping[int, Category]
    clean: Callable[[], bytes]
    encode: Callable[[Image.Image], bytes]


class Proxy(BaseModel):
    """Base of every proxy's part of the manifest. Subclasses are proxies: they draw and decode.

    Attributes:
        type: which kind of proxy, the key of the registry.
        name: folder of the proxy in the corpus; unique in a manifest.
        sources: names of the sources it is drawn for; all by default.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    type: str
    name: str
    sources: tuple[str, ...] | None = None

    # a validator, as subclasses that give a default would lose a constraint of the field
    _name_fits = field_validator("name")(checked_name)

    tier: ClassVar[Tier]

    degrades: ClassVar[bool] = False
    """Whether it conditions on a picture of its own instead of the clean one."""

    target_bytes_per_pixel: ClassVar[float] = 0.06
    """Of target and facts, for estimates."""

    annotated_layer: ClassVar[Layer | None] = None
    """What an annotator can fill in for it."""

    @property
    def shows_picture(self) -> bool:
        """Whether samples hold the picture itself, as target or as an input of their own: then
        they are passed on only by those who may pass the picture on."""
        return self.degrades

    def libraries(self) -> tuple[str, ...]:
        """Packages beside the codecs whose version may shape its bytes."""
        return ()

    def annotator_for(self, layers: frozenset[Layer]) -> str | None:
        """The annotator that fills in what a source with these annotations lacks, by name."""
        return None

    def unmet_need(self, layers: frozenset[Layer]) -> str | None:
        """Why a source with these annotations cannot serve this proxy; None if it can."""
        raise NotImplementedError

    def bank(self) -> str:
        """Name of the instruction bank."""
        raise NotImplementedError

    def draw(self, subject: Subject) -> DrawnTarget:
        """Draw the target of one picture.

        Raises:
            AnnotationError: the annotation cannot be right.
            FilteredOut: the manifest's filters leave this picture out.
        """
        raise NotImplementedError

    @classmethod
    def contradictions(cls, target: bytes, facts: Mapping[str, Any]) -> list[str]:
        """What in a stored target its facts do not say; empty for a sound one.

        Raises:
            CorpusError: the target cannot be decoded at all.
        """
        cls.decode(target, facts)
        return []

    @classmethod
    def decode(cls, target: bytes, facts: Mapping[str, Any]) -> Any:
        """What the target was drawn from.

        Raises:
            CorpusError: target and facts do not belong together.
        """
        raise NotImplementedError
