"""The paired proxy: picture -> the target that somebody else made for it.

Nothing is drawn: the target's file is stored as it is. Where the output has another size, a map of
labels is sampled under the centre of each pixel, as all labels of this package are, so that no
colours blend; any other target is resized as input pictures are. What the target is, is counted
from its pixels (see `segmentation.target_audit`) and stated in the sample's JSON.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from sgt_data.errors import AnnotationError, CorpusError, FilteredOut
from sgt_data.facts import NOT_DRAWN, STATED
from sgt_data.pictures.decode_source import StoredPicture
from sgt_data.pictures.decode_stored import rgb_pixels
from sgt_data.prompts.bank import placeholders
from sgt_data.prompts.stated_text import stated_text
from sgt_data.proxies.base import Proxy, Subject, Tier
from sgt_data.proxies.foreign_target import (
    FittedTarget,
    ForeignTarget,
    fitted_map,
    fitted_picture,
    read_target,
)
from sgt_data.proxies.taken_facts import (
    decode_taken,
    scored_facts,
    stated_decoding,
    taken_facts,
)
from sgt_data.records import DrawnTarget, Layer
from sgt_data.segmentation.colour_segments import colour_segments
from sgt_data.segmentation.target_audit import TargetAudit, audit_target
from sgt_data.segmentation.target_png import decode_target
from sgt_data.value_text import counted, cut

_Level = Annotated[int, Field(ge=0, le=255)]
_STRETCH_MAX = 0.05
Decodable = Literal["facts", "colors", "no"]
"""How a target is decoded: by the JSON of the sample that it is a copy of; as one label for each
colour; not at all."""


class PairedProxy(Proxy):
    """Proxy whose target was made elsewhere, and is stored as it is.

    Target:
        The source's own target, its bytes kept; where the size differs, a map of labels is sampled
        and never blended, a picture is resized.

    Examples:
        {type: paired, sources: [pairs]}
        {type: paired, name: sam-sgt, targets: labels, instructions: segmentation_entity}

    Attributes:
        targets: what targets are. `labels`: maps of labels; others are left out. `pictures`:
            pictures, such as edited photos. `auto`: each is what its pixels show.
        unlabelled: colour of a map that is no label; black by default.
        max_stretch: largest difference between the shapes (width by height) of picture and target,
            as a share; pairs of other shapes are damaged.
        instructions: lines in place of the source's own text, which is the instruction where none
            are given. Lines with `{text}` hold that text; a built-in bank
            (`segmentation_entity`) does without.
    """

    tier: ClassVar[Tier] = "high"
    needs: ClassVar[frozenset[Layer]] = frozenset({"target"})
    target_bytes_per_pixel: ClassVar[float] = 0.3

    type: Literal["paired"] = "paired"
    name: str = "paired"
    targets: Literal["auto", "labels", "pictures"] = "auto"
    unlabelled: tuple[_Level, _Level, _Level] = (0, 0, 0)
    max_stretch: float = Field(_STRETCH_MAX, ge=0, le=1)

    @property
    def shows_picture(self) -> bool:
        """Whether a target may show the picture: always, unless all are maps of labels."""
        return self.targets != "labels"

    @property
    def uses_text(self) -> bool:
        """Whether the source's own text stands in the instruction."""
        if self.instructions is None:
            return True
        return any("text" in placeholders(line) for line in self.instruction_bank().train)

    def needed_words(self) -> tuple[frozenset[str], ...]:
        return (frozenset({"text"}),) if self.uses_text else ()

    def unmet_need(self, layers: frozenset[Layer]) -> str | None:
        if "target" not in layers:
            return "targets that were made elsewhere are needed: a source of type pairs has them"
        if self.uses_text and "text" not in layers:
            return (
                "the source states no text for its pairs; say where it is (texts, text_suffix, or "
                "text: the field), or give the proxy lines: instructions: segmentation_entity"
            )
        return None

    def bank(self) -> str:
        return STATED

    def draw(self, subject: Subject) -> DrawnTarget:
        target = read_target(subject.layer_data("target"))
        stored, size = subject.picture.stored, (subject.picture.width, subject.picture.height)
        turn = _turn_of(target, stored)
        self._check_shape(target, stored, turn)
        audit = audit_target(target.pixels, is_lossless=target.is_lossless)
        if self.targets == "labels" and audit.kind == "picture":
            raise FilteredOut(f"the target is no map of labels: {_why_not(audit, target)}")
        taken = self._taken(subject, size)
        is_map = self.targets != "pictures" and (
            audit.kind != "picture" or target.codes is not None or taken.text != ""
        )
        if is_map:
            fitted = fitted_map(target, size, turn)
        else:
            fitted = fitted_picture(target, size, turn, subject.encode)
        segments = []
        if fitted.pixels is not None and audit.kind == "labels":
            segments = colour_segments(fitted.pixels, self.unlabelled)
        decodable: Decodable = "colors" if is_map and audit.kind == "labels" else "no"
        why = taken.problem or ("" if decodable == "colors" else _why_not(audit, target))
        if taken.text:
            decodable, why = _checked(fitted, taken, size, decodable)
        facts = {
            "audit": {
                "kind": audit.kind, "colors": audit.colours, "blended": round(audit.blended, 6),
                "flat": round(audit.flat, 6), "areas": audit.areas, "format": target.form,
                "size": {"width": target.size[0], "height": target.size[1]},
                "same_size": target.size in (stored.upright_size, (stored.width, stored.height)),
                "decodable": decodable, "why": why,
            },
            "stored": fitted.how,
            "turned": turn,
            "unlabelled": list(self.unlabelled),
            "segments": segments or [{**NOT_DRAWN, "visible_area": 0, "areas": 0}],
            "taken": taken.text if decodable == "facts" else "",
        }  # fmt: skip
        words = {"text": stated_text(subject.layer_data("text"))} if self.uses_text else {}
        return DrawnTarget(
            fitted.data, fitted.extension, facts, segments=len(segments), words=words
        )

    def _check_shape(self, target: ForeignTarget, stored: StoredPicture, turn: int) -> None:
        width, height = target.size if turn < 5 else target.size[::-1]
        shown = stored.upright_size
        stretch = abs(np.log((width / height) / (shown[0] / shown[1])))
        if stretch > np.log1p(self.max_stretch):
            raise AnnotationError(
                f"the target is {width}x{height}, the picture {shown[0]}x{shown[1]}: their shapes "
                f"differ by {np.expm1(stretch):.0%}, max_stretch allows {self.max_stretch:.0%}"
            )

    def _taken(self, subject: Subject, size: tuple[int, int]) -> _TakenFacts:
        """The JSON that the source gives for the target, and why it cannot be used."""
        if "target_facts" not in subject.layers:
            return _TakenFacts("", "")
        data = subject.layer_data("target_facts")
        try:
            taken_facts(data, size)
            return _TakenFacts(data.decode(), "")
        except (CorpusError, UnicodeDecodeError) as why:
            return _TakenFacts("", str(why))

    @classmethod
    def map_words(cls, facts: Mapping[str, Any]) -> str:
        return "target picture"

    @classmethod
    def decode(cls, target: bytes, facts: Mapping[str, Any]) -> Any:
        """What the proxy that drew it decodes it to, where its JSON was taken along; else a label
        map with a label for each colour.

        Raises:
            CorpusError: target and facts do not belong together, or it is no map; says why.
        """
        how, why = stated_decoding(facts)
        if how == "facts":
            return decode_taken(target, scored_facts(facts))
        if how == "colors":
            return decode_target(target, facts)
        raise CorpusError(
            f"its target was made elsewhere and is not decoded: {why}; `segments > 0` chooses "
            "those that are decoded by their colours"
        )

    @classmethod
    def contradictions(cls, target: bytes, facts: Mapping[str, Any]) -> list[str]:
        if stated_decoding(facts)[0] != "no":
            cls.decode(target, facts)
            return []
        try:
            height, width = rgb_pixels(target).shape[:2]
            size = facts["size"]["width"], facts["size"]["height"]
        except (ValueError, KeyError, TypeError) as why:
            raise CorpusError(f"the target cannot be decoded: {cut(why)}") from why
        if (width, height) != size:
            return [f"its target is {width}x{height}, its facts say {size[0]}x{size[1]}"]
        return []


