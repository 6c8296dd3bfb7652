"""Base class of proxies, which draw a target for a picture and decode it again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from PIL import Image
from pydantic import SerializerFunctionWrapHandler, model_serializer, model_validator

from sgt_data.errors import AnnotationError
from sgt_data.pictures.decode_source import Picture
from sgt_data.plugins.member import Member
from sgt_data.prompts.bank import Bank, load_bank
from sgt_data.prompts.own_lines import OwnLines
from sgt_data.records import (
    DEPTH_LAYERS,
    Annotation,
    Category,
    DenseLayer,
    DenseMap,
    DrawnTarget,
    Intrinsics,
    Layer,
    NormalMap,
)
from sgt_data.suggestions import did_you_mean

Tier = Literal["high", "mid", "low"]


def _no_data(layer: Layer) -> bytes:
    raise AnnotationError(f"there is no {layer} of this picture")


def _no_normals() -> NormalMap:
    raise AnnotationError("there are no normals of this picture")


def _no_intrinsics() -> Intrinsics:
    raise AnnotationError("there is no camera of this picture")


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
        layer_data: bytes of a layer of a user's own, as its source or annotator gives them.
        normals: parses the source's surface normals, which lie on the stored pixels.
        intrinsics: the camera, in stored pixels.
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
    layer_data: Callable[[Layer], bytes] = _no_data
    normals: Callable[[], NormalMap] = _no_normals
    intrinsics: Callable[[], Intrinsics] = _no_intrinsics


class Proxy(Member):
    """Base class of the proxies of a manifest. A subclass draws targets and decodes them.

    Attributes:
        type: kind of proxy, the key of the registry.
        name: folder of the proxy in the corpus; unique in a manifest.
        sources: names of the sources that it is drawn for; by default all.
        instructions: lines that replace those of its bank: the name of a built-in bank, a text file
            (`my.txt` beside the manifest, `package:file.txt`), a list of these, or the lines.
    """

    sources: tuple[str, ...] | None = None
    instructions: str | OwnLines | None = None

    role: ClassVar[str] = "proxy"
    to_write: ClassVar[frozenset[str]] = frozenset({"draw", "decode"})

    tier: ClassVar[Tier]
    """Level of perception that the task belongs to."""

    degrades: ClassVar[bool] = False
    """Whether the input of its samples is a degraded picture instead of the clean one."""

    target_bytes_per_pixel: ClassVar[float] = 0.06
    """Expected bytes of target and facts per output pixel, for estimates."""

    annotated_layer: ClassVar[Layer | None] = None
    """The layer that an annotator can provide for it."""

    needs: ClassVar[frozenset[Layer]] = frozenset()
    """The layers that it is drawn from, all of them."""

    placeholders: ClassVar[frozenset[str]] = frozenset()
    """Names of the words that `draw` gives; each line of its instructions has all of them."""

    @model_validator(mode="before")
    @classmethod
    def _direction_is_a_proxy(cls, fields: Any) -> Any:
        is_unknown = "direction" not in cls.model_fields
        if isinstance(fields, dict) and "direction" in fields and is_unknown:
            name = fields.get("name", cls.model_fields["name"].get_default())
            raise ValueError(
                "a proxy has no direction; its reverse is an entry of its own: "
                f"{{type: generate, of: {name}}}"
            )
        return fields

    @model_serializer(mode="wrap")
    def _without_unstated_fields(self, fields: SerializerFunctionWrapHandler) -> dict[str, Any]:
        unstated = self.unstated_fields()
        return {name: value for name, value in fields(self).items() if name not in unstated}

    def unstated_fields(self) -> frozenset[str]:
        """Fields that a corpus does not state: corpora of before they existed do not either."""
        return frozenset({"instructions"} if self.instructions is None else ())

    def needed_words(self) -> tuple[frozenset[str], ...]:
        """Groups of placeholders: each line of its instructions has at least one of each group,
        and no other."""
        return tuple(frozenset({name}) for name in sorted(self.placeholders))

    @property
    def shows_picture(self) -> bool:
        """Whether a sample holds the picture itself, as target or as a degraded input.

        Such samples may be passed on by those alone who may pass on the picture.
        """
        return self.degrades

    def libraries(self) -> tuple[str, ...]:
        """Packages whose version may change its bytes, without the codecs."""
        return ()

    def replaced_libraries(self) -> frozenset[str]:
        """Packages that an earlier version drew with, whose results the present code equals byte
        for byte: a corpus that names them can be continued."""
        return frozenset()

    def annotator_for(self, layers: frozenset[Layer]) -> str | None:
        """Name of the annotator that provides what a source with these layers lacks; else None."""
        return None

    def unmet_need(self, layers: frozenset[Layer]) -> str | None:
        """Why this proxy cannot be drawn for a source with these layers; None where it can."""
        given = {self.annotated_layer} if self.annotator_for(layers) else set[str | None]()
        for layer in sorted(self.needs - layers - given):
            offered = ", ".join(sorted(layers)) or "none"
            return (
                f"{self.type} needs the layer {layer}; the source has {offered}"
                f"{did_you_mean(layer, layers)}"
            )
        return None

    def files_beside(self, layers: frozenset[Layer]) -> frozenset[Layer]:
        """The files beside pictures (`depth`, `normals`, `intrinsics`) that it is drawn from, for a
        source with these layers."""
        return frozenset({"depth"} if self.annotated_layer in DEPTH_LAYERS else ())

    def bank(self) -> str:
        """Name of the built-in bank of its instructions, where a manifest gives none."""
        return ""

    def bank_for(self, look: str | None) -> str:
        """Name of that bank where an annotator draws in this look (`Annotator.look`)."""
        return self.bank()

    def instruction_bank(self, look: str | None = None) -> Bank:
        """The lines that its instructions are chosen from.

        Args:
            look: how the layer of its annotator looks.

        Raises:
            FileNotFoundError: no bank has the name that the proxy or its manifest gives.
        """
        if isinstance(self.instructions, OwnLines):
            return self.instructions.as_bank()
        return load_bank(self.instructions or self.bank_for(look))

    def line_problem(self, line: str) -> str | None:
        """Why a line of a manifest's own cannot be used, beside its placeholders; None where it
        can."""
        return None

    def draw(self, subject: Subject) -> DrawnTarget:
        """Draw the target of a picture.

        Raises:
            AnnotationError: the annotation cannot be right.
            FilteredOut: the manifest's filters leave this picture out.
        """
        raise NotImplementedError

    @classmethod
    def map_words(cls, facts: Mapping[str, Any]) -> str:
        """What its target is, for instructions that ask for the picture: a noun phrase without
        article.

        A line says `this` before it: `depth map in which near is bright`. A legend belongs into it.
        Of a proxy that degrades, it is what the input is, and a line says `a` before it.

        Args:
            facts: the JSON of a sample.
        """
        words = facts.get("instruction", {}).get("words", {}).values()
        stated = f" ({'; '.join(words)})" if words else ""
        return f"{str(facts.get('type', '')).replace('_', ' ')} map{stated}"

    @classmethod
    def contradictions(cls, target: bytes, facts: Mapping[str, Any]) -> list[str]:
        """Contradictions between a stored target and its facts; empty where the target is sound.

        Raises:
            CorpusError: the target cannot be decoded at all.
        """
        cls.decode(target, facts)
        return []

    @classmethod
    def instruction_contradictions(cls, instruction: str, facts: Mapping[str, Any]) -> list[str]:
        """Contradictions between the text of an instruction and the facts of its sample.

        It is asked by `verify --deep`, which compares the line with its bank itself.

        Raises:
            CorpusError: the facts do not belong to a sample of this proxy.
        """
        return []

    @classmethod
    def decode(cls, target: bytes, facts: Mapping[str, Any]) -> Any:
        """Recover from a stored target and its facts what the target was drawn from.

        Raises:
            CorpusError: target and facts do not belong together.
        """
        raise NotImplementedError
