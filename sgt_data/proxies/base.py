"""Base class of proxies, which draw a target for a picture and decode it again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from PIL import Image
from pydantic import BaseModel, ConfigDict, field_validator

from sgt_data.names import checked_name
from sgt_data.pictures.decode_source import Picture
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
    """All that a proxy may use to draw the target of one picture.

    Attributes:
        key: of the sample.
        seed: of the manifest; every random choice derives from seed and key.
        picture: upright sRGB at the output size, with the header of its stored file.
        layers: the layers of the source's annotations, and the layer of the proxy's annotator.
        annotation: parses a layer of segments; None where the source has none for this picture.
        dense: parses a dense layer.
        vocabulary: the source's categories by id.
        clean: the picture as the JPEG that other proxies take as their input (encoded once).
        encode: encodes any upright RGB picture of the output size by the manifest's rule for JPEG.
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
    """Base class of the proxies of a manifest. A subclass draws targets and decodes them.

    Attributes:
        type: kind of proxy, the key of the registry.
        name: folder of the proxy in the corpus; unique in a manifest.
        sources: names of the sources that it is drawn for; by default all.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    type: str
    name: str
    sources: tuple[str, ...] | None = None

    # a validator, as subclasses that give a default would lose a constraint of the field
    _name_fits = field_validator("name")(checked_name)

    tier: ClassVar[Tier]
    """Level of perception that the task belongs to."""

    degrades: ClassVar[bool] = False
    """Whether the input of its samples is a degraded picture instead of the clean one."""

    target_bytes_per_pixel: ClassVar[float] = 0.06
    """Expected bytes of target and facts per output pixel, for estimates."""

    annotated_layer: ClassVar[Layer | None] = None
    """The layer that an annotator can provide for it."""

    @property
    def shows_picture(self) -> bool:
        """Whether a sample holds the picture itself, as target or as a degraded input.

        Such samples may be passed on by those alone who may pass on the picture.
        """
        return self.degrades

    def libraries(self) -> tuple[str, ...]:
        """Packages whose version may change its bytes, without the codecs."""
        return ()

    def annotator_for(self, layers: frozenset[Layer]) -> str | None:
        """Name of the annotator that provides what a source with these layers lacks; else None."""
        return None

    def unmet_need(self, layers: frozenset[Layer]) -> str | None:
        """Why this proxy cannot be drawn for a source with these layers; None where it can."""
        raise NotImplementedError

    def bank(self) -> str:
        """Name of its instruction bank."""
        raise NotImplementedError

    def bank_for(self, look: str | None) -> str:
        """Name of its instruction bank where an annotator draws in this look (`Annotator.look`)."""
        return self.bank()

    def draw(self, subject: Subject) -> DrawnTarget:
        """Draw the target of a picture.

        Raises:
            AnnotationError: the annotation cannot be right.
            FilteredOut: the manifest's filters leave this picture out.
        """
        raise NotImplementedError

    @classmethod
    def contradictions(cls, target: bytes, facts: Mapping[str, Any]) -> list[str]:
        """Contradictions between a stored target and its facts; empty where the target is sound.

        Raises:
            CorpusError: the target cannot be decoded at all.
        """
        cls.decode(target, facts)
        return []

    @classmethod
    def decode(cls, target: bytes, facts: Mapping[str, Any]) -> Any:
        """Recover from a stored target and its facts what the target was drawn from.

        Raises:
            CorpusError: target and facts do not belong together.
        """
        raise NotImplementedError