@dataclass(frozen=True, slots=True)
class _TakenFacts:
    """JSON that a source gives for a target.

    Attributes:
        text: the JSON; empty where there is none that can be used.
        problem: why it cannot.
    """

    text: str
    problem: str


def _turn_of(target: ForeignTarget, stored: StoredPicture) -> int:
    """EXIF orientation by which a target is turned as its picture is: 1 where it is upright.

    A target without tag lies on the stored pixels of a turned picture where it has their size, as
    loaders that ignore the tag see both.
    """
    if stored.orientation == 1 or target.stored.orientation != 1:
        return 1
    return stored.orientation if target.size == (stored.width, stored.height) else 1


def _checked(
    fitted: FittedTarget, taken: _TakenFacts, size: tuple[int, int], otherwise: Decodable
) -> tuple[Decodable, str]:
    """How a target with facts of its own is decoded, and why not by these."""
    try:
        decode_taken(fitted.data, taken_facts(taken.text, size))
        return "facts", ""
    except CorpusError as why:
        return otherwise, f"the facts that are given do not fit: {why}"


def _why_not(audit: TargetAudit, target: ForeignTarget) -> str:
    """Why the colours of a target are no labels."""
    colours = counted(audit.colours, "colour")
    if audit.kind == "picture":
        return f"its {colours} change little by little, as those of a photograph or of depth"
    if not target.is_lossless:
        return f"its file is a {target.form}, which changes colours: it has {colours}"
    if audit.kind == "labels":
        return "targets is pictures: its colours are no labels"
    return (
        f"{audit.blended:.2%} of its pixels have blends of the colours around them, {colours} in "
        "all, as after a resize of colours or smooth edges"
    )
